"""Rows that are assumed, so that a schema without any can be planned."""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from workbench.errors import TaskError
from workbench.hints import Hints, TableHint, TaskSpec
from workbench.planting.drawing import Plan
from workbench.planting.generate import row_counts, write_plan
from workbench.planting.invention import generator
from workbench.schema import Schema

VERSION = 1  # raise it when the same schema is given other rows
LABEL = "label"


@dataclass(frozen=True, slots=True)
class Assumed:
    """Made-up rows for a schema, to count and to follow, never to learn from.

    Attributes:
        path: An SQLite file.
        hints: What its columns mean: what the schema says, whatever the rows look like.
        spec: What is asked, as far as these rows can answer it.
        note: The sentence that says so.
    """

    path: Path
    hints: Hints
    spec: TaskSpec
    note: str


def assume_rows(schema: Schema, spec: TaskSpec, cache: Path) -> Assumed:
    """Return rows for a schema that has none, made once and kept in the cache.

    The target becomes 0 or 1 at random; a filter, which may fit no row, is left out,
    and rows are split at random. Where ``spec`` names a table alone, it gets a label.

    Args:
        schema: A schema without rows.
        spec: What is asked: ``Table.column``, or a table alone.
        cache: The folder that snapshots are kept in.

    Raises:
        SchemaError: The table or column is not there, or keys allow no rows.
        TaskError: The target names neither.
    """
    table, column = _target(schema, spec)
    hidden = sorted(".".join(each) for each in spec.hidden if all(each))
    asked = TaskSpec(
        target=f"{table}.{column}",
        hide=tuple(one for one in hidden if one != f"{table}.{column}"),
        name=spec.name,
        description=spec.description,
    )
    counts = row_counts(schema)
    content = [VERSION, asked.target, asdict(replace(schema, tasks={}, warnings=()))]
    text = json.dumps(content, sort_keys=True, default=str)
    folder = cache / "assumed" / hashlib.sha256(text.encode()).hexdigest()[:16]
    path = folder / f"{Path(schema.name).name or 'schema'}.sqlite"
    if not path.exists():
        bits = generator(0, table, column).integers(0, 2, counts[table]).tolist()
        tied = {
            name
            for key in (*schema.keys_from(table), *schema.keys_into(table))
            for owner, name in key.reads
            if owner == table
        } | set(schema.table(table).primary_key)
        columns = {} if column in tied else {table: {column: ("INTEGER", bits)}}
        _write_whole(schema, path, Plan(counts, columns=columns))
    numbers = ", ".join(f"{number:,}" for number in sorted(set(counts.values())))
    return Assumed(
        path=path,
        hints=_hints(schema),
        spec=asked,
        note=f"The source has no rows: counts are for {numbers} assumed rows a table;"
        " hops are exact.",
    )


def _target(schema: Schema, spec: TaskSpec) -> tuple[str, str]:
    names = [table.name for table in schema.tables]
    if spec.target in names:
        held = {column.name for column in schema.table(spec.target).columns}
        return spec.target, LABEL if LABEL not in held else f"{LABEL}_2"
    if not spec.table:
        raise TaskError(
            f'"{spec.target}" names neither a table nor a column; write TABLE or'
            f' TABLE.COLUMN, such as "{names[0]}".'
        )
    return spec.table, schema.column(spec.table, spec.column).name


def _hints(schema: Schema) -> Hints:
    tables = {
        table.name: TableHint(
            columns=MappingProxyType(
                {column.name: column.stype for column in table.columns}
            )
        )
        for table in schema.tables
    }
    return Hints(tables=MappingProxyType(tables), complete=True)


def _write_whole(schema: Schema, path: Path, plan: Plan) -> None:
    """Write a file under another name first, so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        built = Path(scratch) / path.name
        write_plan(schema, built, plan)
        built.replace(path)
