"""What each depth shows: under-reaching, over-squashing, oversmoothing, or no training.

Four states of a network that one and the same low score can come with, told apart by
what was measured beside the score. A diagnosis says what occurs together; it never says
that one thing caused another (Kormann, Doerr, Lutzeyer 2026, arXiv:2601.07419;
Arnaiz-Rodriguez and Errica 2025, arXiv:2505.15547).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workbench.chart import number
from workbench.comparison import learnt
from workbench.score import METRICS

# A table tells something when shuffling it costs this much: beyond what three shuffles
# of a table without signal vary by on a few hundred test rows.
INFORMATIVE_DROP = 0.05
# Squeezed out: an order of magnitude below what the graph alone would let through.
SQUASHED_RATIO = 0.1
# Rows are alike: trained networks that still told classes apart kept a variance share
# of 0.14 or more on citation graphs, collapsed ones fell below 0.06; 0.02 is clear.
COLLAPSED_VARIANCE = 0.02
# One direction and a half of all that a layer could use.
COLLAPSED_RANK = 1.5
# The probe has lost the label: clear of what resampled test rows vary by.
LOST_PROBE = 0.05
# The first layer hears a hundredth of what the last one does.
FAINT_GRADIENT = 0.01


class Kind(StrEnum):
    """What a depth shows."""

    UNDER_REACHING = "under-reaching"
    OVER_SQUASHING = "over-squashing"
    OVERSMOOTHING = "oversmoothing"
    FAILED_TO_TRAIN = "failed to train"
    NONE = "none applies"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one series at one depth; means over its seeds.

    Attributes:
        depth: Number of layers.
        target: The target's table.
        metric: Name of the task's metric.
        train: Training score; None where no run finished.
        constant: What a constant scores on the training rows; None where unknown.
        gradient_ratio: First layer's gradient over the last's, or None.
        hops: Fewest layers by which each table is seen; None for never.
        informative: The table that costs most when shuffled, or None.
        drop: What shuffling it costs.
        drop_depth: The depth at which it does.
        tables: Share of the trained influence by node type; empty where not measured.
        by_hop: The same by hop.
        walk: What a random walk gives each hop, squared chances; empty where unknown.
        variance: Variance share by layer, trained.
        rank: Centred effective rank by layer, trained.
        rank_untrained: The same at the last layer before training, or None.
        probe: Probe by layer, trained.
    """

    depth: int
    target: str
    metric: str
    train: float | None
    constant: float | None
    gradient_ratio: float | None
    hops: Mapping[str, int | None]
    informative: str | None = None
    drop: float = 0.0
    drop_depth: int = 0
    tables: Mapping[str, float] | None = None
    by_hop: Sequence[float] = ()
    walk: Sequence[float] = ()
    variance: Sequence[float] = ()
    rank: Sequence[float] = ()
    rank_untrained: float | None = None
    probe: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a depth shows.

    Attributes:
        depth: Number of layers.
        kinds: Every state that applies; ``none applies`` or ``not measured`` alone.
        sentences: The evidence for each, in the same order.
    """

    depth: int
    kinds: tuple[Kind, ...]
    sentences: tuple[str, ...]


def diagnose(evidence: Evidence) -> Diagnosis:
    """Name what applies, with the numbers that say so."""
    if evidence.train is None:
        said = "No run finished, so nothing can be said."
        return Diagnosis(evidence.depth, (Kind.UNKNOWN,), (said,))
    found = list(_states(evidence))
    if not found:
        found = [(Kind.NONE, _nothing(evidence))]
    kinds, sentences = zip(*found, strict=True)
    return Diagnosis(evidence.depth, kinds, sentences)


def _states(evidence: Evidence) -> Iterator[tuple[Kind, str]]:
    unseen = _under_reaching(evidence)
    if unseen:
        yield Kind.UNDER_REACHING, unseen
    checks = (
        (Kind.OVER_SQUASHING, _over_squashing),
        (Kind.OVERSMOOTHING, _oversmoothing),
    )
    for kind, check in checks:
        said = check(evidence)
        if said:
            yield kind, said
    # Where what tells is out of reach there is nothing to learn.
    failed = "" if unseen else _failed(evidence)
    if failed:
        yield Kind.FAILED_TO_TRAIN, failed


def _under_reaching(evidence: Evidence) -> str:
    depth, shares = evidence.depth, evidence.tables or {}
    layers = _count(depth, "layer")
    if evidence.informative is not None:
        table = evidence.informative
        hop = evidence.hops.get(table)
        if hop is not None and hop <= depth:
            return ""
        if shares.get(table, 0.0) > 0:
            return ""
        far = "never seen here" if hop is None else f"{_count(hop, 'hop')} away"
        return (
            f"{table}, whose shuffling costs {number(evidence.drop)} at depth"
            f" {evidence.drop_depth}, is {far}; {layers} cannot read it, and its"
            " influence is exactly 0."
        )
    others = {
        table: hop
        for table, hop in evidence.hops.items()
        if table != evidence.target and hop is not None
    }
    if not others or min(others.values()) <= depth:
        return ""
    if any(share > 0 for table, share in shares.items() if table != evidence.target):
        return ""
    nearest = min(others, key=lambda table: (others[table], table))
    return (
        f"No other table is within {layers}: the nearest, {nearest}, is"
        f" {_count(others[nearest] or 0, 'hop')} away, and the influence of all of them"
        " is exactly 0."
    )


def _over_squashing(evidence: Evidence) -> str:
    table = evidence.informative
    hop = None if table is None else evidence.hops.get(table)
    if hop is None or not 0 < hop <= evidence.depth:
        return ""
    if len(evidence.by_hop) <= hop or len(evidence.walk) <= hop:
        return ""
    share, walk = evidence.by_hop[hop], evidence.walk[hop]
    if not 0 <= share < SQUASHED_RATIO * walk:
        return ""
    return (
        f"{table} is within reach at {_count(hop, 'hop')}, but that hop has"
        f" {_percent(share)} of the influence where the graph alone would give it"
        f" {_percent(walk)}."
    )


def _oversmoothing(evidence: Evidence) -> str:
    curves = (evidence.probe, evidence.variance, evidence.rank)
    if evidence.depth == 0 or min(map(len, curves)) <= evidence.depth:
        return ""
    variance, rank = evidence.variance[-1], evidence.rank[-1]
    if not (variance < COLLAPSED_VARIANCE or rank <= COLLAPSED_RANK):
        return ""
    earlier = list(evidence.probe[:-1])
    layer = max(range(len(earlier)), key=lambda at: earlier[at])
    if not earlier[layer] - evidence.probe[-1] >= LOST_PROBE:
        return ""
    before = evidence.rank_untrained
    untrained = "" if before is None else f", before training {before:.1f}"
    return (
        f"At the last layer rows are alike (variance share {number(variance)}, centred"
        f" effective rank {rank:.1f}{untrained}), and a probe that reads the label at"
        f" layer {layer} ({number(earlier[layer])}) reads less of it there"
        f" ({number(evidence.probe[-1])})."
    )


def _failed(evidence: Evidence) -> str:
    train, constant = evidence.train, evidence.constant
    if train is None or constant is None:
        return ""
    if learnt(train, constant, evidence.metric):
        return ""
    ratio = evidence.gradient_ratio
    faint = ""
    if ratio is not None:
        faint = f"; the gradient ratio is {number(ratio)}"
        faint += ", so the first layer hears next to nothing" * (ratio < FAINT_GRADIENT)
    return (
        f"The training score ({number(train)}) is hardly better than a constant's"
        f" ({number(constant)}){faint}."
    )


def _nothing(evidence: Evidence) -> str:
    parts = [f"training score {number(evidence.train)}"]
    if evidence.constant is not None:
        parts[0] += f" (a constant: {number(evidence.constant)})"
    if evidence.rank:
        parts.append(f"centred effective rank {number(evidence.rank[-1])}")
    if evidence.probe:
        parts.append(f"probe at the last layer {number(evidence.probe[-1])}")
    table = evidence.informative
    if table is not None and table in (evidence.tables or {}):
        share = (evidence.tables or {})[table]
        parts.append(f"{table} has {_percent(share)} of the influence")
    return f"None of the four shows: {', '.join(parts)}."


def margin(metric: str, score: float) -> float:
    """Return by how much a score must fall for a table to count as informative."""
    unbounded = not METRICS[metric].higher_is_better
    return INFORMATIVE_DROP * (abs(score) if unbounded else 1)


def _count(number_of: int, thing: str) -> str:
    return f"{number_of} {thing}" if number_of == 1 else f"{number_of} {thing}s"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.2%}"
