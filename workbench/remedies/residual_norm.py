"""Residual connections around layers that read normalised states."""

from torch import add, nn

from workbench.member import Remedy

RESIDUAL_NORM = Remedy(
    name="residual-norm",
    title="Residual connections with layer normalisation",
    combine=add,
    enter=lambda place: nn.LayerNorm(place.width),
    formula=(
        "h' = h + dropout(f(norm(h))), norm(h) = g (h - mean) / √(variance + 1e-5) + b"
        " over a row's channels, g and b per node type and layer"
    ),
    source=(
        "Ba et al. (2016), arXiv:1607.06450, Eq. 3, before the branch as in Xiong et"
        " al. (2020), arXiv:2002.04745, and Li et al. (2020), arXiv:2006.07739; differs"
        " in: the norm stands before the whole layer, own state and neighbours alike."
    ),
)
