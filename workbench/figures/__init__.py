"""Every chart of the workbench: pure functions from results to a `Chart`."""

from workbench.figures.aligned import aligned_figure, same_sight
from workbench.figures.contrasts import contrast_figure
from workbench.figures.cost import cost_figure
from workbench.figures.depths import depth_figure
from workbench.figures.embeddings import projection_figure
from workbench.figures.gaps import gap_figure
from workbench.figures.grids import split_grid_figure
from workbench.figures.influence import influence_figure
from workbench.figures.layers import last_layer_figure, layer_figure
from workbench.figures.live import live_figure
from workbench.figures.moments import moments_figure
from workbench.figures.plans import hop_heatmap, reach_figure
from workbench.figures.previews import beside_preview, has_preview, preview_figure
from workbench.figures.siblings import sibling_figure
from workbench.figures.standing import standing_figure
from workbench.figures.training import train_test_figure
from workbench.figures.walks import walk_figure

__all__ = [
    "aligned_figure",
    "beside_preview",
    "contrast_figure",
    "cost_figure",
    "depth_figure",
    "gap_figure",
    "has_preview",
    "hop_heatmap",
    "influence_figure",
    "last_layer_figure",
    "layer_figure",
    "live_figure",
    "moments_figure",
    "preview_figure",
    "projection_figure",
    "reach_figure",
    "same_sight",
    "sibling_figure",
    "split_grid_figure",
    "standing_figure",
    "train_test_figure",
    "walk_figure",
]
