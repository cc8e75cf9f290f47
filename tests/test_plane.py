"""States in few components, and laid out by UMAP: clusters that are known before."""

import numpy as np
import pytest

from workbench.errors import StudyError
from workbench.plane import (
    MAX_COMPONENTS,
    Umap,
    lay_out,
    pack,
    principal_components,
    unpack,
)

NUM_EACH = 40
CLUSTER = np.repeat([0, 1, 2], NUM_EACH)


def three_clusters() -> np.ndarray:
    """Return rows of three clusters, 30 deviations from the origin on three axes."""
    draw = np.random.default_rng(3)
    centres = np.eye(3, 5) * 30
    return centres[CLUSTER] + draw.normal(size=(len(CLUSTER), 5))


def test_components_keep_all_distances_where_nothing_is_dropped() -> None:
    states = three_clusters()
    components, share = principal_components(states)
    assert share > 0.99
    packed = unpack(pack("", components)).astype(float)
    # One scale for all of them; 16 bits hold three digits.
    wanted = np.linalg.norm(states[:, None] - states[None], axis=2)
    found = np.linalg.norm(packed[:, None] - packed[None], axis=2)
    scale = wanted[0, -1] / found[0, -1]
    assert np.abs(found * scale - wanted).max() < 0.03 * wanted.max()


def test_only_as_many_components_are_kept_as_hold_the_variance() -> None:
    draw = np.random.default_rng(0)
    # Three axes of lengths 100, 10 and 1, then noise a thousand times smaller.
    lengths = np.array([100, 10, 1, *[0.001] * 40])
    states = draw.normal(size=(300, 43)) * lengths
    components, share = principal_components(states)
    # The first two hold 10 100 of 10 101 parts: more than 99.9 %.
    assert components.shape == (300, 2)
    assert share == pytest.approx(10_100 / 10_101, abs=1e-3)
    even, _ = principal_components(draw.normal(size=(300, 43)))
    assert even.shape == (300, MAX_COMPONENTS)


def test_the_first_two_components_have_a_unit_root_mean_square() -> None:
    components, _ = principal_components(three_clusters())
    lengths = (components[:, :2] ** 2).sum(axis=1)
    assert lengths.mean() == pytest.approx(1)


@pytest.mark.parametrize("shape", [(20, 6), (20, 1), (1, 6)])
def test_collapsed_states_have_no_components_and_no_layout(
    shape: tuple[int, int],
) -> None:
    components, share = principal_components(np.full(shape, 2.5))
    assert share == 1
    assert components.shape == (shape[0], 2)
    assert not components.any()
    assert not lay_out(components.astype(np.float32), Umap()).any()


def test_three_clusters_stay_three_clusters_in_the_same_bytes_every_time() -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    components, _ = principal_components(three_clusters())
    places = unpack(pack("", components))
    laid = lay_out(places, Umap())
    apart = np.linalg.norm(laid[:, None] - laid[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :15]
    # Each row's fifteen nearest are of its own cluster, which has 39 others.
    assert (CLUSTER[nearest] == CLUSTER[:, None]).all()
    assert laid.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert (laid**2).sum(axis=1).mean() == pytest.approx(1)
    assert lay_out(places, Umap()).tobytes() == laid.tobytes()
    assert lay_out(places, Umap(seed=1)).tobytes() != laid.tobytes()


def test_few_rows_lie_where_their_components_put_them() -> None:
    components = np.array([[2, 0, 1], [-2, 0, 1], [0, 2, 1], [0, -2, 1]], dtype="f4")
    laid = lay_out(components, Umap())
    # A root mean square of 2 becomes one of 1.
    assert laid == pytest.approx(components[:, :2] / 2)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"neighbours": 1}, '"1" neighbours are too few'),
        ({"min_dist": 2.0}, 'smallest distance of "2.0" cannot be drawn'),
    ],
)
def test_settings_that_lay_nothing_out_are_refused(
    settings: dict, sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence):
        Umap(**settings)
