"""Splits that hold values out: masks by hand on a 7 × 7 grid, and their laws."""

from collections.abc import Sequence

import numpy as np
import pytest

from workbench.errors import TaskError
from workbench.heldout import (
    Factor,
    count_grid,
    order_values,
    rank_values,
    split_held_out,
)
from workbench.split import (
    OUTSIDE,
    SEEN,
    SPLITS,
    TEST,
    TRAIN,
    VAL,
    SplitKind,
    read_named,
    read_split,
    write_named,
)

SIDE = 7
EACH = 20  # rows a cell
SIGNS = {".": TRAIN, "v": VAL, "T": TEST}
# Rows: levels of the first factor; columns: of the second. T test, v validation.
DIAGONALS = """
    T.v..T.
    .T.v..T
    ..T.v..
    v..T.v.
    .v..T.v
    T.v..T.
    .T.v..T
"""
OUTER = """
    .....vT
    .....vT
    .....vT
    .....vT
    .....vT
    vvvvvvT
    TTTTTTT
"""
INNER = """
    ..v.T..
    ..v.T..
    vvvvTvv
    ..v.T..
    TTTTTTT
    ..v.T..
    ..v.T..
"""
TWO = (SplitKind.COMPOSITION, SplitKind.INTERPOLATION, SplitKind.EXTRAPOLATION)


def write(value: float) -> str:
    return f"{value:g}"


def grid_factors() -> list[Factor]:
    first, second = np.divmod(np.repeat(np.arange(SIDE**2), EACH), SIDE)
    return [order_values(first, "t.a", write), order_values(second, "t.b", write)]


def random_factors(seed: int, levels: Sequence[int], number: int) -> list[Factor]:
    """Return columns whose values are far from equally common, with gaps."""
    generator = np.random.default_rng(seed)
    drawn = [
        np.minimum(generator.geometric(0.25, number) - 1, count - 1) for count in levels
    ]
    return [
        order_values([None if chance < 0.02 else value for value, chance in rows], name,
                     write)
        for name, rows in zip(
            "ab", [zip(one, generator.random(number), strict=True) for one in drawn],
            strict=False,
        )
    ]  # fmt: skip


def of_sides(split: np.ndarray) -> np.ndarray:
    """Return the side of each row, those set aside counted as trained on."""
    return np.where(split == SEEN, TRAIN, split)


@pytest.mark.parametrize(
    ("kind", "drawn"), list(zip(TWO, (DIAGONALS, INNER, OUTER), strict=True))
)
def test_the_sides_of_a_seven_by_seven_grid_are_those_drawn_by_hand(
    kind: SplitKind, drawn: str
) -> None:
    split = split_held_out(kind, grid_factors(), seed=0)
    wanted = [SIGNS[sign] for line in drawn.split() for sign in line]
    assert of_sides(split)[::EACH].tolist() == wanted
    assert of_sides(split).reshape(-1, EACH).std(axis=1).max() == 0


@pytest.mark.parametrize("kind", TWO)
def test_one_in_five_training_rows_is_set_aside_and_no_cell_loses_all(kind) -> None:
    factors = grid_factors()
    split = split_held_out(kind, factors, seed=3)
    counts = count_grid(factors, split).counts
    trained, aside = counts[..., TRAIN], counts[..., SEEN]
    assert counts.sum() == SIDE**2 * EACH
    assert (trained[aside > 0] > 0).all()
    total = int((trained + aside).sum())
    num_cells = int((trained > 0).sum())  # each cell's first row is never set aside
    assert aside.sum() == (total - num_cells) // 5
    assert counts[..., VAL].sum() > 0
    assert counts[..., TEST].sum() > 0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("levels", [(2, 2), (3, 9), (9, 12)])
def test_in_a_composition_every_level_is_trained_on_and_no_test_cell_is(
    seed: int, levels: tuple[int, int]
) -> None:
    factors = random_factors(seed, levels, 600)
    split = split_held_out(SplitKind.COMPOSITION, factors, seed)
    cells = [set[tuple]() for _ in range(4)]
    for at in np.flatnonzero(split != OUTSIDE):
        cells[split[at]].add(tuple(int(factor.codes[at]) for factor in factors))
    assert not cells[TRAIN] & (cells[VAL] | cells[TEST])
    assert not cells[VAL] & cells[TEST]
    assert cells[SEEN] <= cells[TRAIN]
    for place, factor in enumerate(factors):
        inside = {int(code) for code in factor.codes[split != OUTSIDE]}
        assert {cell[place] for cell in cells[TRAIN]} == inside
    assert cells[VAL]
    assert cells[TEST]


@pytest.mark.parametrize("kind", [SplitKind.INTERPOLATION, SplitKind.EXTRAPOLATION])
@pytest.mark.parametrize("seed", range(8))
def test_held_out_levels_are_inside_or_beyond_those_trained_on(kind, seed) -> None:
    (factor,) = random_factors(seed, (10,), 900)
    split = split_held_out(kind, [factor], seed)
    trained, val, test = (
        set(factor.codes[split == side].tolist()) for side in (TRAIN, VAL, TEST)
    )
    assert not trained & val
    assert not test & (trained | val)
    if kind is SplitKind.EXTRAPOLATION:
        assert max(trained) < min(val)
        assert max(val) < min(test)
    else:
        assert min(trained) < min(val | test)
        assert max(val | test) < max(trained)


def test_values_left_out_are_drawn_by_the_seed_and_stay_on_one_side() -> None:
    texts = [f"v{at % 20:02}" for at in range(1000)]
    factor = rank_values(texts, "t.v")
    split = split_held_out(SplitKind.LEAVE, [factor], seed=0)
    sides = {text: set[int]() for text in texts}
    for text, side in zip(texts, of_sides(split).tolist(), strict=True):
        sides[text].add(side)
    assert all(len(found) == 1 for found in sides.values())
    counts = np.bincount(of_sides(split))
    assert counts[VAL:].tolist() == [150, 150]  # three values of fifty rows: 15 %
    other = split_held_out(SplitKind.LEAVE, [factor], seed=1)
    assert not np.array_equal(split, other)
    again = split_held_out(SplitKind.LEAVE, [factor], seed=0)
    assert np.array_equal(split, again)


def test_named_values_are_the_test_rows_and_no_others() -> None:
    texts = [f"v{at % 10}" for at in range(500)]
    factor = rank_values(texts, "t.v")
    named = [factor.levels.index("v3"), factor.levels.index("v7")]
    split = split_held_out(SplitKind.LEAVE, [factor], 0, named)
    assert {text for text, side in zip(texts, split, strict=True) if side == TEST} == {
        "v3",
        "v7",
    }


def test_a_row_without_a_value_is_on_no_side() -> None:
    factor = order_values([None, *range(8), None], "t.a", write)
    split = split_held_out(SplitKind.EXTRAPOLATION, [factor], 0)
    assert (split == OUTSIDE).tolist() == [True, *[False] * 8, True]


@pytest.mark.parametrize(
    ("kind", "least"), [(SplitKind.INTERPOLATION, 4), (SplitKind.EXTRAPOLATION, 3),
                        (SplitKind.LEAVE, 3)]
)  # fmt: skip
def test_too_few_values_are_refused_with_their_number(kind, least) -> None:
    factor = rank_values(["x", "y"] * 20, "t.v")
    with pytest.raises(TaskError, match=f'least {least} different values; "t.v" has 2'):
        split_held_out(kind, [factor], 0)


def test_numbers_are_ordered_by_value_and_texts_by_how_common_they_are() -> None:
    numbers = order_values([3.0, 1.0, 2.0, 3.0], "t.n", write)
    assert numbers.levels == ("1", "2", "3")
    assert numbers.codes.tolist() == [2, 0, 1, 2]
    texts = rank_values(["b", "a", "c", "b", None], "t.s")
    assert texts.levels == ("b", "a", "c")
    assert texts.codes.tolist() == [0, 1, 2, 0, -1]


def test_many_numbers_become_ten_bins_of_as_many_rows() -> None:
    factor = order_values(np.arange(200) / 4, "t.n", write)
    assert len(factor.levels) == 10
    assert np.bincount(factor.codes).tolist() == [20] * 10
    assert factor.levels[0] == "0 to 4.75"
    assert (np.diff(factor.codes) >= 0).all()


@pytest.mark.parametrize(
    ("named", "columns", "values"),
    [
        ("a", ("a",), ()),
        ("city.region=North|South", ("city.region",), ("North", "South")),
        ('"a,b=c"="x|y"|z', ("a,b=c",), ("x|y", "z")),
        ('a="say ""hi"""', ("a",), ('say "hi"',)),
        ("a=1=2", ("a",), ("1=2",)),
    ],
)
def test_columns_and_values_are_read_as_written_and_written_as_read(
    named, columns, values
) -> None:
    assert read_named(SplitKind.LEAVE, named) == (columns, values)
    assert read_named(SplitKind.LEAVE, write_named(columns, values)) == (
        columns,
        values,
    )


@pytest.mark.parametrize(
    "written",
    [
        "composition:a",
        "composition:a,b,c",
        "composition:a,",
        "composition:a,a",
        "interpolation:a=1",
        "extrapolation:,a",
        "leave:a,b",
        "leave:a=",
        "leave:a=x|",
        'leave:"a"b',
        "leave:",
        "leave",
        "middle:a",
    ],
)
def test_a_split_that_cannot_be_read_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(TaskError, match="The split"):
        read_named(*read_split(written))


def test_every_kind_of_split_says_what_it_is() -> None:
    assert list(SPLITS) == list(SplitKind)
