"""A forecast as a value: for whom, of what, within how long, and at which moments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from workbench.errors import TaskError, unknown

SEED_TABLE, SEED_TIME, LABEL = "forecast", "seed_time", "label"
DEFAULT_SEED_TIMES = 6
FEWEST_SEED_TIMES = 3  # one each to train on, to choose by and to judge on
MOST_SEED_TIMES = 1000
UNITS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "h": (3600, "hour"),
        "d": (86_400, "day"),
        "w": (7 * 86_400, "week"),
        "y": (365 * 86_400, "year"),
    }
)


class Outcome(StrEnum):
    """What is told of the rows that come within the window."""

    ANY = "any"
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of the rows of one table, told from rows that come later.

    One row is predicted for every entity and seed time: the moment from which one looks
    ahead. Its label comes from the entity's events after that moment and up to the end
    of the window, so an event at the seed time itself is known, one at the end of the
    window still counts.

    Attributes:
        what: ``any``, ``count``, ``sum:COLUMN`` or ``mean:COLUMN`` of the events.
        events: The table whose later rows are counted; it needs a confirmed time.
        entity: The table whose rows they belong to.
        within: The window, such as ``12h``, ``30d``, ``8w`` or ``1y`` (365 days).
        by: The columns of the key from events to entity, joined by ``+``; None where
            there is one such key.
        seed_times: How many moments, at least three.
        every: How far apart they are; None for as far as the window is long.
        where: One boolean SQL expression over the events: which of them count.
        active: Whether an entity takes part only where it had an event (whichever) in
            the window before the moment. Else every entity does that exists by then:
            by its own confirmed time, or without one by its first event.
        until: The end of the last window, as an ISO date or time; None for the time of
            the last event.

    Source: Robinson et al. (2024), RelBench, arXiv:2407.20060, whose training tables
        have these rows; differs in: moments are set back from the last event.
    """

    what: str
    events: str
    entity: str
    within: str
    by: str | None = None
    seed_times: int = DEFAULT_SEED_TIMES
    every: str | None = None
    where: str | None = None
    active: bool = False
    until: str | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without a database."""
        outcome, separator, column = self.what.partition(":")
        needs_column = outcome in (Outcome.SUM, Outcome.MEAN)
        if outcome not in list(Outcome) or bool(separator and column) != needs_column:
            raise TaskError(
                f'The forecast "{self.what}" is unknown; write "any", "count",'
                ' "sum:COLUMN" or "mean:COLUMN".'
            )
        if not FEWEST_SEED_TIMES <= self.seed_times <= MOST_SEED_TIMES:
            raise TaskError(
                f'The number of seed times is "{self.seed_times}"; {FEWEST_SEED_TIMES}'
                f" to {MOST_SEED_TIMES} work: the last ones are tested on, those before"
                " choose, the others train."
            )
        if self.every_s < self.window_s:
            raise TaskError(
                f'Seed times "{self.every}" apart with a window of "{self.within}"'
                " would train on days that are tested; let them be at least a window"
                " apart."
            )
        _ = self.until_s

    @property
    def outcome(self) -> Outcome:
        """What is told of the events."""
        return Outcome(self.what.partition(":")[0])

    @property
    def column(self) -> str | None:
        """The column that is summed or averaged."""
        return self.what.partition(":")[2] or None

    @property
    def window_s(self) -> int:
        """How far one looks ahead, in seconds."""
        return seconds_of(self.within)

    @property
    def every_s(self) -> int:
        """Seconds between two seed times."""
        return seconds_of(self.every or self.within)

    @property
    def until_s(self) -> float | None:
        """The end of the last window in seconds since 1970, where one is set."""
        if self.until is None:
            return None
        try:
            moment = datetime.fromisoformat(self.until)
        except ValueError as error:
            raise TaskError(
                f'The end "{self.until}" is no date; write it as "2024-12-31".'
            ) from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()

    @property
    def title(self) -> str:
        """What is predicted in a few words."""
        match self.outcome:
            case Outcome.ANY:
                told = f"any {self.events}"
            case Outcome.COUNT:
                told = f"number of {self.events}"
            case Outcome.SUM:
                told = f"sum of {self.events}.{self.column}"
            case Outcome.MEAN:
                told = f"mean of {self.events}.{self.column}"
        return f"{told} per {self.entity} within {span_in_words(self.within)}"

    @property
    def sentence(self) -> str:
        """The question in plain words."""
        match self.outcome:
            case Outcome.ANY:
                asked = f"will there be any row of {self.events}"
            case Outcome.COUNT:
                asked = f"how many rows of {self.events} will there be"
            case Outcome.SUM:
                asked = f"what will {self.column} of {self.events} add up to"
            case Outcome.MEAN:
                asked = f"what will {self.column} of {self.events} be on average"
        some = f" where {self.where}" if self.where else ""
        who = f"active row of {self.entity}" if self.active else f"row of {self.entity}"
        return (
            f"For every {who} at {self.seed_times} moments:"
            f" {asked}{some} within {span_in_words(self.within)}?"
        )


def seconds_of(written: str) -> int:
    """Return the length of a span of time such as ``30d`` in seconds.

    Raises:
        TaskError: It is written otherwise.
    """
    match = re.fullmatch(r"\s*([1-9]\d{0,4})\s*([a-z])\s*", written)
    if match is None or match[2] not in UNITS:
        raise TaskError(
            f'The span of time "{written}" is unclear; write a number with h, d, w or'
            ' y, such as "12h", "30d", "8w" or "1y".'
        )
    return int(match[1]) * UNITS[match[2]][0]


def span_in_words(written: str) -> str:
    """Return a span of time such as ``30d`` as ``30 days``."""
    seconds = seconds_of(written)
    unit, name = UNITS[written.strip()[-1]]
    number = seconds // unit
    return f"{number} {name}{'s' if number > 1 else ''}"


def read_forecast(settings: Mapping[str, object]) -> Forecast:
    """Return the forecast that a table of a TOML file describes.

    Raises:
        TaskError: A setting is missing, unknown or of the wrong kind.
    """
    kinds: dict[str, type] = {
        **dict.fromkeys(("what", "events", "entity", "within", "by", "every"), str),
        **dict.fromkeys(("where", "until"), str),
        "seed_times": int,
        "active": bool,
    }
    for name, value in settings.items():
        if name not in kinds:
            raise TaskError(unknown("forecast setting", name, kinds))
        if type(value) is not kinds[name]:
            raise TaskError(
                f'The forecast setting "{name}" is "{value}"; it should be'
                f" {_KINDS[kinds[name]]}."
            )
    for name in ("what", "events", "entity", "within"):
        if name not in settings:
            raise TaskError(
                f'The forecast has no "{name}"; it needs what, events, entity and'
                " within."
            )
    return Forecast(**settings)  # pyright: ignore[reportArgumentType]  # checked above


_KINDS: Mapping[type, str] = MappingProxyType(
    {str: "a text", int: "a whole number", bool: "true or false"}
)
