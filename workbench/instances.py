"""The graph unfolded over time: rows as they were known when another is predicted.

A row to predict sees its graph as it was at its own moment. An *instance* is a row at a
moment; it exists where the row was there by then, and hears only what was. Rows that
are predicted at the same moment share their instances, so there is one graph a moment
and not one tree a row; the outcome is the same.

The same search draws batches: of a graph without moments, where all is known always.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.blueprint import KeyRole
from workbench.errors import GraphError
from workbench.sampling import Choice

MOST = 3_000_000  # instances and messages; beyond, an epoch takes many seconds
FAN_OUTS = (None, 64, 32, 16, 8, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Unfolding:
    """How a graph is unfolded over time.

    Attributes:
        depth: Number of layers of the deepest network; nothing further away exists.
        fan_out: Most messages that an instance receives along one edge type one way;
            None for all.
        choice: Which ones, where there are more.
        seed: Another seed, another sample.
    """

    depth: int
    fan_out: int | None = None
    choice: Choice = Choice.LATEST
    seed: int = 0

    def __post_init__(self) -> None:
        if self.fan_out is not None and self.fan_out < 1:
            raise GraphError(
                f'The number of neighbours is "{self.fan_out}"; 1 or more work.'
            )


@dataclass(frozen=True, slots=True)
class Tie:
    """The links of an edge type, each once, child → parent.

    Attributes:
        source: Node type of the child.
        target: Node type of the parent.
        sources: int64 [links]: child of each link.
        targets: int64 [links]: parent of each link.
        times: float64 [links]: when each link came to be, NaN or -inf for always; None
            where none has a time.
        direction: Which way messages run.
        heard: Whether a message runs along each link, bool, from child to parent and
            from parent to child; None where every link has those of ``direction``.
    """

    source: str
    target: str
    sources: np.ndarray
    targets: np.ndarray
    times: np.ndarray | None
    direction: KeyRole
    heard: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True, slots=True)
class Tied:
    """The links of a `Tie` between instances.

    Attributes:
        links: int64 [links]: which link of the tie each is.
        sources: int64 [links]: child instance.
        targets: int64 [links]: parent instance.
        up: bool [links]: whether the parent hears the child.
        down: bool [links]: whether the child hears the parent.
    """

    links: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    up: np.ndarray
    down: np.ndarray


@dataclass(frozen=True, slots=True)
class Instances:
    """A graph unfolded over time.

    The target's first instances are the rows to predict, in their order.

    Attributes:
        rows: By node type, the row of each instance, int64.
        moments: By node type, the moment of each instance, float64.
        hops: By node type, how many hops each is from the nearest row to predict.
        degrees: By node type, how many messages each receives, float32; those at the
            outermost hop too, although what they would hear is not there.
        ties: The links between instances, a `Tied` for every `Tie`.
        owners: By node type, whose instance each is: the position of its moment among
            the different ones, or of its row to predict where each row has its own.
        num_moments: Number of different moments.
        cut: Messages that the fan-out left out.
    """

    rows: Mapping[str, np.ndarray]
    moments: Mapping[str, np.ndarray]
    owners: Mapping[str, np.ndarray]
    hops: Mapping[str, np.ndarray]
    degrees: Mapping[str, np.ndarray]
    ties: tuple[Tied, ...]
    num_moments: int
    cut: int

    @property
    def num_instances(self) -> int:
        """Number of instances of all node types."""
        return sum(map(len, self.rows.values()))

    @property
    def num_messages(self) -> int:
        """Number of messages, each way counted."""
        return sum(int(one.up.sum() + one.down.sum()) for one in self.ties)
