"""What the columns and keys of a table are, and how a constraint is read."""

from dataclasses import dataclass, field

from workbench.ddl.tokens import Cursor, Token, TokenKind, unquoted
from workbench.ddl.vocabulary import CLAUSES, INDEXES, KEY_DETAILS

Path = tuple[str, ...]
"""A name with what qualifies it, outermost first."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as one clause defines it."""

    name: str
    sql_type: str = ""
    nullable: bool = True
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key as one clause defines it."""

    columns: tuple[str, ...]
    ref_table: Path
    ref_columns: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A token from which on something was not understood."""

    token: Token
    why: str


@dataclass(slots=True)
class Definition:
    """What a list of columns and constraints has said so far.

    Attributes:
        columns: The columns.
        primary_key: The columns of the primary key.
        primary_key_name: The name of its constraint.
        primary_key_index: The index that it is made of, instead of columns.
        keys: The foreign keys.
        likes: The tables whose columns are taken over, each with the number of
            columns before them and whether their primary key comes along.
        positions: Columns that follow another one, or come first (an empty name).
        problems: What was not understood.
    """

    columns: list[Column] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    primary_key_name: str = ""
    primary_key_index: Path = ()
    keys: list[Key] = field(default_factory=list)
    likes: list[tuple[Path, int, bool]] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def set_primary_key(
    into: Definition, item: Cursor, name: str, columns: tuple[str, ...] = ()
) -> None:
    """Read what follows PRIMARY KEY and set the key."""
    ahead = item.rest()
    while not ahead.done and ahead.peek().upper in (
        "CLUSTERED",
        "NONCLUSTERED",
        "HASH",
    ):
        ahead.take()
    if not columns:  # PRIMARY KEY some_name USING BTREE (a, b)
        while not ahead.done and not ahead.sees("(") and not ahead.sees("INDEX"):
            ahead.take()
        if ahead.accept("INDEX"):
            into.primary_key_index = ahead.path()
    if ahead.sees("("):
        found = key_columns(ahead.group())
        columns = found or columns
    item.at = ahead.at
    into.primary_key = columns
    into.primary_key_name = name


def add_key(
    into: Definition, item: Cursor, name: str, columns: tuple[str, ...]
) -> None:
    """Read what follows REFERENCES and add the key."""
    path = item.path()
    ref_columns = key_columns(item.group()) if item.sees("(") else ()
    into.keys.append(Key(columns, path, ref_columns, name))
    while not item.done:
        if item.accept("ON"):
            item.accept_any("DELETE", "UPDATE")
            if item.accept("SET"):
                item.take()
                if item.sees("("):
                    item.skip()
            elif item.accept("NO"):
                item.accept("ACTION")
            else:
                item.take()
        elif item.accept("MATCH") or item.accept("INITIALLY"):
            item.take()
        elif item.sees("NOT", "NULL") or not item.accept_any(*KEY_DETAILS):
            return


def read_constraints(item: Cursor, into: Definition) -> bool:
    """Read constraints of the table; return whether the item is one."""
    if not _begins_constraint(item):
        return False
    while not item.done:
        name = constraint_name(item) if item.accept("CONSTRAINT") else ""
        if item.accept("PRIMARY", "KEY"):
            set_primary_key(into, item, name)
        elif item.accept("FOREIGN", "KEY"):
            begin = item.peek()
            item.skip_to("(", "REFERENCES")
            columns = key_columns(item.group()) if item.sees("(") else ()
            if item.skip_to("REFERENCES") and item.accept("REFERENCES"):
                add_key(into, item, name, columns)
            else:
                into.problems.append(Problem(begin, "the key refers to no table"))
        else:
            item.skip()
        while not item.done and not _begins_key(item):
            item.skip()
    return True


def _begins_constraint(item: Cursor) -> bool:
    upper = item.peek().upper
    after = item.peek(1)
    if upper in ("PRIMARY", "FOREIGN"):
        return after.upper == "KEY"
    if upper == "CONSTRAINT":
        return True
    if upper in ("UNIQUE", "CHECK", "EXCLUDE"):
        return after.upper in (
            "(",
            "KEY",
            "INDEX",
            "USING",
            "CLUSTERED",
            "NONCLUSTERED",
        ) or (upper == "UNIQUE" and after.kind in (TokenKind.WORD, TokenKind.NAME))
    if upper == "PERIOD":
        return after.upper == "FOR"
    if upper == "SUPPLEMENTAL":
        return after.upper == "LOG"
    return upper in INDEXES and _is_index(item.rest())


def _is_index(item: Cursor) -> bool:
    """Tell ``KEY by_name (name)`` from a column, ``key varchar(20)``."""
    item.take()
    item.accept_any("KEY", "INDEX")
    if not item.sees("("):
        item.name()
    while item.accept_any("UNIQUE", "CLUSTERED", "NONCLUSTERED", "HASH", "COLUMNSTORE"):
        pass
    if item.accept("USING"):
        item.take()
    if item.accept("ON"):
        return True
    inside = item.peek(1)
    if not item.accept("(") or inside.kind is TokenKind.STRING:
        return False
    return inside.kind in (TokenKind.WORD, TokenKind.NAME) or inside.upper == "("


def _begins_key(item: Cursor) -> bool:
    return (
        item.sees("CONSTRAINT")
        or item.sees("PRIMARY", "KEY")
        or item.sees("FOREIGN", "KEY")
    )


def constraint_name(item: Cursor) -> str:
    """Return the name behind CONSTRAINT; empty where it is left out."""
    if item.peek().upper in CLAUSES and item.peek(1).upper != "(":
        unnamed = ("PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "NOT", "NULL", "REFERENCES")
        if item.peek().upper in unnamed:
            return ""
    if item.sees("CHECK", "("):
        return ""
    path = item.path()
    return path[-1] if path else ""


def key_columns(group: Cursor) -> tuple[str, ...]:
    """Return the columns of a key; none if one of them is an expression."""
    names = []
    for part in group.split():
        name = part.name()
        if name is None or (
            part.sees("(") and part.peek(1).kind is not TokenKind.NUMBER
        ):
            return ()
        names.append(name)
    return tuple(names)


def string_value(token: Token) -> str:
    """Return what a quoted text says; a backslash stays as it is."""
    if token.kind is not TokenKind.STRING:
        return unquoted(token) if token.kind is TokenKind.NAME else ""
    text = token.text
    if text.startswith("$"):
        tag = text[: text.index("$", 1) + 1]
        return text[len(tag) : -len(tag)]
    begin = text.index(text[-1]) + 1
    return text[begin:-1].replace(text[-1] * 2, text[-1])
