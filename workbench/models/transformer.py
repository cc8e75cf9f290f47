"""Attention by inner products of keys and queries, as in transformers."""

from torch import Tensor, nn

from workbench.attention import AbstractAttention, Sent, dot
from workbench.convolution import Place, Side
from workbench.field import Messages
from workbench.graph import Direction
from workbench.member import Model
from workbench.propagate import bring, send


class Product(AbstractAttention):
    """Scores (Q h_v) · (K h_u + W_e e) / √channels."""

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__(way, place)
        if not way.single:
            self.heads = place.heads
            self.key = nn.Linear(place.width, place.width, bias=False)
            self.query = nn.Linear(place.width, place.width, bias=False)

    def scores(
        self, senders: Side, receivers: Side, messages: Messages, sent: Sent
    ) -> Tensor:
        """Return the score of every message, [messages, heads]."""
        keys = send(self.key(senders.state), messages) + sent.edges
        queries = bring(self.query(receivers.state), messages)
        channels = keys.shape[1] // self.heads
        parts = queries.view(len(queries), self.heads, channels)
        return dot(keys, parts) * channels**-0.5


TRANSFORMER = Model(
    name="transformer",
    title="Graph transformer layer",
    convolution=Product,
    formula=(
        "h_v' = relu(W h_v + b + Σ_r Σ_u α_uv (V_r h_u + W_e e)), α = softmax over r's"
        " messages to v of (Q_r h_v) · (K_r h_u + W_e e) / √channels, 4 heads (2 or 1"
        " where the width is no multiple)"
    ),
    source=(
        "Shi et al. (2021), arXiv:2009.03509, Eq. 3-4; differs in: one softmax per"
        " relation, no biases in keys, queries and values, no gate between the row and"
        " what arrives, no LayerNorm (that is the remedy residual-norm), no labels as"
        " input."
    ),
)
