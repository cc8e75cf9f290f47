"""What ALTER TABLE does to a table."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from workbench.ddl.catalog import Catalog, Draft, Place, add_definition
from workbench.ddl.clause import read_column, read_item, read_type
from workbench.ddl.definition import Column, Definition, string_value
from workbench.ddl.tokens import END, Cursor
from workbench.ddl.vocabulary import NO_COLUMNS, SETTINGS

Report = Callable[[int, str], None]
"""Takes what could not be read: where in the statement, and why."""


@dataclass(slots=True)
class Alteration:
    """One ALTER TABLE while it is being followed.

    Attributes:
        catalog: The tables.
        draft: The table that is altered.
        cursor: The place behind its name.
        place: Where the statement stands.
        report: Where to say what could not be read.
    """

    catalog: Catalog
    draft: Draft
    cursor: Cursor
    place: Place
    report: Report
    adding: bool = False

    def read(self) -> None:
        """Follow every action; they are separated by commas or by their first words."""
        for part in self.cursor.split():
            while not part.done:
                action = part.rest()
                if part.take().upper != "ALTER":  # ALTER COLUMN a ADD GENERATED …
                    part.skip_to("ADD", "MODIFY")
                else:
                    part.at = part.stop
                action.stop = part.at
                self._act(action)

    def _act(self, action: Cursor) -> None:
        for check in ("CHECK", "NOCHECK"):
            action.accept("WITH", check)
        if action.accept("ADD"):
            self.adding = True
            self._add(action)
        elif action.accept("DROP"):
            self._drop(action)
        elif action.accept("RENAME"):
            self._rename(action)
        elif action.accept("CHANGE"):
            action.accept("COLUMN")
            old = action.name() or ""
            self._redefine(old, action)
        elif action.accept("MODIFY"):
            self._modify(action)
        elif action.accept("ALTER"):
            self._alter_column(action)
        elif not self._belong(action) and self._goes_on(action):
            self._take_over(action)

    def _goes_on(self, action: Cursor) -> bool:
        """Tell T-SQL's ``ADD a int, b int`` from a setting behind an ADD."""
        named = self.adding and action.sees_name()
        return named and action.peek().upper not in SETTINGS

    def _add(self, action: Cursor) -> None:
        if action.accept_any("PARTITION", "PERIOD", "DEFAULT"):
            return
        if action.accept("CONSTRAINT", "IF", "NOT", "EXISTS"):
            action.at -= 3
        action.accept("COLUMN")
        forgiving = action.accept("IF", "NOT", "EXISTS")
        if action.sees("(") and action.peek(1).upper == ")":
            return
        self._take_over(action, forgiving=forgiving)

    def _take_over(self, action: Cursor, *, forgiving: bool = False) -> None:
        found = Definition()
        first = action.peek()
        read_item(action, found)
        for problem in found.problems:
            self.report(problem.token.start, problem.why)
        for twice in self.draft.add(found.columns, found.positions):
            if not forgiving:
                self.report(first.start, f'the column "{twice}" is there already')
        add_definition(self.draft, found, self.place, self.catalog.schema)

    def _drop(self, action: Cursor) -> None:
        if action.accept("PRIMARY", "KEY"):
            self.draft.primary_key = ()
        elif action.accept("FOREIGN", "KEY") or action.accept("CONSTRAINT"):
            action.accept("IF", "EXISTS")
            self.draft.drop_constraint(action.name() or "")
        elif action.peek().upper in NO_COLUMNS and action.peek(1) is not END:
            return
        else:
            action.accept("COLUMN")
            action.accept("IF", "EXISTS")
            names = action.group() if action.sees("(") else action
            for part in names.split():
                self.draft.drop_column(part.name() or "")

    def _rename(self, action: Cursor) -> None:
        if action.accept_any("TO", "AS"):
            path = action.path()
            if path:
                schema = self.catalog.split(path)[0] if path[1:] else self.draft.schema
                self.catalog.rename(self.draft, schema, path[-1])
        elif action.accept_any("CONSTRAINT", "INDEX", "KEY"):
            self._rename_constraint(action)
        else:
            action.accept("COLUMN")
            old = action.name() or ""
            if action.accept("TO"):
                self.catalog.rename_column(self.draft, old, action.name() or "")
            elif action.done and old:  # MySQL: RENAME new_name
                self.catalog.rename(self.draft, self.draft.schema, old)
            else:
                self.report(action.peek().start, "nothing is renamed like this")

    def _rename_constraint(self, action: Cursor) -> None:
        old = action.name() or ""
        if action.accept("TO"):
            new = action.name() or ""
            if self.draft.primary_key_name == old:
                self.draft.primary_key_name = new
            self.draft.keys = [
                (replace(key, name=new) if key.name == old else key, place, schema)
                for key, place, schema in self.draft.keys
            ]

    def _modify(self, action: Cursor) -> None:
        action.accept("COLUMN")
        parts = action.group().split() if action.sees("(") else [action]
        for part in parts:
            if part.sees("CONSTRAINT") or part.sees("PRIMARY", "KEY"):
                continue
            self._redefine(part.peek_name() or "", part)

    def _redefine(self, old: str, definition: Cursor) -> None:
        """Give a column what a clause says; what it does not say stays."""
        at = self.draft.position(old)
        found = Definition()
        first = definition.peek()
        read_column(definition, found)
        if at is None or not found.columns:
            self.report(first.start, f'there is no column "{old}" in the table')
            return
        new, before = found.columns[0], self.draft.columns[at]
        if not new.sql_type:  # Oracle: MODIFY (a NOT NULL)
            new = replace(new, sql_type=before.sql_type)
        if new.name != before.name:
            self.catalog.rename_column(self.draft, before.name, new.name)
        self.draft.columns[at] = replace(new, comment=new.comment or before.comment)
        if found.positions:
            del self.draft.columns[at]
            self.draft.add([new], found.positions)
        found.columns.clear()
        add_definition(self.draft, found, self.place, self.catalog.schema)

    def _alter_column(self, action: Cursor) -> None:
        if action.sees("INDEX") or action.sees("CONSTRAINT"):
            return
        action.accept("COLUMN")
        at = self.draft.position(action.name() or "")
        if at is None:
            return
        column = self.draft.columns[at]
        self.draft.columns[at] = _altered(column, action)

    def _belong(self, action: Cursor) -> bool:
        """Follow what makes this table a part of another one, or moves it."""
        if action.accept("ATTACH", "PARTITION"):
            child = self.catalog.find(action.path())
            if child is not None:
                child.partition_of = (self.draft.schema, self.draft.name)
        elif action.accept("DETACH", "PARTITION"):
            child = self.catalog.find(action.path())
            if child is not None:
                child.partition_of = ()
        elif action.accept("INHERIT"):
            self.draft.parents.append(action.path())
        elif action.accept("SET", "SCHEMA"):
            schema = action.name() or ""
            inner = "" if self.catalog.is_default(schema) else schema
            self.catalog.rename(self.draft, inner, self.draft.name)
        elif action.accept("COMMENT"):
            action.accept("=")
            self.draft.comment = string_value(action.take())
        else:
            return False
        return True


def _altered(column: Column, action: Cursor) -> Column:
    if action.accept("SET", "NOT", "NULL"):
        return replace(column, nullable=False)
    if action.accept("DROP", "NOT", "NULL"):
        return replace(column, nullable=True)
    if action.accept("TYPE") or action.accept("SET", "DATA", "TYPE"):
        return replace(column, sql_type=read_type(action))
    if action.peek().upper in ("SET", "DROP", "ADD", "RESET", "RESTART"):
        return column
    sql_type = read_type(action)  # T-SQL: ALTER COLUMN a varchar(9) NOT NULL
    if not sql_type:
        return column
    required = False
    while not action.done:
        required |= action.accept("NOT", "NULL")
        action.take()
    return replace(column, sql_type=sql_type, nullable=not required)
