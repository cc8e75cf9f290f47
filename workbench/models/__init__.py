"""The networks users can choose, by the name they type."""

from collections.abc import Mapping
from types import MappingProxyType

from workbench.member import Model
from workbench.models.appnp import APPNP
from workbench.models.gat import GAT
from workbench.models.gatv2 import GATV2
from workbench.models.gcn import GCN
from workbench.models.gcnii import GCNII
from workbench.models.gin import GIN
from workbench.models.hgt import HGT
from workbench.models.rgcn import RGCN
from workbench.models.sage import SAGE
from workbench.models.sage_mean import SAGE_MEAN
from workbench.models.sgc import SGC
from workbench.models.transformer import TRANSFORMER

TYPED = (SAGE, SAGE_MEAN, GAT, GATV2, GIN, RGCN, HGT, TRANSFORMER)
ONE_TYPE = (GCN, GCNII, APPNP, SGC)
MODELS: Mapping[str, Model] = MappingProxyType(
    {model.name: model for model in (*TYPED, *ONE_TYPE)}
)
