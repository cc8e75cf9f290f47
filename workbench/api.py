"""The workbench from Python: the same studies, to the same numbers.

from workbench.api import Arm, Study, run_study

study = Study(
    arms=(Arm("sample:address-3nf", "row2node"),), task="prosperous", depths=(0, 3)
)
print(run_study(study, Path("out")).verdict)
"""

from workbench.database import Database, connect
from workbench.errors import WorkbenchError
from workbench.execute import run_study
from workbench.forecast import Forecast
from workbench.graph import Graph, build_graph
from workbench.hints import forecast_task
from workbench.measures import MEASURES
from workbench.models import MODELS
from workbench.planning import plan_study
from workbench.planting.plant import Plant, Planted, plant_signal
from workbench.pyg import to_hetero_data
from workbench.remedies import REMEDIES
from workbench.results import Results, load_results
from workbench.run import Budget
from workbench.schema import Schema, infer_schema, read_hints
from workbench.score import METRICS
from workbench.seeds import with_seeds
from workbench.study import Arm, Study, parse_depths, read_study
from workbench.survey import survey
from workbench.task import Task, TaskSpec, define_task
from workbench.topologies import TOPOLOGIES, plan_named

__all__ = [
    "MEASURES",
    "METRICS",
    "MODELS",
    "REMEDIES",
    "TOPOLOGIES",
    "Arm",
    "Budget",
    "Database",
    "Forecast",
    "Graph",
    "Plant",
    "Planted",
    "Results",
    "Schema",
    "Study",
    "Task",
    "TaskSpec",
    "WorkbenchError",
    "build_graph",
    "connect",
    "define_task",
    "forecast_task",
    "infer_schema",
    "load_results",
    "parse_depths",
    "plan_named",
    "plan_study",
    "plant_signal",
    "read_hints",
    "read_study",
    "run_study",
    "survey",
    "to_hetero_data",
    "with_seeds",
]
