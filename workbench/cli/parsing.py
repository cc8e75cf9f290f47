"""What was typed, as the core takes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import StudyError


def read_addresses(
    sources: list[str], schemas: list[str] | None, dialect: str | None
) -> list[str]:
    """Return the address of each database that was named."""
    from workbench.database import joined_sources, with_options

    found = joined_sources(sources)
    return [with_options(each, schemas or (), dialect) for each in found]


def read_arms(sources: list[str], topologies: list[str], hints: Path | None) -> Any:
    """Return every topology on every source."""
    from workbench.study import Arm

    chosen = None if hints is None else str(hints)
    return tuple(
        Arm(source=source, topology=topology, hints=chosen)
        for source in sources
        for topology in topologies
    )


def read_task(
    asked: Mapping[str, Any],
    of_target: Mapping[str, Any],
    of_forecast: Mapping[str, Any],
    of_both: Mapping[str, Any],
) -> Any:
    """Return what to predict, by the options that say so and those that go along."""
    from workbench.task import TaskSpec

    chosen = [option for option, value in asked.items() if value is not None]
    if len(chosen) != 1:
        raise StudyError(
            "Say what to predict: --task NAME for a ready-made task, --target"
            " TABLE.COLUMN for a column, or --forecast WHAT for what comes later; one"
            " of them."
        )
    (way,) = chosen
    _refuse_options(of_target, way, "--target")
    _refuse_options(of_forecast, way, "--forecast")
    where, hide = of_both["--where"], tuple(of_both["--hide"] or ())
    if way == "--task":
        if where or hide:
            raise StudyError(
                "--where and --hide go with --target and --forecast; a ready-made task"
                " has its own."
            )
        return asked["--task"]
    if way == "--target":
        return TaskSpec(
            target=asked["--target"],
            where=where,
            hide=hide,
            split=of_target["--split"] or "random",
            split_seed=of_target["--split-seed"] or 0,
        )
    return _forecast(asked["--forecast"], of_forecast, where, hide)


def _refuse_options(given: Mapping[str, Any], way: str, theirs: str) -> None:
    """Refuse options that go with another way to say what to predict."""
    if way != theirs and any(value is not None for value in given.values()):
        *first, last = given
        own = {
            "--task": "a ready-made task has its own",
            "--target": "a column has no use for them",
            "--forecast": "a forecast is split by its moments",
        }
        raise StudyError(f"{', '.join(first)} and {last} go with {theirs}; {own[way]}.")


def _forecast(
    what: str, given: Mapping[str, Any], where: str | None, hide: tuple[str, ...]
) -> Any:
    from workbench.forecast import DEFAULT_SEED_TIMES, Forecast
    from workbench.hints import forecast_task

    missing = [one for one in ("--of", "--for", "--within") if given[one] is None]
    if missing:
        raise StudyError(
            f"--forecast needs {', '.join(missing)}, as in --forecast any"
            " --of orders --for customers --within 30d."
        )
    number = given["--seed-times"]
    return forecast_task(
        Forecast(
            what=what,
            events=given["--of"],
            entity=given["--for"],
            within=given["--within"],
            by=given["--by"],
            seed_times=DEFAULT_SEED_TIMES if number is None else number,
            every=given["--every"],
            where=where,
            active=bool(given["--active"]),
            until=given["--until"],
        ),
        hide,
    )
