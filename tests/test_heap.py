"""Freed memory goes back to the system, on the systems that keep it."""

import sys

import numpy as np
import psutil
import pytest

from workbench.heap import hand_back


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do so themselves")
def test_memory_that_was_freed_is_no_longer_the_processs() -> None:
    process = psutil.Process()
    # Small pieces lie in the heap, which shrinks at its end alone.
    held = [np.ones(1000) for _ in range(20_000)]  # 8 kB each, 160 MB together
    full = process.memory_info().rss
    last = held[-1]
    del held
    hand_back()
    assert process.memory_info().rss < full - 100e6
    assert last.sum() == 1000
