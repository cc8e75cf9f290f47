"""Attention by one score of the sender plus one of the receiver."""

from torch import Tensor, nn
from torch.nn import functional

from workbench.attention import AbstractAttention, Sent, dot, head_vectors
from workbench.convolution import Place, Side
from workbench.field import Messages
from workbench.graph import Direction
from workbench.member import Model
from workbench.propagate import bring

SLOPE = 0.2


class Additive(AbstractAttention):
    """Scores leaky_relu(a · (W h_u + W_e e) + b · h_v)."""

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__(way, place)
        if not way.single:
            self.sender = head_vectors(place)
            self.receiver = nn.Linear(place.width, place.heads, bias=False)

    def scores(
        self, senders: Side, receivers: Side, messages: Messages, sent: Sent
    ) -> Tensor:
        """Return the score of every message, [messages, heads]."""
        del senders
        asked = bring(self.receiver(receivers.state), messages)
        return functional.leaky_relu(dot(sent.values, self.sender) + asked, SLOPE)


GAT = Model(
    name="gat",
    title="Graph attention (GAT)",
    convolution=Additive,
    formula=(
        "h_v' = relu(W h_v + b + Σ_r Σ_u α_uv (W_r h_u + W_e e)), α = softmax over r's"
        " messages to v of leaky_relu(a_r · (W_r h_u + W_e e) + b_r · h_v), 4 heads"
        " (2 or 1 where the width is no multiple)"
    ),
    source=(
        "Veličković et al. (2018), arXiv:1710.10903, Eq. 1-6; differs in: one softmax"
        " per relation, the row itself through a map of its own instead of a loop,"
        " junction columns e in the score and in what is sent, relu instead of elu, no"
        " dropout on α."
    ),
)
