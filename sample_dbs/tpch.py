"""Builds the tpch sample: the TPC-H tables at scale .01, as tpchgen-cli makes them.

Keys are declared as the TPC-H specification (1.4.1 and 1.4.2) says. Nothing is added.
"""

import csv
import importlib.metadata
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

SCALE = "0.01"

# Parents first.
_TABLES = """
CREATE TABLE region (
  r_regionkey INTEGER PRIMARY KEY,
  r_name TEXT NOT NULL,
  r_comment TEXT NOT NULL
);
CREATE TABLE nation (
  n_nationkey INTEGER PRIMARY KEY,
  n_name TEXT NOT NULL,
  n_regionkey INTEGER NOT NULL REFERENCES region (r_regionkey),
  n_comment TEXT NOT NULL
);
CREATE TABLE part (
  p_partkey INTEGER PRIMARY KEY,
  p_name TEXT NOT NULL,
  p_mfgr TEXT NOT NULL,
  p_brand TEXT NOT NULL,
  p_type TEXT NOT NULL,
  p_size INTEGER NOT NULL,
  p_container TEXT NOT NULL,
  p_retailprice DECIMAL(15, 2) NOT NULL,
  p_comment TEXT NOT NULL
);
CREATE TABLE supplier (
  s_suppkey INTEGER PRIMARY KEY,
  s_name TEXT NOT NULL,
  s_address TEXT NOT NULL,
  s_nationkey INTEGER NOT NULL REFERENCES nation (n_nationkey),
  s_phone TEXT NOT NULL,
  s_acctbal DECIMAL(15, 2) NOT NULL,
  s_comment TEXT NOT NULL
);
CREATE TABLE partsupp (
  ps_partkey INTEGER NOT NULL REFERENCES part (p_partkey),
  ps_suppkey INTEGER NOT NULL REFERENCES supplier (s_suppkey),
  ps_availqty INTEGER NOT NULL,
  ps_supplycost DECIMAL(15, 2) NOT NULL,
  ps_comment TEXT NOT NULL,
  PRIMARY KEY (ps_partkey, ps_suppkey)
);
CREATE TABLE customer (
  c_custkey INTEGER PRIMARY KEY,
  c_name TEXT NOT NULL,
  c_address TEXT NOT NULL,
  c_nationkey INTEGER NOT NULL REFERENCES nation (n_nationkey),
  c_phone TEXT NOT NULL,
  c_acctbal DECIMAL(15, 2) NOT NULL,
  c_mktsegment TEXT NOT NULL,
  c_comment TEXT NOT NULL
);
CREATE TABLE orders (
  o_orderkey INTEGER PRIMARY KEY,
  o_custkey INTEGER NOT NULL REFERENCES customer (c_custkey),
  o_orderstatus TEXT NOT NULL,
  o_totalprice DECIMAL(15, 2) NOT NULL,
  o_orderdate DATE NOT NULL,
  o_orderpriority TEXT NOT NULL,
  o_clerk TEXT NOT NULL,
  o_shippriority INTEGER NOT NULL,
  o_comment TEXT NOT NULL
);
CREATE TABLE lineitem (
  l_orderkey INTEGER NOT NULL REFERENCES orders (o_orderkey),
  l_partkey INTEGER NOT NULL REFERENCES part (p_partkey),
  l_suppkey INTEGER NOT NULL REFERENCES supplier (s_suppkey),
  l_linenumber INTEGER NOT NULL,
  l_quantity DECIMAL(15, 2) NOT NULL,
  l_extendedprice DECIMAL(15, 2) NOT NULL,
  l_discount DECIMAL(15, 2) NOT NULL,
  l_tax DECIMAL(15, 2) NOT NULL,
  l_returnflag TEXT NOT NULL,
  l_linestatus TEXT NOT NULL,
  l_shipdate DATE NOT NULL,
  l_commitdate DATE NOT NULL,
  l_receiptdate DATE NOT NULL,
  l_shipinstruct TEXT NOT NULL,
  l_shipmode TEXT NOT NULL,
  l_comment TEXT NOT NULL,
  PRIMARY KEY (l_orderkey, l_linenumber),
  FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp (ps_partkey, ps_suppkey)
);
"""


def build(name: str, path: Path) -> None:
    """Write the sample to a new SQLite file.

    Args:
        name: ``tpch``; there is one.
        path: The file, which must not exist yet.
    """
    del name
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(path)) as connection,
        connection,
    ):
        command = [_generator(), "csv", "-s", SCALE, "-o", folder, "--quiet"]
        subprocess.run(command, check=True)
        connection.executescript(_TABLES)
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rootpage"
        )
        for (table,) in found.fetchall():
            _copy(connection, table, Path(folder) / f"{table}.csv")


def _generator() -> str:
    """Return the program, which the package puts beside Python's own."""
    for file in importlib.metadata.files("tpchgen-cli") or []:
        if file.stem == "tpchgen-cli":
            return str(file.locate())
    raise FileNotFoundError("the program of tpchgen-cli")


def _copy(connection: sqlite3.Connection, table: str, file: Path) -> None:
    """Copy a table; SQLite makes numbers of the texts by the columns' types."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows)
        names = ", ".join(f'"{name}"' for name in header)
        marks = ", ".join("?" * len(header))
        connection.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows
        )


if __name__ == "__main__":
    build("tpch", Path(sys.argv[1]))
