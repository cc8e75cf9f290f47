"""The rows as a RelBench folder."""

from pathlib import Path

from workbench.database import reopen
from workbench.export import Export
from workbench.handover import Handover
from workbench.relbench import write_relbench


def write(handover: Handover, folder: Path) -> Path:
    """Write a manifest, and Parquet a table."""
    with reopen(handover.snapshot) as database:
        return write_relbench(database, handover.schema, folder)


RELBENCH = Export(
    name="relbench",
    title="The rows for RelBench: a manifest, and Parquet a table",
    needs="rows",
    write=write,
    link="https://relbench.stanford.edu",
)
