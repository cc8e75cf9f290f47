"""Residual connections: a layer adds to the state instead of replacing it."""

from torch import add

from workbench.member import Remedy

RESIDUAL = Remedy(
    name="residual",
    title="Residual connections",
    combine=add,
    formula="h' = h + dropout(f(h))",
    source=(
        "He et al. (2016), arXiv:1512.03385, Eq. 1, on graphs as in Li et al. (2019),"
        " arXiv:1904.03751; dropout stays inside the branch."
    ),
)
