"""A graph for Neo4j: CSV for neo4j-admin, and Cypher for a database that runs."""

import csv
import io
import math
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.database import reopen
from workbench.export import Export, Listed, list_links, list_nodes, write_file
from workbench.handover import Handover

NUMBERS = frozenset({"number", "time", "sparse"})


def write(handover: Handover, folder: Path) -> Path:
    """Write a CSV file a type, the import command, and a script of LOAD CSV."""
    with reopen(handover.snapshot) as database:
        nodes = list_nodes(database, handover)
        links = list_links(database, handover)
    names = {one.title: one.name for one in nodes}
    for one in nodes:
        head = [f"id:ID({one.name})", *_heads(one), ":LABEL"]
        rows = ([*row, one.name] for row in _rows(one, ["node"]))
        write_file(folder / f"node_{one.name}.csv", _csv(head, rows))
    for one in links:
        start, end = (names[name] for name in one.ends)
        head = [f":START_ID({start})", f":END_ID({end})", *_heads(one), ":TYPE"]
        rows = ([*row, one.name] for row in _rows(one, ["source", "target"]))
        write_file(folder / f"edge_{one.name}.csv", _csv(head, rows))
    write_file(folder / "import.sh", _command(nodes, links))
    return write_file(folder / "load.cypher", _cypher(nodes, links, names))


def _heads(one: Listed) -> list[str]:
    return [
        f"{_property(one, column)}:{'double' if kind in NUMBERS else 'string'}"
        for column, kind in one.kinds.items()
    ]


def _property(one: Listed, column: str) -> str:
    """Return a property's name; "id" is that of the node itself."""
    name = one.columns[column]
    return "id_" if name.lower() == "id" else name


def _rows(one: Listed, ids: list[str]) -> Iterator[tuple[Any, ...]]:
    columns = [one.rows.column(name).to_pylist() for name in ids]
    columns += [
        [_value(value, kind) for value in one.rows.column(column).to_pylist()]
        for column, kind in one.kinds.items()
    ]
    return zip(*columns, strict=True)


def _value(value: Any, kind: str) -> Any:
    if value is None or (kind in NUMBERS and not math.isfinite(float(value))):
        return ""
    return repr(float(value)) if kind in NUMBERS else str(value)


def _csv(head: list[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _command(nodes: list[Listed], links: list[Listed]) -> str:
    """Return the command that fills an empty database, while Neo4j is stopped."""
    files = [f"--nodes=node_{one.name}.csv" for one in nodes]
    files += [f"--relationships=edge_{one.name}.csv" for one in links]
    parts = ["neo4j-admin database import full neo4j", *map(shlex.quote, files)]
    parts.append("--multiline-fields=true")
    return "#!/bin/sh\n" + " \\\n  ".join(parts) + "\n"


def _cypher(nodes: list[Listed], links: list[Listed], names: Mapping[str, str]) -> str:
    """Return LOAD CSV statements, for files in the folder that Neo4j imports from."""
    found = []
    for one in nodes:
        found.append(
            f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:`{one.name}`)"
            " REQUIRE n.id IS UNIQUE;"
        )
        fields = [f"id: toInteger(row.`id:ID({one.name})`)", *_fields(one)]
        found.append(
            f"LOAD CSV WITH HEADERS FROM 'file:///node_{one.name}.csv' AS row\n"
            f"CREATE (:`{one.name}` {{{', '.join(fields)}}});"
        )
    for one in links:
        start, end = (names[name] for name in one.ends)
        fields = ", ".join(_fields(one))
        found.append(
            f"LOAD CSV WITH HEADERS FROM 'file:///edge_{one.name}.csv' AS row\n"
            f"MATCH (a:`{start}` {{id: toInteger(row.`:START_ID({start})`)}})\n"
            f"MATCH (b:`{end}` {{id: toInteger(row.`:END_ID({end})`)}})\n"
            f"CREATE (a)-[:`{one.name}` {{{fields}}}]->(b);"
        )
    return "\n\n".join(found) + "\n"


def _fields(one: Listed) -> list[str]:
    """Return the properties of a statement, from the columns of the file."""
    found = []
    for column, kind in one.kinds.items():
        name = _property(one, column)
        if kind in NUMBERS:
            found.append(f"`{name}`: toFloat(row.`{name}:double`)")
        else:
            found.append(f"`{name}`: row.`{name}:string`")
    return found


NEO4J = Export(
    name="neo4j",
    title="The graph for Neo4j: CSV, an import command and Cypher",
    needs="graph",
    write=write,
    link="https://neo4j.com/docs/operations-manual/current/import/",
)
