"""A database that is a graph already: one table of nodes and one table of links.

`find_graph` looks at the schema alone, so that plans can rely on it; `propose_task`
also reads a few values, to tell a column of labels and a given split.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from workbench.database import Database, quote
from workbench.hints import TaskSpec
from workbench.relations import Column, ForeignKey, Schema, Table
from workbench.split import NAMES
from workbench.stypes import Stype

KEPT_BY = "row2edge"  # the topology that leaves such a graph as it came
MOST_TABLES = 3
MOST_CLASSES = 50
REPEATED = 2  # times a value occurs on average, in a table of features
LABELS = ("label", "class", "target", "y", "subject", "category", "topic")
FEATURES = ("feature", "word", "term", "token", "tag", "attribute", "item", "column")
AMOUNTS = ("value", "count", "weight", "amount", "frequency", "tfidf", "tf", "score")
NUMBERS = frozenset({Stype.NUMERICAL, Stype.BOOLEAN})
NO_FEATURES = frozenset({Stype.TIMESTAMP, Stype.CONSTANT, Stype.FREE_TEXT})


@dataclass(frozen=True, slots=True)
class FeatureList:
    """A long table that names, a row each, the features that nodes have.

    Attributes:
        table: Its name.
        key: Id of its key to the nodes.
        feature: The column that names the feature.
        amount: The column that says how much of it; empty where having it is all.
    """

    table: str
    key: str
    feature: str
    amount: str


@dataclass(frozen=True, slots=True)
class NativeGraph:
    """Which tables of a database are a graph's nodes, links and features.

    Attributes:
        nodes: The table of nodes.
        links: The table of links.
        keys: Ids of its two keys.
        has_attributes: Whether links have columns besides their ends.
        features: The long table of features, if there is one.
        sentence: What it is, in words, with its counts.
    """

    nodes: str
    links: str
    keys: tuple[str, str]
    has_attributes: bool
    features: FeatureList | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What to do with a database that is a graph already.

    Attributes:
        graph: Which tables are what.
        task: What to predict, or None where no one column is the label.
        topology: The topology that leaves the graph as it came.
    """

    graph: NativeGraph
    task: TaskSpec | None
    topology: str = KEPT_BY


def find_offer(database: Database, schema: Schema) -> Offer | None:
    """Return what to do with a database that is a graph already, or None."""
    graph = find_graph(schema)
    if graph is None:
        return None
    return Offer(graph, propose_task(database, schema, graph))


def offer_to_json(offer: Offer | None) -> dict[str, Any] | None:
    """Return what ``workbench inspect --json`` prints as ``graph``."""
    if offer is None:
        return None
    graph, task = offer.graph, offer.task
    return {
        "sentence": graph.sentence,
        "nodes": graph.nodes,
        "links": graph.links,
        "keys": list(graph.keys),
        "features": None if graph.features is None else asdict(graph.features),
        "topology": offer.topology,
        "target": None if task is None else task.target,
        "split": None if task is None else task.split,
    }


def find_graph(schema: Schema) -> NativeGraph | None:
    """Return the graph that a database is already, or None.

    It is one where every table has its part: one table of nodes, which refers to
    nothing; one table of links with exactly two keys, both to the nodes, which nothing
    refers to; and, at most, one long table of the nodes' features.
    """
    if len(schema.tables) > MOST_TABLES:
        return None
    links = [one for one in schema.tables if _ties_pairs(schema, one)]
    if len(links) != 1:
        return None
    first, second = schema.keys_from(links[0].name)
    nodes = schema.table(first.ref_table)
    rest = [one for one in schema.tables if one.name not in (links[0].name, nodes.name)]
    features = None
    if rest:
        features = _feature_list(schema, rest[0], nodes)
        if features is None:
            return None
    if schema.keys_from(nodes.name):
        return None
    return NativeGraph(
        nodes=nodes.name,
        links=links[0].name,
        keys=(first.id, second.id),
        has_attributes=bool(_own_columns(links[0], first, second)),
        features=features,
        sentence=_sentence(schema, nodes, links[0], features),
    )


def propose_task(
    database: Database, schema: Schema, graph: NativeGraph
) -> TaskSpec | None:
    """Return what to predict of the nodes, by the split that came with them.

    The target is the column named as a label, or else the only column of classes; the
    split is the one of a column that holds nothing but train, val and test.

    Returns:
        The task, or None where no column, or more than one, could be the label.
    """
    nodes = schema.table(graph.nodes)
    classes = [
        column
        for column in nodes.columns
        if column.stype in (Stype.CATEGORICAL, Stype.NUMERICAL, Stype.BOOLEAN)
        and 2 <= column.num_distinct <= MOST_CLASSES
    ]
    splits = [one for one in classes if _is_split(database, nodes.name, one)]
    labels = [one for one in classes if one not in splits]
    named = [one for word in LABELS for one in labels if one.name.lower() == word]
    texts = [one for one in labels if one.stype is Stype.CATEGORICAL]
    if named:
        label = named[0]
    elif len(texts) == 1:
        label = texts[0]
    else:
        return None
    return TaskSpec(
        target=f"{nodes.name}.{label.name}",
        split=f"column:{splits[0].name}" if splits else "random",
    )


def _ties_pairs(schema: Schema, table: Table) -> bool:
    """Return whether every row of a table ties two rows of one other table."""
    keys = schema.keys_from(table.name)
    if len(keys) != 2 or schema.keys_into(table.name):
        return False
    return keys[0].ref_table == keys[1].ref_table != table.name


def _feature_list(schema: Schema, table: Table, nodes: Table) -> FeatureList | None:
    """Return what a table says of nodes if it is a long list of their features."""
    keys = schema.keys_from(table.name)
    if len(keys) != 1 or schema.keys_into(table.name):
        return None
    if keys[0].ref_table != nodes.name:
        return None
    # A number that only counts the rows of the table says nothing.
    own = [
        one
        for one in _own_columns(table, keys[0])
        if (one.name,) != table.primary_key and one.stype not in NO_FEATURES
    ]
    for feature in sorted(own, key=lambda one: _rank(one, FEATURES)):
        rest = [one for one in own if one is not feature]
        repeats = table.num_rows >= REPEATED * feature.num_distinct > 0
        if repeats and not rest:
            return FeatureList(table.name, keys[0].id, feature.name, "")
        if repeats and len(rest) == 1 and _is_amount(rest[0]):
            return FeatureList(table.name, keys[0].id, feature.name, rest[0].name)
    return None


def _own_columns(table: Table, *keys: ForeignKey) -> list[Column]:
    """Return the columns that are no part of these keys, and say something."""
    parts = {column for key in keys for column in key.columns}
    return [
        one
        for one in table.columns
        if one.name not in parts
        and one.stype is not Stype.CONSTANT
        and not (one.stype is Stype.ID and (one.name,) == table.primary_key)
    ]


def _rank(column: Column, words: tuple[str, ...]) -> int:
    """Return how early a word of a column's name stands among words."""
    name = column.name.lower()
    return next((at for at, word in enumerate(words) if word in name), len(words))


def _is_amount(column: Column) -> bool:
    named_feature = _rank(column, FEATURES) < _rank(column, AMOUNTS)
    return column.stype in NUMBERS and column.num_null == 0 and not named_feature


def _is_split(database: Database, table: str, column: Column) -> bool:
    if column.stype is not Stype.CATEGORICAL or column.num_distinct > len(NAMES):
        return False
    name = quote(column.name)
    found = database.rows(
        f"SELECT DISTINCT {name} FROM {quote(table)} WHERE {name} IS NOT NULL"
    )
    held = [str(value).strip().lower() for (value,) in found]
    return len(held) > 1 and all(value in NAMES for value in held)


def _sentence(
    schema: Schema, nodes: Table, links: Table, features: FeatureList | None
) -> str:
    parts = [
        f"{nodes.num_rows:,} nodes ({nodes.name})",
        f"{links.num_rows:,} rows of links ({links.name})",
    ]
    if features is not None:
        table = schema.table(features.table)
        number = table.column(features.feature).num_distinct
        parts.append(f"{number:,} features in a long list ({table.name})")
    counted = ", ".join(_joined(parts))
    return f"This database is a graph already: {counted}."


def _joined(parts: list[str]) -> Iterator[str]:
    """Yield parts, the last two as one."""
    yield from parts[:-2]
    yield " and ".join(parts[-2:])
