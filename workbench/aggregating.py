"""Which rows are summarised in which, how, and how far away they may be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import networkx as nx

from workbench.aggregate import MAX_TALLIES, AggregateRef, Aggregation, Step
from workbench.blueprint import (
    EDGE_ROLES,
    FEATURE_ROLES,
    ColumnRole,
    Decision,
    KeyRole,
    TableRole,
)
from workbench.draft import Draft
from workbench.errors import TopologyError
from workbench.passes import Drop
from workbench.schema import Column, ForeignKey, Stype

MAX_DEPTH = 3
MAX_PAIRS = 10_000_000
MAX_AGGREGATES = 1_500
SUMMARIES = {
    Stype.NUMERICAL: (Aggregation.MEAN, Aggregation.MIN, Aggregation.MAX),
    Stype.TIMESTAMP: (Aggregation.MIN, Aggregation.MAX),
    Stype.CATEGORICAL: (Aggregation.MODE, Aggregation.DISTINCT),
    Stype.BOOLEAN: (Aggregation.MODE, Aggregation.DISTINCT),
}
OWN_STYPE = (Aggregation.VALUE, Aggregation.MIN, Aggregation.MAX, Aggregation.MODE)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Summarises in the target's rows what lies up to some keys away.

    Parents are joined and children summarised, on every path of at most ``depth`` keys;
    what lies further away is left out, so that the target's rows are the only nodes.

    Attributes:
        depth: Number of keys on a path, 1 to 3; for a forecast counted from the entity
            that its rows ask about.
        is_wide: Whether to add sums of numbers, and how often each of the ten commonest
            categories occurs: what baselines are given.

    Source: deep feature synthesis, Kanter & Veeramachaneni (2015),
        doi:10.1109/DSAA.2015.7344858; differs in: rows at the end of a path are
        summarised at once, not summary by summary, and later rows are left out.
    """

    depth: int = 1
    is_wide: bool = False

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with everything near summarised, the rest left out."""
        if self.depth not in range(1, MAX_DEPTH + 1):
            raise TopologyError(
                f'"aggregate_depth" cannot be "{self.depth}"; choose 1 to {MAX_DEPTH}.'
            )
        target = draft.spec.table
        near = _distances(draft)
        far = [one.name for one in draft.schema.tables if one.name not in near]
        # A forecast's rows are their entity at a moment: the key to it is no step.
        depth = self.depth + (draft.spec.seed_table is not None)
        beyond = [one for one, hop in near.items() if hop > depth]
        draft = Drop(tables=(*far, *beyond))(draft)
        keys = f"{depth} key{'s' if depth > 1 else ''}"
        tables = [
            Decision(one, TableRole.DROPPED, f"More than {keys} away from {target}.")
            for one in beyond
        ]
        tables += [
            Decision(one, TableRole.DROPPED, "No key leads to it.") for one in far
        ]
        tables += [
            Decision(
                one,
                TableRole.AGGREGATED,
                f"Its rows are summarised in those of {target}.",
            )
            for one, hop in near.items()
            if 0 < hop <= depth
        ]
        draft = draft.decide(tables, [*_near_keys(draft, near, depth)])
        if beyond:
            shown = ", ".join(one for one in near if one in beyond)
            draft = draft.decide(
                warnings=[f"More than {keys} away, so not seen: {shown}."]
            )
        return replace(draft, aggregate_depth=depth, aggregates_widely=self.is_wide)


@dataclass(frozen=True, slots=True)
class Aggregates:
    """What the rows of a node know of the rows around them.

    Attributes:
        refs: The summaries, nearest first.
        warnings: What was left out and why, each one sentence.
    """

    refs: tuple[AggregateRef, ...] = ()
    warnings: tuple[str, ...] = ()


def aggregates(draft: Draft, table: str) -> Aggregates:
    """Return what a draft summarises in the rows of a table.

    A path that would gather more than 10 million pairs of rows on average is left out,
    as is what comes after the 1,500 nearest summaries.
    """
    refs: list[AggregateRef] = []
    warnings: list[str] = []
    start = _Reached((), (), table, draft.schema.table(table).num_rows)
    frontier = [start]
    for _ in range(draft.aggregate_depth):
        onward = []
        for one in (
            found for last in frontier for found in _onward(draft, last, table)
        ):
            if one.num_pairs > MAX_PAIRS:
                warnings.append(
                    f"Not summarised in {table}: {one.table} ({one.trail}), about"
                    f" {one.num_pairs / start.num_pairs:,.0f} rows for each row."
                )
                continue
            refs += _refs(draft, one)
            onward.append(one)
        frontier = onward
    if len(refs) > MAX_AGGREGATES:
        warnings.append(
            f"Of {len(refs):,} summaries in {table} the {MAX_AGGREGATES:,} nearest are"
            " kept."
        )
    return Aggregates(tuple(refs[:MAX_AGGREGATES]), tuple(warnings))


def ancestors(draft: Draft, table: str) -> tuple[AggregateRef, ...]:
    """Return the columns of every row that many-to-one keys lead to, joined.

    A table is joined once on a way, so that circles of keys end.
    """
    refs: list[AggregateRef] = []
    frontier: list[tuple[_Reached, tuple[str, ...]]] = []
    frontier.append((_Reached((), (), table, 0), (table,)))
    while frontier:
        last, passed = frontier.pop(0)
        for key in draft.keys_of(last.table, *EDGE_ROLES):
            if key.ref_table not in passed:
                one = _up(draft, last, key)
                refs += _refs(draft, one)
                frontier.append((one, (*passed, key.ref_table)))
    return tuple(refs)


def _distances(draft: Draft) -> dict[str, int]:
    """Return the number of keys between the target and each table, nearest first."""
    ties = nx.Graph()
    ties.add_nodes_from(table.name for table in draft.schema.tables)
    for key in draft.schema.foreign_keys:
        if draft.keys[key.id].role in EDGE_ROLES:
            ties.add_edge(key.table, key.ref_table)
    return nx.single_source_shortest_path_length(ties, draft.spec.table)


def _near_keys(draft: Draft, near: dict[str, int], depth: int) -> Iterator[Decision]:
    for key in draft.schema.foreign_keys:
        if draft.keys[key.id].role not in EDGE_ROLES:
            continue
        if min(near[key.table], near[key.ref_table]) < depth:
            reason = f"Followed from the rows of {draft.spec.table}."
            yield Decision(key.id, KeyRole.AGGREGATED, reason)
        else:
            reason = "No path that is short enough leads over it."
            yield Decision(key.id, KeyRole.DROPPED, reason)


@dataclass(frozen=True, slots=True)
class _Reached:
    """A table at the end of a path, and how many pairs of rows the path makes."""

    path: tuple[Step, ...]
    labels: tuple[str, ...]
    table: str
    num_pairs: float

    @property
    def trail(self) -> str:
        return "".join(self.labels)


def _onward(draft: Draft, last: _Reached, start: str) -> Iterator[_Reached]:
    """Yield what is one key further; who came down a key would only go back up it."""
    passed = {one.name for one in draft.tables_as(TableRole.AGGREGATED)} | {start}
    came = last.path[-1] if last.path else None
    for key in draft.keys_of(last.table, KeyRole.AGGREGATED):
        if key.ref_table in passed and came != Step(key.id, is_down=True):
            yield _up(draft, last, key)
    is_tree = all(step.is_down for step in last.path)
    for key in draft.keys_to(last.table, KeyRole.AGGREGATED):
        # Other questions about the same row are no facts about it.
        if key.table in passed - {draft.spec.seed_table}:
            label = f"←{key.table}.{_label(draft, key)}"
            num_rows = draft.schema.table(key.table).num_rows
            # A row has one ancestor, so rows below the start are gathered once each.
            each = 1 if is_tree else last.num_pairs / _num_groups(draft, key)
            yield _Reached(
                (*last.path, Step(key.id, is_down=True)),
                (*last.labels, label),
                key.table,
                num_rows * each,
            )


def _up(draft: Draft, last: _Reached, key: ForeignKey) -> _Reached:
    return _Reached(
        (*last.path, Step(key.id, is_down=False)),
        (*last.labels, f"→{_label(draft, key)}"),
        key.ref_table,
        last.num_pairs,
    )


def _num_groups(draft: Draft, key: ForeignKey) -> int:
    """Return how many parents are referred to, at most."""
    columns = [draft.schema.column(key.table, one) for one in key.columns]
    num_parents = draft.schema.table(key.ref_table).num_rows
    return max(1, min(num_parents, prod(one.num_distinct for one in columns)))


def _label(draft: Draft, key: ForeignKey) -> str:
    """Return a key's columns, or its id where they are not enough."""
    alike = [
        one for one in draft.schema.keys_from(key.table) if one.columns == key.columns
    ]
    return "+".join(key.columns) if len(alike) == 1 else key.id


def _refs(draft: Draft, found: _Reached) -> Iterator[AggregateRef]:
    """Yield the summaries at the end of a path."""
    is_many = any(step.is_down for step in found.path)
    if is_many and (bag := _bag(draft, found)) is not None:
        yield bag
        return
    columns = [
        column
        for column in draft.schema.table(found.table).columns
        if draft.columns[f"{found.table}.{column.name}"].role in FEATURE_ROLES
    ]
    if is_many or not columns:
        yield AggregateRef(
            found.path,
            found.table,
            "",
            Aggregation.COUNT,
            Stype.NUMERICAL,
            found.trail,
        )
    for column in columns:
        for how in _summaries(column) if is_many else (Aggregation.VALUE,):
            stype = column.stype if how in OWN_STYPE else Stype.NUMERICAL
            yield AggregateRef(
                found.path, found.table, column.name, how, stype, found.trail
            )
        if is_many and draft.aggregates_widely:
            yield from _wide_refs(found, column)


def _wide_refs(found: _Reached, column: Column) -> Iterator[AggregateRef]:
    """Yield the sum of a column of numbers, or its tallies where it has categories."""
    many = (found.path, found.table, column.name)
    number = Stype.NUMERICAL
    if column.stype is number:
        yield AggregateRef(*many, Aggregation.SUM, number, found.trail)
    if column.stype in (Stype.CATEGORICAL, Stype.BOOLEAN):
        for rank in range(1, min(column.num_distinct, MAX_TALLIES) + 1):
            yield AggregateRef(*many, Aggregation.TALLY, number, found.trail, rank=rank)


def _bag(draft: Draft, found: _Reached) -> AggregateRef | None:
    """Return the bag of a long table's values, where a column is to be one."""
    roles = {
        column: draft.columns[f"{found.table}.{column.name}"].role
        for column in draft.schema.table(found.table).columns
    }
    names = [column.name for column, role in roles.items() if role is ColumnRole.BAG]
    amounts = [
        column.name for column, role in roles.items() if role is ColumnRole.FEATURE
    ]
    if not names:
        return None
    return AggregateRef(
        found.path,
        found.table,
        names[0],
        Aggregation.BAG,
        Stype.CATEGORICAL,
        found.trail,
        amount="".join(amounts),
    )


def _summaries(column: Column) -> tuple[Aggregation, ...]:
    return SUMMARIES.get(column.stype, (Aggregation.DISTINCT,))
