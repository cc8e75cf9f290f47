"""How much is read of a source before the workbench says no."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from workbench.errors import DatabaseError

PREFIX = "WORKBENCH_MAX_"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may have at most; a setting each, ``WORKBENCH_MAX_ROWS`` and so on.

    Attributes:
        tables: Number of tables.
        columns: Number of columns of a table.
        rows: Number of rows of all tables together.
        megabytes: Size of the rows as they are kept here, and of an unpacked archive,
            in units of 10⁶ bytes.
        seconds: How long reading may take; also the time limit of a server's statement.
        graph_megabytes: Size of what is kept of all graphs together; beyond it goes
            what was used longest ago, and nothing is refused.
    """

    tables: int = 5_000
    columns: int = 4_000
    rows: int = 100_000_000
    megabytes: int = 20_000
    seconds: int = 3_600
    graph_megabytes: int = 4_000

    def check(self, name: str, found: int, what: str) -> None:
        """Refuse what is beyond a limit.

        Args:
            name: The limit, an attribute of this class.
            found: How many there are.
            what: What there are so many of, such as ``'rows in "orders"'``.

        Raises:
            DatabaseError: There are more than the limit.
        """
        limit = getattr(self, name)
        if found > limit:
            raise DatabaseError(
                f"There are {found:,} {what}, and at most {limit:,} are read; set"
                f" {PREFIX}{name.upper()} to a larger number to read them."
            )


def read_limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits, with those that the environment sets.

    Raises:
        DatabaseError: A setting is no whole number above 0.
    """
    chosen = {}
    for one in fields(Limits):
        setting = f"{PREFIX}{one.name.upper()}"
        written = environment.get(setting)
        if written is None:
            continue
        plain = written.replace("_", "").replace(",", "")
        if not plain.isdecimal() or int(plain) < 1:
            raise DatabaseError(
                f'{setting} is "{written}"; a whole number from 1 up works.'
            )
        chosen[one.name] = int(plain)
    return Limits(**chosen)
