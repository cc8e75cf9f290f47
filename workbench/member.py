"""What a member of the families `models` and `remedies` says of itself.

A `Model` names what a relation brings and how a row takes it in, a `Remedy` what is
done against collapse around that; `workbench.model.Network` runs any pair of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workbench.convolution import AbstractConvolution, AbstractJoin, Beside, Place
from workbench.errors import ModelError
from workbench.graph import Direction


def replace_state(state: Tensor, update: Tensor) -> Tensor:
    """Return the update alone, as a layer without a remedy does."""
    del state
    return update


@dataclass(frozen=True, slots=True)
class Model:
    """A member of `workbench.models.MODELS`.

    Attributes:
        name: What users type.
        title: The name in plain words.
        convolution: Makes what one direction of one relation brings.
        formula: One layer, as a formula.
        source: The paper, and how this differs.
        join: Makes how a node type's rows take in what arrives.
        project: Makes a map of a node type's states that every relation reads instead
            of the states, or None.
        share: Makes what the relations of one layer hold in common, or None.
        activation: The nonlinearity after the join, which may act in place, or None.
        reads_initial: Whether the join asks for the states at layer 0.
        reads_edges: Whether junction columns on links are read.
        nearest: For a model of one node type, the nearest that works on any graph;
            empty for a model that does so itself.
    """

    name: str
    title: str
    convolution: Callable[[Direction, Place], AbstractConvolution]
    formula: str
    source: str
    join: Callable[[Place], AbstractJoin] = Beside
    project: Callable[[Place], nn.Module] | None = None
    share: Callable[[int], nn.Module] | None = None
    activation: Callable[[Tensor], Tensor] | None = torch.relu_
    reads_initial: bool = False
    reads_edges: bool = True
    nearest: str = ""

    @property
    def graphs(self) -> str:
        """The graphs it works on, in words."""
        if not self.nearest:
            return "any"
        return (
            "rows of one table linked with each other and nothing else; elsewhere the"
            f" nearest is {self.nearest}"
        )

    @property
    def link_columns(self) -> str:
        """Whether it reads junction columns on links, in words."""
        return "read" if self.reads_edges else "not read"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A member of `workbench.remedies.REMEDIES`.

    Every hook is optional; a remedy fills those it needs. In a layer they act in this
    order: links are dropped, states enter, the update is changed inside, the gate and
    the old state combine with it; after the last layer the readout feeds the head.

    Attributes:
        name: What users type.
        title: The name in plain words.
        formula: What it does, as a formula.
        source: The paper, and how this differs.
        combine: Takes a row's state and its layer's update (dropout already applied),
            both [rows, width], and returns the next state.
        enter: Makes, per node type and layer, a map of the states a layer reads; the
            state that `combine` sees stays as it was.
        inside: Makes, per node type and layer, a map of (the update before the
            nonlinearity, the states at layer 0), both [rows, width].
        gate: Makes, per node type and layer, a map into a space in which a row is
            compared with those that send to it; where all agree it keeps its state.
        readout: Takes the target rows' states at every layer, [rows, width] each, and
            returns what the head reads.
        drop_links: Share of links left out of each pass while training, both ways.
        over_rows: Whether statistics over the rows present enter, so that a state
            depends on which rows are computed with it.
    """

    name: str
    title: str
    formula: str
    source: str
    combine: Callable[[Tensor, Tensor], Tensor] = replace_state
    enter: Callable[[Place], nn.Module] | None = None
    inside: Callable[[Place], nn.Module] | None = None
    gate: Callable[[Place], nn.Module] | None = None
    readout: Callable[[Sequence[Tensor]], Tensor] | None = None
    drop_links: float = 0.0
    over_rows: bool = False


def check_fit(model: Model, target: str, ends: Iterable[tuple[str, str]]) -> None:
    """Refuse a model of one node type on a graph whose target has other neighbours.

    Args:
        model: The model asked for.
        target: Node type of the target table.
        ends: The two node types of every relation.

    Raises:
        ModelError: The model does not work there; the sentence says what does.
    """
    if not model.nearest:
        return
    others = {name for pair in ends if target in pair for name in pair} - {target}
    if others:
        met = ", ".join(f'"{name}"' for name in sorted(others))
        raise ModelError(
            f'The network "{model.name}" works where rows of one table are linked with'
            " each other and nothing else, by a table of edges or a key onto itself;"
            f' here "{target}" is linked with {met}. The nearest network for such a'
            f" graph is {model.nearest}."
        )
