"""Parts of modules gathered into one text."""

from pathlib import Path

import pytest

from workbench.bundle import entry_of, gather, names_in

FIRST = '''"""A module."""

import math
import os
import numpy as np

LIMIT = 3


def half(number):
    """Return half."""
    return np.divide(number, 2)


def unused():
    return os.name
'''
SECOND = '''"""Another."""

from math import (
    floor,
    pi,
)

from workbench.first import half

CHOICES = {"one": {"make": half, "least": 1}, "two": {"make": floor}}


class Quarter:
    """A quarter."""

    @staticmethod
    def of(number):
        return half(half(number)) * floor(pi)
'''


@pytest.fixture
def modules(tmp_path: Path) -> list[Path]:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(FIRST)
    second.write_text(SECOND)
    return [first, second]


def test_only_what_is_reached_is_gathered_and_it_runs(modules) -> None:
    found = gather(modules, ["Quarter"])
    assert found.imports == "from math import floor, pi\n\nimport numpy as np"
    assert [part.splitlines()[0] for part in found.parts] == [
        "def half(number):",
        "class Quarter:",
    ]
    space: dict = {}
    exec("\n".join([found.imports, *found.parts]), space)
    assert space["Quarter"].of(8) == 2 * 3


def test_one_name_for_two_things_is_refused(modules) -> None:
    modules[1].write_text("LIMIT = 4\n")
    with pytest.raises(ValueError, match='"LIMIT" stands in two'):
        gather(modules, ["LIMIT"])


def test_an_entry_of_a_dictionary_is_read_as_text(modules) -> None:
    text = entry_of(modules[1], "CHOICES", "one")
    assert text == "{'make': half, 'least': 1}"
    assert names_in(text) == {"half"}
    with pytest.raises(KeyError):
        entry_of(modules[1], "CHOICES", "three")
