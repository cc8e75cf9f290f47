"""What is said on stderr while the user waits."""

import sys
import time
from typing import Any


class ProgressLine:
    """One line on stderr, rewritten in a terminal, repeated now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._pause_s = 0.2 if self._terminal else 15.0
        self._shown_at = -1e9

    def show(self, progress: Any) -> None:  # workbench.progress.Progress
        """Write the line, unless it was written a moment ago."""
        now = time.monotonic()
        if now - self._shown_at < self._pause_s:
            return
        self._shown_at = now
        left = _time_left(progress.seconds_left)
        text = f"{progress.phase}: {progress.done} of {progress.total}{left}"
        sys.stderr.write(f"\r\033[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._terminal:
            sys.stderr.write("\r\033[K")


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return ", about a minute left" if seconds > 30 else ", less than a minute left"
    return f", about {seconds / 60:.0f} minutes left"
