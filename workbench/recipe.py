"""The SQL and the Python that build a graph without the workbench.

Both hold the statements that the engine itself runs over the rows; edges, which the
engine joins once and follows by their row numbers, are written out as joins.
"""

import pprint
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, assert_never

from workbench.aggregate import AggregateRef
from workbench.blueprint import (
    Blueprint,
    ColumnRef,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    NodeRule,
    RowNode,
    ShortcutEdge,
    ValueEdge,
)
from workbench.database import Database, quote
from workbench.edges import column_query, held_sql, value_query
from workbench.schema import ForeignKey, Schema, Stype
from workbench.summarise import bag_query, bag_values, summary_query, ways_of

RUNTIME = Path(__file__).with_name("standalone.py")
_KINDS = {
    Stype.NUMERICAL: "number",
    Stype.TIMESTAMP: "time",
    Stype.TEXT: "text",
    Stype.FREE_TEXT: "text",
    Stype.MULTICATEGORICAL: "parts",
    Stype.CATEGORICAL: "category",
    Stype.BOOLEAN: "category",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """The rows of a node type or the links of an edge type, as one query.

    Attributes:
        name: The node type's or the edge type's name.
        sql: DuckDB SQL over tables that number their rows in ``__row``. It gives
            ``node``, or ``source`` and ``target``, and then the columns.
        columns: How each column is encoded, by its name in the result.
        bags: Long tables of which each node knows much, a channel a value.
    """

    name: str
    sql: str
    columns: tuple[tuple[str, str], ...]
    bags: tuple["Bag", ...] = ()


@dataclass(frozen=True, slots=True)
class Bag:
    """What each node has of the values of a long table.

    Attributes:
        name: What it is called.
        sql: ``node``, ``channel`` and ``amount`` of what is not 0.
        values: The values in the order of their channels, as ``c0``.
    """

    name: str
    sql: str
    values: str


def node_statement(database: Database, schema: Schema, rule: NodeRule) -> Statement:
    """Return the query of a node type: ``node`` from 0 up, and what is known of it."""
    if not isinstance(rule, RowNode):
        ref = rule.column
        sql = (
            "SELECT row_number() OVER (ORDER BY c0) - 1 AS node, c0 AS"
            f" {quote(ref.column)}\nFROM ({value_query(ref)})\nORDER BY node"
        )
        return Statement(rule.name, sql, _kinds([(ref.column, ref)]))
    single = [one for one in rule.aggregates if not one.is_sparse]
    names = _distinct([one.name for one in (*rule.columns, *single)], "node")
    shown = [f"held.c{at} AS {quote(names[at])}" for at in range(len(rule.columns))]
    held = column_query(database, schema, rule.table, _as_read(rule.columns))
    joins = [f"FROM (\n{held}\n) held"]
    ordered: list[tuple[str, ColumnRef | AggregateRef]] = [
        (names[at], ref) for at, ref in enumerate(rule.columns)
    ]
    known = dict(zip(single, names[len(shown) :], strict=True))
    for number, (way, gathered) in enumerate(ways_of(rule).items()):
        alias = f"way{number}"
        refs = [one for one in gathered if not one.is_sparse]
        if not refs:
            continue
        found = summary_query(database, schema, rule.table, way, refs)
        joins.append(f"JOIN (\n{found}\n) {alias} ON {alias}.__row = held.__row")
        shown += [
            f"{alias}.c{at} AS {quote(known[one])}" for at, one in enumerate(refs)
        ]
        ordered += [(known[one], one) for one in refs]
    listed = ", ".join(["held.__row AS node", *shown])
    tables = "\n".join(joins)
    sql = f"SELECT {listed}\n{tables}\nORDER BY held.__row"
    bags = tuple(
        Bag(
            name=one.name,
            sql=bag_query(database, schema, rule.table, one),
            values=bag_values(schema, one),
        )
        for one in rule.aggregates
        if one.is_sparse
    )
    return Statement(rule.name, sql, _kinds(ordered), bags)


def edge_statement(database: Database, schema: Schema, rule: EdgeRule) -> Statement:
    """Return the query of an edge type: each link once, child → parent.

    ``source`` and ``target`` are the ``node`` numbers of `node_statement`.
    """
    match rule:
        case KeyEdge() | ShortcutEdge():
            path = (*rule.path, rule.key) if isinstance(rule, KeyEdge) else rule.path
            tables, last = _joined(database, schema, path)
            sql = (
                f"SELECT t0.__row AS source, {last}.__row AS target\n{tables}"
                "\nORDER BY t0.__row"
            )
            return Statement(rule.name, sql, ())
        case ValueEdge():
            return Statement(rule.name, _value_links(database, schema, rule), ())
        case JunctionEdge():
            return _junction(database, schema, rule)
        case _:
            assert_never(rule)


def remarks(schema: Schema, blueprint: Blueprint, derived: str = "") -> tuple[str, ...]:
    """Return what the code of a graph does not do, a sentence each.

    Args:
        schema: What the rows mean.
        blueprint: The graph.
        derived: A table that was made of the others, such as a forecast's.
    """
    found = []
    if derived:
        found.append(
            f'The table "{derived}" was made of the others, a row for everyone asked'
            " about at every moment (seed time): it is in the rows that the workbench"
            " hands over and not in the source."
        )
    target = blueprint.node(blueprint.target)
    if isinstance(target, RowNode) and schema.table(target.table).time_column:
        found.append(
            "This is the whole graph as of the end: it is not unfolded over time, so"
            f' a row of "{target.table}" can see rows from after its own moment, which'
            " the workbench keeps from it in training."
        )
    return tuple(found)


def render_sql(
    database: Database, schema: Schema, blueprint: Blueprint, derived: str = ""
) -> str:
    """Return a script that makes a view of every node type and edge type.

    It runs in DuckDB over the rows as the workbench keeps them:
    ``duckdb ROWS.duckdb < GRAPH.sql``. What each node has of a long table, a channel a
    value, is a view of its own.
    """
    parts = [
        f"-- The graph {_one_line(blueprint.name)}: a view a node type, with its"
        " columns before they are scaled,\n"
        "-- and a view an edge type, each link once, child to parent.",
    ]
    parts += [f"-- {_one_line(note)}" for note in remarks(schema, blueprint, derived)]
    views = [
        view
        for kind, one in _statements(database, schema, blueprint)
        for view in _views(kind, one)
    ]
    for name, sql in views:
        parts.append(f"CREATE OR REPLACE TEMP VIEW {name} AS\n{sql};")
    parts += [f"SELECT count(*) FROM {name};" for name, _ in views]
    return "\n\n".join(parts) + "\n"


def render_script(
    database: Database,
    schema: Schema,
    blueprint: Blueprint,
    rows: str,
    derived: str = "",
) -> str:
    """Return a Python script that builds the graph as PyG's ``HeteroData``.

    It needs DuckDB, pandas, PyTorch and PyTorch Geometric, scikit-learn where there is
    text, and SQLAlchemy where rows are read from a server or an SQLite file.

    Args:
        database: The rows; only their types are read.
        schema: What they mean.
        blueprint: The graph.
        rows: What the script reads unless its first argument says otherwise.
        derived: A table that was made of the others, such as a forecast's: the script
            finds it only where the workbench keeps the rows, and says so elsewhere.
    """
    plan = script_plan(database, schema, blueprint)
    if derived:
        plan["derived"] = derived
    written = pprint.pformat(plan, width=88, sort_dicts=False)
    runtime = RUNTIME.read_text(encoding="utf-8")
    head = "".join(
        textwrap.fill(_one_line(note), 86, initial_indent="# ", subsequent_indent="# ")
        + "\n"
        for note in remarks(schema, blueprint, derived)
    )
    return (
        f"{head}{runtime}\n\nPLAN = {written}\nROWS = {rows!r}\n\n"
        'if __name__ == "__main__":\n    main(PLAN, ROWS)\n'
    )


def script_plan(
    database: Database, schema: Schema, blueprint: Blueprint
) -> dict[str, Any]:
    """Return what ``build`` of `workbench.standalone` makes a graph of, as a literal.

    It names the tables and the order of their rows, and holds a statement for every
    node type and every edge type, with how their columns are encoded.
    """
    return {
        "target": blueprint.target,
        "tables": {
            table.name: _table_plan(database, schema, table.name)
            for table in schema.tables
        },
        "nodes": {
            rule.name: _node_plan(node_statement(database, schema, rule))
            for rule in blueprint.nodes
        },
        "edges": [
            {
                **_edge_plan(rule),
                **_node_plan(edge_statement(database, schema, rule)),
            }
            for rule in blueprint.edges
        ],
    }


def _statements(
    database: Database, schema: Schema, blueprint: Blueprint
) -> Iterator[tuple[str, Statement]]:
    for rule in blueprint.nodes:
        yield "nodes", node_statement(database, schema, rule)
    for edge in blueprint.edges:
        yield "edges", edge_statement(database, schema, edge)


def _views(kind: str, one: Statement) -> Iterator[tuple[str, str]]:
    """Yield the views of a statement: their quoted names and their SQL."""
    yield quote(f"{kind} {one.name}"), one.sql
    for bag in one.bags:
        known = (
            f"SELECT row_number() OVER (ORDER BY c0) - 1 AS channel, c0 AS value"
            f" FROM ({bag.values})"
        )
        yield (
            quote(f"{kind} {one.name}: {bag.name}"),
            f"SELECT node, channel, value, amount FROM (\n{bag.sql}\n)"
            f" JOIN ({known}) USING (channel) ORDER BY node, channel",
        )


def _node_plan(one: Statement) -> dict[str, Any]:
    bags = [
        {"name": bag.name, "sql": bag.sql, "values": bag.values} for bag in one.bags
    ]
    return {
        "sql": one.sql,
        "columns": dict(one.columns),
        **({"bags": bags} if bags else {}),
    }


def _edge_plan(rule: EdgeRule) -> dict[str, Any]:
    ways = {
        KeyRole.EDGE: ["up", "down"],
        KeyRole.UP: ["up"],
        KeyRole.DOWN: ["down"],
        KeyRole.UNDIRECTED: ["alike"],
    }
    return {
        "name": rule.name,
        "source": rule.source,
        "target": rule.target,
        "ways": ways[rule.direction],
    }


def _table_plan(database: Database, schema: Schema, name: str) -> dict[str, Any]:
    source = database.table(name)
    return {
        "columns": {
            one.name: database.physical_type(name, one.name) for one in source.columns
        },
        "order": list(source.primary_key),
    }


def _value_links(database: Database, schema: Schema, rule: ValueEdge) -> str:
    ref = rule.column
    tables, last = f"FROM {quote(ref.table)} t0", "t0"
    if ref.path:
        tables, last = _joined(database, schema, ref.path)
    return (
        f"SELECT t0.__row AS source, v.node AS target\n{tables}\nJOIN (SELECT c0,"
        f" row_number() OVER (ORDER BY c0) - 1 AS node FROM ({value_query(ref)})) v"
        f" ON v.c0 = {held_sql(ref, last)}\nORDER BY t0.__row"
    )


def _junction(database: Database, schema: Schema, rule: JunctionEdge) -> Statement:
    source, target = schema.key(rule.source_key), schema.key(rule.target_key)
    held = column_query(database, schema, rule.table, _as_read(rule.columns))
    names = _distinct([one.name for one in rule.columns], "source", "target")
    shown = [f"held.c{at} AS {quote(name)}" for at, name in enumerate(names)]
    listed = ", ".join(["s.__row AS source", "t.__row AS target", *shown])
    is_once = rule.direction is KeyRole.UNDIRECTED and not rule.columns
    once = (
        "\nWHERE s.__row <> t.__row\nQUALIFY row_number() OVER (PARTITION BY"
        " least(s.__row, t.__row), greatest(s.__row, t.__row) ORDER BY t0.__row) = 1"
        if is_once
        else ""
    )
    sql = (
        f"SELECT {listed}\nFROM {quote(rule.table)} t0"
        f"\n{_join(database, schema, source, 't0', 's')}"
        f"\n{_join(database, schema, target, 't0', 't')}"
        f"\nJOIN (\n{held}\n) held ON held.__row = t0.__row{once}\nORDER BY t0.__row"
    )
    return Statement(rule.name, sql, _kinds(zip(names, rule.columns, strict=True)))


def _joined(database: Database, schema: Schema, path: Sequence[str]) -> tuple[str, str]:
    """Return FROM and JOIN along keys, and the alias of the table at the end."""
    keys = [schema.key(one) for one in path]
    joins = [
        _join(database, schema, key, f"t{at}", f"t{at + 1}")
        for at, key in enumerate(keys)
    ]
    return "\n".join([f"FROM {quote(keys[0].table)} t0", *joins]), f"t{len(keys)}"


def _join(
    database: Database, schema: Schema, key: ForeignKey, child: str, parent: str
) -> str:
    pairs = database.comparable(
        (child, key.table, key.columns), (parent, key.ref_table, key.ref_columns)
    )
    matches = " AND ".join(f"{mine} = {theirs}" for mine, theirs in pairs)
    return f"JOIN {_first_rows(schema, key)} {parent} ON {matches}"


def _first_rows(schema: Schema, key: ForeignKey) -> str:
    """Return a key's parent; where its values may repeat, the first row of each."""
    if set(key.ref_columns) == set(schema.table(key.ref_table).primary_key):
        return quote(key.ref_table)
    columns = ", ".join(map(quote, key.ref_columns))
    return (
        f"(SELECT * FROM {quote(key.ref_table)} QUALIFY row_number() OVER"
        f" (PARTITION BY {columns} ORDER BY __row) = 1)"
    )


def _as_read(columns: Iterable[ColumnRef]) -> list[ColumnRef]:
    """Return columns with those that are nearly always 0 read as numbers."""
    return [
        replace(ref, stype=Stype.NUMERICAL) if ref.is_sparse else ref for ref in columns
    ]


def _kinds(
    refs: Iterable[tuple[str, ColumnRef | AggregateRef]],
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, "sparse" if ref.is_sparse else _KINDS[ref.stype])
        for name, ref in refs
        if ref.is_sparse or ref.stype in _KINDS
    )


def _distinct(names: Sequence[str], *taken: str) -> list[str]:
    """Return names that differ in more than their case, as SQL needs them."""
    found: list[str] = []
    seen = {one.lower() for one in taken}
    for name in names:
        new, number = name, 2
        while new.lower() in seen:
            new, number = f"{name} ({number})", number + 1
        seen.add(new.lower())
        found.append(new)
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
