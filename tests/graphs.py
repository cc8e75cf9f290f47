"""Small graphs made from arrays, for tests of what comes after the graph."""

import numpy as np
import torch

from workbench.blueprint import KeyRole
from workbench.features import Features
from workbench.graph import Graph, Relation


def features(
    num_rows: int,
    num_channels: int,
    cardinalities: tuple[int, ...] = (),
    seed: int = 0,
) -> Features:
    """Return random features: Gaussian channels and uniform codes."""
    generator = np.random.default_rng([seed, num_rows, num_channels])
    codes = [generator.integers(0, number, num_rows) for number in cardinalities]
    return Features(
        num_rows=num_rows,
        numerical=torch.from_numpy(
            generator.standard_normal((num_rows, num_channels)).astype(np.float32)
        ),
        numerical_names=tuple(f"x{index}" for index in range(num_channels)),
        codes=torch.from_numpy(np.stack(codes, axis=1))
        if codes
        else torch.zeros((num_rows, 0), dtype=torch.int64),
        code_names=tuple(f"c{index}" for index in range(len(cardinalities))),
        cardinalities=cardinalities,
    )


def relation(
    name: str,
    ends: tuple[str, str],
    links: list[tuple[int, int]],
    direction: KeyRole = KeyRole.EDGE,
    attributes: Features | None = None,
) -> Relation:
    """Return a relation from (child row, parent row) pairs."""
    pairs = np.asarray(links, dtype=np.int64).reshape(-1, 2)
    return Relation(
        name=name,
        source=ends[0],
        target=ends[1],
        source_rows=pairs[:, 0],
        target_rows=pairs[:, 1],
        direction=direction,
        attributes=attributes,
    )


def shop(seed: int = 0) -> Graph:
    """Return orders of customers in cities, and ratings that tie customers to goods.

    Four customers in two cities and one in none; six orders, one without a customer;
    ratings are edges with two channels and a code; one order follows another. Columns
    have no names that a type could be guessed from.
    """
    return Graph(
        target="customer",
        nodes={
            "customer": features(5, 3, (4,), seed),
            "order": features(6, 2, (), seed),
            "city": features(2, 0, (3, 5), seed),
            "good": features(3, 1, (), seed),
            "stray": features(2, 1, (), seed),
        },
        relations=(
            relation(
                "order.customer",
                ("order", "customer"),
                [(0, 0), (1, 0), (2, 0), (3, 1), (4, 3)],
            ),
            relation(
                "customer.city", ("customer", "city"), [(0, 0), (1, 0), (2, 1), (3, 1)]
            ),
            relation(
                "rating",
                ("customer", "good"),
                [(0, 0), (0, 1), (1, 1), (2, 2), (2, 1)],
                attributes=features(5, 2, (3,), seed),
            ),
            relation("order.follows", ("order", "order"), [(1, 0), (2, 1), (4, 3)]),
        ),
    )


def web(seed: int = 0) -> Graph:
    """Return pages that link to pages: one node type, edges and a key onto itself.

    Seven pages; page 6 has no link at all; links have a channel that one-type networks
    do not read.
    """
    links = [(0, 1), (1, 2), (2, 0), (3, 1), (4, 3), (5, 4), (0, 3)]
    return Graph(
        target="page",
        nodes={"page": features(7, 3, (4,), seed)},
        relations=(
            relation("link", ("page", "page"), links, attributes=features(7, 1)),
            relation("page.part", ("page", "page"), [(2, 1), (5, 0)]),
        ),
    )
