"""What lies between two studies: what was asked otherwise, and what it made of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from workbench.inference import ENOUGH_SEEDS, t_interval
from workbench.studies import Best

SAME = "The two study files ask for the same."
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "models": "networks (models)",
        "remedies": "remedies against collapse",
        "depths": "depths",
        "seeds": "runs per depth (seeds)",
        "metric": "score (metric)",
        "max_rows": "most rows that become a graph",
        "fan_out": "most neighbours per key (fan-out)",
        "neighbours": "which neighbours",
        "halving": "one in so many goes on (halving)",
        "task": "what is predicted (task)",
        "budget": "what a run may spend (budget)",
        "epochs": "most epochs",
        "patience": "patience",
        "learning_rate": "learning rate",
        "weight_decay": "weight decay",
        "width": "width (channels)",
        "dropout": "dropout",
        "input_dropout": "input dropout",
        "row_normalised": "row normalisation",
        "parameters": "most trained numbers (parameters)",
        "hide": "columns kept from the networks",
        "where": "which rows",
        "split": "split",
        "split_seed": "split's seed",
        "target": "target",
    }
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one study's best cell scores than another's.

    Attributes:
        mean: The second's test score less the first's; None where the two cannot be
            compared.
        low: Lower end of the 95 % t-interval over the seeds that both have, paired.
        high: Upper end.
        n: Number of those seeds.
        sentence: The same in words, or why it cannot be said.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    sentence: str


def describe_change(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> tuple[str, ...]:
    """Say what a study file asks otherwise than another.

    Args:
        one: A parsed study file.
        other: Another one, which is described.

    Returns:
        Phrases such as ``"depths: 0, 1, 2 before, 0, 1, 2, 3 now"``: graphs first, then
        the task, what is trained, and the budget.
    """
    found = [
        *_arm_phrases(one.get("arms", []), other.get("arms", [])),
        *_setting_phrases(one, other, skipped={"arms", "version"}),
    ]
    return tuple(found) or (SAME,)


def difference_of_best(
    one: Mapping[str, Any], other: Mapping[str, Any], best: tuple[Best, Best]
) -> Difference:
    """Return how much better the second study's best cell scores than the first's.

    Seed s starts from the same random numbers in both, and so the scores are paired by
    seed. That is fair only where the task, its split and the score are the same; rows
    that have changed since are not noticed here.

    Args:
        one: The first study's settings.
        other: The second's.
        best: The best cell of each, chosen by validation.
    """
    first, second = best
    if first.metric != second.metric or _asked(one) != _asked(other):
        return Difference(
            None,
            None,
            None,
            0,
            "The two predict something else or are scored otherwise, so their scores"
            " cannot be set against each other.",
        )
    if "halving" in one or "halving" in other:
        return Difference(
            None,
            None,
            None,
            0,
            "Halving chose what is left of one of them, which is exploratory, so no"
            " difference is claimed.",
        )
    pairs = zip(first.seeds, second.seeds, strict=False)
    paired = [b - a for a, b in pairs if a is not None and b is not None]
    if len(paired) < 2:
        return Difference(
            None, None, None, len(paired), "They share too few seeds to compare."
        )
    found = t_interval(paired)
    few = (
        f" Fewer than {ENOUGH_SEEDS} seeds are not enough to call it a difference."
        if len(paired) < ENOUGH_SEEDS
        else ""
    )
    return Difference(
        mean=found.mean,
        low=found.low,
        high=found.high,
        n=len(paired),
        sentence=(
            f"Best against best ({second.metric}, test rows): {second.cell} of the"
            f" second less {first.cell} of the first is {found.mean:+.3f}"
            f" [{found.low:+.3f}, {found.high:+.3f}] over {len(paired)} seeds paired"
            f" (95 % interval, re-training noise alone).{few}"
        ),
    )


def _asked(settings: Mapping[str, Any]) -> Any:
    """Return what has to be the same for two scores to be comparable."""
    return settings.get("task")


def _arm_phrases(
    one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    before, after = _arm_names(one), _arm_names(other)
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    if added:
        yield f"graphs: also {', '.join(added)}"
    if removed:
        yield f"graphs: without {', '.join(removed)}"
    if not added and not removed and before != after:
        yield "graphs: in another order"
    hints = [[arm.get("hints") for arm in arms] for arms in (one, other)]
    if (
        not added
        and not removed
        and sorted(map(str, hints[0])) != sorted(map(str, hints[1]))
    ):
        yield "hints: other keys or types of the database"


def _arm_names(arms: Sequence[Mapping[str, Any]]) -> list[str]:
    sources = {arm.get("source") for arm in arms}
    return [
        f"{arm.get('topology')} of {arm.get('source')}"
        if len(sources) > 1
        else str(arm.get("topology"))
        for arm in arms
    ]


def _setting_phrases(
    one: Mapping[str, Any], other: Mapping[str, Any], skipped: set[str]
) -> Iterator[str]:
    names = dict.fromkeys([*other, *one])
    for name in (name for name in names if name not in skipped):
        before, after = one.get(name), other.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _setting_phrases(before, after, set())
        else:
            told = WORDS.get(name, name.replace("_", " "))
            yield f"{told}: {_shown(before)} before, {_shown(after)} now"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "not set"
        case list():
            return ", ".join(map(str, value)) or "none"
        case dict():
            return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
        case _:
            return str(value)
