"""The tables that exist while the statements of a script are followed one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from workbench.ddl.definition import Column, Definition, Key, Path

Place = tuple[str, int, str]
"""A file, a line in it and what stands there."""


@dataclass(slots=True)
class Draft:
    """A table while statements still change it.

    Attributes:
        schema: Its schema; empty for the default one.
        name: Its name.
        place: Where it was created.
        columns: Its own columns.
        primary_key: The columns of its primary key.
        primary_key_name: The name of that constraint.
        primary_key_index: The index whose columns are the primary key.
        keys: Its foreign keys, each with where it stands and the schema of the time.
        comment: Its comment.
        parents: The tables that it inherits columns from.
        likes: The tables still to be found whose columns it takes over.
        partition_of: The table that it is a partition of, if it is one.
    """

    schema: str
    name: str
    place: Place
    columns: list[Column] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    primary_key_name: str = ""
    primary_key_index: Path = ()
    keys: list[tuple[Key, Place, str]] = field(default_factory=list)
    comment: str = ""
    parents: list[Path] = field(default_factory=list)
    likes: list[tuple[Path, int, bool]] = field(default_factory=list)
    partition_of: Path = ()

    def position(self, name: str) -> int | None:
        """Return where a column stands; case decides only between two that fit."""
        return position([column.name for column in self.columns], name)

    def add(self, columns: Sequence[Column], positions: dict[str, str]) -> list[str]:
        """Add columns that are not there yet; return the names of the others."""
        twice: list[str] = []
        names = {column.name for column in self.columns}
        for column in columns:
            if column.name in names:
                twice.append(column.name)
                continue
            names.add(column.name)
            after = positions.get(column.name)
            at = len(self.columns)
            if after is not None:
                found = self.position(after) if after else -1
                at = at if found is None else found + 1
            self.columns.insert(at, column)
        return twice

    def drop_column(self, name: str) -> bool:
        """Drop a column with the keys that need it."""
        at = self.position(name)
        if at is None:
            return False
        gone = self.columns.pop(at).name.casefold()
        if gone in (each.casefold() for each in self.primary_key):
            self.primary_key = ()
        self.keys = [
            each
            for each in self.keys
            if gone not in (column.casefold() for column in each[0].columns)
        ]
        return True

    def rename_column(self, old: str, new: str) -> bool:
        """Rename a column here and in the table's own keys."""
        at = self.position(old)
        if at is None:
            return False
        old = self.columns[at].name
        self.columns[at] = replace(self.columns[at], name=new)
        self.primary_key = _renamed(self.primary_key, old, new)
        self.keys = [
            (replace(key, columns=_renamed(key.columns, old, new)), place, schema)
            for key, place, schema in self.keys
        ]
        return True

    def drop_constraint(self, name: str) -> None:
        """Drop the key of this name, given or as PostgreSQL would have named it."""
        folded = name.casefold()
        given = self.primary_key_name or f"{self.name}_pkey"
        if given.casefold() == folded:
            self.primary_key = ()
        self.keys = [
            each
            for each in self.keys
            if (
                each[0].name or f"{self.name}_{'_'.join(each[0].columns)}_fkey"
            ).casefold()
            != folded
        ]


@dataclass(slots=True)
class Catalog:
    """Every table by name, and what names mean at this point of the script.

    Attributes:
        defaults: The schemas whose name is not part of a table's name.
        schema: The schema of names without one; empty for the default.
        indexes: The columns of indexes by name, and the table they are on.
        left_out: Names of temporary tables and of tables that hold no rows.
    """

    defaults: tuple[str, ...]
    schema: str = ""
    indexes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    _drafts: dict[str, list[Draft]] = field(default_factory=dict)
    _order: list[Draft] = field(default_factory=list)

    def __iter__(self) -> Iterator[Draft]:
        return iter(self._order)

    def split(self, path: Path) -> tuple[str, str]:
        """Return the schema, empty for the default one, and the name of a path."""
        *outer, name = path
        schema = outer[-1] if outer else self.schema
        return ("" if self.is_default(schema) else schema), name

    def is_default(self, schema: str) -> bool:
        """Return whether a schema's name is not part of a table's name."""
        return schema.casefold() in ("", *self.defaults)

    def find(self, path: Path, beside: str = "") -> Draft | None:
        """Return the table that a name means.

        Args:
            path: The name, qualified or not.
            beside: The schema that is looked into next when the name has none.
        """
        if not path:
            return None
        schema, name = self.split(path)
        found = self._drafts.get(name.casefold(), [])
        for wanted in (schema, beside, "") if len(path) == 1 else (schema,):
            inside = [
                one for one in found if one.schema.casefold() == wanted.casefold()
            ]
            exact = [one for one in inside if one.name == name]
            if exact or len(inside) == 1:
                return (exact or inside)[0]
        if len(path) > 1:  # the script may name the schema here and not there
            found = [one for one in found if not one.schema or self.is_default(schema)]
        return found[0] if len(found) == 1 else None

    def twin(self, path: Path) -> Draft | None:
        """Return the table that a new one of this name would clash with."""
        schema, name = self.split(path)
        for one in self._drafts.get(name.casefold(), []):
            if one.schema.casefold() == schema.casefold() and one.name == name:
                return one
        return None

    def add(self, draft: Draft) -> None:
        """Add a table."""
        self._drafts.setdefault(draft.name.casefold(), []).append(draft)
        self._order.append(draft)

    def drop(self, draft: Draft) -> None:
        """Forget a table."""
        self._drafts[draft.name.casefold()].remove(draft)
        self._order.remove(draft)

    def rename(self, draft: Draft, schema: str, name: str) -> None:
        """Give a table another name; keys into it follow."""
        for other in self._order:
            other.keys = [
                (replace(key, ref_table=(schema or self._default(), name)), place, at)
                if self.find(key.ref_table, at or other.schema) is draft
                else (key, place, at)
                for key, place, at in other.keys
            ]
        self._drafts[draft.name.casefold()].remove(draft)
        draft.schema, draft.name = schema, name
        self._drafts.setdefault(name.casefold(), []).append(draft)

    def _default(self) -> str:
        return self.defaults[0] if self.defaults else ""

    def rename_column(self, draft: Draft, old: str, new: str) -> bool:
        """Rename a column; keys into it follow."""
        found = draft.position(old)
        if found is None:
            return False
        spelt = draft.columns[found].name
        for other in self._order:
            other.keys = [
                (
                    replace(key, ref_columns=_renamed(key.ref_columns, spelt, new)),
                    place,
                    at,
                )
                if self.find(key.ref_table, at or other.schema) is draft
                else (key, place, at)
                for key, place, at in other.keys
            ]
        return draft.rename_column(old, new)

    def root(self, draft: Draft) -> Draft:
        """Return the table that a partition's rows belong to; else the table itself."""
        seen = [draft]
        while draft.partition_of:
            parent = self.find(draft.partition_of, draft.schema)
            if parent is None or parent in seen:
                break
            seen.append(parent)
            draft = parent
        return draft

    def columns(self, draft: Draft, below: tuple[str, ...] = ()) -> list[Column]:
        """Return a table's columns with those that it inherits or takes over."""
        own = list(draft.columns)
        for path, at, _ in reversed(draft.likes):
            source = self.find(path, draft.schema)
            if source is not None and source is not draft:
                own[at:at] = source.columns
        merged: dict[str, Column] = {}
        for path in draft.parents:
            parent = self.find(path, draft.schema)
            if parent is not None and draft.name not in below:
                for column in self.columns(parent, (*below, draft.name)):
                    merged.setdefault(column.name, column)
        return list({**merged, **{column.name: column for column in own}}.values())


def position(names: Sequence[str], name: str) -> int | None:
    """Return where a name stands; case decides only between two that fit.

    >>> position(["Id", "name"], "ID")
    0
    """
    if name in names:
        return names.index(name)
    folded = [each.casefold() for each in names]
    return folded.index(name.casefold()) if folded.count(name.casefold()) == 1 else None


def add_definition(draft: Draft, found: Definition, place: Place, schema: str) -> None:
    """Take a definition's keys over into a table."""
    if found.primary_key or found.primary_key_index:
        draft.primary_key = found.primary_key
        draft.primary_key_name = found.primary_key_name
        draft.primary_key_index = found.primary_key_index
    draft.keys += [(key, place, schema) for key in found.keys]


def _renamed(names: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name.casefold() == old.casefold() else name for name in names)
