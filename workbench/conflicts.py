"""Which decisions of a draft do not go together, each as a sentence."""

from collections.abc import Iterator

from workbench.blueprint import (
    EDGE_ROLES,
    FEATURE_ROLES,
    PROMOTED_ROLES,
    ColumnRole,
    KeyRole,
    TableRole,
)
from workbench.draft import (
    Draft,
    begin_key,
    carried,
    draft_chains,
    edge_rules,
    held_columns,
)
from workbench.errors import unknown
from workbench.schema import Column, ForeignKey, Stype, Table


def conflicts(draft: Draft) -> Iterator[str]:
    """Yield what keeps a draft from being planned; nothing when it can be."""
    target = draft.spec.table
    if draft.tables[target].role is not TableRole.NODE:
        yield f'"{target}" holds what is predicted, so it has to be a "node".'
    for key in draft.schema.foreign_keys:
        yield from _key_problems(draft, key)
    for table in draft.schema.tables:
        yield from _table_problems(draft, table)
        for column in table.columns:
            yield from _column_problems(draft, table, column)
    yield from _path_problems(draft)


def _key_problems(draft: Draft, key: ForeignKey) -> Iterator[str]:
    role = draft.keys[key.id].role
    if role is KeyRole.DROPPED:
        return
    if begin_key(key, draft.spec).role is KeyRole.DROPPED:
        yield f'the key "{key.id}" would reveal a column that is predicted or hidden.'
    if key.table == draft.spec.seed_table and role in (KeyRole.EDGE, KeyRole.UP):
        yield (
            f'the key "{key.id}" would let one question tell another its answer; it has'
            f' to be "{KeyRole.DOWN}", "folded" or "dropped".'
        )
    child, parent = draft.tables[key.table].role, draft.tables[key.ref_table].role
    if child is TableRole.DROPPED:
        yield f'the key "{key.id}" is "{role}" while "{key.table}" is "dropped".'
    if parent is TableRole.EDGE:
        yield (
            f'"{key.ref_table}" cannot be an "edge" while "{key.id}" refers to its'
            " rows; drop that key or leave the rows nodes."
        )
    if role in EDGE_ROLES and parent is not TableRole.NODE:
        yield (
            f'the key "{key.id}" is an edge, so "{key.ref_table}" has to be a "node",'
            f' not "{parent}".'
        )
    yield from _aggregated_key_problems(key, role, child, parent)
    if role is KeyRole.UNDIRECTED and not _ties_alike(draft, key):
        yield (
            f'the key "{key.id}" is "undirected", which only both keys of an "edge" can'
            f' be that lead to the same table; make it an "{KeyRole.EDGE}".'
        )
    if role is KeyRole.FOLDED and key.ref_table == draft.spec.table:
        yield f'the key "{key.id}" leads to the target; leave it an "edge".'
    if role is KeyRole.FOLDED and parent is TableRole.DROPPED:
        yield f'the key "{key.id}" is "folded" while "{key.ref_table}" is "{parent}".'


def _ties_alike(draft: Draft, key: ForeignKey) -> bool:
    """Return whether a table is an edge between rows of one table, either way alike."""
    both = draft.keys_of(key.table, *EDGE_ROLES)
    return (
        draft.tables[key.table].role is TableRole.EDGE
        and {draft.keys[one.id].role for one in both} == {KeyRole.UNDIRECTED}
        and len({one.ref_table for one in both}) == 1
    )


def _aggregated_key_problems(
    key: ForeignKey, role: object, child: object, parent: object
) -> Iterator[str]:
    ends = {key.table: child, key.ref_table: parent}
    if role is KeyRole.AGGREGATED:
        for table, held in ends.items():
            if held not in (TableRole.NODE, TableRole.AGGREGATED):
                yield (
                    f'the key "{key.id}" is "aggregated", so "{table}" has to be a'
                    f' "node" or "aggregated", not "{held}".'
                )
        return
    for table, held in ends.items():
        if held is TableRole.AGGREGATED:
            yield (
                f'the rows of "{table}" are summarised, so the key "{key.id}" has to be'
                f' "aggregated" or "dropped", not "{role}".'
            )


def _path_problems(draft: Draft) -> Iterator[str]:
    known = [one.name for one in draft_chains(draft, edge_rules(draft))]
    for path in draft.paths:
        if path not in known:
            yield unknown("chain of keys that are edges", path, known)


def _table_problems(draft: Draft, table: Table) -> Iterator[str]:
    role, name = draft.tables[table.name].role, table.name
    if role is TableRole.EDGE:
        ends = draft.keys_of(name, *EDGE_ROLES)
        if len(ends) != 2:
            yield (
                f'"{name}" can only be an "edge" with exactly two keys left as edges;'
                f" it has {len(ends)}."
            )
        roles = {draft.keys[key.id].role for key in ends}
        if len(ends) == 2 and roles in ({KeyRole.UP}, {KeyRole.DOWN}):
            yield (
                f'no message can cross "{name}" with both of its keys'
                f' "{roles.pop()}"; leave one an "edge".'
            )
    if role is TableRole.FOLDED and not draft.keys_to(name, KeyRole.FOLDED):
        yield f'"{name}" is "folded" but no key that leads to it is; drop it instead.'
    tied = (
        *draft.keys_of(name, KeyRole.AGGREGATED),
        *draft.keys_to(name, KeyRole.AGGREGATED),
    )
    if role is TableRole.AGGREGATED and not tied:
        yield f'"{name}" is "aggregated" but no key of it is; drop it instead.'
    yield from _bag_problems(draft, table)
    if role in (TableRole.NODE, TableRole.EDGE):
        for held in carried(draft, name):
            promoted = [*held_columns(draft, held, PROMOTED_ROLES)]
            if promoted and role is TableRole.EDGE:
                yield (
                    f'"{held.table}.{promoted[0].column}" is an attribute of the edges'
                    f' "{name}", which no value node can tie; keep it a "feature".'
                )


def _bag_problems(draft: Draft, table: Table) -> Iterator[str]:
    """Yield why a table is no long list of values, where a column is to be a bag."""
    roles = {
        one: draft.columns[f"{table.name}.{one.name}"].role for one in table.columns
    }
    bags = [one for one, role in roles.items() if role is ColumnRole.BAG]
    rest = [
        one for one, role in roles.items() if role in FEATURE_ROLES - {ColumnRole.BAG}
    ]
    is_amount = all(one.stype in (Stype.NUMERICAL, Stype.BOOLEAN) for one in rest)
    if bags and (len(bags) > 1 or len(rest) > 1 or not is_amount):
        held = ", ".join(f'"{one.name}"' for one in (*bags, *rest))
        yield (
            f'"{table.name}" has {held}; beside one "bag" it can have one column of'
            " numbers, which say how much, so drop the others."
        )


def _column_problems(draft: Draft, table: Table, column: Column) -> Iterator[str]:
    subject = f"{table.name}.{column.name}"
    role = draft.columns[subject].role
    if role is ColumnRole.DROPPED:
        return
    if (table.name, column.name) in draft.spec.hidden:
        yield f'"{subject}" is predicted or hidden, so it has to stay "dropped".'
    if draft.tables[table.name].role is TableRole.DROPPED:
        yield f'"{subject}" is "{role}" while "{table.name}" is "dropped".'
    is_summarised = draft.tables[table.name].role is TableRole.AGGREGATED
    if role is ColumnRole.BAG:
        if not is_summarised:
            yield (f'"{subject}" can only be a "bag" where its table is "aggregated".')
        return
    if role in FEATURE_ROLES and column.stype in (Stype.ID, Stype.CONSTANT):
        yield (
            f'"{subject}" holds {"names" if column.stype is Stype.ID else "one value"},'
            ' not something to learn from; make it "dropped" or "promoted".'
        )
    if role in PROMOTED_ROLES and is_summarised:
        yield (
            f'"{subject}" is in rows that are summarised, which no value node can tie;'
            ' keep it a "feature".'
        )
    if role in PROMOTED_ROLES and column.stype is Stype.MULTICATEGORICAL:
        yield (
            f'"{subject}" holds several values a row, which no single value node stands'
            ' for; keep it a "feature".'
        )
