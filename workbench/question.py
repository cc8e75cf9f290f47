"""A first question: what could be predicted here, which graphs to look at, and why.

For whoever opens a database and has not yet said anything. What is proposed comes from
the schema alone: what a column means, how often it is filled, where keys lead. Every
part of it is a usual task or topology, and is changed like any other.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from workbench.database import Database
from workbench.errors import TaskError, WorkbenchError
from workbench.schema import Column, Schema, Stype, Table
from workbench.split import SplitKind
from workbench.task import Task, TaskSpec, define_task, suspected_leaks
from workbench.topologies import TOPOLOGIES, plan_named

FEWEST_ROWS = 200  # fewer leave too few on each side of a split to say anything
MOST_CLASSES = 20
LEAST_FILLED = 0.5
MOST_TRIED = 12  # questions that `settle_question` looks at in the rows
USUAL_GRAPHS = ("row2node", "flattened")
SECOND_GRAPHS = ("flattened", "row2edge", "promoted", "single-table")

# Words in the names of columns, by what they say of them as a target.
_OUTCOMES = """
    approved churn churned class default defaulted elected failed failure fraud label
    late outcome prosperous result returned segment status success survived target won
"""
_MEASURED = """
    amount category cost grade kind level mode price priority rating salary score total
    type value
"""
_CIRCUMSTANCES = """
    address city code color colour comment country county date day description email
    fax fold hour lat latitude line lon longitude minute month name note number order
    part phone position postal rank rate second seq sequence split state stint street
    subset tie time tz unit uncertainty version week weekday year zip zone
"""
OUTCOMES, MEASURED, CIRCUMSTANCES = (
    frozenset(words.split()) for words in (_OUTCOMES, _MEASURED, _CIRCUMSTANCES)
)
SPLITS = frozenset(("split", "fold", "subset", "partition"))


@dataclass(frozen=True, slots=True)
class ProposedQuestion:
    """A question that a database invites, and why.

    Attributes:
        task: What is predicted: a task, or the name of a ready-made one.
        target: The column that is predicted, as ``table.column``, or in words.
        why: Why this is worth predicting, a sentence.
        why_split: Why the rows are split as they are, a sentence.
    """

    task: TaskSpec | str
    target: str
    why: str
    why_split: str


@dataclass(frozen=True, slots=True)
class ProposedGraph:
    """A topology to look at first, and why, in a sentence."""

    topology: str
    why: str


def propose_questions(schema: Schema) -> tuple[ProposedQuestion, ...]:
    """Return what could be predicted in a database, the likeliest first.

    Questions that come with the database stand before all others. Then columns are
    ranked by what they mean (yes or no, one of a few values, a number), how many of
    their rows are filled, how many rows there are, whether keys lead anywhere from
    there, and by words in their names; keys, dates, texts and constants are left out.
    Labels are not looked at, so a proposal cannot have been tuned on them.

    Args:
        schema: The schema; of a database without rows nothing is proposed.
    """
    ready = [_ready(name, spec) for name, spec in schema.tasks.items()]
    ranked = sorted(
        (
            (-_worth(schema, table, column), table.name, column.name)
            for table in schema.tables
            for column in _targets(schema, table)
        ),
    )
    asked = {one.target for one in ready}
    found = [
        _proposed(schema, schema.table(table), schema.column(table, column))
        for _, table, column in ranked
        if f"{table}.{column}" not in asked
    ]
    return (*ready, *found)


def settle_question(
    database: Database, schema: Schema, proposals: Sequence[ProposedQuestion]
) -> tuple[ProposedQuestion, Task] | None:
    """Return the first proposal that the rows bear out, with its task.

    A split that does not suit the rows gives way to one at random. A target that a
    single other column gives away nearly alone is passed over while another is left;
    a forecast is left to whoever asks for one.

    Args:
        database: The rows.
        schema: What they mean.
        proposals: What to try, the likeliest first; at most 12 are looked at.

    Returns:
        None where no proposal makes a task.
    """
    given_away: tuple[ProposedQuestion, Task] | None = None
    for one in proposals[:MOST_TRIED]:
        settled = _settle(database, schema, one)
        if settled is None:
            continue
        if isinstance(one.task, str) or not suspected_leaks(
            database, schema, settled[1]
        ):
            return settled
        given_away = given_away or settled
    return given_away


def propose_graphs(schema: Schema, task: TaskSpec | str) -> tuple[ProposedGraph, ...]:
    """Return two graphs to look at first: rows as they are, and one that differs.

    The second is the first of flattened, row2edge, promoted and single-table whose
    plan has other nodes or edges than row2node.
    """
    asked = schema.ready_task(task) if isinstance(task, str) else task
    first = ProposedGraph(
        "row2node", "Every row is a node and every key an edge: nothing is decided yet."
    )
    try:
        plain = plan_named(schema, asked, first.topology)
    except WorkbenchError:
        return tuple(ProposedGraph(name, "A usual choice.") for name in USUAL_GRAPHS)
    for name in SECOND_GRAPHS:
        try:
            other = plan_named(schema, asked, name)
        except WorkbenchError:
            continue
        if (other.nodes, other.edges) != (plain.nodes, plain.edges):
            story = TOPOLOGIES[name].story.split(". ")[0].rstrip(".")
            return first, ProposedGraph(name, f"{story}.")
    return (first,)


def _ready(name: str, spec: TaskSpec) -> ProposedQuestion:
    told = spec.description or f"What is {spec.title}?"
    return ProposedQuestion(
        task=name,
        target=spec.title if spec.forecast else spec.target,
        why=f"This question comes with the database. {told}",
        why_split=_told_split(spec.split),
    )


def _targets(schema: Schema, table: Table) -> Iterator[Column]:
    """Yield the columns of a table that could be predicted."""
    if table.num_rows < FEWEST_ROWS:
        return
    keys = {*table.primary_key}
    for key in (*schema.keys_from(table.name), *schema.suggested_keys):
        if key.table == table.name:
            keys |= {*key.columns}
    for column in table.columns:
        filled = 1 - column.num_null / table.num_rows
        if column.name not in keys and filled >= LEAST_FILLED and _kind(column):
            yield column


KINDS: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "yes or no": (3.0, "is yes or no"),
        "few": (2.5, "is one of {distinct} values"),
        "many": (1.5, "is one of {distinct} values"),
        "number": (2.0, "is a number"),
    }
)


def _kind(column: Column) -> str | None:
    """Return what kind of target a column is, or None where it is none."""
    if column.num_distinct < 2 or words_of(column.name) & SPLITS:
        return None
    match column.stype:
        case Stype.BOOLEAN:
            return "yes or no"
        case Stype.CATEGORICAL if column.num_distinct <= MOST_CLASSES:
            if column.num_distinct == 2:
                return "yes or no"
            return "few" if column.num_distinct <= MOST_CLASSES // 2 else "many"
        case Stype.NUMERICAL:
            return "number"
        case _:
            return None


def _worth(schema: Schema, table: Table, column: Column) -> float:
    """Return how much a column invites to be predicted; only the order matters.

    A kind is worth at most three, a name two, a table that keys lead away from and
    into two, and a thousand rows one.
    """
    kind = _kind(column)
    worth = KINDS[kind][0] if kind else 0.0
    worth -= 2 * column.num_null / table.num_rows
    worth += min(math.log10(table.num_rows), 5.0) / 3
    worth += min(len(schema.keys_from(table.name)), 3) * 0.5
    worth += 0.5 * bool(schema.keys_into(table.name))
    named = words_of(column.name)
    if named & OUTCOMES:
        worth += 2.0
    elif named & MEASURED:
        worth += 0.7
    elif named & CIRCUMSTANCES:
        worth -= 1.5
    return worth


def words_of(name: str) -> frozenset[str]:
    """Return the words of a column's name, small: ``isLate_2`` holds is, late and 2."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return frozenset(re.findall(r"[a-z]+|\d+", apart.lower()))


def _proposed(schema: Schema, table: Table, column: Column) -> ProposedQuestion:
    kind = _kind(column) or "number"
    filled = table.num_rows - column.num_null
    near = sorted(
        {key.ref_table for key in schema.keys_from(table.name)}
        | {key.table for key in schema.keys_into(table.name)}
    )
    said = KINDS[kind][1].format(distinct=column.num_distinct)
    led = f"from where keys lead to {_listed(near)}" if near else "in a table by itself"
    split = _split_of(table)
    return ProposedQuestion(
        task=TaskSpec(target=f"{table.name}.{column.name}", split=split),
        target=f"{table.name}.{column.name}",
        why=f'"{column.name}" {said}, known for {filled:,} rows of "{table.name}",'
        f" {led}.",
        why_split=_told_split(split),
    )


def _split_of(table: Table) -> str:
    """Return how the rows of a table are best split, as a task writes it."""
    for column in table.columns:
        if words_of(column.name) & SPLITS and column.num_distinct == 3:
            return f"{SplitKind.COLUMN}:{column.name}"
    if table.time_column:
        return f"{SplitKind.TIME}:{table.time_column}"
    return str(SplitKind.RANDOM)


def _told_split(split: str) -> str:
    kind, _, by = split.partition(":")
    match kind:
        case "time":
            return f'Trained on earlier and tested on later rows, by "{by}".'
        case "column":
            return f'The column "{by}" says which rows are trained and tested on.'
        case "group":
            return f'Rows that share "{by}" stay together, on one side of the split.'
        case "random":
            return "Rows are drawn at random: no confirmed time says which came first."
        case _:
            return f'The rows are split by "{split}".'


def _listed(names: Iterable[str], most: int = 3) -> str:
    known = [f'"{name}"' for name in names]
    if len(known) > most:
        rest = len(known) - most
        more = "1 more table" if rest == 1 else f"{rest} more tables"
        return f"{', '.join(known[:most])} and {more}"
    return " and ".join(filter(None, [", ".join(known[:-1]), known[-1]]))


def _settle(
    database: Database, schema: Schema, one: ProposedQuestion
) -> tuple[ProposedQuestion, Task] | None:
    spec = schema.ready_task(one.task) if isinstance(one.task, str) else one.task
    if spec.forecast is not None:
        return None
    try:
        return one, define_task(database, schema, spec)
    except TaskError:
        pass
    if isinstance(one.task, str) or spec.split == SplitKind.RANDOM:
        return None
    at_random = replace(spec, split=str(SplitKind.RANDOM))
    try:
        task = define_task(database, schema, at_random)
    except TaskError:
        return None
    why = "Rows are drawn at random, since no other split suits them."
    return replace(one, task=at_random, why_split=why), task
