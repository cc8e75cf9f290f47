"""Budgets that others have published, by name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from workbench.errors import ModelError, unknown
from workbench.run import AUTO, Budget


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

    @property
    def settings(self) -> str:
        """The budget in one line."""
        unsaid = (None, False, 0, AUTO)
        held = {
            name: value
            for name, value in asdict(self.budget).items()
            if value not in unsaid
        }
        return ", ".join(f"{name} {value}" for name, value in held.items())


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


def make_budget(name: str, settings: Mapping[str, Any]) -> Budget:
    """Return a protocol's budget with some settings of one's own.

    Args:
        name: A name in ``PROTOCOLS``.
        settings: Values by the names of `Budget`; None leaves the protocol's.

    Raises:
        ModelError: There is no such protocol, or a value is out of range.
    """
    own = {setting: value for setting, value in settings.items() if value is not None}
    for setting in ("parameters", "batch_rows", "batch_fan_out"):
        written = own.get(setting)
        if isinstance(written, str) and written.isascii() and written.isdecimal():
            own[setting] = int(written)
    if name not in PROTOCOLS:
        raise ModelError(unknown("protocol", name, PROTOCOLS))
    return replace(PROTOCOLS[name].budget, **own)
