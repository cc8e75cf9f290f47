"""The store: nothing lost, one writer, plain sentences."""

import os
import sqlite3
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from workbench.errors import StoreError
from workbench.store import STORE_NAME, Store


def test_what_was_saved_is_there_when_the_folder_is_opened_again(tmp_path):
    frame = pd.DataFrame({"layer": [0, 1], "value": [0.5, float("nan")]})
    with Store(tmp_path / "out") as store:
        store.save("b", "trial", {"test": 0.5}, {"layers": frame})
        store.save("a", "trial", {"test": None}, {"layers": frame.head(1)})
    with Store(tmp_path / "out") as store:
        assert store.records() == {"a": {"test": None}, "b": {"test": 0.5}}
        assert len(store.frame("layers", ["a", "b"])) == 3
        pd.testing.assert_frame_equal(store.frame("layers", ["b"]), frame)
        assert store.frame("predictions", ["a", "b"]).empty


def test_what_was_measured_and_empty_is_told_from_what_was_not_measured(tmp_path):
    empty = pd.DataFrame()
    with Store(tmp_path) as store:
        store.save("a", "trial", {}, {"layers": empty, "influence": empty})
        store.save("b", "trial", {}, {"layers": empty})
        assert store.keys_with("layers") == {"a", "b"}
        assert store.keys_with("layers", "influence") == {"a"}
        assert store.frame("layers", ["a", "b"]).empty


def test_an_item_saved_again_replaces_the_first(tmp_path):
    frame = pd.DataFrame({"value": [1.0]})
    with Store(tmp_path) as store:
        store.save("a", "trial", {"test": 1}, {"layers": frame})
        store.save("a", "trial", {"test": 2}, {})
        assert store.records() == {"a": {"test": 2}}
        assert store.frame("layers", ["a"]).empty


def test_a_second_writer_is_refused_and_may_come_when_the_first_has_gone(tmp_path):
    with Store(tmp_path), pytest.raises(StoreError, match="Another run is writing"):
        Store(tmp_path)
    with Store(tmp_path) as store:
        assert store.records() == {}


def test_a_writer_that_was_killed_leaves_the_folder_free_and_its_items_whole(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from workbench.store import Store
        store = Store(Path(sys.argv[1]))
        store.save("a", "trial", {"test": 1}, {})
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=False, capture_output=True
    )
    assert done.returncode != 0
    with Store(tmp_path) as store:
        assert store.records() == {"a": {"test": 1}}


def test_the_store_is_in_wal_mode(tmp_path):
    with Store(tmp_path):
        pass
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_folder_that_is_a_file_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "out")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_write_permission_is_refused_in_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "out")
