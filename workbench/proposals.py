"""Columns that belong together, or say when a row came to be: proposed, never taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.database import Database, quote
from workbench.naming import split_words
from workbench.stypes import YEARS, Profile, Stype, value_sql

LATITUDES = frozenset({"lat", "latitude"})
LONGITUDES = frozenset({"lon", "lng", "long", "longitude"})
FARTHEST = {"latitude": 90.0, "longitude": 180.0}
MADE = frozenset({
    "created", "create", "creation", "added", "inserted", "ordered", "order", "placed",
    "occurred", "event", "transaction", "posted", "post", "registered", "registration",
    "signup", "joined", "recorded", "logged", "log", "invoice", "sale", "sold",
    "purchase", "purchased", "paid", "payment", "started", "start", "begin", "opened",
    "submitted", "sent", "received", "visit", "admission", "departure", "hired", "hire",
    "published", "issued", "booked", "measured", "observed",
})  # fmt: skip
BARE = frozenset({"date", "time", "timestamp", "datetime", "ts", "day", "hour", "at"})
CHANGED = frozenset({
    "updated", "update", "modified", "changed", "last", "end", "ended", "closed",
    "finished", "completed", "deleted", "shipped", "delivered", "returned", "arrival",
})  # fmt: skip
OF_A_LIFE = frozenset({
    "birth", "birthday", "birthdate", "born", "dob", "death", "died", "founded",
    "established", "built",
})  # fmt: skip
AHEAD = frozenset({
    "expiry", "expires", "expire", "expiration", "due", "deadline", "valid", "until",
    "planned", "scheduled", "expected", "promised", "estimated", "required", "renewal",
})  # fmt: skip
EPOCH = datetime(1970, 1, 1)
FARTHEST_TIME = 6e10  # seconds: within the years that a calendar of four digits holds


@dataclass(frozen=True, slots=True)
class TimeProposal:
    """A column that may say when a row came to be; nobody has confirmed it.

    Attributes:
        column: Its name.
        why: What speaks for it or against it, in words.
        low: The earliest day, as ISO text; empty where it cannot be told.
        high: The latest.
        share: The share of rows that have a value.
    """

    column: str
    why: str
    low: str
    high: str
    share: float


def propose_times(
    database: Database,
    table: str,
    stypes: Mapping[str, Stype],
    profiles: Mapping[str, Profile],
) -> tuple[TimeProposal, ...]:
    """Return the columns that may be a table's time, the likeliest first.

    What says when a row was made comes before what says when it was changed, and both
    before days that lie in the life of whoever the row is about (a birthday) or ahead
    of it (an expiry), which are no time to cut the past from the future at.
    """
    ranked = []
    for place, (name, stype) in enumerate(stypes.items()):
        found = _rank(name, stype, profiles[name])
        if found is not None:
            ranked.append((found[0], -_share(profiles[name]), place, name, found[1]))
    ranked.sort()
    names = [name for *_, name, _ in ranked]
    ranges = _ranges(database, table, names)
    return tuple(
        TimeProposal(name, why, *span, round(_share(profiles[name]), 6))
        for (*_, name, why), span in zip(ranked, ranges, strict=True)
    )


def find_partners(
    stypes: Mapping[str, Stype], profiles: Mapping[str, Profile]
) -> dict[str, str]:
    """Return the other half of every geographic pair, by column.

    A latitude and a longitude belong together where the rest of their names is the
    same and their values lie on a globe.
    """
    halves: dict[tuple[str, ...], dict[str, str]] = {}
    for name, stype in stypes.items():
        words = split_words(name)
        for kind, known in (("latitude", LATITUDES), ("longitude", LONGITUDES)):
            rest = tuple(word for word in words if word not in known)
            named = len(rest) < len(words) and stype is Stype.NUMERICAL
            if named and _on_globe(profiles[name], FARTHEST[kind]):
                halves.setdefault(rest, {}).setdefault(kind, name)
    partners: dict[str, str] = {}
    for pair in halves.values():
        if len(pair) == 2:
            partners[pair["latitude"]] = pair["longitude"]
            partners[pair["longitude"]] = pair["latitude"]
    return partners


def _on_globe(profile: Profile, farthest: float) -> bool:
    if profile.low is None or profile.high is None:
        return profile.num_rows == 0
    return -farthest <= profile.low and profile.high <= farthest


def _share(profile: Profile) -> float:
    return profile.num_values / profile.num_rows if profile.num_rows else 0.0


def _rank(name: str, stype: Stype, profile: Profile) -> tuple[int, str] | None:
    words = set(split_words(name))
    is_time = stype is Stype.TIMESTAMP
    is_year = stype is Stype.NUMERICAL and bool(words & {"year", "season"})
    if is_year and not (
        YEARS[0] <= (profile.low or 0) and (profile.high or 0) <= YEARS[1]
    ):
        is_year = False
    if not is_time and not is_year:
        return None
    if words & OF_A_LIFE:
        return 6, "a day in a life, which rarely is the time of the row"
    if words & AHEAD:
        return 5, "a day ahead, which rarely is the time of the row"
    if is_year:
        return 3, "years; all rows of one year count as one time"
    if words & MADE:
        return 0, "named for when something happened or was written down"
    if words & CHANGED:
        return 2, "named for when something ended or was last changed"
    if words <= BARE:
        return 0, "named as the time, and nothing else"
    return 1, "dates or times"


def _ranges(
    database: Database, table: str, names: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the first and last day of columns, by one query."""
    if not names:
        return []
    picked = [
        f"{edge}({value_sql(Stype.TIMESTAMP, quote(name))})"
        for name in names
        for edge in ("min", "max")
    ]
    (found,) = database.rows(f"SELECT {', '.join(picked)} FROM {quote(table)}")
    days = [_day(seconds) for seconds in found]
    return list(zip(days[::2], days[1::2], strict=True))


def _day(seconds: float | None) -> str:
    if seconds is None or not -FARTHEST_TIME < seconds < FARTHEST_TIME:
        return ""
    return str((EPOCH + timedelta(seconds=seconds)).date())
