"""Follows the statements of a script: what each does to the tables, none executed."""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from workbench.ddl.alteration import Alteration
from workbench.ddl.catalog import Catalog, Draft, Place, add_definition
from workbench.ddl.clause import read_definition
from workbench.ddl.declared import Unread, excerpt
from workbench.ddl.definition import Column, Definition, Path, key_columns, string_value
from workbench.ddl.dialect import Dialect
from workbench.ddl.script import Piece
from workbench.ddl.sqlite_ddl import sqlite_definition
from workbench.ddl.tokens import Cursor, Token, TokenKind, cursor_over
from workbench.ddl.vocabulary import HARMLESS, TABLE_WORDS

_RELEVANT: Final = re.compile(
    r"TABLE|COMMENT|search_path|CURRENT_SCHEMA|^\W*USE\b|INDEX|RENAME|SCHEMA\b"
    r"|sp_addextendedproperty",
    re.IGNORECASE,
)
_FIRST: Final = re.compile(
    r"(?:/\*M?!(?!999999)\d*|\s|--[^\n]*\n|/\*.*?\*/|\()*+([^\W\d]\w*)?", re.S
)
_ROWS: Final = ("INSERT", "COPY", "REPLACE", "UPDATE", "DELETE", "SELECT", "GRANT")
_PROGRAMS: Final = ("DO", "EXEC", "EXECUTE", "DECLARE", "BEGIN", "PREPARE")
_MAKES_TABLE: Final = re.compile(r"\bCREATE\s+TABLE\b", re.IGNORECASE)


@dataclass(slots=True)
class Follower:
    """The state of a script's tables between two statements.

    Attributes:
        dialect: How the script is written.
        catalog: The tables so far.
        unread: What could not be read so far.
        pending: Statements about tables that are not there yet.
        file: The file of the current statement.
        piece: The current statement.
    """

    dialect: Dialect
    catalog: Catalog
    unread: list[Unread] = field(default_factory=list)
    pending: list[tuple[str, Piece, str]] = field(default_factory=list)
    file: str = ""
    piece: Piece = field(init=False)
    last: bool = False

    def follow(self, file: str, piece: Piece) -> None:
        """Do to the tables what a statement says."""
        self.file, self.piece = file, piece
        if piece.open:
            self.report(0, f"the {piece.open} opened in this statement never closes")
        match = _FIRST.match(piece.text)
        first = (match.group(1) or "").upper() if match else ""
        if first in _ROWS and not piece.open:
            return
        if first in _PROGRAMS and self._makes_tables(first):
            self.report(0, "tables that a program makes are not read")
            return
        if first in HARMLESS and not _RELEVANT.search(piece.text[:4000]):
            return
        self._dispatch(cursor_over(piece.text, self.dialect))

    def _makes_tables(self, first: str) -> bool:
        """Tell a program's text from SQL Server's BEGIN CREATE TABLE … END."""
        if not _MAKES_TABLE.search(self.piece.text):
            return False
        plain = first in ("BEGIN", "DECLARE") and self.dialect.name != "oracle"
        return not plain

    def report(self, start: int, why: str) -> None:
        """Write down that something from a character of the statement on is unread."""
        text, line = self.piece.text, self.piece.line
        line += text.count("\n", 0, start)
        self.unread.append(Unread(self.file, line, excerpt(text[start:]), why))

    def place(self, token: Token | None = None) -> Place:
        """Return where a token of the statement stands."""
        start = token.start if token else 0
        text = self.piece.text
        line = self.piece.line + text.count("\n", 0, start)
        return self.file, line, excerpt(text[start:])

    def _dispatch(self, cursor: Cursor) -> None:
        if cursor.done:
            return
        first = cursor.peek()
        if cursor.accept("CREATE"):
            self._create(cursor, first)
        elif cursor.accept("ALTER"):
            self._alter(cursor)
        elif cursor.accept("DROP"):
            self._drop(cursor)
        elif cursor.accept("COMMENT", "ON"):
            self._comment(cursor)
        elif cursor.accept("RENAME"):
            self._rename(cursor)
        elif first.upper in ("USE", "SET", "EXEC", "EXECUTE"):
            self._set(cursor)
        elif first.upper in ("IF", "BEGIN", "ELSE", "EXPLAIN"):
            self._inside(cursor)
        elif first.upper not in HARMLESS:
            self.report(first.start, "no statement that is known begins like this")

    def _inside(self, cursor: Cursor) -> None:
        """Follow a statement about tables behind a condition: IF … CREATE TABLE …."""
        while cursor.skip_to("CREATE", "ALTER", "DROP"):
            if cursor.peek(1).upper == "TABLE":
                self._dispatch(cursor)
                return
            cursor.take()

    def _create(self, cursor: Cursor, first: Token) -> None:
        replacing = cursor.accept("OR", "REPLACE")
        temporary = False
        while cursor.accept_any(*TABLE_WORDS):
            word = cursor.tokens[cursor.at - 1].upper
            temporary |= word in ("TEMP", "TEMPORARY")
        if cursor.accept("TABLE"):
            self._create_table(cursor, temporary, replacing, first)
        elif cursor.accept("VIRTUAL", "TABLE"):
            self.report(first.start, "a virtual table is made by a program")
            cursor.accept("IF", "NOT", "EXISTS")
            self._leave_out(cursor.path())
        elif cursor.accept("SCHEMA"):
            self._create_schema(cursor)
        elif cursor.accept_any("UNIQUE", "INDEX"):
            self._create_index(cursor)

    def _create_schema(self, cursor: Cursor) -> None:
        cursor.accept("IF", "NOT", "EXISTS")
        name = "" if cursor.sees("AUTHORIZATION") else cursor.name() or ""
        if cursor.accept("AUTHORIZATION"):
            owner = cursor.name() or ""
            name = name or owner
        before = self.catalog.schema
        self.catalog.schema = name
        while cursor.skip_to("CREATE"):
            element = cursor.rest()
            cursor.take()
            cursor.skip_to("CREATE")
            element.stop = cursor.at
            self._dispatch(element)
        self.catalog.schema = before

    def _create_index(self, cursor: Cursor) -> None:
        if cursor.tokens[cursor.at - 1].upper != "UNIQUE":
            return
        while cursor.accept_any("INDEX", "CONCURRENTLY", "IF", "NOT", "EXISTS"):
            pass
        name = cursor.path()
        if cursor.accept("ON"):
            cursor.accept("ONLY")
            cursor.path()
            if cursor.accept("USING"):
                cursor.take()
            if name and cursor.sees("("):
                self.catalog.indexes[name[-1].casefold()] = key_columns(cursor.group())

    def _create_table(
        self, cursor: Cursor, temporary: bool, replacing: bool, first: Token
    ) -> None:
        forgiving = cursor.accept("IF", "NOT", "EXISTS")
        named = cursor.peek()
        path = cursor.path()
        if not path:
            self.report(named.start, "a table's name is missing")
            return
        if temporary or (path[-1].startswith("#") and not path[-1].startswith("#__")):
            self._leave_out(path)
            return
        self.catalog.left_out.discard(path[-1].casefold())
        twin = self.catalog.twin(path)
        if twin is not None and replacing:
            self.catalog.drop(twin)
        elif twin is not None:
            if not forgiving:
                self.report(
                    first.start, f'"{path[-1]}" was created before; that counts'
                )
            return
        schema, name = self.catalog.split(path)
        draft = Draft(schema, name, self.place(first))
        if self._fill(draft, cursor, first):
            self.catalog.add(draft)
        else:
            self._leave_out(path)

    def _leave_out(self, path: Path) -> None:
        if path:
            self.catalog.left_out.add(path[-1].casefold())

    def _fill(self, draft: Draft, cursor: Cursor, first: Token) -> bool:
        """Read what stands behind a new table's name; return whether it has columns."""
        if cursor.accept("PARTITION", "OF"):
            draft.partition_of = cursor.path()
        elif cursor.accept("LIKE"):
            self._like(draft, cursor.path(), 0, whole=True)
            return True
        elif cursor.accept("OF"):
            self.report(first.start, "the columns come from a type; they are not read")
            return False
        if cursor.sees("("):
            self._fill_columns(draft, cursor, first)
        elif draft.partition_of:
            pass
        elif not cursor.skip_to("AS", "SELECT"):
            self.report(first.start, "the table has no list of columns")
            return False
        return self._read_suffix(draft, cursor, first)

    def _fill_columns(self, draft: Draft, cursor: Cursor, first: Token) -> None:
        group = cursor.group()
        if group.sees("SELECT"):
            cursor.at = group.at
            return
        if cursor.tokens[cursor.at - 1].upper != ")" or group.stop == cursor.at:
            self.report(first.start, "the list of columns is not closed")
        found = read_definition(group)
        if self.dialect.name == "sqlite":
            found = self._ask_sqlite(found, first)
        self._take_over(draft, found)

    def _ask_sqlite(self, found: Definition, first: Token) -> Definition:
        asked = sqlite_definition(self.piece.text[first.start :])
        if asked is None:
            return found
        written = {column.name: column for column in found.columns}
        asked.columns = [
            _spelt_as(column, written.get(column.name, column))
            for column in asked.columns
        ]
        return asked

    def _take_over(self, draft: Draft, found: Definition) -> None:
        for problem in found.problems:
            self.report(problem.token.start, problem.why)
        for twice in draft.add(found.columns, found.positions):
            self.report(0, f'the column "{twice}" is there already')
        for path, at, whole in reversed(found.likes):
            self._like(draft, path, at, whole=whole)
        add_definition(draft, found, self.place(), self.catalog.schema)

    def _like(self, draft: Draft, path: Path, at: int, *, whole: bool) -> None:
        source = self.catalog.find(path, draft.schema)
        if source is None:
            draft.likes.append((path, at, whole))
            return
        draft.columns[at:at] = self.catalog.columns(source)
        if whole and not draft.primary_key:
            draft.primary_key = source.primary_key

    def _read_suffix(self, draft: Draft, cursor: Cursor, first: Token) -> bool:
        while not cursor.done:
            if cursor.accept("INHERITS"):
                draft.parents = [each.path() for each in cursor.group().split()]
            elif cursor.accept("COMMENT"):
                cursor.accept("=")
                draft.comment = string_value(cursor.take())
            elif cursor.sees("SELECT") or _begins_query(cursor):
                why = "the columns of a query are not read"
                self.report(first.start, f"{why}; it would have to be executed")
                return bool(draft.columns)
            else:
                cursor.skip()
        return True

    def _drop(self, cursor: Cursor) -> None:
        if cursor.accept_any("SCHEMA", "DATABASE"):
            self._drop_schema(cursor)
            return
        while cursor.accept_any("TEMPORARY", "FOREIGN", "EXTERNAL"):
            pass
        if not cursor.accept_any("TABLE", "TABLES"):
            return
        cursor.accept("IF", "EXISTS")
        for part in cursor.split():
            draft = self.catalog.find(part.path())
            if draft is not None:
                self.catalog.drop(draft)

    def _drop_schema(self, cursor: Cursor) -> None:
        cursor.accept("IF", "EXISTS")
        for part in cursor.split():
            schema = part.name() or ""
            for draft in list(self.catalog):
                default = self.catalog.is_default(schema) and not draft.schema
                if schema and (draft.schema.casefold() == schema.casefold() or default):
                    self.catalog.drop(draft)

    def _comment(self, cursor: Cursor) -> None:
        column = cursor.accept("COLUMN")
        if not column and not cursor.accept("TABLE"):
            return
        path = cursor.path()
        if not cursor.accept("IS") or not path:
            return
        comment = string_value(cursor.take())
        draft = self.catalog.find(path[:-1] if column else path)
        if draft is None:
            return  # a view, mostly
        if not column:
            draft.comment = comment
        elif (at := draft.position(path[-1])) is not None:
            draft.columns[at] = replace(draft.columns[at], comment=comment)

    def _rename(self, cursor: Cursor) -> None:
        cursor.accept("TABLE")
        for part in cursor.split():
            draft = self.catalog.find(part.path())
            if part.accept("TO") and draft is not None:
                path = part.path()
                self.catalog.rename(draft, *self.catalog.split(path))

    def _set(self, cursor: Cursor) -> None:
        """Follow what names mean from here on, and SQL Server's procedures."""
        first = cursor.take().upper
        if first.startswith("EXEC"):
            self._execute(cursor)
        elif first == "USE" and self.dialect.name == "mysql":
            self.catalog.schema = cursor.name() or ""
        cursor.accept_any("SESSION", "LOCAL")
        if first == "SET" and cursor.accept("SEARCH_PATH"):
            cursor.accept_any("=", "TO")
            names = [part.name() or "" for part in cursor.split()]
            known = [name for name in names if name not in ("pg_catalog", "$user")]
            self.catalog.schema = known[0] if known else ""

    def _execute(self, cursor: Cursor) -> None:
        """Follow sp_rename and the comments of SQL Server."""
        path = cursor.path()
        called = path[-1].casefold() if path else ""
        given = [token for token in cursor.tokens if token.kind is TokenKind.STRING]
        texts = [string_value(token) for token in given]
        if called == "sp_rename" and len(texts) > 1:
            self._sp_rename(*texts[:3])
        elif called == "sp_addextendedproperty" and "MS_Description" in texts[:1]:
            self._describe(texts)

    def _sp_rename(self, old: str, new: str, kind: str = "OBJECT") -> None:
        parts = cursor_over(old, self.dialect).path()
        if kind.upper() == "COLUMN" and len(parts) > 1:
            draft = self.catalog.find(parts[:-1])
            if draft is not None:
                self.catalog.rename_column(draft, parts[-1], new)
        elif kind.upper() == "OBJECT" and (draft := self.catalog.find(parts)):
            self.catalog.rename(draft, draft.schema, new)

    def _describe(self, texts: list[str]) -> None:
        named = dict(zip(texts[2::2], texts[3::2], strict=False))
        folded = {level.upper(): name for level, name in named.items()}
        if "TABLE" not in folded:
            return
        draft = self.catalog.find((folded.get("SCHEMA", ""), folded["TABLE"]))
        if draft is None:
            return
        if "COLUMN" not in folded:
            draft.comment = texts[1]
        elif (at := draft.position(folded["COLUMN"])) is not None:
            draft.columns[at] = replace(draft.columns[at], comment=texts[1])

    def _alter(self, cursor: Cursor) -> None:
        if cursor.accept("SESSION", "SET", "CURRENT_SCHEMA"):
            cursor.accept("=")
            self.catalog.schema = cursor.name() or ""
        cursor.accept_any("FOREIGN", "IGNORE", "ONLINE")
        if not cursor.accept("TABLE"):
            return
        cursor.accept("IF", "EXISTS")
        cursor.accept("ONLY")
        named = cursor.peek()
        path = cursor.path()
        draft = self.catalog.find(path)
        if draft is not None:
            cursor.accept("*")
            place = self.place(named)
            Alteration(self.catalog, draft, cursor, place, self.report).read()
        elif cursor.peek().upper in ("OWNER", "SET", "ENABLE", "DISABLE"):
            return  # of a view or a sequence
        elif path and path[-1].casefold() not in self.catalog.left_out:
            self._put_off(path)

    def _put_off(self, path: Path) -> None:
        if self.last:
            self.report(0, f'there is no table "{".".join(path)}"')
        else:
            self.pending.append((self.file, self.piece, self.catalog.schema))

    def finish(self) -> None:
        """Try again what was about tables that came later."""
        self.last = True
        pending, self.pending = self.pending, []
        for file, piece, self.catalog.schema in pending:
            self.follow(file, piece)


def _begins_query(cursor: Cursor) -> bool:
    if not cursor.sees("AS"):
        return False
    after = cursor.peek(1).upper
    if after == "(":  # and not Oracle's STORE AS (…)
        after = cursor.peek(2).upper
    return after in ("SELECT", "WITH", "TABLE", "VALUES", "EXECUTE", "(")


def _spelt_as(column: Column, written: Column) -> Column:
    """Return what SQLite says of a column, its type spelt as the script does.

    SQLite turns ``int`` into ``INT``.
    """
    same = (
        "".join(column.sql_type.split()).casefold()
        == "".join(written.sql_type.split()).casefold()
    )
    sql_type = written.sql_type if same else column.sql_type
    return replace(column, sql_type=sql_type, comment=written.comment)
