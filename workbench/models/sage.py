"""Mean, maximum and sum of the neighbours: the default."""

from workbench.convolution import Aggregation, aggregated
from workbench.member import Model

SAGE = Model(
    name="sage",
    title="GraphSAGE with mean, maximum and sum",
    convolution=aggregated(Aggregation.MEAN, Aggregation.MAX, Aggregation.SUM),
    formula=(
        "h_v' = relu(W h_v + b + Σ_r W_r [mean, max, sum/d̄_r] of h_u over r's"
        " messages to v), d̄_r the mean number of messages of rows that receive any"
    ),
    source=(
        "Hamilton, Ying, Leskovec (2017), arXiv:1706.02216, Algorithm 1, with the"
        " aggregators of Corso et al. (2020), arXiv:2004.05718, side by side; differs"
        " in: one weight per relation, no sampling, no normalisation of the output,"
        " sums divided by a constant per relation."
    ),
)
