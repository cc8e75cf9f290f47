"""The remedies against collapse users can choose, by the name they type."""

from collections.abc import Mapping
from types import MappingProxyType

from workbench.model import Remedy
from workbench.remedies.none import NONE
from workbench.remedies.residual import RESIDUAL

REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {remedy.name: remedy for remedy in (NONE, RESIDUAL)}
)
