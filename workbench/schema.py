"""What the tables mean: keys, semantic types, junctions, each with its evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from workbench.database import Database, SourceTable, quote
from workbench.errors import SchemaError, unknown
from workbench.hints import (
    Hints,
    KeyHint,
    TableHint,
    hints_to_toml,
    read_hints,
)
from workbench.inclusion import Guess
from workbench.keys import Profiles
from workbench.ordering import count_distinct
from workbench.profiles import profile_tables
from workbench.proposals import TimeProposal, find_partners, propose_times
from workbench.relations import Column, ForeignKey, KeyOrigin, Schema, Table
from workbench.resources import resource_path
from workbench.search import NOTHING, Found, search_keys
from workbench.stypes import KeyPart, Stype, infer_stype, sparse_columns, value_sql

__all__ = [
    "Column",
    "ForeignKey",
    "Hints",
    "KeyHint",
    "KeyOrigin",
    "Schema",
    "Stype",
    "Table",
    "TableHint",
    "TimeProposal",
    "hints_of",
    "hints_to_toml",
    "infer_schema",
    "read_hints",
    "schema_to_json",
    "shipped_hints",
    "value_sql",
]


def infer_schema(database: Database, hints: Hints | None = None) -> Schema:
    """Find out what the tables of a database mean, from all rows.

    Keys are those that the database declares, those of the hints, and, unless the hints
    say that they are complete, those that the rows and names leave little doubt about;
    less certain ones are only suggested. Nothing here depends on which rows hold which
    value of a column that is predicted: a semantic type comes from its own column
    alone, keys from key columns alone.

    Args:
        database: The rows.
        hints: What the database does not say of itself. By default the hint file that
            is shipped for a sample, or for a file of the same name; parts of it that
            do not fit a user's own file become warnings.

    Raises:
        SchemaError: A hint names a table or column that is not there.
    """
    if hints is None:
        hints, forgiving = shipped_hints(database), not _is_sample(database)
    else:
        forgiving = False
    profiles = profile_tables(database)
    inference = _Inference(
        database, hints, forgiving, profiles, list(database.warnings)
    )
    inference.check_hints()
    known = inference.known_keys()
    found = inference.search(known)
    keys = _with_ids([*known, *inference.guessed(found.used)])
    tables = tuple(inference.table(source, keys, found) for source in database.tables)
    suggested = tuple(inference.guessed(found.suggested))
    database.release()
    return Schema(
        name=database.name,
        fingerprint=database.fingerprint,
        tables=tables,
        foreign_keys=keys,
        warnings=tuple(inference.warnings),
        tasks=dict(hints.tasks),
        suggested_keys=suggested,
        rejected_keys=hints.rejected_keys,
    )


def hints_of(schema: Schema) -> Hints:
    """Return hints that settle everything as a schema has it.

    Written to a file and read again they give the same keys, semantic types, time
    columns and tasks, whatever the rows would say by then.
    """
    return Hints(
        tables=MappingProxyType(
            {
                table.name: TableHint(
                    primary_key=table.primary_key,
                    time_column=table.time_column,
                    columns=MappingProxyType(
                        {column.name: column.stype for column in table.columns}
                    ),
                )
                for table in schema.tables
            }
        ),
        foreign_keys=tuple(
            KeyHint(key.table, key.columns, key.ref_table, key.ref_columns)
            for key in schema.foreign_keys
            if not key.declared
        ),
        rejected_keys=schema.rejected_keys,
        tasks=MappingProxyType(dict(schema.tasks)),
        complete=True,
    )


def shipped_hints(database: Database) -> Hints:
    """Return the hints that come with the workbench for a database of this name."""
    path = resource_path("schemas") / f"{database.name}.hints.toml"
    return read_hints(path) if path.is_file() else Hints()


def fitting_hints(database: Database) -> Hints:
    """Return the shipped hints where they fit the database throughout, else none."""
    hints = shipped_hints(database)
    check = _Inference(database, hints, forgiving=True, profiles={}, warnings=[])
    check.check_hints()
    return Hints() if check.unfit else hints


def schema_to_json(schema: Schema) -> dict[str, Any]:
    """Return what ``workbench inspect --json`` prints."""
    return {
        "name": schema.name,
        "fingerprint": schema.fingerprint,
        "tables": [
            {
                "name": table.name,
                "rows": table.num_rows,
                "primary_key": list(table.primary_key),
                "columns": [
                    {
                        "name": column.name,
                        "sql_type": column.sql_type,
                        "stype": str(column.stype),
                        "nullable": column.nullable,
                    }
                    for column in table.columns
                ],
                "foreign_keys": [
                    _key_to_json(key) for key in schema.keys_from(table.name)
                ],
            }
            for table in schema.tables
        ],
        "suggested_keys": [
            {"table": key.table, **_key_to_json(key)} for key in schema.suggested_keys
        ],
        "warnings": list(schema.warnings),
    }


def _key_to_json(key: ForeignKey) -> dict[str, Any]:
    return {
        "columns": list(key.columns),
        "ref_table": key.ref_table,
        "ref_columns": list(key.ref_columns),
        "declared": key.declared,
        "evidence": {**key.evidence, "confidence": key.confidence},
        "dangling": key.num_dangling,
    }


def _with_ids(keys: Iterable[ForeignKey]) -> tuple[ForeignKey, ...]:
    """Return keys of distinct ids; a later one of the same id names its columns."""
    found: dict[str, ForeignKey] = {}
    for key in keys:
        named = replace(key, is_qualified=True) if key.id in found else key
        found[named.id] = named
    return tuple(found.values())


def _is_sample(database: Database) -> bool:
    return database.source.startswith("sample:")


@dataclass(frozen=True, slots=True)
class _Inference:
    """One database and its hints while the schema is put together."""

    database: Database
    hints: Hints
    forgiving: bool
    profiles: Profiles
    warnings: list[str]
    unfit: set[object] = field(default_factory=set)

    def check_hints(self) -> None:
        """Look up every name in the hints; forgiven ones are kept in ``unfit``."""
        for name, hint in self.hints.tables.items():
            columns = [*(hint.primary_key or ()), *hint.columns]
            columns += [hint.time_column] if hint.time_column else []
            self._check(name, name, columns)
        for key in (*self.hints.foreign_keys, *self.hints.rejected_keys):
            self._check(key, key.table, key.columns)
            self._check(key, key.ref_table, key.ref_columns)

    def _check(self, subject: object, table: str, columns: Iterable[str]) -> None:
        problem = self._problem(table, columns)
        if problem is None:
            return
        if not self.forgiving:
            raise SchemaError(f"A hint does not fit the database. {problem}")
        self.unfit.add(subject)
        self.warnings.append(f"A shipped hint is not used. {problem}")

    def _problem(self, table: str, columns: Iterable[str]) -> str | None:
        tables = {each.name: each for each in self.database.tables}
        if table not in tables:
            return unknown("table", table, tables)
        known = [column.name for column in tables[table].columns]
        missing = [column for column in columns if column not in known]
        return unknown(f'column of "{table}"', missing[0], known) if missing else None

    def hint(self, table: str) -> TableHint:
        if table in self.unfit:
            return TableHint()
        return self.hints.tables.get(table, TableHint())

    def known_keys(self) -> list[ForeignKey]:
        """Return declared and hinted keys whose target is unique, each once."""
        drafts = [
            (KeyHint(table.name, key.columns, key.ref_table, key.ref_columns), origin)
            for origin in (KeyOrigin.DECLARED,)
            for table in self.database.tables
            for key in table.foreign_keys
        ]
        drafts += [
            (key, KeyOrigin.HINTS)
            for key in self.hints.foreign_keys
            if key not in self.unfit
        ]
        found: dict[KeyHint, ForeignKey] = {}
        for draft, origin in drafts:
            if draft in found or draft in self.hints.rejected_keys:
                continue
            key = self._foreign_key(draft, origin)
            if key is not None:
                found[draft] = key
        return list(found.values())

    def _foreign_key(self, draft: KeyHint, origin: KeyOrigin) -> ForeignKey | None:
        if self._is_unique(draft.ref_table, draft.ref_columns):
            return self._measure(draft, origin)
        self.warnings.append(
            f'The key of "{draft.table}" ({", ".join(draft.columns)}) to'
            f' "{draft.ref_table}" is left out: several rows share the same'
            f" {', '.join(draft.ref_columns)}."
        )
        return None

    def _measure(self, draft: KeyHint, origin: KeyOrigin) -> ForeignKey:
        links = self.database.links(
            draft.table, draft.columns, draft.ref_table, draft.ref_columns
        )
        num_null = self._count_null(draft.table, draft.columns)
        linked = links[links >= 0]
        num_filled = len(links) - num_null
        num_parents = self.database.table(draft.ref_table).num_rows
        num_referred = count_distinct(linked, num_parents)
        return ForeignKey(
            table=draft.table,
            columns=draft.columns,
            ref_table=draft.ref_table,
            ref_columns=draft.ref_columns,
            origin=origin,
            num_null=num_null,
            num_dangling=num_filled - len(linked),
            evidence={
                "origin": str(origin),
                "matched": len(linked),
                "null": num_null,
                "ref_unique": True,
                "inclusion": round(len(linked) / num_filled, 6) if num_filled else None,
                "orphans": num_filled - len(linked),
                "coverage": round(num_referred / num_parents, 6)
                if num_parents
                else None,
            },
        )

    def search(self, known: Sequence[ForeignKey]) -> Found:
        """Look for further keys, unless the hints say that there are none."""
        if self.hints.complete or not any(one.num_rows for one in self.database.tables):
            return NOTHING
        settled: dict[str, tuple[str, ...]] = {}
        for source in self.database.tables:
            said = self.hint(source.name).primary_key
            if source.primary_key or said is not None:
                settled[source.name] = source.primary_key if said is None else said
        found = search_keys(
            self.database,
            self.profiles,
            settled,
            [_ends(key) for key in known],
            frozenset(_ends(key) for key in self.hints.rejected_keys),
        )
        self.warnings.extend(_said_of(found))
        return found

    def guessed(self, guesses: Iterable[Guess]) -> Iterator[ForeignKey]:
        """Yield guesses as keys, measured like all others."""
        for guess in guesses:
            draft = KeyHint(
                guess.table, guess.columns, guess.ref_table, guess.ref_columns
            )
            key = self._measure(draft, KeyOrigin.INFERRED)
            yield replace(
                key,
                evidence={**key.evidence, **guess.evidence},
                confidence=guess.confidence,
            )

    def _is_unique(self, table: str, columns: Sequence[str]) -> bool:
        if len(columns) == 1:
            profile = self.profiles[table, columns[0]]
            return profile.num_values == profile.num_distinct
        names = ", ".join(map(quote, columns))
        filled = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
        ((num_rows, num_distinct),) = self.database.rows(
            f"SELECT count(*), count(DISTINCT ({names})) FROM {quote(table)}"
            f" WHERE {filled}"
        )
        return num_rows == num_distinct

    def _count_null(self, table: str, columns: Sequence[str]) -> int:
        if len(columns) == 1:
            profile = self.profiles[table, columns[0]]
            return profile.num_rows - profile.num_values
        empty = " OR ".join(f"{quote(column)} IS NULL" for column in columns)
        ((num_null,),) = self.database.rows(
            f"SELECT count(*) FROM {quote(table)} WHERE {empty}"
        )
        return num_null

    def table(
        self, source: SourceTable, keys: Sequence[ForeignKey], found: Found
    ) -> Table:
        primary_key, evidence = self._primary_key(source, found)
        parts = _key_parts(source.name, primary_key, keys)
        columns = tuple(self._columns(source, parts))
        stypes = {column.name: column.stype for column in columns}
        own = {name: self.profiles[source.name, name] for name in stypes}
        return Table(
            name=source.name,
            num_rows=source.num_rows,
            primary_key=primary_key,
            columns=columns,
            time_column=self._time_column(source.name, columns),
            key_evidence=evidence,
            time_proposals=propose_times(self.database, source.name, stypes, own),
        )

    def _primary_key(
        self, source: SourceTable, found: Found
    ) -> tuple[tuple[str, ...], str]:
        """Return the primary key of a table and why it is one."""
        hinted = self.hint(source.name).primary_key
        if hinted == ():
            return (), "the hints say that rows have no key but their number"
        if hinted is not None and hinted != source.primary_key:
            if self._is_unique(source.name, hinted):
                return hinted, "said by the hints"
            self.warnings.append(
                f'The hinted primary key of "{source.name}" ({", ".join(hinted)}) is'
                " not used: several rows share the same values."
            )
        if source.primary_key:
            return source.primary_key, "declared by the database"
        if source.name in found.primary:
            candidate = found.primary[source.name]
            return candidate.columns, f"found in the rows: {candidate.why}"
        obstacle = found.obstacles.get(source.name, "none is declared")
        return (), f"{obstacle}; rows go by their number"

    def _time_column(self, table: str, columns: Sequence[Column]) -> str | None:
        name = self.hint(table).time_column
        for column in columns:
            times = (Stype.TIMESTAMP, Stype.NUMERICAL)
            if column.name == name and column.stype not in times:
                raise SchemaError(
                    f'The time column "{table}.{name}" holds no times: it is'
                    f" {column.stype}. Give a column of dates, times or years."
                )
        return name

    def _columns(
        self, source: SourceTable, parts: Mapping[str, KeyPart]
    ) -> Iterator[Column]:
        overrides = self.hint(source.name).columns
        own = {one.name: self.profiles[source.name, one.name] for one in source.columns}
        readings = {
            column.name: infer_stype(
                column.name,
                column.sql_type,
                own[column.name],
                parts.get(column.name, KeyPart.NONE),
            )
            for column in source.columns
        }
        stypes = {name: one.stype for name, one in readings.items()} | dict(overrides)
        partners = find_partners(stypes, own)
        sparse = sparse_columns(stypes, own)
        for column in source.columns:
            profile, reading = own[column.name], readings[column.name]
            said = column.name in overrides
            yield Column(
                name=column.name,
                sql_type=column.sql_type,
                stype=stypes[column.name],
                nullable=column.nullable,
                num_distinct=profile.num_distinct,
                num_null=profile.num_rows - profile.num_values,
                evidence="said by the hints" if said else reading.evidence,
                unit=reading.unit,
                partner=partners.get(column.name),
                is_sparse=column.name in sparse,
            )


def _ends(
    key: ForeignKey | KeyHint,
) -> tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]:
    return (key.table, key.columns), (key.ref_table, key.ref_columns)


def _said_of(found: Found) -> Iterator[str]:
    """Yield what a reader should know of keys that nobody declared."""
    counts = {
        "primary key": len(found.primary),
        "foreign key": len(found.used),
    }
    shown = [
        f"{number} {what}{'s' if number > 1 else ''}"
        for what, number in counts.items()
        if number
    ]
    if shown:
        are = "are" if sum(counts.values()) > 1 else "is"
        yield (
            f"Found in the rows and used, though not declared, {are}"
            f" {' and '.join(shown)}; a hint file can reject or confirm each."
        )
    if found.suggested:
        number = len(found.suggested)
        yield (
            f"{number} more foreign key{'s are' if number > 1 else ' is'} possible;"
            " none is used unless a hint file accepts it."
        )


def _key_parts(
    table: str, primary_key: Sequence[str], keys: Sequence[ForeignKey]
) -> dict[str, KeyPart]:
    groups = [tuple(primary_key)]
    groups += [key.columns for key in keys if key.table == table]
    groups += [key.ref_columns for key in keys if key.ref_table == table]
    parts: dict[str, KeyPart] = {}
    for group in sorted(groups, key=len, reverse=True):  # a whole key decides last
        for column in group:
            parts[column] = KeyPart.WHOLE if len(group) == 1 else KeyPart.PART
    return parts
