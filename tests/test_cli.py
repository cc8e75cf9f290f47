"""The command line as a user meets it: one sentence, the right exit code, no trace."""

import io
import json
import sqlite3
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench import cli

FLAT = "sample:address-flat"


@dataclass(frozen=True)
class Done:
    """What a call left: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: str | Path) -> Done:
    """Run the command line in this process, up to its last step, which would end it."""
    codes: list[int] = []
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_leave", codes.append)
        patch.setattr(sys, "argv", ["workbench", *map(str, arguments)])
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
    return Done(codes[0], out.getvalue(), err.getvalue())


@pytest.mark.parametrize("module", ["workbench", "workbench.cli"])
def test_the_process_itself_ends_with_the_sentence_and_the_code(module: str) -> None:
    command = [sys.executable, "-m", module, "inspect", "missing.db"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "busy").write_text("not a folder")
    with sqlite3.connect(folder / "lone.db") as connection:
        connection.executescript(
            "CREATE TABLE item (id INTEGER PRIMARY KEY, size REAL, flat TEXT,"
            " blank REAL, kind TEXT);"
        )
        connection.executemany(
            "INSERT INTO item VALUES (?, ?, 'same', NULL, ?)",
            [(at, at % 7 / 3, "ab"[at % 2]) for at in range(60)],
        )
    connection.close()
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("inspect", "missing.db"), "missing.db"),
        (("inspect", "sample:lahmann"), 'did you mean "lahman"'),
        (("plan", FLAT), "--task NAME"),
        (("plan", FLAT, "--task", "prosperos"), 'did you mean "prosperous"'),
        (("plan", FLAT, "--target", "persn.age"), 'did you mean "person"'),
        (("plan", FLAT, "--target", "person.aeg"), 'did you mean "age"'),
        (
            ("plan", FLAT, "--task", "prosperous", "--topology", "row2nod"),
            'did you mean "row2node"',
        ),
        (("plan", "lone.db", "--target", "item.flat"), "item.flat"),
        (("plan", "lone.db", "--target", "item.blank"), "item.blank"),
        (
            ("plan", "lone.db", "--target", "item.kind", "--where", "id < 5"),
            "item.kind",
        ),
        (
            ("plan", "lone.db", "--target", "item.kind", "--where", "1; DROP TABLE x"),
            "is not one condition",
        ),
        (
            ("compare", FLAT, "--task", "prosperous", "--model", "sagee", "--out", "o"),
            'did you mean "sage"',
        ),
        (
            ("compare", FLAT, "--task", "prosperous", "--depth", "3-1", "--out", "o"),
            'write them as "0-6"',
        ),
        (
            ("compare", FLAT, "--task", "prosperous", "--jobs", "0", "--out", "o"),
            "1 or more work",
        ),
        (
            ("compare", FLAT, "--task", "prosperous", "--depth", "0", "--out", "busy"),
            "cannot be written",
        ),
        (("compare", FLAT, "--task", "prosperous", "--bogus"), "--bogus"),
        (("run", "none.toml", "--out", "o"), "There is no study file"),
        (("report", "none"), "none"),
        (("cache", "fill"), '"list" or "clear"'),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_what_a_user_can_put_right_is_one_sentence_and_exit_code_2(
    files: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    known = {"table.csv", "lone.db", "busy", "none.toml", "o"}
    done = call(*(files / each if each in known else each for each in arguments))
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (files / "o").exists()


def test_inspect_prints_the_contract() -> None:
    document = json.loads(call("inspect", FLAT, "--json").stdout)
    assert set(document) == {
        "name", "fingerprint", "tables", "graph", "suggested_keys", "warnings",
    }  # fmt: skip
    person = next(each for each in document["tables"] if each["name"] == "person")
    assert person["rows"] == 4188
    assert person["primary_key"] == ["person_id"]
    city = next(each for each in person["foreign_keys"] if each["ref_table"] == "city")
    assert city["declared"] is True
    assert city["dangling"] == 0
    assert city["columns"] == ["city_id"]
    assert {"name", "sql_type", "stype", "nullable"} == set(person["columns"][0])


def test_plan_prints_counts_hops_and_reach_per_topology() -> None:
    done = call(
        "plan",
        "sample:address-3nf",
        "--task",
        "prosperous",
        "--topology",
        "row2node",
        "--topology",
        "flattened",
        "--json",
    )
    document = json.loads(done.stdout)
    normalized, flattened = document["topologies"]
    assert normalized["nodes"]["person"] == 4188
    assert normalized["hops"]["city.jobs_index"] == 3
    assert flattened["hops"]["city.jobs_index"] == 0
    assert "person.prosperous" not in normalized["hops"]
    assert flattened["edges"] == []
    links = {tuple(edge["type"])[::2]: edge["count"] for edge in normalized["edges"]}
    assert links["person", "address"] == 4188
    assert {"hop", "table", "mean", "p10", "p90"} == set(normalized["reach"][0])


def test_a_table_alone_can_be_planned_and_says_that_there_are_no_keys(
    files: Path,
) -> None:
    done = call("plan", files / "lone.db", "--target", "item.kind", "--json")
    assert done.returncode == 0, done.stderr
    row2node = json.loads(done.stdout)["topologies"][1]
    assert row2node["edges"] == []


def test_a_dry_run_trains_and_writes_nothing(tmp_path: Path) -> None:
    done = call(
        "compare",
        FLAT,
        "--task",
        "prosperous",
        "--topology",
        "row2node",
        "--depth",
        "0-2",
        "--seeds",
        "2",
        "--dry-run",
        "--out",
        tmp_path / "out",
    )
    assert done.returncode == 0, done.stderr
    assert "6 runs on 1 graph" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_halved_study_is_told_by_its_own_number_of_runs(tmp_path: Path) -> None:
    asked = ["compare", FLAT, "--task", "prosperous", "--topology", "row2node"]
    asked += ["--depth", "0-3", "--seeds", "2", "--dry-run", "--out", tmp_path / "out"]
    done = call(*asked, "--halving", "2")
    assert done.returncode == 0, done.stderr
    # One graph at four depths: four first seeds, and a second one for two of them.
    assert "6 runs on 1 graphs" in done.stdout
    assert "6 runs instead of 8" in done.stdout
    refused = call(*asked, "--halving", "1")
    assert refused.returncode == 2
    assert "a whole number from 2 up" in refused.stderr


def test_the_cache_is_listed_with_where_and_how_large() -> None:
    call("inspect", FLAT)
    shown = call("cache").stdout
    assert "snapshot  sample:address-flat" in shown
    assert "MB" in shown


ASKED = ("--forecast", "any", "--of", "buy", "--for", "client", "--within", "3d")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "--task NAME for a ready-made task, --target TABLE.COLUMN"),
        ((*ASKED, "--target", "buy.id"), "one of them"),
        (("--forecast", "any"), "--forecast needs --of, --for, --within"),
        ((*ASKED, "--split", "random"), "a forecast is split by its moments"),
        (("--target", "buy.id", "--within", "3d"), "a column has no use for them"),
        (("--task", "x", "--of", "buy"), "go with --forecast; a ready-made task has"),
        (("--task", "x", "--split", "random"), "go with --target; a ready-made task"),
        (("--task", "x", "--where", "id > 1"), "--where and --hide go with --target"),
        ((*ASKED, "--seed-times", "2"), 'The number of seed times is "2"'),
        ((*ASKED, "--every", "2d"), 'Seed times "2d" apart'),
        (ASKED, '"buy" has no confirmed time'),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    shop: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = call("plan", shop / "shop.db", *options)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_forecast_is_planned_from_the_command_line(shop: Path) -> None:
    done = call(
        *("plan", shop / "shop.db", "--hints", shop / "hints.toml", *ASKED),
        *("--seed-times", "4", "--topology", "single-table", "--json"),
    )
    document = json.loads(done.stdout)
    # Forty clients at four moments, the third to choose by and the fourth to judge on.
    assert document["task"]["rows_per_split"] == [80, 40, 40]
    assert document["task"]["target"] == "forecast.label"
    assert document["topologies"][0]["nodes"] == {"forecast": 160}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with forty clients who each buy every fourth to eighth day."""
    folder = tmp_path_factory.mktemp("shop")
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.executescript(
            "CREATE TABLE client (id INTEGER PRIMARY KEY, size REAL);"
            "CREATE TABLE buy (id INTEGER PRIMARY KEY, at TEXT, client_id INTEGER"
            " REFERENCES client(id));"
        )
        connection.executemany(
            "INSERT INTO client VALUES (?, ?)", [(who, who / 3) for who in range(40)]
        )
        connection.executemany(
            "INSERT INTO buy (at, client_id) VALUES (?, ?)",
            [
                (f"2020-01-{day + 1:02}", who)
                for who in range(40)
                for day in range(who % 2, 31, 4 + who % 5)
            ],
        )
    (folder / "hints.toml").write_text('[tables.buy]\ntime_column = "at"\n')
    return folder


def test_a_row_is_looked_at_in_each_graph_asked_for() -> None:
    """A person of the flat addresses refers to one city, one street and one zip."""
    question = ("row", FLAT, "person", "8", "--task", "prosperous", "--depth", "1")
    done = call(*question, "--topology", "row2node", "--topology", "single-table")
    assert done.returncode == 0
    assert "row2node: Within 1 hop: 4 rows of 4 tables." in done.stdout
    assert "single-table: Within 1 hop: 1 row of 1 table." in done.stdout
    told = json.loads(call(*question, "--topology", "row2node", "--json").stdout)
    assert [one["hop"] for one in told["row2node"]["entering"]] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("persno", "8"), 'There is no table "persno"; did you mean "person"?'),
        (("person", "x"), 'No row of person has the key "x"; 1, 2, 3 are some'),
        (("city", "1"), 'Rows of "city" are no nodes in the graph "flattened"'),
    ],
)
def test_a_row_that_cannot_be_looked_at_is_refused(
    arguments: tuple[str, str], sentence: str
) -> None:
    done = call(
        "row", FLAT, *arguments, "--task", "prosperous", "--topology", "flattened"
    )
    assert done.returncode == 2
    assert sentence in done.stderr
