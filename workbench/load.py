"""How much a network works through in one pass, and what that costs per unit.

A pass over all rows is counted from a plan; one over a batch is what some rows are
expected to see, links taken as if they were dealt out evenly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Ways: TypeAlias = Sequence[tuple[str, str, float]]
"""Sender, receiver and number of messages of every way they run."""

ANSWER = 1 / 3  # of what a step costs, a pass without one does


@dataclass(frozen=True, slots=True)
class Load:
    """What a network works through in one pass.

    Attributes:
        rows: For every layer from 0, number of rows by node type.
        messages: For every hop, number of messages of every way they run.
    """

    rows: tuple[Mapping[str, float], ...]
    messages: tuple[tuple[float, ...], ...]


def load_terms(
    load: Load, channels: Mapping[str, float], width: int, passes: float
) -> dict[str, float]:
    """Return the terms that some passes over a load cost.

    Args:
        load: What each works through.
        channels: By node type, how many numbers a row is known by.
        width: Channels of a state.
        passes: How many passes, forward and backward.

    Returns:
        By name: counts of rows, messages and operations, those that begin with
        ``epoch`` times the number of passes.
    """
    rows = [sum(layer.values()) for layer in load.rows]
    messages = float(sum(map(sum, load.messages)))
    inputs = sum(number * channels[name] for name, number in load.rows[0].items())
    columns = sum(channels[name] for name in load.rows[0])
    return {
        "layer": float(len(load.messages)),
        "relation": float(sum(map(len, load.messages))),
        "prepare": float(rows[0] + messages),
        "epoch": passes,
        "epoch-column": passes * columns,
        "epoch-operation": passes * sum(len(layer) + 1 for layer in load.messages),
        "epoch-row": passes * sum(rows) * width,
        "epoch-message": passes * messages * width,
        "epoch-product": passes * (sum(rows[1:]) + messages / 4) * width**2,
        "epoch-input": passes * inputs * width,
        "row": float(sum(rows) * width),
        "message": messages,
        "message-width": float(messages * width),
        "input": float(inputs),
        "drawn": 0.0,
    }


def held_terms(
    loads: Sequence[Load], channels: Mapping[str, float]
) -> dict[str, float]:
    """Return what stays in memory from one pass to the next.

    Args:
        loads: What was gathered once: what measures look at, and all rows that are
            trained where that is at once.
        channels: By node type, how many numbers a row is known by.
    """
    held = [load_terms(load, channels, 1, 1) for load in loads]
    return {
        f"held-{name}": sum(one[name] for one in held)
        for name in ("row", "message", "input")
    }


def batch_terms(
    load: Load, channels: Mapping[str, float], width: int, passes: float
) -> dict[str, float]:
    """Return the terms of passes over batches, each of which is drawn anew.

    Args:
        load: A batch.
        channels: By node type, how many numbers a row is known by.
        width: Channels of a state.
        passes: How many passes, forward and backward.
    """
    terms = load_terms(load, channels, width, passes)
    return {**terms, "drawn": passes * terms["prepare"], "prepare": 0.0}


def with_probe(
    terms: Mapping[str, float], probe: Load, channels: Mapping[str, float], width: int
) -> dict[str, float]:
    """Return terms of training with those of measuring, which comes before and after.

    A pass without a gradient keeps the states and little else, so that it sets the
    memory only where it is far larger than a pass of training.
    """
    looked_at = load_terms(probe, channels, width, 1)
    most = {
        name: max(terms[name], looked_at[name] * ANSWER)
        for name in ("row", "message-width", "input")
    }
    return {**terms, **most, "prepare": terms["prepare"] + looked_at["prepare"]}


@dataclass(frozen=True, slots=True)
class Fed:
    """Batches of one graph's rows to predict.

    Attributes:
        rows: Rows of a batch.
        fan_out: Most neighbours per key; None for all.
        num_train: Batches of an epoch.
        num_val: Batches of the validation rows.
        num_all: Batches of all rows to predict.
    """

    rows: int
    fan_out: int | None
    num_train: int
    num_val: int
    num_all: int

    def passes(self, epochs: float) -> float:
        """Return what a run of some epochs comes to, in passes over a batch."""
        answers = epochs * self.num_val + self.num_all
        return epochs * self.num_train + ANSWER * answers


def seen_load(
    nodes: Mapping[str, float],
    ways: Ways,
    asked: Sequence[Mapping[str, float]],
    fan_out: int | None,
) -> Load:
    """Return a pass over what some rows are expected to see.

    Of n rows that send k messages each, a share f of which is heard, n(1 - (1 - f)^k)
    are met: each where it sends one alone, all where everything is heard.

    Args:
        nodes: Number of rows by node type.
        ways: Every way messages run.
        asked: For every layer from 0, the number of rows by node type whose state is
            asked for.
        fan_out: Most messages of a row along one way; None for all.
    """
    layers: list[dict[str, float]] = [dict(asked[-1])]
    messages: list[tuple[float, ...]] = []
    for wanted in reversed(asked[:-1]):
        above, run = layers[0], []
        below = {name: max(above.get(name, 0), wanted.get(name, 0)) for name in wanted}
        below |= {name: number for name, number in above.items() if name not in below}
        for sender, receiver, count in ways:
            if receiver not in above:
                continue
            each = count / max(nodes[receiver], 1)
            heard = above[receiver] * (each if fan_out is None else min(each, fan_out))
            met = _met(nodes[sender], count, heard / max(count, 1))
            below[sender] = min(below.get(sender, 0) + met, nodes[sender])
            run.append(heard)
        layers.insert(0, below)
        messages.insert(0, tuple(run))
    return Load(tuple(layers), tuple(messages))


def _met(number: float, count: float, share: float) -> float:
    """Return how many senders are met where a share of their messages is heard."""
    each = count / max(number, 1)
    if each <= 1:
        return count * share
    return number * (1 - (1 - min(share, 1.0)) ** each)
