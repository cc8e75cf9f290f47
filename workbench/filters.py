"""A row filter as users write it, parsed and written again: never pasted into SQL."""

from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from workbench.database import quote
from workbench.errors import TaskError, unknown

DIALECT = "duckdb"
LOGIC = (exp.And, exp.Or, exp.Not, exp.Paren)
COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
    exp.Like, exp.ILike,
)  # fmt: skip
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe)
FUNCTIONS = (
    exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Substring, exp.Abs, exp.Round,
    exp.Floor, exp.Ceil, exp.Coalesce,
)  # fmt: skip
VALUES = (exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null)
ALLOWED = frozenset((*LOGIC, *COMPARISONS, *ARITHMETIC, *FUNCTIONS, *VALUES))
FUNCTION_NAMES = (
    "lower, upper, length, trim, substring, abs, round, floor, ceil, coalesce"
)


def render_filter(written: str, table: str, columns: Sequence[str]) -> str:
    """Return a boolean expression over one table as DuckDB SQL with quoted names.

    Args:
        written: What the user wrote; columns may be prefixed with the table.
        table: The only table that may be named.
        columns: Its columns.

    Raises:
        TaskError: It does not parse, or holds anything but columns of the table,
            constants, comparisons, arithmetic and a few scalar functions.
    """
    try:
        parsed = sqlglot.parse(written, read=DIALECT)
    except SqlglotError as error:
        raise TaskError(
            f'The filter "{written}" cannot be understood; write one condition such as'
            f' "{_example(columns)}".'
        ) from error
    if len(parsed) != 1 or parsed[0] is None:
        raise TaskError(
            f'The filter "{written}" is not one condition; write one, such as'
            f' "{_example(columns)}".'
        )
    tree = parsed[0]
    for node in tree.walk():
        if type(node) not in ALLOWED:
            raise TaskError(
                f'The filter "{written}" uses {_describe(node)}; it may use columns of'
                f' "{table}", constants, comparisons, and, or, not, arithmetic, and'
                f" these functions: {FUNCTION_NAMES}."
            )
    spelt = {column.lower(): column for column in columns}
    for column in list(tree.find_all(exp.Column)):
        if column.table and column.table.lower() != table.lower():
            raise TaskError(
                f'The filter "{written}" names the table "{column.table}"; it may only'
                f' name columns of "{table}".'
            )
        if column.name.lower() not in spelt:
            raise TaskError(unknown(f'column of "{table}"', column.name, columns))
        name = exp.to_identifier(spelt[column.name.lower()], quoted=True)
        named = exp.Column(this=name)
        if column is tree:
            tree = named
        else:
            column.replace(named)
    return tree.sql(dialect=DIALECT)


def _describe(node: exp.Expr) -> str:
    if isinstance(node, exp.Select | exp.Subquery | exp.Query):
        return "a query inside"
    if isinstance(node, exp.Anonymous):
        return f'the function "{node.name}"'
    if isinstance(node, exp.Func):
        return f'the function "{node.sql_name().lower()}"'
    return f'"{node.sql(dialect=DIALECT)}"'


def _example(columns: Sequence[str]) -> str:
    return f"{quote(columns[0]) if columns else 'a'} IS NOT NULL"
