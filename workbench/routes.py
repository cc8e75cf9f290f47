"""The messages of a relation one way, in the order of who receives them.

Sorting takes longer than reading and the result is larger than the links, so that of
many links it is kept beside them: every process maps the same file.
"""

from dataclasses import dataclass

import numpy as np

from workbench.depot import Arrays
from workbench.graph_parts import are_rows
from workbench.ordering import (
    count_sorted,
    count_starts,
    index_type,
    is_ascending,
    narrow,
    stable_order,
)

FEWEST_KEPT = 500_000  # links; below, sorting is about as fast as reading


@dataclass(frozen=True, slots=True)
class Route:
    """Messages sorted by receiver.

    Attributes:
        senders: Row of each message's sender; like all indices here int32 where every
            one of them fits, else int64.
        receivers: Row of each message's receiver, ascending.
        links: Link of the relation that each message runs along.
        starts: [rows of the receiving type + 1]: where each row's messages start.
        num_heard: Number of rows that receive any.
    """

    senders: np.ndarray
    receivers: np.ndarray
    links: np.ndarray
    starts: np.ndarray
    num_heard: int


def sort_route(
    senders: np.ndarray,
    receivers: np.ndarray,
    num_receivers: int,
    *,
    is_undirected: bool = False,
    runs: np.ndarray | None = None,
) -> Route:
    """Return links as messages, sorted by receiver; equals stay in the links' order.

    Args:
        senders: Row at the sending end of each link.
        receivers: Row at the receiving end of each link.
        num_receivers: Number of rows of the receiving type.
        is_undirected: Whether messages run along each link the other way as well.
        runs: Which messages run, bool, the other way's after those of this one; None
            for all.
    """
    links = np.arange(len(senders), dtype=index_type(len(senders)))
    if is_undirected:
        senders, receivers = (
            np.append(senders, receivers),
            np.append(receivers, senders),
        )
        links = np.append(links, links)
    ordered = [narrow(senders), narrow(receivers), links]
    order = None if is_ascending(receivers) else stable_order(receivers)
    if runs is not None:
        order = np.flatnonzero(runs) if order is None else order[runs[order]]
    if order is not None:
        ordered = [one[order] for one in ordered]
    senders, receivers, links = ordered
    return Route(
        senders=senders,
        receivers=receivers,
        links=links,
        starts=count_starts(receivers, num_receivers),
        num_heard=count_sorted(receivers),
    )


def pack_route(route: Route) -> Arrays:
    """Return a route as arrays that share its memory."""
    names = ("senders", "receivers", "links", "starts")
    return Arrays(
        arrays={name: getattr(route, name) for name in names},
        facts={"num_heard": route.num_heard},
    )


def unpack_route(packed: Arrays) -> Route:
    """Return the route of `pack_route`, which shares the memory of the arrays."""
    return Route(**packed.arrays, num_heard=packed.facts["num_heard"])


def is_route(
    packed: Arrays, num_links: int, num_senders: int, num_receivers: int
) -> bool:
    """Return whether arrays that were read are a route, each index within its bounds.

    Args:
        packed: What was read.
        num_links: Number of links that it may run along.
        num_senders: Number of rows of the sending type.
        num_receivers: Number of rows of the receiving type.
    """
    found = unpack_route(packed)
    ends, indices = found.starts, (found.senders, found.receivers, found.links)
    return (
        len(ends) == num_receivers + 1
        and all(len(one) == int(ends[-1]) for one in indices)
        and int(ends[0]) == 0
        and is_ascending(ends)
        and is_ascending(found.receivers)
        and are_rows(found.receivers, num_receivers)
        and are_rows(found.links, num_links)
        and are_rows(found.senders, num_senders)
    )
