"""Gradient gating: where a row agrees with its neighbours, it stops moving."""

from torch import nn

from workbench.member import Remedy

GRADIENT_GATING = Remedy(
    name="gradient-gating",
    title="Gradient gating (G²)",
    gate=lambda place: nn.Linear(place.width, place.width, bias=False),
    formula=(
        "h' = (1 - τ) h + τ f(h), τ_v = tanh(mean of (y_u - y_v)² over all messages u →"
        " v of every relation), channel-wise, y = Y h with Y per node type and layer;"
        " τ = 0 without messages"
    ),
    source=(
        "Rusch et al. (2023), arXiv:2210.00513, Eq. 6-8, p = 2; differs in: y is a map"
        " per node type into one space in which rows of different types are compared,"
        " in place of a second graph network; the mean over messages received, where"
        " the paper sums."
    ),
)
