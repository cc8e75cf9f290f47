"""The tables of a catalogue as they are declared: names settled, keys looked up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from workbench.ddl.catalog import Catalog, Draft, Place, position
from workbench.ddl.declared import (
    DeclaredColumn,
    DeclaredKey,
    DeclaredSchema,
    DeclaredTable,
    Unread,
)
from workbench.ddl.definition import Column, Key


def declare(catalog: Catalog, dialect: str, unread: Sequence[Unread]) -> DeclaredSchema:
    """Return the tables that a script leaves behind.

    A key into a table or column that is not declared is left out and reported.

    Args:
        catalog: The tables after the last statement.
        dialect: What the script was read as.
        unread: What could not be read before.
    """
    roots = {id(draft): catalog.root(draft) for draft in catalog}
    outcome = _Outcome(catalog, {}, list(unread))
    for draft in catalog:
        outcome.parts.setdefault(id(roots[id(draft)]), []).append(draft)
    kept = [
        draft
        for draft in catalog
        if roots[id(draft)] is draft and outcome.is_whole(draft)
    ]
    outcome.names.update(_names(catalog, kept))
    tables = tuple(outcome.table(draft) for draft in kept)
    partitions = {
        draft.name if not draft.schema else f"{draft.schema}.{draft.name}": (
            outcome.names[id(roots[id(draft)])]
        )
        for draft in catalog
        if roots[id(draft)] is not draft and id(roots[id(draft)]) in outcome.names
    }
    order = {file: at for at, file in enumerate(dict.fromkeys(u.file for u in unread))}
    return DeclaredSchema(
        tables=tables,
        dialect=dialect,
        unread=tuple(
            sorted(
                dict.fromkeys(outcome.unread),
                key=lambda one: (order.get(one.file, len(order)), one.line),
            )
        ),
        partitions=MappingProxyType(partitions),
        notes=tuple(_notes(partitions)),
    )


def _names(catalog: Catalog, drafts: Sequence[Draft]) -> Iterator[tuple[int, str]]:
    schemas = {draft.schema.casefold() for draft in drafts}
    bare = Counter(draft.name.casefold() for draft in drafts if len(schemas) > 1)
    spelt = Counter((draft.schema, draft.name.casefold()) for draft in drafts)
    default = catalog.defaults[0] if catalog.defaults else ""
    for draft in drafts:
        inside = spelt[draft.schema, draft.name.casefold()]
        clashes = bare[draft.name.casefold()] > inside
        schema = draft.schema or (default if clashes else "")
        qualified = len(schemas) > 1 and schema
        yield id(draft), f"{schema}.{draft.name}" if qualified else draft.name


def _notes(partitions: dict[str, str]) -> Iterator[str]:
    for table, count in Counter(partitions.values()).items():
        parts = "partition" if count == 1 else "partitions"
        yield f'The rows of {count} {parts} of "{table}" are read as rows of the table.'


@dataclass(slots=True)
class _Outcome:
    """What is needed to look names up.

    Attributes:
        catalog: The tables.
        names: The declared name of every table, by its identity.
        unread: What could not be read.
        parts: A table with its partitions, by the table's identity.
    """

    catalog: Catalog
    names: dict[int, str]
    unread: list[Unread]
    parts: dict[int, list[Draft]] = field(default_factory=dict)
    _columns: dict[int, list[Column]] = field(default_factory=dict)

    def table(self, draft: Draft) -> DeclaredTable:
        primary_key = self._primary_key(draft, report=True)
        keys = [self._key(draft, *each) for each in self._keys_of(draft)]
        return DeclaredTable(
            name=self.names[id(draft)],
            columns=tuple(
                DeclaredColumn(
                    column.name,
                    column.sql_type,
                    column.nullable and column.name not in primary_key,
                    column.comment,
                )
                for column in self._columns_of(draft)
            ),
            primary_key=primary_key,
            foreign_keys=tuple(dict.fromkeys(key for key in keys if key)),
            comment=draft.comment,
        )

    def is_whole(self, draft: Draft) -> bool:
        """Report the tables that this one is made of and that are not there."""
        sources = [*draft.parents, *(path for path, _, _ in draft.likes)]
        for path in (*sources, *filter(None, [draft.partition_of])):
            if self.catalog.find(path, draft.schema) is None:
                self._report(draft.place, f'there is no table "{".".join(path)}"')
        if not self._columns_of(draft):
            self._report(draft.place, "the table is left out: it has no columns")
        return bool(self._columns_of(draft))

    def _columns_of(self, draft: Draft) -> list[Column]:
        if id(draft) not in self._columns:
            self._columns[id(draft)] = self.catalog.columns(draft)
        return self._columns[id(draft)]

    def _keys_of(self, draft: Draft) -> Iterator[tuple[Key, Place, str]]:
        """Yield a table's keys, and those that every partition of it declares."""
        yield from draft.keys
        parts = [one for one in self.parts[id(draft)] if one is not draft]
        if not parts:
            return
        shared = set.intersection(
            *({_plain(key) for key in part.keys} for part in parts)
        )
        yield from (key for key in parts[0].keys if _plain(key) in shared)

    def _primary_key(self, draft: Draft, *, report: bool = False) -> tuple[str, ...]:
        wanted = draft.primary_key
        if draft.primary_key_index:
            index = draft.primary_key_index[-1].casefold()
            wanted = self.catalog.indexes.get(index, ())
        found = _spelt(self._columns_of(draft), wanted)
        if found is None and report:
            missing = ", ".join(wanted)
            self._report(draft.place, f"its primary key names no columns ({missing})")
        return found or ()

    def _key(
        self, draft: Draft, key: Key, place: Place, schema: str
    ) -> DeclaredKey | None:
        shown = f'the key ({", ".join(key.columns)}) to "{".".join(key.ref_table)}"'
        parent = self._parent(draft, key, schema)
        if parent is None:
            self._report(place, f"{shown} is left out: there is no such table")
            return None
        own = _spelt(self._columns_of(draft), key.columns)
        ref = _spelt(self._columns_of(parent), key.ref_columns)
        if not key.ref_columns:
            ref = self._primary_key(parent)
        if not own or ref is None:
            self._report(place, f"{shown} is left out: a column of it is not there")
            return None
        if len(own) != len(ref):
            why = "its columns do not pair with those of the primary key"
            self._report(place, f"{shown} is left out: {why}")
            return None
        return DeclaredKey(own, self.names[id(parent)], ref)

    def _parent(self, draft: Draft, key: Key, schema: str) -> Draft | None:
        path = key.ref_table
        if len(path) == 1 and schema:
            path = (schema, *path)
            found = self.catalog.find(path) or self.catalog.find(key.ref_table)
        else:
            found = self.catalog.find(path, draft.schema)
        root = self.catalog.root(found) if found else None
        return root if root and id(root) in self.names else None

    def _report(self, place: Place, why: str) -> None:
        self.unread.append(Unread(*place, why))


def _plain(key: tuple[Key, Place, str]) -> tuple[object, ...]:
    return key[0].columns, key[0].ref_table, key[0].ref_columns


def _spelt(columns: Sequence[Column], wanted: Sequence[str]) -> tuple[str, ...] | None:
    """Return names as their columns spell them; nothing if one is not there."""
    names = [column.name for column in columns]
    found = [position(names, name) for name in wanted]
    return None if None in found else tuple(names[at] for at in found if at is not None)
