"""A study: one whole experiment as a value, written to and read from TOML."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import tomli_w

from workbench.database import SNAPSHOT_ENDING, without_password
from workbench.errors import ModelError, StudyError, unknown
from workbench.forecast import read_forecast
from workbench.hints import filled, forecast_task
from workbench.models import MODELS
from workbench.protocols import USUAL, make_budget
from workbench.remedies import REMEDIES
from workbench.run import AUTO, Budget
from workbench.sampling import Choice
from workbench.score import METRICS
from workbench.task import TaskSpec

STUDY_VERSION = 1
MAX_DEPTH = 64
DEFAULT_SEEDS = 6
MAX_ROWS = 5_000_000


@dataclass(frozen=True, slots=True)
class Arm:
    """A source and the graph that is made of it.

    Attributes:
        source: What `connect` opens, such as ``"sample:lahman"`` or a file.
        topology: A name in `TOPOLOGIES` or a topology file (``.toml``).
        hints: A hint file, or None for the one that ships with the sample.
    """

    source: str
    topology: str
    hints: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """Arms, a task, and what is trained on every arm.

    Attributes:
        arms: What is compared.
        task: A ready-made task's name, or what to predict.
        models: Names in `MODELS`.
        remedies: Names in `REMEDIES`.
        depths: Numbers of layers, from 0 (the row alone).
        seeds: Number of seeds; seed s is the same for every arm.
        metric: Name in `METRICS`, or None for the task's own.
        budget: What every run may spend.
        max_rows: Most rows of a source that become a graph; of a larger source some
            target rows are drawn, with the parents and children they need.
        fan_out: Most neighbours per key that a row hears where graphs are unfolded
            over time; None for as many as fit.
        neighbours: Which ones, where there are more: ``latest`` or ``uniform``.
        halving: Of so many configurations one goes on to more seeds, by validation
            score (successive halving); None to run all. What is halved is exploratory:
            no claim is made of it.
    """

    arms: tuple[Arm, ...]
    task: TaskSpec | str
    models: tuple[str, ...] = ("sage",)
    remedies: tuple[str, ...] = ("none",)
    depths: tuple[int, ...] = (0, 1, 2, 3)
    seeds: int = DEFAULT_SEEDS
    metric: str | None = None
    budget: Budget = field(default_factory=Budget)
    max_rows: int = MAX_ROWS
    fan_out: int | None = None
    neighbours: str = str(Choice.LATEST)
    halving: int | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without a database."""
        for kind, names in (
            ("arm", self.arms),
            ("model", self.models),
            ("remedy", self.remedies),
            ("depth", self.depths),
        ):
            if not names:
                raise StudyError(f"The study names no {kind}; it needs one or more.")
            if len(set(names)) < len(names):
                raise StudyError(f"The study names a {kind} twice; once is enough.")
        for name in self.models:
            if name not in MODELS:
                raise ModelError(unknown("model", name, MODELS))
        for name in self.remedies:
            if name not in REMEDIES:
                raise ModelError(unknown("remedy", name, REMEDIES))
        if self.metric is not None and self.metric not in METRICS:
            raise StudyError(unknown("metric", self.metric, METRICS))
        if min(self.depths) < 0 or max(self.depths) > MAX_DEPTH:
            raise StudyError(
                f'The depths are "{", ".join(map(str, self.depths))}"; whole numbers'
                f" from 0 to {MAX_DEPTH} work."
            )
        if self.max_rows < 1:
            raise StudyError(
                f'The most rows are "{self.max_rows}"; a number from 1 up works.'
            )
        _check_neighbours(self.fan_out, self.neighbours)
        _check_halving(self.halving, self.seeds)
        if not 1 <= self.seeds <= 1000:
            raise StudyError(
                f'The number of seeds is "{self.seeds}"; 1 to 1000 work, and six are'
                " needed before anything is called a difference."
            )

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources, each once, in the order of the arms."""
        return tuple(dict.fromkeys(arm.source for arm in self.arms))

    def to_toml(self) -> str:
        """Return the study as TOML that reads back to an equal study but passwords."""
        task = {"name": self.task} if isinstance(self.task, str) else asdict(self.task)
        settings: dict[str, Any] = {
            "version": STUDY_VERSION,
            "models": list(self.models),
            "remedies": list(self.remedies),
            "depths": list(self.depths),
            "seeds": self.seeds,
            "metric": self.metric,
            "max_rows": self.max_rows,
            "fan_out": self.fan_out,
            "neighbours": None if self.neighbours == Choice.LATEST else self.neighbours,
            "halving": self.halving,
            "task": task,
            "budget": filled(asdict(self.budget)),
            "arms": [
                filled(asdict(replace(arm, source=without_password(arm.source))))
                for arm in self.arms
            ],
        }
        return tomli_w.dumps(filled(settings))


def read_study(path: Path) -> Study:
    """Read a study file; topology and hint files may lie beside it.

    Raises:
        StudyError: The file is missing, is no TOML, or has keys or values that a
            study does not have.
    """
    try:
        text = path.read_text(encoding="utf-8")
        settings = tomllib.loads(text)
    except FileNotFoundError as error:
        raise StudyError(f'There is no study file "{path}".') from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StudyError(f'"{path}" is not a study file: {error}.') from error
    return study_from_settings(settings, path.parent)


def study_from_settings(settings: Mapping[str, Any], folder: Path) -> Study:
    """Return the study that a parsed TOML document describes."""
    version = settings.get("version")
    if version != STUDY_VERSION:
        raise StudyError(
            f'The study\'s version is "{version}"; this workbench reads'
            f" version {STUDY_VERSION}."
        )
    known = {each.name for each in fields(Study)} | {"version"}
    _refuse_unknown("study setting", settings, known)
    try:
        return Study(
            arms=tuple(_read_arm(arm, folder) for arm in settings["arms"]),
            task=_read_task(settings["task"]),
            models=tuple(settings.get("models", ("sage",))),
            remedies=tuple(settings.get("remedies", ("none",))),
            depths=tuple(settings.get("depths", (0, 1, 2, 3))),
            seeds=settings.get("seeds", DEFAULT_SEEDS),
            metric=settings.get("metric"),
            budget=_read_budget(settings.get("budget", {})),
            max_rows=settings.get("max_rows", MAX_ROWS),
            fan_out=parse_fan_out(settings.get("fan_out", AUTO)),
            neighbours=settings.get("neighbours", str(Choice.LATEST)),
            halving=settings.get("halving"),
        )
    except KeyError as error:
        raise StudyError(f"The study has no {error}; it needs one.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise StudyError(
            f"A setting of the study has the wrong form: {error}."
        ) from error


def parse_depths(text: str) -> tuple[int, ...]:
    """Read depths such as ``0-6``, ``0,1,2,4,8`` or ``0-3,8``.

    Raises:
        StudyError: The text is written otherwise.
    """
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise StudyError(
                f'The depths are written "{text}"; write them as "0-6", "0,1,2,4,8"'
                ' or "0-3,8".'
            )
        found += range(first, last + 1)
    return tuple(sorted(set(found)))


def parse_fan_out(written: int | str) -> int | None:
    """Read a fan-out: a whole number, or ``auto`` for None.

    Raises:
        StudyError: It is written otherwise.
    """
    if written == AUTO:
        return None
    if not str(written).isdecimal():
        raise StudyError(_no_fan_out(written))
    return int(written)


def _check_neighbours(fan_out: int | None, neighbours: str) -> None:
    if fan_out is not None and not (isinstance(fan_out, int) and fan_out >= 1):
        raise StudyError(_no_fan_out(fan_out))
    if neighbours not in list(Choice):
        raise StudyError(unknown("choice of neighbours", neighbours, list(Choice)))


def _check_halving(halving: int | None, seeds: int) -> None:
    if halving is None:
        return
    if isinstance(halving, bool) or not isinstance(halving, int) or halving < 2:
        raise StudyError(
            f'The halving is "{halving}"; a whole number from 2 up works: of so many'
            " configurations one goes on."
        )
    if seeds < 2:
        raise StudyError(
            f'The number of seeds is "{seeds}", but halving stops configurations'
            " between seeds, so it needs two or more."
        )


def _no_fan_out(written: object) -> str:
    return (
        f'The fan-out is "{written}"; a whole number from 1 up works, or "{AUTO}" for'
        " as many neighbours as fit."
    )


def _refuse_unknown(kind: str, found: Mapping[str, Any], known: Iterable[str]) -> None:
    for name in found:
        if name not in set(known):
            raise StudyError(unknown(kind, name, known))


def _read_arm(settings: Mapping[str, Any], folder: Path) -> Arm:
    _refuse_unknown("arm setting", settings, {each.name for each in fields(Arm)})
    hints = settings.get("hints")
    return Arm(
        source=_source_beside(settings["source"], folder),
        topology=_beside(settings["topology"], folder),
        hints=None if hints is None else _beside(hints, folder),
    )


def _source_beside(name: str, folder: Path) -> str:
    """Return rows that are kept beside the study by their path, others as they are."""
    path = folder / name
    is_kept = path.suffix == SNAPSHOT_ENDING and path.is_file()
    return str(path) if is_kept else name


def _beside(name: str, folder: Path) -> str:
    """Return a file beside the study by its path, anything else as it is."""
    path = folder / name
    return str(path) if name.endswith(".toml") and path.is_file() else name


def _read_task(settings: Mapping[str, Any]) -> TaskSpec | str:
    known = {each.name for each in fields(TaskSpec)}
    _refuse_unknown("task setting", settings, known)
    values = dict(settings)
    values["hide"] = tuple(values.get("hide", ()))
    if "forecast" in settings:
        values["forecast"] = read_forecast(settings["forecast"])
        return replace(forecast_task(values["forecast"]), **values)
    if "target" not in settings:
        return settings["name"]
    return TaskSpec(**values)


def _read_budget(settings: Mapping[str, Any]) -> Budget:
    known = {each.name for each in fields(Budget)} | {"protocol"}
    _refuse_unknown("budget setting", settings, known)
    own = {name: value for name, value in settings.items() if name != "protocol"}
    return make_budget(settings.get("protocol", USUAL), own)
