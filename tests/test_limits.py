"""Limits are settings, and whoever meets one is told which."""

from dataclasses import fields

import pytest

from workbench.errors import DatabaseError
from workbench.limits import Limits, read_limits


@pytest.mark.parametrize("name", [one.name for one in fields(Limits)])
def test_a_limit_is_kept_up_to_its_last_unit_and_named_beyond(name: str) -> None:
    limits = Limits(**{name: 7})
    limits.check(name, 7, "things")
    with pytest.raises(
        DatabaseError,
        match=f"8 things, and at most 7 are read; set WORKBENCH_MAX_{name.upper()} to",
    ):
        limits.check(name, 8, "things")


def test_the_environment_sets_limits_one_by_one() -> None:
    found = read_limits({"WORKBENCH_MAX_ROWS": "5_000", "WORKBENCH_MAX_SECONDS": "9"})
    assert (found.rows, found.seconds) == (5_000, 9)
    assert found.columns == Limits().columns


@pytest.mark.parametrize("written", ["", "0", "-3", "1.5", "many", "1e6"])
def test_a_setting_that_is_no_whole_number_is_refused(written: str) -> None:
    with pytest.raises(DatabaseError, match=r"WORKBENCH_MAX_TABLES.*a whole number"):
        read_limits({"WORKBENCH_MAX_TABLES": written})
