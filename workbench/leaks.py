"""Columns that alone give the target away: one shallow tree per column."""

import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa

from workbench.database import ROW, Database, quote
from workbench.depot import Arrays
from workbench.digests import digest, schema_digest
from workbench.schema import Column, Schema, Stype, value_sql
from workbench.split import TRAIN, VAL
from workbench.stypes import frequent_parts

SUSPICIOUS = 0.98
MOST_ROWS = 20_000  # per side; enough to tell .98 from .97
MOST_HOPS = 4
MOST_PARTS = 64
DEPTH = 8
LEAF = 5


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that alone gives the target away.

    Attributes:
        column: ``Table.column``; its table is the target's or an ancestor of it.
        score: Its score on the validation rows.
        metric: ``roc-auc`` or ``r2``.
    """

    column: str
    score: float
    metric: str


@dataclass(frozen=True, slots=True)
class Sides:
    """The labels of a sample of the training and validation rows.

    Attributes:
        train: int64 ``[t]``: rows of the target table.
        val: int64 ``[v]``.
        train_labels: float64 ``[t]``.
        val_labels: float64 ``[v]``.
        num_classes: 0 for regression.
    """

    train: np.ndarray
    val: np.ndarray
    train_labels: np.ndarray
    val_labels: np.ndarray
    num_classes: int


def take_sides(
    rows: np.ndarray, labels: np.ndarray, split: np.ndarray, num_classes: int
) -> Sides:
    """Return the training and validation rows, thinned out evenly where many."""
    chosen = []
    for side in (TRAIN, VAL):
        at = np.flatnonzero(split == side)
        step = max(1, -(-len(at) // MOST_ROWS))
        chosen.append(at[::step])
    train, val = chosen
    return Sides(rows[train], rows[val], labels[train], labels[val], num_classes)


def find_leaks(
    database: Database,
    schema: Schema,
    table: str,
    hidden: frozenset[tuple[str, str]],
    sides: Sides,
) -> tuple[Leak, ...]:
    """Score every column a row carries or inherits from what it refers to.

    It is found once for the same rows and question, whatever graphs are planned.

    Args:
        database: The rows.
        schema: What they mean.
        table: The target's table.
        hidden: Columns that no graph shows, and so cannot leak.
        sides: Rows and labels.

    Returns:
        The columns whose score is at least .98, best first; a table reached along
        several keys counts with its best.
    """
    kept = database.depot.get(
        f"leaks {_asked(schema, table, hidden, sides)}",
        lambda: _look(database, schema, table, hidden, sides),
        lambda found: all(Leak(*one) for one in found.facts["leaks"]),
    )
    return tuple(Leak(*one) for one in kept.facts["leaks"])


def _asked(
    schema: Schema, table: str, hidden: frozenset[tuple[str, str]], sides: Sides
) -> str:
    """Return a digest of all that decides the scores, beside the rows."""
    asked = json.dumps([table, sorted(hidden), sides.num_classes]).encode()
    arrays = (sides.train, sides.val, sides.train_labels, sides.val_labels)
    return digest(
        schema_digest(schema).encode(),
        asked,
        *(np.ascontiguousarray(one).data for one in arrays),
    )


def _look(
    database: Database,
    schema: Schema,
    table: str,
    hidden: frozenset[tuple[str, str]],
    sides: Sides,
) -> Arrays:
    best: dict[str, float] = {}
    for ancestor, links in _ancestors(database, schema, table, hidden):
        columns = [
            column
            for column in schema.table(ancestor).columns
            if (ancestor, column.name) not in hidden
            and column.stype not in (Stype.ID, Stype.CONSTANT)
        ]
        values = _fetch(database, ancestor, columns)
        for column in columns:
            train, val = _encode(column, values.column(column.name), links, sides)
            name = f"{ancestor}.{column.name}"
            best[name] = max(best.get(name, -np.inf), _score(train, val, sides))
    metric = "roc-auc" if sides.num_classes else "r2"
    found = [
        Leak(name, round(score, 6), metric)
        for name, score in best.items()
        if score >= SUSPICIOUS
    ]
    found.sort(key=lambda leak: (-leak.score, leak.column))
    return Arrays({}, {"leaks": [astuple(leak) for leak in found]})


def _ancestors(
    database: Database,
    schema: Schema,
    table: str,
    hidden: frozenset[tuple[str, str]],
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every table a row can be followed up to, with each row's row there."""
    start = np.arange(schema.table(table).num_rows)
    paths: list[tuple[tuple[str, ...], np.ndarray]] = [((table,), start)]
    while paths:
        visited, links = paths.pop(0)
        yield visited[-1], links
        if len(visited) > MOST_HOPS:
            continue
        for key in schema.keys_from(visited[-1]):
            step = database.links(
                key.table, key.columns, key.ref_table, key.ref_columns
            )
            followed = key.ref_table not in visited and not key.reads & hidden
            if followed and len(step):
                further = np.where(links >= 0, step[links], -1)
                paths.append(((*visited, key.ref_table), further))


def _fetch(database: Database, table: str, columns: list[Column]) -> pa.Table:
    picked = [
        f"{value_sql(column.stype, quote(column.name))} AS {quote(column.name)}"
        for column in columns
    ]
    names = ", ".join([quote(ROW), *picked])
    return database.sql(f"SELECT {names} FROM {quote(table)} ORDER BY {quote(ROW)}")


def _encode(
    column: Column, values: pa.ChunkedArray, links: np.ndarray, sides: Sides
) -> tuple[np.ndarray, np.ndarray]:
    """Return a column at the training and validation rows as float64 ``[rows, c]``."""
    if column.stype in (Stype.NUMERICAL, Stype.TIMESTAMP):
        numbers = np.append(values.to_numpy().astype(float), np.nan)  # -1: no parent
        return numbers[links[sides.train], None], numbers[links[sides.val], None]
    encoded = values.combine_chunks().dictionary_encode()
    if column.stype is Stype.MULTICATEGORICAL:
        return _encode_parts(encoded, links, sides)
    codes = encoded.indices
    filled = codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    filled = np.append(filled, -1)
    return _target_shares(filled[links[sides.train]], filled[links[sides.val]], sides)


def _encode_parts(
    encoded: pa.DictionaryArray, links: np.ndarray, sides: Sides
) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the commonest parts of lists every row has."""
    texts = encoded.dictionary.to_pylist()
    rows = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    rows = np.append(rows.astype(np.int64), len(texts))  # -1: no parent
    uses = np.bincount(rows, minlength=len(texts) + 1)
    kept, held = frequent_parts([*texts, None], uses.tolist(), MOST_PARTS)
    block = np.array(held, dtype=np.float64).reshape(len(held), len(kept))
    if not kept:
        block = np.zeros((len(held), 1))
    return block[rows[links[sides.train]]], block[rows[links[sides.val]]]


def _target_shares(
    train: np.ndarray, val: np.ndarray, sides: Sides
) -> tuple[np.ndarray, np.ndarray]:
    """Replace each value by the mean label, or class shares, of its training rows."""
    if sides.num_classes:
        targets = np.eye(sides.num_classes)[sides.train_labels.astype(int)]
    else:
        targets = sides.train_labels[:, None]
    num_values = int(max(train.max(initial=-1), val.max(initial=-1))) + 2
    counts = np.bincount(train + 1, minlength=num_values)[:, None]
    sums = np.zeros((num_values, targets.shape[1]))
    np.add.at(sums, train + 1, targets)
    means = (sums + targets.mean(axis=0)) / (counts + 1)
    return means[train + 1], means[val + 1]


def _score(train: np.ndarray, val: np.ndarray, sides: Sides) -> float:
    # scikit-learn takes longer to load than the first page of the app to draw.
    from sklearn.metrics import r2_score, roc_auc_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if not sides.num_classes:
        tree = DecisionTreeRegressor(
            max_depth=DEPTH, min_samples_leaf=LEAF, random_state=0
        )
        tree.fit(train, sides.train_labels)
        return float(r2_score(sides.val_labels, tree.predict(val)))
    tree = DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=LEAF, random_state=0
    )
    tree.fit(train, sides.train_labels)
    shares = np.asarray(tree.predict_proba(val))
    scores = [
        roc_auc_score(sides.val_labels == label, shares[:, place])
        for place, label in enumerate(tree.classes_)
        if 0 < np.count_nonzero(sides.val_labels == label) < len(sides.val_labels)
    ]
    return float(np.mean(scores)) if scores else -np.inf
