"""The mean of the neighbours: the textbook layer, which smooths most plainly."""

from workbench.convolution import Aggregation, aggregated
from workbench.member import Model

SAGE_MEAN = Model(
    name="sage-mean",
    title="GraphSAGE with the mean alone",
    convolution=aggregated(Aggregation.MEAN),
    formula="h_v' = relu(W h_v + b + Σ_r W_r mean of h_u over r's messages to v)",
    source=(
        "Hamilton, Ying, Leskovec (2017), arXiv:1706.02216, Algorithm 1; differs in:"
        " one weight per relation, no sampling, no normalisation of the output."
    ),
)
