"""Values for columns that say nothing: by what a column means and is declared as."""

import hashlib
from collections.abc import Sequence

import numpy as np

from workbench.schema import Column, Stype

FIRST_DAY = np.datetime64("2020-01-01")
NUM_DAYS = 1461
CATEGORIES = ("alpha", "beta", "gamma", "delta", "epsilon")
WORDS = (
    "amber", "birch", "cedar", "dune", "ember", "fern", "grove", "harbour", "iris",
    "juniper", "kelp", "lagoon", "maple", "north", "olive", "pine", "quartz", "reed",
    "slate", "tide", "umber", "vale", "willow", "yarrow",
)  # fmt: skip
WHOLE_TYPES = ("INT", "SERIAL", "YEAR")

Values = list[object]


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of something that names tell apart."""
    text = "\x1f".join(names).encode()
    digest = hashlib.sha256(text).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype=np.uint32)])


def draw_values(column: Column, number: int, rng: np.random.Generator) -> Values:
    """Draw values of a column that is no key, by what it means and is declared as."""
    is_whole = any(kind in column.sql_type.upper() for kind in WHOLE_TYPES)
    match column.stype:
        case Stype.BOOLEAN:
            return rng.integers(0, 2, number).tolist()
        case Stype.NUMERICAL:
            drawn = rng.standard_normal(number)
            return (
                np.rint(100 * drawn).astype(int).tolist()
                if is_whole
                else drawn.tolist()
            )
        case Stype.TIMESTAMP:
            return _dates(column, rng.integers(0, NUM_DAYS, number))
        case Stype.CATEGORICAL | Stype.MULTICATEGORICAL:
            codes = rng.integers(0, len(CATEGORIES), number).tolist()
            return codes if is_whole else [CATEGORIES[code] for code in codes]
        case Stype.ID:
            return counted(column, (rng.permutation(number) + 1).tolist())
        case Stype.CONSTANT:
            return [CATEGORIES[0]] * number
        case Stype.TEXT | Stype.FREE_TEXT:
            num_words = 12 if column.stype is Stype.FREE_TEXT else 2
            codes = rng.integers(0, len(WORDS), (number, num_words)).tolist()
            return [" ".join(WORDS[code] for code in row) for row in codes]


def _dates(column: Column, days: Sequence[int] | np.ndarray) -> Values:
    if any(kind in column.sql_type.upper() for kind in WHOLE_TYPES):
        return [int(day) for day in days]
    return [str(FIRST_DAY + int(day)) for day in days]


def counted(column: Column, numbers: Sequence[int]) -> Values:
    """Return values that differ wherever numbers do."""
    declared = column.sql_type.upper()
    if "DATE" in declared or ("TIME" in declared and "INT" not in declared):
        return _dates(column, numbers)
    if any(kind in declared for kind in ("CHAR", "TEXT", "CLOB", "UUID", "STRING")):
        return [f"{column.name[:3].upper()}{number:06d}" for number in numbers]
    return list(numbers)
