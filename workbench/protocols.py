"""Budgets that others have published, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from workbench.errors import ModelError, unknown
from workbench.run import Budget


@dataclass(frozen=True, slots=True)
class Protocol:
    """A budget and where it comes from.

    Attributes:
        name: What users type.
        title: The same in plain words.
        budget: What every run may spend.
        source: The paper, and what differs from it.
    """

    name: str
    title: str
    budget: Budget
    source: str


USUAL = "usual"
PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        one.name: one
        for one in (
            Protocol(
                name=USUAL,
                title="The workbench's own",
                budget=Budget(),
                source="None: settings that do for tables of many kinds.",
            ),
            Protocol(
                name="citation",
                title="As published for citation graphs",
                budget=Budget(
                    epochs=200,
                    patience=200,
                    learning_rate=0.01,
                    weight_decay=5e-4,
                    width=64,
                    dropout=0.5,
                    input_dropout=0.5,
                    row_normalised=True,
                ),
                source=(
                    "Kipf, Welling (2017), arXiv:1609.02907, Sec. 5.2; differs in:"
                    " width 64 as in Chen et al. (2020), arXiv:2007.02133; the penalty"
                    " on all weights, not the first layer's alone; all 200 epochs, of"
                    " which the one that validates best is kept."
                ),
            ),
        )
    }
)


def resolve_protocol(name: str) -> Protocol:
    """Return a protocol by its name.

    Raises:
        ModelError: There is no such protocol.
    """
    if name not in PROTOCOLS:
        raise ModelError(unknown("protocol", name, PROTOCOLS))
    return PROTOCOLS[name]
