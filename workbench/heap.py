"""What a process has freed, handed back to the system.

Workers keep what they free, since the next step of a run wants as much again. Between
runs it is only in the way of other processes.
"""

import ctypes
from collections.abc import Callable
from functools import cache


def hand_back() -> None:
    """Give memory that is free inside this process back, where the system can."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """Return glibc's way to do it; other systems do so by themselves."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
