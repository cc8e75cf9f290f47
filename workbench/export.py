"""What a format says of itself, and what all formats need to write files safely."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workbench.database import Database
from workbench.errors import StoreError
from workbench.handover import Handover
from workbench.recipe import Statement, edge_statement, node_statement

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Export:
    """A member of `workbench.exports.EXPORTS`.

    Attributes:
        name: What users type.
        title: The format in plain words, and who reads it.
        needs: What is written: "rows", "graph" or "network".
        write: Writes into an empty folder and returns the file to begin with.
        link: Where the format is described, or empty.
    """

    name: str
    title: str
    needs: str
    write: Callable[[Handover, Path], Path]
    link: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """The nodes of a type, or the links of an edge type, as a table.

    Attributes:
        title: What the type is called.
        ends: The node types at the two ends of a link; nothing for nodes.
        name: A name for files and labels, of letters, digits and ``_``.
        statement: The query, and how each column is encoded.
        rows: ``node``, or ``source`` and ``target``, and the columns.
        columns: A safe name for each column, by its name in ``rows``.
    """

    title: str
    ends: tuple[str, ...]
    name: str
    statement: Statement
    rows: pa.Table
    columns: Mapping[str, str]

    @property
    def kinds(self) -> dict[str, str]:
        """How each column is encoded, by its name in ``rows``."""
        return dict(self.statement.columns)


def list_nodes(database: Database, handover: Handover) -> list[Listed]:
    """Return every node type with its rows."""
    rules = handover.graph().blueprint.nodes
    names = safe_names(rule.name for rule in rules)
    return [
        _listed(
            database,
            (),
            names[rule.name],
            node_statement(database, handover.schema, rule),
        )
        for rule in rules
    ]


def list_links(database: Database, handover: Handover) -> list[Listed]:
    """Return every edge type with its links, each once, child to parent."""
    rules = handover.graph().blueprint.edges
    names = safe_names(rule.name for rule in rules)
    return [
        _listed(
            database,
            (rule.source, rule.target),
            names[rule.name],
            edge_statement(database, handover.schema, rule),
        )
        for rule in rules
    ]


def safe_names(names: Iterable[str]) -> dict[str, str]:
    """Return, for each name, one of letters, digits and ``_`` that no other has.

    They differ in more than their case, so that they may be files on any disk.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = (
            re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:LONGEST_NAME] or "unnamed"
        )
        base = f"_{base}" if base[0].isdigit() else base
        new, number = base, 2
        while new.casefold() in taken:
            new, number = f"{base}_{number}", number + 1
        taken.add(new.casefold())
        found[name] = new
    return found


def write_file(path: Path, content: bytes | str) -> Path:
    """Write a file of an export.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise StoreError(
            f'"{path}" cannot be written ({error.strerror or error}).'
        ) from error
    return path


def _listed(
    database: Database, ends: tuple[str, ...], name: str, statement: Statement
) -> Listed:
    return Listed(
        title=statement.name,
        ends=ends,
        name=name,
        statement=statement,
        rows=database.sql(statement.sql),
        columns=safe_names([one for one, _ in statement.columns]),
    )
