"""Builds a graph for PyTorch Geometric from SQL; needs nothing of the workbench.

This text stands in every script that the workbench hands over, above the statements of
one graph (PLAN, at the end). So it imports no other module of the workbench.
"""

import re
import sys
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array, hstack
from torch_geometric.data import HeteroData

SECONDS_PER_YEAR = 365.2425 * 86_400
MAX_CATEGORIES, MAX_PARTS, TEXT_CHANNELS = 256, 64, 32


def build(plan: dict, rows: str) -> HeteroData:
    """Return the graph that a plan describes.

    Args:
        plan: Tables, and the statements of node and edge types.
        rows: A DuckDB file that the workbench wrote, a SQLAlchemy address, or a folder
            of CSV or Parquet files, one a table.

    Returns:
        Per node type ``x`` (standardised channels, float32 ``[nodes, channels]``) and
        ``codes`` (categories, int64 ``[nodes, columns]``; 0 is missing, 1 any other
        value) with ``cardinalities``, and ``sparse`` where there are channels that are
        nearly always 0 (as they are, in compressed sparse rows, float32
        ``[nodes, channels]``) with ``sparse_names``; per direction of an edge type an
        ``edge_index``, the ``link`` that each message runs along and the ``relation``
        that this is a direction of, and ``edge_attr``, ``edge_codes`` and
        ``edge_sparse`` where edges carry columns. An edge type whose links run both
        ways alike is one direction that lists each both ways.
    """
    data = HeteroData()
    with open_rows(plan, rows) as connection:
        for name, node in plan["nodes"].items():
            frame = connection.sql(node["sql"]).df()
            store = data[name]
            store.num_nodes = len(frame)
            store.x, store.codes, store.cardinalities = encode(frame, node["columns"])
            parts = [*wide(frame, node["columns"])]
            parts += [bag(connection, one, len(frame)) for one in node.get("bags", [])]
            if parts:
                store.sparse, store.sparse_names = side_by_side(parts)
        for edge in plan["edges"]:
            frame = connection.sql(edge["sql"]).df()
            add_edges(data, edge, frame)
    return data


def open_rows(plan: dict, rows: str) -> duckdb.DuckDBPyConnection:
    """Return a connection to tables that number their rows in ``__row``."""
    if Path(rows).is_file() and rows.endswith(".duckdb"):
        return duckdb.connect(rows, read_only=True)
    if "derived" in plan:
        raise SystemExit(
            f"{rows} does not hold the table {plan['derived']}, which was made of the"
            " others; give the .duckdb file of rows that came with this script."
        )
    connection = duckdb.connect()
    for name, table in plan["tables"].items():
        frame = read_table(name, table, rows)
        columns = ", ".join(
            f"CAST({quoted(column)} AS {kind}) AS {quoted(column)}"
            for column, kind in table["columns"].items()
        )
        listed = f"__row, {columns}" if columns else "__row"
        connection.register("__read", frame)
        connection.execute(
            f"CREATE TABLE {quoted(name)} AS SELECT {listed} FROM __read"
        )
        connection.unregister("__read")
    return connection


def read_table(name: str, table: dict, rows: str) -> pd.DataFrame:
    """Return a table in the order in which its nodes are numbered."""
    if "://" in rows:
        frame = read_server(name, table, rows)
    else:
        found = sorted(Path(rows).glob(f"{name}.*"))
        if not found:
            raise SystemExit(f"{rows} holds no file {name}.csv or {name}.parquet")
        is_parquet = found[0].suffix == ".parquet"
        frame = (
            pd.read_parquet(found[0])
            if is_parquet
            else pd.read_csv(found[0], dtype=str, keep_default_na=False, na_values=[""])
        )
    kinds = {"BIGINT": "Int64", "DOUBLE": "Float64", "VARCHAR": "string"}
    kept = {column: kinds[kind] for column, kind in table["columns"].items()}
    frame = frame[list(kept)].astype(kept)
    frame.insert(0, "__row", np.arange(len(frame)))
    return frame


def read_server(name: str, table: dict, address: str) -> pd.DataFrame:
    """Return a table of a server or of an SQLite file, read by SQLAlchemy."""
    import sqlalchemy
    from sqlalchemy.exc import OperationalError

    engine = sqlalchemy.create_engine(address)
    quote = engine.dialect.identifier_preparer.quote_identifier
    listed = ", ".join(map(quote, table["columns"])) or "1"
    order = ", ".join(map(quote, table["order"]))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            try:
                connection.exec_driver_sql(f"SELECT rowid FROM {quote(name)} LIMIT 0")
                order = "rowid"
            except OperationalError:
                pass  # a table WITHOUT ROWID goes by its key
        ordered = f" ORDER BY {order}" if order else ""
        read = connection.exec_driver_sql(
            f"SELECT {listed} FROM {quote(name)}{ordered}"
        ).fetchall()
    columns = list(table["columns"]) or ["1"]
    return pd.DataFrame([tuple(row) for row in read], columns=columns, dtype=object)


def add_edges(data: HeteroData, edge: dict, frame: pd.DataFrame) -> None:
    """Add an edge type in every direction in which messages run."""
    attr, codes, cardinalities = encode(frame, edge["columns"])
    ends = {False: (edge["source"], edge["target"])}
    ends[True] = ends[False][::-1]
    parts = [*wide(frame, edge["columns"])]
    for way in edge["ways"]:
        is_reverse = way == "down"
        name = f"rev_{edge['name']}" if is_reverse else edge["name"]
        sender, receiver = ends[is_reverse]
        pairs = frame[["source", "target"]].to_numpy(dtype=np.int64)
        pairs = pairs[:, ::-1] if is_reverse else pairs
        links = np.arange(len(pairs))
        if way == "alike":
            pairs, links = np.concatenate([pairs, pairs[:, ::-1]]), np.tile(links, 2)
        order = np.argsort(pairs[:, 1], kind="stable")
        store = data[sender, name, receiver]
        store.edge_index = torch.from_numpy(pairs[order].T.copy())
        store.relation, store.num_links = edge["name"], len(frame)
        store.link = torch.from_numpy(links[order])
        if edge["columns"]:
            carried = links[order]
            store.edge_attr, store.edge_codes = attr[carried], codes[carried]
            store.cardinalities = cardinalities
            if parts:
                taken = [(matrix[carried], names) for matrix, names in parts]
                store.edge_sparse, store.sparse_names = side_by_side(taken)


def wide(frame: pd.DataFrame, columns: dict) -> list:
    """Return the columns that are nearly always 0 as one matrix, if there are any."""
    names = [column for column, kind in columns.items() if kind == "sparse"]
    if not names:
        return []
    numbers = frame[names].to_numpy(dtype=np.float64, na_value=0.0)
    return [(csr_array(np.nan_to_num(numbers, posinf=0.0, neginf=0.0)), names)]


def bag(connection: duckdb.DuckDBPyConnection, plan: dict, num_rows: int) -> tuple:
    """Return how much of each value of a long table every node has, and the names."""
    known = [value for (value,) in connection.sql(plan["values"]).fetchall()]
    found = connection.sql(plan["sql"]).fetchnumpy()
    place = found["node"].astype(np.int64), found["channel"].astype(np.int64)
    amounts = found["amount"].astype(np.float64)
    names = [
        int(value) if isinstance(value, float) and value.is_integer() else value
        for value in known
    ]
    matrix = csr_array((amounts, place), shape=(num_rows, len(known)))
    return matrix, [f'{plan["name"]}: "{name}"' for name in names]


def side_by_side(parts: list) -> tuple:
    """Return matrices as one sparse tensor, and the names of its channels."""
    joined = hstack([matrix for matrix, _ in parts], format="csr")
    joined.sort_indices()
    tensor = torch.sparse_csr_tensor(
        torch.from_numpy(joined.indptr.astype(np.int64)),
        torch.from_numpy(joined.indices.astype(np.int64)),
        torch.from_numpy(joined.data.astype(np.float32)),
        size=joined.shape,
        check_invariants=True,
    )
    return tensor, [name for _, names in parts for name in names]


def encode(frame: pd.DataFrame, columns: dict) -> tuple:
    """Return channels, codes and the number of codes of the columns of a type."""
    blocks, codes, cardinalities = [], [], []
    for column, kind in columns.items():
        values = frame[column]
        if kind == "sparse":
            continue
        if kind == "category":
            code, cardinality = encode_categories(values)
            codes.append(code)
            cardinalities.append(cardinality)
        else:
            blocks.append(ENCODERS[kind](values))
    x = np.column_stack(blocks) if blocks else np.zeros((len(frame), 0))
    held = np.column_stack(codes) if codes else np.zeros((len(frame), 0))
    return (
        torch.from_numpy(x.astype(np.float32)),
        torch.from_numpy(held.astype(np.int64)),
        cardinalities,
    )


def standardise(values: pd.Series) -> np.ndarray:
    """Return a number with mean 0 and deviation 1, and where it is missing."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    present, channels = numbers[known], []
    deviation = present.std() if present.size else 0.0
    if deviation > 0 and np.isfinite(deviation):
        scaled = np.zeros(len(numbers), dtype=np.float32)
        scaled[known] = (present - present.mean()) / deviation
        channels.append(scaled)
    if present.size and present.size < len(numbers):
        channels.append((~known).astype(np.float32))
    return np.column_stack(channels) if channels else np.zeros((len(numbers), 0))


def encode_time(values: pd.Series) -> np.ndarray:
    """Return an instant, standardised, and its phase within the year."""
    seconds = values.to_numpy(dtype=np.float64, na_value=np.nan)
    phase = 2 * np.pi * seconds / SECONDS_PER_YEAR
    cycle = np.nan_to_num(np.column_stack([np.sin(phase), np.cos(phase)]))
    return np.column_stack([standardise(values), cycle])


def hash_text(values: pd.Series) -> np.ndarray:
    """Return hashed word counts of unit length."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hasher = HashingVectorizer(n_features=TEXT_CHANNELS, norm="l2")
    texts = ["" if pd.isna(one) else str(one) for one in values]
    return hasher.transform(texts).toarray().astype(np.float32)


def encode_parts(values: pd.Series) -> np.ndarray:
    """Return a channel for each of the commonest parts of lists such as "a, b"."""
    texts = [None if pd.isna(one) else str(one) for one in values]
    distinct = {one for one in texts if one}
    counts = [sum(sign in one for one in distinct) for sign in SEPARATORS]
    sign = SEPARATORS[counts.index(max(counts))]
    parts = {
        one: {part.strip() for part in one.split(sign) if part.strip()}
        for one in distinct
    }
    uses = Counter(part for one in texts if one for part in parts[one])
    kept = sorted(uses, key=lambda part: (-uses[part], part))[:MAX_PARTS]
    held = [[float(bool(one) and part in parts[one]) for part in kept] for one in texts]
    block = np.array(held, dtype=np.float32).reshape(len(texts), len(kept))
    missing = np.array([one is None for one in texts], dtype=np.float32)
    return np.column_stack([block, missing]) if missing.any() and kept else block


def encode_categories(values: pd.Series) -> tuple[np.ndarray, int]:
    """Return codes, the most frequent values first, and how many codes there are."""
    texts = [None if pd.isna(one) else str(one) for one in values]
    counts = Counter(one for one in texts if one is not None)
    order = sorted(counts, key=lambda one: (-counts[one], one))[:MAX_CATEGORIES]
    code_of = {one: code for code, one in enumerate(order, start=2)}
    codes = [0 if one is None else code_of.get(one, 1) for one in texts]
    return np.array(codes, dtype=np.int64), 2 + len(order)


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + re.sub('"', '""', name) + '"'


SEPARATORS = (",", ";", "|", "/")
ENCODERS = {
    "number": standardise,
    "time": encode_time,
    "text": hash_text,
    "parts": encode_parts,
}


def main(plan: dict, rows: str) -> None:
    """Build the graph and say what it holds."""
    print(build(plan, sys.argv[1] if len(sys.argv) > 1 else rows))
