"""A network's states of some rows, made small enough to keep, and laid out in a plane.

Two ways lead to a plane. Principal components turn the states and drop all but two
axes, so that distances stay what they were along those two. UMAP draws close what is
close and cares for nothing else; it takes seconds a layer, so it is done on request,
by workers, from what a study keeps of its states.
"""

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from workbench.errors import StudyError

MAX_COMPONENTS = 32
KEPT_SHARE = 0.999  # of the variance, where fewer components hold that
FEWEST_ROWS = 5  # fewer have no neighbourhoods to keep
START_SPAN = 10.0  # UMAP's own starts fill a square of this half width


@dataclass(frozen=True, slots=True)
class Umap:
    """How UMAP lays rows out.

    Attributes:
        neighbours: How many nearest rows each row is to stay near to (``n_neighbors``).
        min_dist: How near to each other rows may be drawn, in units of the layout.
        seed: Of the drawing of rows that push each other apart.
    """

    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.neighbours < 2:
            raise StudyError(
                f'"{self.neighbours}" neighbours are too few to lay rows out; take 2 or'
                " more."
            )
        if not 0 <= self.min_dist <= 1:
            raise StudyError(
                f'A smallest distance of "{self.min_dist}" cannot be drawn; take one'
                " from 0 to 1."
            )


@dataclass(frozen=True, slots=True)
class Layer:
    """The kept states of one layer, as a worker gets them.

    Attributes:
        name: What tells it from others.
        num_components: Columns.
        states: float16 [rows, columns], little-endian, by rows.
    """

    name: str
    num_components: int
    states: bytes


@dataclass(frozen=True, slots=True)
class LayOut:
    """What a worker does to a `Layer`: it returns float64 [rows, 2]."""

    settings: Umap

    def __call__(self) -> Callable[[Layer, Callable[[Any], None]], np.ndarray]:
        """Return the function that lays one layer out."""
        return lambda layer, tell: lay_out(unpack(layer), self.settings)

    def shared(self, items: Sequence[Any], put: Callable[..., Any]) -> "LayOut":
        """Return the same work: an item holds all that it needs."""
        del items, put
        return self


def principal_components(states: np.ndarray) -> tuple[np.ndarray, float]:
    """Turn rows onto their principal components and drop those that hold nothing.

    Args:
        states: float64 [rows, width].

    Returns:
        float64 [rows, components] and the share of the variance that they hold, in
        [0, 1]. At least two components, at most 32, else as many as hold 99.9 %. The
        first two have a unit root mean square together, and each is signed so that its
        largest entry is positive; all zeros, and a share of 1, at full collapse.

    Source: Pearson (1901), Philosophical Magazine 2 (principal components).
    """
    centred = states - states.mean(axis=0)
    # The strongest come last; what is below zero is rounding.
    squares, directions = np.linalg.eigh(centred.T @ centred)
    held = np.cumsum(np.maximum(squares[::-1], 0))
    total = float(held[-1])
    needed = 1 + int(np.searchsorted(held, KEPT_SHARE * total)) if total > 0 else 0
    rank = min(max(2, needed), MAX_COMPONENTS, len(held))
    turned = np.zeros((len(states), max(2, rank)))
    turned[:, :rank] = centred @ directions[:, : -rank - 1 : -1]
    largest = np.abs(turned).argmax(axis=0)
    signs = np.sign(turned[largest, np.arange(turned.shape[1])])
    turned *= np.where(signs == 0, 1, signs)
    size = np.sqrt((turned[:, :2] ** 2).sum(axis=1).mean())
    share = float(held[rank - 1]) / total if total > 0 else 1.0
    return (turned / size if size > 0 else turned), share


def pack(name: str, components: np.ndarray) -> Layer:
    """Return components in 16 bits each."""
    small = np.ascontiguousarray(components, dtype="<f2")
    return Layer(name, components.shape[1], small.tobytes())


def unpack(layer: Layer) -> np.ndarray:
    """Return the components of a packed layer, float32 [rows, components]."""
    flat = np.frombuffer(layer.states, dtype="<f2").astype(np.float32)
    return flat.reshape(-1, layer.num_components)


def lay_out(components: np.ndarray, settings: Umap) -> np.ndarray:
    """Lay rows out in a plane by UMAP, so that near ones stay near.

    Nearest rows are found exactly. The layout starts from the first two components and
    not from a spectral one: how it starts decides how groups lie to each other, and
    this start is the same for the same states. One thread and one seed, so that the
    same states give the same bytes on one machine.

    Args:
        components: float32 [rows, components].
        settings: How.

    Returns:
        float64 [rows, 2] with a unit root mean square and a mean of 0. Which rows are
        near to each other may be read from it; distances between groups, sizes of
        groups and their density may not. At full collapse, and of fewer than five
        rows, the first two components.

    Raises:
        ImportError: umap-learn is not installed.

    Source: McInnes, Healy, Melville (2018), arXiv:1802.03426; the start as in Kobak,
    Linderman (2021), Nature Biotechnology 39.
    """
    plane = components[:, :2].astype(np.float64)
    if len(plane) < FEWEST_ROWS or not np.ptp(plane, axis=0).any():
        return _scaled(plane)
    umap = _load()
    neighbours = min(settings.neighbours, len(plane) - 1)
    with warnings.catch_warnings():
        # It says that rows cannot be added later; none are.
        warnings.simplefilter("ignore")
        laid = umap.UMAP(
            n_neighbors=neighbours,
            min_dist=settings.min_dist,
            init=plane * (START_SPAN / np.abs(plane).max()),
            precomputed_knn=_nearest(components, neighbours),
            random_state=settings.seed,
            n_jobs=1,
        ).fit_transform(components)
    return _scaled(np.asarray(laid, dtype=np.float64))


def _load() -> Any:
    """Return umap-learn; what it compiles is kept on disk, for workers to come."""
    umap = import_module("umap")
    with suppress(RuntimeError):  # there is nowhere to keep it
        umap.umap_.smooth_knn_dist.enable_caching()
        umap.umap_.compute_membership_strengths.enable_caching()
    return umap


def _nearest(components: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest rows, itself first, and how far they are."""
    from sklearn.neighbors import NearestNeighbors

    exact = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(components)
    distances, rows = exact.kneighbors(components)
    return rows, distances


def _scaled(plane: np.ndarray) -> np.ndarray:
    centred = plane - plane.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=1).mean())
    return centred / size if size > 0 else centred
