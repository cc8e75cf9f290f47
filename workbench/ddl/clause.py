"""What lies between the parentheses of a CREATE TABLE: columns, keys, the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.ddl.definition import (
    Column,
    Definition,
    Problem,
    add_key,
    constraint_name,
    key_columns,
    read_constraints,
    set_primary_key,
    string_value,
)
from workbench.ddl.tokens import Cursor, Token, TokenKind, unquoted
from workbench.ddl.vocabulary import (
    CLAUSES,
    DETAILS,
    NAMED,
    SERIALS,
    SPANS,
    TYPE_WORDS,
    TYPES_TOO,
)


def read_definition(items: Cursor, into: Definition | None = None) -> Definition:
    """Read columns and constraints separated by commas.

    What is not understood becomes a problem and costs its own item at most.
    """
    definition = into or Definition()
    for item in items.split():
        read_item(item, definition)
    return definition


def read_item(item: Cursor, into: Definition) -> None:
    """Read one column or constraint."""
    if item.sees("(") and item.peek(1).kind in (TokenKind.WORD, TokenKind.NAME):
        read_definition(item.group(), into)  # ADD (a int, b int)
    elif item.accept("LIKE"):
        into.likes.append((item.path(), len(into.columns), _includes_key(item)))
    elif not read_constraints(item, into):
        read_column(item, into)


def read_column(item: Cursor, into: Definition) -> None:
    """Read a column: its name, its type, what holds for it."""
    first = item.peek()
    name = item.name()
    if name is None:
        into.problems.append(Problem(first, "no column begins like this"))
        item.at = item.stop
        return
    sql_type = read_type(item)
    if not sql_type and item.done and first.text[0] in "@$#{%&<":
        into.problems.append(Problem(first, "a program fills this in"))
        return
    clause = _ColumnClause(item, into, name)
    clause.read()
    required = clause.required or sql_type.lower() in SERIALS
    nullable = not required if clause.nullable is None else clause.nullable
    into.columns.append(Column(name, sql_type, nullable, clause.comment))


def read_type(item: Cursor) -> str:
    """Return a column's type as written, spaces shortened; empty without one."""
    first = item.peek()
    if first.kind not in (TokenKind.WORD, TokenKind.NAME) or _begins_clause(item):
        return ""
    begin = item.at
    item.take()
    while not item.done:
        token = item.peek()
        if token.upper == ".":
            item.take()
            item.take()
        elif token.upper in ("(", "["):
            _skip_bracket(item)
        elif _continues_type(item, first.upper):
            item.take()
        elif item.sees("WITH") or item.sees("WITHOUT"):
            local = item.peek(1).upper == "LOCAL"
            if item.peek(1 + local).upper != "TIME":
                break
            item.at += 3 + local
        elif item.sees("FOR", "BIT", "DATA"):
            item.at += 3
        else:
            break
    item.at = min(item.at, item.stop)
    return _written(item.tokens[begin : item.at])


def _begins_clause(item: Cursor) -> bool:
    upper = item.peek().upper
    if upper == "CHARACTER":
        return item.sees("CHARACTER", "SET")
    return upper in CLAUSES and upper not in TYPES_TOO


def _continues_type(item: Cursor, first: str) -> bool:
    upper = item.peek().upper
    if upper in ("CHARACTER", "CHAR") and item.peek(1).upper == "SET":
        return False
    if first == "INTERVAL" and upper in SPANS:
        return True
    return upper in TYPE_WORDS


def _skip_bracket(item: Cursor) -> None:
    if item.sees("("):
        item.skip()
        return
    while not item.done and not item.accept("]"):
        item.take()


def _written(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    stop = -1
    for token in tokens:
        if parts and token.start > stop:
            parts.append(" ")
        quoted = token.kind is TokenKind.NAME and token.text != '"char"'
        parts.append(unquoted(token) if quoted else token.text)
        stop = token.stop
    return "".join(parts)


def _includes_key(item: Cursor) -> bool:
    whole = False
    while not item.done:
        if item.accept_any("INCLUDING", "EXCLUDING"):
            included = item.tokens[item.at - 1].upper == "INCLUDING"
            if item.peek().upper in ("ALL", "INDEXES"):
                whole = included
        item.take()
    return whole


@dataclass(slots=True)
class _ColumnClause:
    """What stands behind a column's type, while it is being read.

    Attributes:
        item: The place in the statement.
        into: Where keys go.
        name: The column's name.
        nullable: What the column says itself, if anything.
        required: Whether something else it is implies NOT NULL.
        comment: Its comment.
        constraint: The name of the constraint that is being read.
    """

    item: Cursor
    into: Definition
    name: str
    nullable: bool | None = None
    required: bool = False
    comment: str = ""
    constraint: str = ""

    def read(self) -> None:
        """Read up to the end of the column."""
        while not self.item.done:
            token = self.item.peek()
            if self._read_key() or self._read_value() or self._read_detail():
                continue
            self.into.problems.append(
                Problem(token, f'"{token.text}" is not understood here and is left out')
            )
            self.item.skip()

    def _read_key(self) -> bool:
        item = self.item
        if item.accept("CONSTRAINT"):
            self.constraint = constraint_name(item)
        elif item.accept("PRIMARY", "KEY") or item.accept("PRIMARY"):
            self.required = True
            set_primary_key(self.into, item, self.constraint, (self.name,))
        elif item.accept("UNIQUE"):
            item.accept("KEY")
        elif item.accept("KEY"):  # MySQL, for short
            self.required = True
            self.into.primary_key = (self.name,)
        elif item.accept("FOREIGN", "KEY"):
            columns = key_columns(item.group()) if item.sees("(") else (self.name,)
            if item.accept("REFERENCES"):
                add_key(self.into, item, self.constraint, columns)
        elif item.accept("REFERENCES"):
            add_key(self.into, item, self.constraint, (self.name,))
        elif item.accept("NOT", "NULL"):
            self.nullable = False
        elif item.accept("NULL"):
            self.nullable = True
        else:
            return False
        return True

    def _read_value(self) -> bool:
        item = self.item
        if item.accept("DEFAULT"):
            self.required |= item.accept("ON", "NULL")
            _skip_expression(item)
        elif item.accept("COMMENT"):
            item.accept("=")
            self.comment = string_value(item.take())
        elif item.accept("AS", "IDENTITY"):
            self.required = True
        elif item.accept("AS"):
            _skip_expression(item)
        elif item.accept("GENERATED"):
            item.accept("BY")
            item.accept_any("ALWAYS", "DEFAULT")
            item.accept("ON", "NULL")
        elif item.accept_any("IDENTITY", "AUTO_INCREMENT"):
            self.required = True
        else:
            return False
        return True

    def _read_detail(self) -> bool:
        item = self.item
        if item.accept("USING", "INDEX"):
            item.skip_to("CONSTRAINT", "NOT", "NULL", "REFERENCES", "CHECK", "ENABLE")
        elif item.accept("ON"):
            item.accept_any("UPDATE", "DELETE", "CONFLICT")
            if not item.accept("SET") and not item.accept("NO"):
                _skip_expression(item)
            else:
                item.take()
        elif item.accept_any("AFTER"):
            self.into.positions[self.name] = item.name() or ""
        elif item.accept("FIRST"):
            self.into.positions[self.name] = ""
        elif item.accept_any(*NAMED):
            item.accept_any("=", "SET")
            if item.sees("("):
                item.skip()
            elif not item.path():
                item.take()
        elif (
            item.peek().upper in DETAILS
            or item.peek().kind is TokenKind.NUMBER
            or item.sees("(")
        ):
            item.skip()
        else:
            return False
        return True


def _skip_expression(item: Cursor) -> None:
    """Move behind a value; what follows an operator is part of it."""
    operator = True
    while not item.done:
        token = item.peek()
        if not operator and token.upper in CLAUSES:
            return
        mark = token.kind is TokenKind.MARK and token.upper not in "()[]"
        operator = mark or token.upper in ("CAST", "NEXT", "VALUE")
        item.skip()
