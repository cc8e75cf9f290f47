"""Attention whose score depends on sender and receiver together."""

from torch import Tensor, nn
from torch.nn import functional

from workbench.attention import AbstractAttention, Sent, dot, head_vectors
from workbench.convolution import Place, Side
from workbench.field import Messages
from workbench.graph import Direction
from workbench.member import Model
from workbench.propagate import bring

SLOPE = 0.2


class Dynamic(AbstractAttention):
    """Scores a · leaky_relu(W h_u + W_e e + V h_v)."""

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__(way, place)
        if not way.single:
            self.vectors = head_vectors(place)
            self.receiver = nn.Linear(place.width, place.width, bias=False)

    def scores(
        self, senders: Side, receivers: Side, messages: Messages, sent: Sent
    ) -> Tensor:
        """Return the score of every message, [messages, heads]."""
        del senders
        asked = bring(self.receiver(receivers.state), messages)
        return dot(functional.leaky_relu(sent.values + asked, SLOPE), self.vectors)


GATV2 = Model(
    name="gatv2",
    title="Graph attention with dynamic scores (GATv2)",
    convolution=Dynamic,
    formula=(
        "h_v' = relu(W h_v + b + Σ_r Σ_u α_uv (W_r h_u + W_e e)), α = softmax over r's"
        " messages to v of a_r · leaky_relu(W_r h_u + W_e e + V_r h_v), 4 heads (2 or 1"
        " where the width is no multiple)"
    ),
    source=(
        "Brody, Alon, Yahav (2022), arXiv:2105.14491, Eq. 7; differs in: one softmax"
        " per relation, the row itself through a map of its own instead of a loop,"
        " junction columns e also in what is sent, relu instead of elu, no dropout"
        " on α."
    ),
)
