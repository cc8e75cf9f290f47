"""What was computed, by the content that it was computed from."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

Kept = TypeVar("Kept")
MAX_BYTES = 512 * 1024**2
SMALL = 256  # bytes that a value without arrays is counted as


class Memo:
    """Keeps results by a key that says all they were made of; the oldest go first.

    Its key being the content, nothing in it is ever out of date: it changes how long
    an answer takes and never the answer. Several threads may share one; what one of
    them is making the others wait for.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()
        self._making: dict[str, Lock] = {}

    def get(self, key: str, make: Callable[[], Kept]) -> Kept:
        """Return what is kept under a key, made now where nothing is."""
        with self._lock:
            if key in self._kept:
                return self._use(key)
            mine = self._making.setdefault(key, Lock())
        with mine:
            with self._lock:
                if key in self._kept:  # another thread made it meanwhile
                    return self._use(key)
            try:
                made = make()
                self._keep(key, made)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return made

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()
            self._num_bytes = 0

    def _use(self, key: str) -> Any:
        self._kept.move_to_end(key)
        return self._kept[key]

    def _keep(self, key: str, made: object) -> None:
        with self._lock:
            self._kept[key] = made
            self._num_bytes += _size(made)
            while self._num_bytes > self._max_bytes and len(self._kept) > 1:
                self._num_bytes -= _size(self._kept.popitem(last=False)[1])


def _size(value: object) -> int:
    return getattr(value, "nbytes", SMALL)
