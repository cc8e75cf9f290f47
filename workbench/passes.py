"""The rewriting steps that topologies are made of, each of them once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import networkx as nx

from workbench.blueprint import (
    EDGE_ROLES,
    ColumnRole,
    Decision,
    KeyRole,
    PathRole,
    TableRole,
)
from workbench.draft import (
    Draft,
    begin,
    begin_column,
    begin_key,
    carried,
    edge_rules,
    shown,
)
from workbench.errors import TopologyError, unknown
from workbench.schema import Column, ForeignKey, Schema, Stype, Table

MAX_LENGTH = 3
MOST_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Drop:
    """Leaves tables, keys or columns out of the graph.

    Attributes:
        tables: Names of tables.
        keys: Ids of foreign keys.
        columns: Columns as ``"table.column"``.
        others: Whether every table but the target goes, with every key; the rows of a
            forecast keep the columns of their entity.
    """

    tables: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    others: bool = False

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft without them."""
        _require_known(draft.schema, self.tables, self.keys, self.columns)
        tables, keys = set(self.tables), set(self.keys)
        if self.others:
            kept = [
                key
                for key in draft.schema.keys_from(draft.spec.table)
                if key.table == draft.spec.seed_table
                and draft.keys[key.id].role in EDGE_ROLES
            ]
            whom = {key.ref_table for key in kept}
            tables |= draft.tables.keys() - {draft.spec.table, *whom}
            keys |= draft.keys.keys() - {key.id for key in kept}
            reason = f"Carried by the rows of {draft.spec.table}, which ask about it."
            draft = draft.decide(
                [Decision(one, TableRole.FOLDED, reason) for one in whom],
                [Decision(key.id, KeyRole.FOLDED, reason) for key in kept],
            )
        return _drop(
            draft, tables, keys, set(self.columns), "The topology leaves it out."
        )


@dataclass(frozen=True, slots=True)
class RowToEdge:
    """Turns the rows of junction tables into edges.

    A junction has exactly two foreign keys, no table refers to it, and it is not the
    target. Its other columns become edge attributes, so that crossing it costs one hop
    instead of two. Both keys may lead to one parent.

    Source: Wang et al. (2024), 4DBInfer, arXiv:2404.18209, "Row2N/E"; differs in: a
        declared primary key is no obstacle, as in its code though not in its text.
    """

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with every eligible table an edge; the reasons say why."""
        decisions = []
        for table in draft.tables_as(TableRole.NODE):
            keys = draft.keys_of(table.name, *EDGE_ROLES, KeyRole.FOLDED)
            if not keys:
                continue
            obstacle = _obstacle(draft, table, len(keys))
            role = TableRole.NODE if obstacle else TableRole.EDGE
            verdict = (
                f"Rows stay nodes: {obstacle}."
                if obstacle
                else "Each row ties two rows: exactly two foreign keys, and no table"
                " refers to it."
            )
            reason = f"{verdict} {_elsewhere(draft, table, len(keys))}"
            decisions.append(Decision(table.name, role, reason))
        return draft.decide(tables=decisions)


@dataclass(frozen=True, slots=True)
class Fold:
    """Joins parents into the rows that refer to them, deepest ancestors first.

    A folded table is no node any more: the rows that refer to it carry its columns, and
    inherit its remaining keys. The target stays a node, and so do tables on a circle of
    keys and hubs, without which another table would lose its way to the target.

    Attributes:
        full: Whether hubs are folded too; a warning names what was lost.

    Source: the many-to-one half of deep feature synthesis, Kanter & Veeramachaneni
        (2015), doi:10.1109/DSAA.2015.7344858 ("direct features"); differs in: what is
        not many-to-one stays an edge.
    """

    full: bool = False

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with parents folded; a reason says why one is not."""
        folding = nx.DiGraph()
        folding.add_nodes_from(table.name for table in draft.schema.tables)
        for key in draft.schema.foreign_keys:
            if draft.keys[key.id].role in EDGE_ROLES:
                folding.add_edge(key.table, key.ref_table)
        for parent in _deepest_first(folding):
            draft = _fold_parent(draft, parent, folding, self.full)
        return draft


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Ties rows to the ancestors that chains of many-to-one keys lead to.

    The keys stay edges; a chain that passes a table twice gets none.

    Attributes:
        length: Number of edges in the longest chain, 2 to 6.

    Source: metapath edges, Sun et al. (2011), PathSim, doi:10.14778/3402707.3402736;
        differs in: many-to-one keys alone, so a row has one edge a chain.
    """

    length: int = MAX_LENGTH

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with every chain up to that length an edge."""
        if self.length not in range(2, MOST_LENGTH + 1):
            raise TopologyError(
                f'"shortcut_length" cannot be "{self.length}"; choose 2 to'
                f" {MOST_LENGTH}."
            )
        return replace(draft, shortcut_length=self.length)


@dataclass(frozen=True, slots=True)
class Promote:
    """Turns the distinct values of categorical columns into nodes.

    Rows that share a value become two hops apart. A promoted column leaves the row, so
    that its own value is one hop away, unless ``keep`` says otherwise.

    Attributes:
        max_values: Columns with more distinct values stay features.
        keep: Whether the column also stays a feature.

    Source: Cucumides & Geerts (2025), arXiv:2506.02243, "attribute promotion"; differs
        in: every eligible column is promoted, none is scored against the task.
    """

    max_values: int = 50
    keep: bool = False

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with low-cardinality columns promoted, and a hub warning."""
        role = ColumnRole.PROMOTED_KEPT if self.keep else ColumnRole.PROMOTED
        num_rows = _num_carrying_rows(draft)
        decisions, degrees = [], {}
        for table in draft.schema.tables:
            for column in table.columns:
                subject = f"{table.name}.{column.name}"
                if not self._eligible(draft, subject, column):
                    continue
                if not num_rows.get(table.name):
                    continue
                degree = num_rows[table.name] / column.num_distinct
                degrees[subject] = degree
                reason = (
                    f"Its {column.num_distinct} values become nodes; each ties about"
                    f" {degree:,.0f} rows."
                )
                decisions.append(Decision(subject, role, reason))
        if not decisions:
            return draft
        hub = max(degrees, key=lambda one: (degrees[one], one))
        warning = (
            f"Promoted values are hubs: each value of {hub} ties about"
            f" {degrees[hub]:,.0f} rows, which are then two hops apart."
        )
        return draft.decide(columns=decisions, warnings=[warning])

    def _eligible(self, draft: Draft, subject: str, column: Column) -> bool:
        return (
            draft.columns[subject].role is ColumnRole.FEATURE
            and column.stype in (Stype.CATEGORICAL, Stype.BOOLEAN)
            and 2 <= column.num_distinct <= self.max_values
        )


@dataclass(frozen=True, slots=True)
class Override:
    """Decides about single tables, keys and columns as a user says.

    What follows is decided too, unless it is named itself: the keys and columns of a
    dropped table, the keys that lead to a folded one, and whatever a table needs that
    comes back as a node.

    Attributes:
        tables: Role by table name.
        keys: Role by key id.
        columns: Role by ``"table.column"``.
        paths: Role by the ids of a chain of keys, joined by ``→``.
        reason: Why, as it is shown.
    """

    tables: Mapping[str, TableRole] = field(default_factory=dict)
    keys: Mapping[str, KeyRole] = field(default_factory=dict)
    columns: Mapping[str, ColumnRole] = field(default_factory=dict)
    paths: Mapping[str, PathRole] = field(default_factory=dict)
    reason: str = "The topology file says so."

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with these decisions and what follows from them."""
        _require_known(draft.schema, self.tables, self.keys, self.columns)
        for table, role in self.tables.items():
            draft = _retable(draft, table, role, self.reason)
        draft = draft.decide(
            keys=[Decision(*one, self.reason) for one in self.keys.items()],
            columns=[Decision(*one, self.reason) for one in self.columns.items()],
        )
        paths = {
            one: Decision(one, role, self.reason) for one, role in self.paths.items()
        }
        return replace(draft, paths={**draft.paths, **paths})


def _require_known(
    schema: Schema,
    tables: Iterable[str] = (),
    keys: Iterable[str] = (),
    columns: Iterable[str] = (),
) -> None:
    known = {
        "table": (tables, {table.name for table in schema.tables}),
        "foreign key": (keys, {key.id for key in schema.foreign_keys}),
        "column": (
            columns,
            {f"{t.name}.{one.name}" for t in schema.tables for one in t.columns},
        ),
    }
    for kind, (asked, choices) in known.items():
        for name in asked:
            if name not in choices:
                raise TopologyError(unknown(kind, name, choices))


def _drop(
    draft: Draft, tables: set[str], keys: set[str], columns: set[str], reason: str
) -> Draft:
    """Return the draft without these, and without what hangs on the tables."""
    orphans = {
        key.id
        for key in draft.schema.foreign_keys
        if key.table in tables or key.ref_table in tables
    }
    held = {
        f"{table.name}.{column.name}"
        for table in draft.schema.tables
        if table.name in tables
        for column in table.columns
    }
    gone = "Its table is left out."
    return draft.decide(
        [Decision(one, TableRole.DROPPED, reason) for one in tables],
        [
            Decision(one, KeyRole.DROPPED, reason if one in keys else gone)
            for one in orphans | keys
        ],
        [
            Decision(one, ColumnRole.DROPPED, reason if one in columns else gone)
            for one in held | columns
            if one in columns or draft.columns[one].role is not ColumnRole.DROPPED
        ],
    )


def _obstacle(draft: Draft, table: Table, num_keys: int) -> str:
    """Return why a table is no junction, or nothing when it is one."""
    if table.name == draft.spec.table:
        return "they are what is predicted"
    if draft.schema.keys_into(table.name):
        child = draft.schema.keys_into(table.name)[0].table
        return f'"{child}" refers to them'
    if num_keys != 2:
        keys = "1 foreign key" if num_keys == 1 else f"{num_keys} foreign keys"
        return f"{keys}, where a junction has exactly two"
    return ""


def _elsewhere(draft: Draft, table: Table, num_keys: int) -> str:
    """Return what others make of a table, by their own rules."""
    two, free = num_keys == 2, not draft.schema.keys_into(table.name)
    verdicts = {
        "4DBInfer as documented (no primary key, two keys)": two
        and not table.primary_key,
        "4DBInfer as coded (two keys, not referred to)": two and free,
        "RDB2G-Bench (two keys, not referred to)": two and free,
        "neo4j-etl (two keys)": two,
    }
    shown = [f"{who}: {'edge' if yes else 'node'}" for who, yes in verdicts.items()]
    return f"{'; '.join(shown)}."


def _deepest_first(folding: nx.DiGraph) -> list[str]:
    """Return tables, parents before their children; names decide between equals."""
    circles = nx.condensation(folding)
    depth: dict[int, int] = {}
    for circle in nx.topological_sort(circles):
        above = [depth[child] for child in circles.predecessors(circle)]
        depth[circle] = 1 + max(above, default=-1)
    of = circles.graph["mapping"]
    return sorted(folding, key=lambda table: (-depth[of[table]], table))


def _fold_parent(draft: Draft, parent: str, folding: nx.DiGraph, full: bool) -> Draft:
    """Return the draft with one table folded, or with the reason why it is not."""
    keys = draft.keys_to(parent, *EDGE_ROLES)
    if not keys or draft.tables[parent].role is not TableRole.NODE:
        return draft
    obstacle = _fold_obstacle(draft, parent, folding)
    if obstacle:
        return draft.decide([Decision(parent, TableRole.NODE, obstacle)])
    children = listed(dict.fromkeys(key.table for key in keys))
    folded = draft.decide(
        [Decision(parent, TableRole.FOLDED, f"Its columns are carried by {children}.")],
        [
            Decision(
                key.id,
                KeyRole.FOLDED,
                f"Rows of {key.table} carry the columns of {parent}.",
            )
            for key in keys
        ],
    )
    before, after = _ways(draft), _ways(folded)
    lost = [one for one in before if one not in after and one != parent]
    if lost and not full:
        reason = (
            f"A hub, so its rows stay nodes: without them {listed(lost)} would lose"
            f" the way to {draft.spec.table}."
        )
        return draft.decide([Decision(parent, TableRole.NODE, reason)])
    if lost:
        return folded.decide(
            warnings=[
                f"With {parent} folded, {listed(lost)} lost the way to"
                f" {draft.spec.table}."
            ]
        )
    further = [
        f"{one} ({before[one]} → {after[one]} hops)"
        for one in after
        if after[one] > before.get(one, after[one])
    ]
    if further:
        return folded.decide(
            warnings=[
                f"With {parent} folded, rows no longer meet there; further from"
                f" {draft.spec.table} now: {listed(further)}."
            ]
        )
    return folded


def _fold_obstacle(draft: Draft, parent: str, folding: nx.DiGraph) -> str:
    if parent == draft.spec.table:
        return "Its rows are what is predicted."
    children = {key.table for key in draft.keys_to(parent, *EDGE_ROLES)}
    if draft.spec.seed_table in children:
        return f"Its rows are what {draft.spec.table} asks about."
    onward = folding.successors(parent)
    if any(nx.has_path(folding, table, parent) for table in onward):
        return "Its keys lead back to it, so folding would never end."
    for key in draft.keys_to(parent, *EDGE_ROLES):
        if draft.tables[key.table].role is TableRole.EDGE:
            return f"The edges of {key.table} end at its rows."
    return ""


def _ways(draft: Draft) -> dict[str, int]:
    """Return the hops from the target to each table, whichever way messages run."""
    ties = nx.Graph()
    ties.add_node(draft.spec.table)
    ties.add_edges_from((edge.source, edge.target) for edge in edge_rules(draft))
    return nx.single_source_shortest_path_length(ties, draft.spec.table)


def _num_carrying_rows(draft: Draft) -> dict[str, int]:
    """Return how many nodes carry each table's columns; a junction rules it out."""
    carrying: dict[str, int] = {}
    for table in draft.tables_as(TableRole.NODE):
        for held in shown(draft, table.name):
            carrying[held.table] = carrying.get(held.table, 0) + table.num_rows
    for table in draft.tables_as(TableRole.EDGE):
        for held in carried(draft, table.name):
            carrying.pop(held.table, None)
    return carrying


def _retable(draft: Draft, table: str, role: TableRole, reason: str) -> Draft:
    """Return the draft with another role for a table, and what follows from it."""
    match role:
        case TableRole.DROPPED:
            return _drop(draft, {table}, set(), set(), reason)
        case TableRole.FOLDED:
            draft = _restore(draft, table)
            keys = [
                Decision(key.id, KeyRole.FOLDED, f"{table} is folded.")
                for key in draft.keys_to(table, *EDGE_ROLES)
            ]
        case TableRole.AGGREGATED:
            draft = _restore(draft, table)
            draft = replace(draft, aggregate_depth=max(draft.aggregate_depth, 1))
            keys = [
                Decision(key.id, KeyRole.AGGREGATED, f"{table} is summarised.")
                for key in _ties(draft, table, *EDGE_ROLES, KeyRole.FOLDED)
            ]
        case TableRole.NODE | TableRole.EDGE:
            draft = _restore(draft, table)
            folded = draft.keys_to(table, KeyRole.FOLDED)
            folded += [
                key
                for key in _ties(draft, table, KeyRole.AGGREGATED)
                if draft.tables[key.table].role is TableRole.NODE
                or draft.tables[key.ref_table].role is TableRole.NODE
            ]
            keys = [
                replace(begin_key(key, draft.spec), reason=f"{table} is a node again.")
                for key in folded
            ]
    return draft.decide([Decision(table, role, reason)], keys)


def _ties(draft: Draft, table: str, *roles: KeyRole) -> list[ForeignKey]:
    """Return the keys that a table holds, and those that refer to it."""
    return [*draft.keys_of(table, *roles), *draft.keys_to(table, *roles)]


def _restore(draft: Draft, table: str) -> Draft:
    """Return the draft with what a dropped table lost: its columns and its keys."""
    if draft.tables[table].role is not TableRole.DROPPED:
        return draft
    schema, fresh = draft.schema, begin(draft.schema, draft.spec)
    dropped = {one.name for one in draft.tables_as(TableRole.DROPPED)} - {table}
    ties = [*schema.keys_from(table), *schema.keys_into(table)]
    return draft.decide(
        keys=[
            fresh.keys[key.id]
            for key in ties
            if not {key.table, key.ref_table} & dropped
        ],
        columns=[
            begin_column(schema, draft.spec, schema.table(table), column)
            for column in schema.table(table).columns
        ],
    )


def listed(names: Iterable[str]) -> str:
    """Return names as English lists them."""
    shown = list(names)
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
