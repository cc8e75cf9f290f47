"""A private place for rows whose types are not known before all of them are seen."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from workbench.limits import Limits
from workbench.reader import distinct_names, quote


class Staging:
    """A DuckDB file in a private folder, with every value as text.

    It reads no file but those in ``readable``, loads no extension and reaches no
    network; it is removed by `close`.

    Attributes:
        folder: The private folder; files put there go with it.
        connection: The open file.
    """

    def __init__(
        self, readable: Sequence[Path] = (), limits: Limits | None = None
    ) -> None:
        """Make the folder and open the file.

        Args:
            readable: Files and folders that queries may read.
            limits: How much may be added; not checked where None.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-")
        self.folder = Path(self._folder.name)
        files = [str(path) for path in readable if not path.is_dir()]
        folders = [f"{path}/" for path in (self.folder, *readable) if path.is_dir()]
        self.connection = duckdb.connect(str(self.folder / "staged.duckdb"))
        self.connection.execute("SET autoinstall_known_extensions = false")
        self.connection.execute("SET autoload_known_extensions = false")
        self.connection.execute("SET allowed_paths = ?", [files])
        self.connection.execute("SET allowed_directories = ?", [folders])
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        self._num_tables = 0
        self._limits = limits
        self._num_rows: dict[str, int] = {}
        self._started = time.monotonic()

    def create(self, columns: Sequence[str]) -> tuple[str, list[str], list[str]]:
        """Make an empty table of text columns.

        Args:
            columns: Their names as the source has them; repeats are told apart.

        Returns:
            The table as SQL, the columns' names in it, and a sentence for each renamed.
        """
        table = quote(f"staged_{self._num_tables}")
        self._num_tables += 1
        names, renamed = distinct_names(columns, "column")
        listed = ", ".join(f"{quote(name)} VARCHAR" for name in names)
        self.connection.execute(f"CREATE TABLE {table} ({listed})")
        return table, names, renamed

    def append(self, table: str, batch: pa.RecordBatch) -> None:
        """Add rows; the batch's columns are texts in the table's order.

        Raises:
            DatabaseError: There are more than the limits allow.
        """
        self.connection.register("__batch", batch)
        self.connection.execute(f"INSERT INTO {table} SELECT * FROM __batch")
        self.connection.unregister("__batch")
        self._num_rows[table] = self._num_rows.get(table, 0) + batch.num_rows
        if self._limits is not None:
            self._check(self._limits)

    def drop(self, table: str) -> None:
        """Remove a table and its rows."""
        self.connection.execute(f"DROP TABLE {table}")
        self._num_rows.pop(table, None)

    def close(self) -> None:
        """Remove everything; the connection is closed where it is still open."""
        self.connection.close()
        self._folder.cleanup()

    def _check(self, limits: Limits) -> None:
        seconds = int(time.monotonic() - self._started)
        size = sum(file.stat().st_size for file in self.folder.glob("staged.*"))
        limits.check("rows", sum(self._num_rows.values()), "rows read so far")
        limits.check("seconds", seconds, "seconds spent on reading so far")
        limits.check("megabytes", size // 1_000_000, "megabytes read so far")
