"""Settings and sizes side by side, and those in which the graphs differ."""

import pytest

from tests.results_factory import make_results
from workbench.facts import FACT, only_differing, series_facts
from workbench.results import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


def test_facts_stand_in_a_column_per_graph(results):
    table = series_facts(results, 2).set_index(FACT)
    assert table.shape[1] == 3
    assert table.loc["Nodes"].tolist() == ["640"] * 3  # 400 + 200 + 40 in each
    assert table.loc["Links (edges)"].tolist() == ["590"] * 3  # 400 + 190
    # The city is three hops away in the first graph and one nearer in each next.
    assert table.loc["Hops to the farthest column"].tolist() == ["3", "2", "1"]
    assert table.loc["Tables out of reach"].tolist() == ["log"] * 3


def test_only_facts_that_differ_are_left_when_asked(results):
    table = series_facts(results, 2)
    left = only_differing(table)[FACT].tolist()
    assert "Hops to the farthest column" in left
    assert "Nodes" not in left
    assert "Network (model)" not in left
    assert set(left) < set(table[FACT])


def test_a_depth_at_which_nothing_ran_says_so(results):
    table = series_facts(results, 99).set_index(FACT)
    assert set(table.loc["Runs finished at depth 99"]) == {"0 of 0"}
