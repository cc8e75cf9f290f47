"""Options that several commands take, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="A database file, a folder or archive of CSV or Parquet, a workbook, .sql"
        " or .dbml files, a SQLAlchemy URL, or sample:NAME. Several .sql files are one"
        " source.",
    ),
]
DbSchemas = Annotated[
    list[str] | None,
    typer.Option("--db-schema", help="A schema of the server to read; repeat."),
]
Dialect = Annotated[
    str | None,
    typer.Option(
        help="The SQL dialect of scripts: postgresql, mysql, sqlite, tsql, oracle or"
        " portable; by default what they look like."
    ),
]
MaxRows = Annotated[
    int | None,
    typer.Option(help="Most rows that become a graph; of more a part is drawn."),
]
FanOut = Annotated[
    str,
    typer.Option(
        help="Most neighbours per key that a row hears where rows are predicted at"
        " moments of their own: a number, or auto for as many as fit."
    ),
]
Which = Annotated[
    str,
    typer.Option(
        help="Which neighbours, where there are more: latest, uniform or degree (the"
        " better connected more often)."
    ),
]
BatchRows = Annotated[
    str | None,
    typer.Option(
        help="Rows to predict that are trained at once: a number, full, or auto for all"
        " where they fit into memory."
    ),
]
BatchFanOut = Annotated[
    str | None,
    typer.Option(
        help="Most neighbours per key that a row hears in a batch: a number, all, or"
        " auto."
    ),
]
Hints = Annotated[
    Path | None,
    typer.Option(help="Hint file: types, time columns, keys, ready-made tasks."),
]
TaskName = Annotated[
    str | None, typer.Option("--task", help="A ready-made task of the hints.")
]
Target = Annotated[str | None, typer.Option(help="What to predict: TABLE.COLUMN.")]
Where = Annotated[
    str | None,
    typer.Option(
        help="Which rows: an expression over the target table, or over the later rows"
        " of a forecast."
    ),
]
Forecasting = Annotated[
    str | None,
    typer.Option(
        "--forecast",
        help="Predict what comes later: any, count, sum:COLUMN or mean:COLUMN.",
    ),
]
Events = Annotated[
    str | None, typer.Option("--of", help="The table of the later rows (forecast).")
]
Entity = Annotated[
    str | None,
    typer.Option("--for", help="The table of those it is asked for (forecast)."),
]
Within = Annotated[
    str | None,
    typer.Option(help="How far to look ahead: 12h, 30d, 8w or 1y (forecast)."),
]
By = Annotated[
    str | None,
    typer.Option(help="The key between the two, where there are several (forecast)."),
]
SeedTimes = Annotated[
    int | None, typer.Option(help="How many moments to ask at; 6 (forecast).")
]
Every = Annotated[
    str | None,
    typer.Option(help="How far the moments are apart; as --within (forecast)."),
]
Active = Annotated[
    bool,
    typer.Option("--active", help="Only who had such a row just before (forecast)."),
]
Until = Annotated[
    str | None,
    typer.Option(help="Where the last window ends; the last row's time (forecast)."),
]
Hide = Annotated[
    list[str] | None, typer.Option(help="Keep TABLE.COLUMN from the networks; repeat.")
]
Split = Annotated[
    str | None,
    typer.Option(
        help="random, time:C, group:C, column:C, composition:C,C, interpolation:C[,C],"
        " extrapolation:C[,C], leave:C or leave:C=VALUE|VALUE; C is a COLUMN, for the"
        " last four also the TABLE.COLUMN of a table that the row refers to."
    ),
]
SplitSeed = Annotated[int | None, typer.Option(help="The split's own seed.")]
Topologies = Annotated[
    list[str] | None,
    typer.Option("--topology", help="A topology's name or a topology file; repeat."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path, typer.Option(help="The results folder.")]
Jobs = Annotated[
    int | None, typer.Option(help="Worker processes; by default one a core.")
]
Engine = Annotated[
    str,
    typer.Option(
        help="What trains: processes of this machine, ray for Ray on it, or"
        " ray:HOST:PORT (ray:auto from inside) for a Ray cluster."
    ),
]
