"""How wide a network may be for a given number of trained numbers."""

from collections.abc import Callable
from dataclasses import replace

import torch

from workbench.convolution import MOST_HEADS
from workbench.errors import ModelError
from workbench.graph import Graph
from workbench.run import RunConfig, build_network
from workbench.task import Task

LARGEST_WIDTH = 4096


def count_parameters(graph: Graph, task: Task, config: RunConfig) -> int:
    """Return how many trained numbers a network has, without making any of them."""
    with torch.device("meta"):
        return build_network(graph, task, config).num_parameters


def fit_width(graph: Graph, task: Task, config: RunConfig, most: int) -> int:
    """Return the largest width with which a network has at most so many parameters.

    Depth and model decide how many weights a channel costs, so that at equal width a
    deep network is a large one. With equal numbers of parameters, what depth does is
    told apart from what size does.

    Args:
        graph: The graph; its channels decide what the first map costs.
        task: What is predicted.
        config: Model, remedy and depth; the width of its budget is not read.
        most: Most trained numbers.

    Returns:
        A multiple of 4, so that every head of an attention has as many channels; at
        most 4,096.

    Raises:
        ModelError: Even 4 channels are too many.
    """

    def size(width: int) -> int:
        budget = replace(config.budget, width=width)
        return count_parameters(graph, task, replace(config, budget=budget))

    least = size(MOST_HEADS)
    if least > most:
        raise ModelError(
            f'The network "{config.model.name}" with {config.depth} layers and no more'
            f" than {MOST_HEADS} channels has {least:,} parameters already;"
            f' "parameters" is {most:,}. A larger number, or fewer layers, work.'
        )
    return MOST_HEADS * _last(
        lambda step: size(MOST_HEADS * step) <= most, LARGEST_WIDTH // MOST_HEADS
    )


def _last(holds: Callable[[int], bool], most: int) -> int:
    """Return the last whole number up to ``most`` that holds, as 1 does."""
    low, high = 1, 2
    while high <= most and holds(high):
        low, high = high, 2 * high
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
