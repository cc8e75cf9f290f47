"""Decisions about every table, key and column while passes rewrite them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from workbench.blueprint import (
    EDGE_ROLES,
    FEATURE_ROLES,
    FOLLOWED,
    PROMOTED_ROLES,
    ColumnRef,
    ColumnRole,
    Decision,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    PathRole,
    TableRole,
    ValueEdge,
)
from workbench.chains import Chain, chains
from workbench.errors import TopologyError
from workbench.schema import Column, ForeignKey, Schema, Stype, Table
from workbench.task import TaskSpec


@dataclass(frozen=True, slots=True)
class Draft:
    """The decisions about a schema while passes rewrite them.

    Attributes:
        schema: The tables, keys and columns decided about.
        spec: What is predicted, and what must stay hidden.
        tables: Decision by table name.
        keys: Decision by key id.
        columns: Decision by ``"table.column"``.
        warnings: What a reader should know, each one sentence.
        shortcut_length: Chains of up to so many edges get an edge of their own.
        paths: Decision by the keys of a chain, where it differs from that.
        aggregate_depth: Number of keys up to which rows are summarised.
        aggregates_widely: Whether sums, and counts of common values, are among the
            summaries.
    """

    schema: Schema
    spec: TaskSpec
    tables: Mapping[str, Decision]
    keys: Mapping[str, Decision]
    columns: Mapping[str, Decision]
    warnings: tuple[str, ...] = ()
    shortcut_length: int = 1
    paths: Mapping[str, Decision] = field(default_factory=lambda: MappingProxyType({}))
    aggregate_depth: int = 0
    aggregates_widely: bool = False

    def decide(
        self,
        tables: Iterable[Decision] = (),
        keys: Iterable[Decision] = (),
        columns: Iterable[Decision] = (),
        warnings: Iterable[str] = (),
    ) -> "Draft":
        """Return a draft in which these decisions replace earlier ones."""
        return replace(
            self,
            tables={**self.tables, **{one.subject: one for one in tables}},
            keys={**self.keys, **{one.subject: one for one in keys}},
            columns={**self.columns, **{one.subject: one for one in columns}},
            warnings=(*self.warnings, *warnings),
        )

    def tables_as(self, *roles: TableRole) -> list[Table]:
        """Return the tables with one of these roles, in the schema's order."""
        return [
            table
            for table in self.schema.tables
            if self.tables[table.name].role in roles
        ]

    def keys_of(self, table: str, *roles: KeyRole) -> list[ForeignKey]:
        """Return the keys that a table holds with one of these roles."""
        return [
            key
            for key in self.schema.keys_from(table)
            if self.keys[key.id].role in roles
        ]

    def keys_to(self, table: str, *roles: KeyRole) -> list[ForeignKey]:
        """Return the keys that refer to a table with one of these roles."""
        return [
            key
            for key in self.schema.keys_into(table)
            if self.keys[key.id].role in roles
        ]


@dataclass(frozen=True, slots=True)
class Carried:
    """A table whose columns a row holds: its own, or one reached by folded keys.

    Attributes:
        path: Ids of the folded keys followed.
        via: One label a key.
        table: The table at the end.
    """

    path: tuple[str, ...]
    via: tuple[str, ...]
    table: str


def begin(schema: Schema, spec: TaskSpec) -> Draft:
    """Return the draft in which every row is a node and every key an edge."""
    schema.column(spec.table, spec.column)
    tables = [
        Decision(table.name, TableRole.NODE, "Every row is a node.")
        for table in schema.tables
    ]
    keys = [begin_key(key, spec) for key in schema.foreign_keys]
    columns = [
        begin_column(schema, spec, table, column)
        for table in schema.tables
        for column in table.columns
    ]
    return Draft(schema, spec, {}, {}, {}).decide(tables, keys, columns)


def begin_key(key: ForeignKey, spec: TaskSpec) -> Decision:
    """Return what a key is before any pass: an edge, unless that would tell."""
    read = {(key.table, one) for one in key.columns}
    read |= {(key.ref_table, one) for one in key.ref_columns}
    if read & spec.hidden:
        return Decision(
            key.id,
            KeyRole.DROPPED,
            "It is made of a column that is predicted or hidden, so its edges would"
            " tell.",
        )
    if key.table == spec.seed_table:
        return Decision(
            key.id,
            KeyRole.DOWN,
            "What is asked about a row tells it nothing, so messages run to the"
            " question only.",
        )
    return Decision(key.id, KeyRole.EDGE, "Ties every row to the row it refers to.")


def begin_column(
    schema: Schema, spec: TaskSpec, table: Table, column: Column
) -> Decision:
    """Return what a column is before any pass: a feature, if it says anything."""
    subject = f"{table.name}.{column.name}"
    dropped = ""
    if subject == spec.target:
        dropped = "It is what is predicted."
    elif (table.name, column.name) in spec.hidden:
        dropped = "The task hides it."
    elif column.name in _key_columns(schema, table):
        dropped = "It is a key, which edges and folds stand for."
    elif column.stype is Stype.ID:
        dropped = "It names a row and says nothing about it."
    elif column.stype is Stype.CONSTANT:
        dropped = "It holds at most one value."
    if dropped:
        return Decision(subject, ColumnRole.DROPPED, dropped)
    if column.is_sparse:
        return Decision(
            subject,
            ColumnRole.FEATURE,
            "One of many columns that are nearly always 0; only what is not 0 is kept.",
        )
    return Decision(subject, ColumnRole.FEATURE, f"Read as {column.stype}.")


def _key_columns(schema: Schema, table: Table) -> set[str]:
    """Return the columns that are a key by themselves."""
    keys = [table.primary_key]
    keys += [key.columns for key in schema.keys_from(table.name)]
    keys += [key.ref_columns for key in schema.keys_into(table.name)]
    return {columns[0] for columns in keys if len(columns) == 1}


def carried(draft: Draft, table: str) -> list[Carried]:
    """Return the tables whose columns the rows of a table hold, their own first.

    Raises:
        TopologyError: The folded keys lead round in a circle.
    """
    found: list[Carried] = []
    _follow(draft, Carried((), (), table), (table,), found)
    return found


def shown(draft: Draft, table: str) -> list[Carried]:
    """Return the tables whose columns the rows of a table show, their own first.

    They are those that it carries. The rows of a forecast also show what their entity
    carries, though that is a node of its own: they are the entity at a moment.
    """
    found = carried(draft, table)
    if table == draft.spec.seed_table:
        found += [
            Carried(
                (key.id, *held.path), ("+".join(key.columns), *held.via), held.table
            )
            for key in draft.keys_of(table, *EDGE_ROLES)
            for held in carried(draft, key.ref_table)
        ]
    return found


def _follow(
    draft: Draft, held: Carried, passed: tuple[str, ...], found: list[Carried]
) -> None:
    found.append(held)
    folded = draft.keys_of(held.table, KeyRole.FOLDED)
    columns = [key.columns for key in folded]
    for key in folded:
        if key.ref_table in passed:
            raise TopologyError(
                f'Folding "{key.id}" leads back to "{key.ref_table}", so it would never'
                ' end; make one key of that circle an "edge".'
            )
        label = "+".join(key.columns)
        if columns.count(key.columns) > 1:
            label = f"{label}({key.ref_table})"
        onward = Carried((*held.path, key.id), (*held.via, label), key.ref_table)
        _follow(draft, onward, (*passed, key.ref_table), found)


def held_columns(
    draft: Draft, held: Carried, roles: frozenset[ColumnRole]
) -> Iterator[ColumnRef]:
    """Yield the columns of a carried table that have one of these roles."""
    for column in draft.schema.table(held.table).columns:
        if draft.columns[f"{held.table}.{column.name}"].role in roles:
            yield ColumnRef(
                path=held.path,
                table=held.table,
                column=column.name,
                stype=_stype(column),
                via=held.via,
                is_sparse=column.is_sparse and roles is FEATURE_ROLES,
            )


def _stype(column: Column) -> Stype:
    """Return what the values mean; the names that are promoted act as categories."""
    return Stype.CATEGORICAL if column.stype is Stype.ID else column.stype


def held_features(draft: Draft, table: str) -> tuple[ColumnRef, ...]:
    """Return what the rows of a table know, folded ancestors' columns included."""
    return tuple(
        ref
        for held in shown(draft, table)
        for ref in held_columns(draft, held, FEATURE_ROLES)
    )


def edge_rules(draft: Draft) -> Iterator[EdgeRule]:
    """Yield the edges that a draft's decisions amount to."""
    edges = list(_plain_edges(draft))
    yield from edges
    for chain in draft_chains(draft, edges):
        decision = draft.paths.get(chain.name)
        short = chain.length <= draft.shortcut_length
        if decision.role is PathRole.SHORTCUT if decision else short:
            yield chain.edge


def draft_chains(draft: Draft, edges: Iterable[EdgeRule]) -> Iterator[Chain]:
    """Yield the chains of key edges that a draft may give an edge of their own."""
    asked = [path.count(FOLLOWED) + 1 for path in draft.paths]
    longest = max(draft.shortcut_length, *asked, 1)
    yield from chains([one for one in edges if isinstance(one, KeyEdge)], longest)


def _plain_edges(draft: Draft) -> Iterator[EdgeRule]:
    for table in draft.tables_as(TableRole.NODE):
        is_seed = table.name == draft.spec.seed_table  # rows that send nothing
        for held in carried(draft, table.name):
            for key in draft.keys_of(held.table, *EDGE_ROLES):
                role = KeyRole(draft.keys[key.id].role)
                yield KeyEdge(
                    name=FOLLOWED.join((*held.path, key.id)),
                    source=table.name,
                    target=key.ref_table,
                    path=held.path,
                    key=key.id,
                    direction=KeyRole.DOWN if is_seed else role,
                )
        for held in shown(draft, table.name):
            for ref in held_columns(draft, held, PROMOTED_ROLES):
                yield ValueEdge(
                    name=f"{table.name}.{ref.name}",
                    source=table.name,
                    target=f"{ref.table}.{ref.column}",
                    column=ref,
                    direction=KeyRole.DOWN if is_seed else KeyRole.EDGE,
                )
    for table in draft.tables_as(TableRole.EDGE):
        yield _junction(draft, table.name)


def _junction(draft: Draft, table: str) -> JunctionEdge:
    first, second = draft.keys_of(table, *EDGE_ROLES)
    into, out = draft.keys[first.id].role, draft.keys[second.id].role
    forward = into is not KeyRole.UP and out is not KeyRole.DOWN
    backward = into is not KeyRole.DOWN and out is not KeyRole.UP
    direction = KeyRole.EDGE
    if KeyRole.UNDIRECTED in (into, out):
        direction = KeyRole.UNDIRECTED
    elif not (forward and backward):
        direction = KeyRole.UP if forward else KeyRole.DOWN
    return JunctionEdge(
        name=table,
        table=table,
        source=first.ref_table,
        source_key=first.id,
        target=second.ref_table,
        target_key=second.id,
        columns=held_features(draft, table),
        direction=direction,
    )
