"""A blueprint's links unfolded over time: the same value, with instances for nodes.

Whatever reads `Links` (the audit, the reach, the random walk) reads the unfolded ones
in the same way. Rows of tables keep their numbers, so that what is seen can be counted
by the row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from workbench.blueprint import KeyRole
from workbench.instances import MOST, Instances, Tie, Tied, Unfolding
from workbench.links import Linked, Links, Messages, Sight, messages_of
from workbench.sampler import find_instances


def instances_of(
    links: Links,
    seeds: tuple[str, np.ndarray, np.ndarray],
    unfolding: Unfolding,
    most: int = MOST,
) -> Instances:
    """Unfold a graph's links around rows to predict.

    Args:
        links: The graph.
        seeds: The node type of the rows to predict, the rows and their moments.
        unfolding: How deep, and how many neighbours.
        most: Most instances and messages.

    Raises:
        GraphError: There would be too many instances and messages.
    """
    ties = [
        Tie(
            source=edge.rule.source,
            target=edge.rule.target,
            sources=edge.sources,
            targets=edge.targets,
            times=edge.times,
            direction=edge.rule.direction,
        )
        for edge in links.edges
    ]
    return find_instances(ties, links.num_nodes, links.times, seeds, unfolding, most)


def unfold_links(links: Links, instances: Instances) -> Links:
    """Return the links between instances, and which rows the instances see."""
    edges = tuple(
        Linked(one.rule, tied.sources, tied.targets)
        for one, tied in zip(links.edges, instances.ties, strict=True)
    )
    messages = (
        one
        for edge, tied in zip(edges, instances.ties, strict=True)
        for one in _messages(edge, tied)
    )
    return Links(
        num_nodes={name: len(rows) for name, rows in instances.rows.items()},
        edges=edges,
        messages=tuple(messages),
        sights=tuple(_sights(links.sights, links, instances)),
        passages=tuple(_sights(links.passages, links, instances)),
    )


def _messages(edge: Linked, tied: Tied) -> Iterator[Messages]:
    """Yield the messages that instances hear, which need not run both ways."""
    for is_down, heard in ((False, tied.up), (True, tied.down)):
        if heard.any():
            rule = replace(edge.rule, direction=KeyRole.DOWN if is_down else KeyRole.UP)
            yield from messages_of(
                Linked(rule, edge.sources[heard], edge.targets[heard])
            )


def _sights(
    sights: Sequence[Sight], links: Links, instances: Instances
) -> Iterator[Sight]:
    for sight in sights:
        if sight.ride is None:
            nodes, number = instances.rows[sight.node], links.num_nodes[sight.node]
            seen, places = _pairs(sight.nodes, nodes, number)
            rows, ride = sight.rows[seen], None
        else:
            tied = instances.ties[sight.ride.edge]
            is_down = sight.ride.is_down
            ends, heard = (
                (tied.sources, tied.down) if is_down else (tied.targets, tied.up)
            )
            heard = np.flatnonzero(heard)
            number = len(links.edges[sight.ride.edge].sources)
            seen, at = _pairs(sight.ride.links, tied.links[heard], number)
            rows, places = sight.rows[seen], ends[heard[at]]
            ride = replace(sight.ride, links=heard[at])
        order = np.argsort(rows, kind="stable")
        if ride is not None:
            ride = replace(ride, links=ride.links[order])
        yield Sight(sight.table, sight.node, rows[order], places[order], ride)


def _pairs(
    held: np.ndarray, wanted: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places at which two arrays agree: each in ``held`` with each wanted.

    Args:
        held: int64, values below ``number``, in any order.
        wanted: int64, likewise.
        number: More than any value.
    """
    order = np.argsort(held, kind="stable")
    counts = np.bincount(held, minlength=number)
    starts = np.cumsum(counts) - counts
    each = counts[wanted] if len(wanted) else np.zeros(0, dtype=np.int64)
    places = np.repeat(np.arange(len(wanted)), each)
    within = np.arange(len(places)) - np.repeat(np.cumsum(each) - each, each)
    return order[starts[wanted[places]] + within], places
