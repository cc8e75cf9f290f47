"""What is proposed to somebody who has opened a database and said nothing yet."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.database import Database, connect
from workbench.question import propose_graphs, propose_questions, settle_question
from workbench.samples import SAMPLES
from workbench.schema import Schema, infer_schema
from workbench.task import TaskSpec

INVITED = {
    "address-flat": "person.prosperous",
    "address-normalized": "person.prosperous",
    "address-3nf": "person.prosperous",
    "ring-lattice": "place.north",
    "lahman": "People.elected",
    "flights": "flights.late",
    "planted": "reading.label",
}
NAMES = [
    pytest.param(name, marks=pytest.mark.samples) if sample.needs else name
    for name, sample in SAMPLES.items()
]


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[str, tuple[Database, Schema]]]:
    found: dict[str, tuple[Database, Schema]] = {}
    yield found
    for database, _ in found.values():
        database.close()


@pytest.fixture(params=NAMES)
def sample(
    request: pytest.FixtureRequest, opened: dict[str, tuple[Database, Schema]]
) -> tuple[Database, Schema]:
    name = request.param
    if name not in opened:
        database = connect(f"sample:{name}")
        opened[name] = database, infer_schema(database)
    return opened[name]


def test_a_question_that_comes_with_a_sample_is_proposed_first_and_holds(
    sample: tuple[Database, Schema],
) -> None:
    database, schema = sample
    settled = settle_question(database, schema, propose_questions(schema))
    assert settled is not None
    assert settled[0].task == next(iter(schema.tasks))
    assert settled[0].why
    assert settled[0].why_split


def test_the_column_that_a_sample_is_about_is_found_without_being_told(
    sample: tuple[Database, Schema],
) -> None:
    _, schema = sample
    proposals = propose_questions(replace(schema, tasks={}))
    assert proposals
    assert proposals[0].target == INVITED.get(schema.name, proposals[0].target)


def test_no_proposal_is_a_key_a_date_a_text_or_a_constant(
    sample: tuple[Database, Schema],
) -> None:
    _, schema = sample
    proposals = propose_questions(replace(schema, tasks={}))
    for one in proposals:
        table, _, column = one.target.partition(".")
        found = schema.column(table, column)
        assert found.stype in ("boolean", "categorical", "numerical"), one.target
        assert found.num_distinct > 1
        assert not any(column in key.columns for key in schema.keys_from(table))
        assert column not in schema.table(table).primary_key


def test_two_graphs_are_proposed_that_differ(sample: tuple[Database, Schema]) -> None:
    _, schema = sample
    first, second = propose_graphs(schema, next(iter(schema.tasks)))
    assert first.topology == "row2node"
    assert second.topology != "row2node"
    assert second.why.endswith(".")


def shop(folder: Path, columns: str, row: Callable[[int], str]) -> Path:
    """Write customers, and 400 purchases with the columns and values given."""
    lines = [
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, town TEXT);",
        f"CREATE TABLE purchase (id INTEGER PRIMARY KEY, {columns},"
        " customer_id INTEGER REFERENCES customer (id));",
        *(f"INSERT INTO customer VALUES ({at}, 'T{at % 7}');" for at in range(50)),
        *(
            f"INSERT INTO purchase VALUES ({at}, {row(at)}, {at % 50});"
            for at in range(400)
        ),
    ]
    path = folder / "shop.sql"
    path.write_text("\n".join(lines))
    return path


def price(at: int) -> float:
    """Return one of 199 prices that nothing else in the row tells."""
    return at * 7919 % 199 + 0.5


def settled_target(path: Path) -> tuple[str, str]:
    with connect(path) as database:
        schema = infer_schema(database)
        settled = settle_question(database, schema, propose_questions(schema))
    assert settled is not None
    return settled[0].target, settled[0].why


def test_yes_or_no_is_proposed_before_a_number(tmp_path: Path) -> None:
    columns = "amount REAL, returned BOOLEAN"
    path = shop(tmp_path, columns, lambda at: f"{price(at)}, {at // 5 % 2}")
    target, why = settled_target(path)
    assert target == "purchase.returned"
    assert why == (
        '"returned" is yes or no, known for 400 rows of "purchase", from where keys'
        ' lead to "customer".'
    )


def test_a_target_that_another_column_gives_away_is_passed_over(tmp_path: Path) -> None:
    columns = "returned BOOLEAN, refund BOOLEAN, amount REAL"
    path = shop(
        tmp_path, columns, lambda at: f"{at // 5 % 2}, {at // 5 % 2}, {price(at)}"
    )
    assert settled_target(path)[0] == "purchase.amount"


def test_a_split_that_does_not_suit_gives_way_to_one_at_random(tmp_path: Path) -> None:
    columns = "split TEXT, returned BOOLEAN"
    path = shop(tmp_path, columns, lambda at: f"'{'abc'[at % 3]}', {at // 5 % 2}")
    with connect(path) as database:
        schema = infer_schema(database)
        proposals = propose_questions(schema)
        settled = settle_question(database, schema, proposals)
    assert settled is not None
    assert isinstance(proposals[0].task, TaskSpec)
    assert isinstance(settled[0].task, TaskSpec)
    assert proposals[0].task.split == "column:split"
    assert settled[0].task.split == "random"
    assert "at random" in settled[0].why_split


def test_nothing_is_proposed_where_there_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "plan.sql"
    path.write_text("CREATE TABLE one (id INTEGER PRIMARY KEY, late BOOLEAN);")
    with connect(path) as database:
        schema = infer_schema(database)
        assert propose_questions(schema) == ()
        assert settle_question(database, schema, ()) is None
