"""Where the items of a study are worked on, by the name that users type."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from workbench.engine import AbstractEngine
from workbench.engines.processes import open_processes
from workbench.engines.ray import open_ray
from workbench.errors import StudyError, unknown

DEFAULT_ENGINE = "processes"

ENGINES: Mapping[str, Callable[[str, int | None], AbstractEngine]] = MappingProxyType(
    {DEFAULT_ENGINE: open_processes, "ray": open_ray}
)


def open_engine(written: str, jobs: int | None = None) -> AbstractEngine:
    """Return the engine that is asked for; its workers start with ``with``.

    Args:
        written: ``"processes"``, ``"ray"`` or ``"ray:ADDRESS"``.
        jobs: Most items at the same time; by default what the machine or the cluster
            has cores for.

    Raises:
        StudyError: There is no such engine, or it cannot work here.
    """
    if jobs is not None and jobs < 1:
        raise StudyError(f'The number of jobs is "{jobs}"; 1 or more work.')
    name, _, address = written.partition(":")
    if name not in ENGINES:
        raise StudyError(unknown("engine", name, ENGINES))
    return ENGINES[name](address, jobs)
