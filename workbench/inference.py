"""What can be said from a few seeds: intervals, paired tests, and their number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

LEVEL = 0.05
ENOUGH_SEEDS = 6
NUM_RESAMPLES = 2000
FEWEST_RESAMPLES = 200
MAX_DRAWS = 10**8
MAX_EXACT = 16


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and what it may be off by.

    Attributes:
        mean: The mean.
        low: Lower end, or NaN where one value says nothing of its spread.
        high: Upper end, likewise.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PairedTest:
    """One of several paired differences, and what can be said of it.

    Attributes:
        n: Number of pairs.
        interval: Their mean and its interval, at the level that Holm leaves it.
        p: Two-sided p-value of the paired t-test.
        p_holm: The same, corrected for the number of comparisons.
    """

    n: int
    interval: Interval
    p: float
    p_holm: float

    @property
    def standing(self) -> Literal["too few seeds", "tie", "above", "below"]:
        """Whether the mean is above or below 0, a tie, or not to be told."""
        if self.n < ENOUGH_SEEDS:
            return "too few seeds"
        if self.p_holm >= LEVEL:
            return "tie"
        return "above" if self.interval.mean > 0 else "below"


def t_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the mean of independent values and its t-interval.

    Args:
        values: One value a seed.
        level: The share of intervals that may miss, 0.05 for 95 %.

    Source: Student (1908). At these numbers of seeds a percentile bootstrap covers too
    rarely (73 % for 95 % at three seeds).
    """
    found = np.asarray(values, dtype=float)
    if not len(found):
        return Interval(float("nan"), float("nan"), float("nan"))
    mean = float(found.mean())
    if len(found) < 2:
        return Interval(mean, float("nan"), float("nan"))
    error = found.std(ddof=1) / np.sqrt(len(found))
    reach = float(stats.t.ppf(1 - level / 2, len(found) - 1) * error)
    return Interval(mean, mean - reach, mean + reach)


def paired_t_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of a paired t-test; NaN below two pairs.

    It is below a level exactly where `t_interval` at that level leaves out 0.
    """
    found = np.asarray(differences, dtype=float)
    if len(found) < 2:
        return float("nan")
    error = found.std(ddof=1) / np.sqrt(len(found))
    if not error:
        return 0.0 if found.any() else 1.0
    return float(2 * stats.t.sf(abs(found.mean()) / error, len(found) - 1))


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of the sign-flip permutation test.

    Exact over all 2^n sign patterns up to 16 pairs, else over 2^16 seeded draws. It
    cannot be below 2^(1 − n): .0625 at five pairs, .031 at six.

    Source: Fisher (1935), The Design of Experiments, section 21.
    """
    found = np.asarray(differences, dtype=float)
    number = len(found)
    if not number:
        return float("nan")
    if number <= MAX_EXACT:
        patterns = (np.arange(2**number)[:, None] >> np.arange(number)) & 1
    else:
        generator = np.random.default_rng(0)
        patterns = generator.integers(0, 2, (2**MAX_EXACT, number))
    sums = np.abs((2 * patterns - 1) @ found)
    # Flipped sums that equal the observed one may differ from it by rounding.
    observed = abs(found.sum()) * (1 - 1e-12)
    return float((sums >= observed).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number; NaN stays NaN and is not counted.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    found = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(found), np.nan)
    known = np.flatnonzero(~np.isnan(found))
    running = 0.0
    for rank, at in enumerate(known[np.argsort(found[known], kind="stable")]):
        running = max(running, min(1.0, (len(known) - rank) * found[at]))
        adjusted[at] = running
    return adjusted.tolist()


def holm_levels(p_values: Sequence[float], level: float = LEVEL) -> list[float]:
    """Return the level at which Holm's procedure decides about each p-value.

    The procedure divides the level by the number of p-values not yet called a
    difference, and stops at the first that is none; that level then holds for all that
    are left. An interval at its level leaves out 0 exactly where `holm` gives a p-value
    below ``level``.
    """
    found = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(found))
    levels = np.full(len(found), level)
    left = len(known)
    for at in known[np.argsort(found[known], kind="stable")]:
        levels[at] = level / left
        if found[at] < levels[at]:
            left = max(left - 1, 1)
    return levels.tolist()


def paired_tests(differences: Sequence[Sequence[float]]) -> tuple[PairedTest, ...]:
    """Test several paired differences against 0, corrected for their number.

    Args:
        differences: Per comparison one value a shared seed.
    """
    p_values = [paired_t_p(found) for found in differences]
    adjusted, levels = holm(p_values), holm_levels(p_values)
    return tuple(
        PairedTest(len(found), t_interval(found, level), p, p_holm)
        for found, level, p, p_holm in zip(
            differences, levels, p_values, adjusted, strict=True
        )
    )


def bootstrap_interval(
    score: Callable[[np.ndarray, np.ndarray], float],
    labels: np.ndarray,
    outputs: np.ndarray,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a score over resampled test rows.

    It holds the noise of having these test rows and no others, not of training again.
    2 000 samples are drawn; of more than 50 000 rows fewer, down to 200.

    Source: Efron, Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    return _quantiles(_resampled(score, labels, outputs, seed))


def bootstrap_difference(
    score: Callable[[np.ndarray, np.ndarray], float],
    first: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
) -> tuple[float, float]:
    """Return the 95 % interval of a score on some rows less that on other rows.

    Args:
        score: Of labels and outputs.
        first: Labels and outputs of the first rows.
        second: Those of the second; both are resampled, each by itself.
    """
    ours, theirs = (
        _resampled(score, *rows, seed) for seed, rows in enumerate((first, second))
    )
    number = min(len(ours), len(theirs))
    return _quantiles(ours[:number] - theirs[:number])


def _resampled(
    score: Callable[[np.ndarray, np.ndarray], float],
    labels: np.ndarray,
    outputs: np.ndarray,
    seed: int,
) -> np.ndarray:
    generator = np.random.default_rng(seed)
    scores = []
    affordable = MAX_DRAWS // max(len(labels), 1)
    for _ in range(min(NUM_RESAMPLES, max(FEWEST_RESAMPLES, affordable))):
        rows = generator.integers(0, len(labels), len(labels))
        scores.append(score(labels[rows], outputs[rows]))
    return np.asarray(scores)


def _quantiles(scores: np.ndarray) -> tuple[float, float]:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)
