"""What the interface says: plain words first, the field's term beside them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from workbench.blueprint import ColumnRole, KeyRole, PathRole, TableRole
from workbench.comparison import STOPPED_EARLY
from workbench.database import Reading
from workbench.schema import KeyOrigin, Stype
from workbench.studies import StudyState
from workbench.task import TaskSpec, TaskType

TITLE = "Which graph should you build from your database, and how deep should it go?"
PURPOSE = (
    "The same rows can become many graphs, in which what matters lies more or fewer"
    " keys (hops) away; here you see, on your own data, which graph to build and how"
    " many layers it needs."
)
BEFORE_TRAINING = "What each graph brings within reach, before anything is trained"
PROPOSED_FOR_YOU = (
    "Nothing had to be set: this is a first proposal. Everything in it can be changed,"
    " here or later."
)
PROMISE = (
    "Files are read, never changed. Everything is computed on this machine and nothing"
    " leaves it."
)
WHAT_IS_READ = (
    "Opening a database copies its rows into a private cache on this machine (a"
    " snapshot). The database itself is opened for reading only and is never written."
)
FILE_KINDS = (
    "SQLite or DuckDB files, CSV or Parquet (one file, several, or a zip or tar of"
    " them), an Excel workbook (a sheet a table), SQL scripts with or without rows,"
    " DBML. Several files together are one database."
)
SERVERS = (
    "Any database with a SQLAlchemy driver; PostgreSQL, MySQL and MariaDB come with"
    " one. It is read in one read-only transaction. The password is used once and is"
    " neither stored nor shown."
)
LINES = (
    "An arrow points from a row to the row it refers to (a foreign key). Solid:"
    " declared in the database, or said by a hint file. Dashed: found in the rows and"
    " used, unless you reject it. Dotted: possible, and used only if you accept it."
)
WAY = (
    " Thick and coloured: the shortest ways from the table that is predicted to the one"
    " that is chosen."
)
DRAWER = ("Rows", "Values", "Types and times", "Links (keys)")
FIRST_ROWS = "The first rows."
DRAWN_ROWS = "Rows drawn by chance from the whole table."
SPREAD = (
    "How the values are spread (distributions): numbers and times in twelve equal steps"
    " from the least to the greatest, anything else as its commonest values. Missing is"
    " the share of rows without a value."
)
DESIGNING = (
    "A graph is a decision about every table, key and column. Choose one in the picture"
    " or in the lists, and give it another role; a graph of the workbench is copied"
    " first, so that the two stand side by side."
)
AS_CODE = (
    "Both run as they stand, without the workbench: the script needs DuckDB, pandas and"
    " PyTorch Geometric (and scikit-learn where there is text). The rows are this"
    " workbench's copy; the script also takes a SQLAlchemy address or a folder of CSV"
    " or Parquet files in their place."
)
HANDED_OVER = (
    "The network that validated best, and its graph, each as a zip file: pyg and"
    " notebook train it again in plain PyTorch Geometric to the same score, graphstorm,"
    " graphml (Gephi) and neo4j hold the graph. They hold rows of your database."
)
HANDED_GRAPH = (
    "The graph itself, each as a zip file: for GraphStorm, as GraphML for Gephi, and"
    " for Neo4j. They hold rows of your database."
)
RINGS = (
    "The target stands in the middle and a ring is a hop. What is joined in, summarised"
    " or left out is no node and is not drawn here: see Tables."
)
DECISIONS = (
    "Under each name: what its rows become and how near something of it is. Solid:"
    " messages run along the key. Dashed: the parent is joined in or summarised."
    " Dotted: left out."
)
ONE_ROW = (
    "A network of so many layers hears what is within so many hops of a row, and"
    " nothing else. Here is what that is for one row, in two graphs of the same data."
)
ROW_PICTURE = (
    "The row stands in the middle and a ring is a hop. Circles are rows, diamonds are"
    " values, a thick line is a row that became an edge; dotted lines are not heard."
    " Hover to read a name. What is joined in or summarised is no node: the tables"
    " beside the drawings count it too, at the hop where it is first seen."
)
CLICK_A_NODE = "Click a node, or a thick line, to see the values of its row."
NOT_PREDICTED = "this row is not among those that are predicted."
ROW_OF_A_SCHEMA = "This is a schema without rows, so there is no row to look at."
NO_TEST_ROW = "This is no test row, so no prediction of it was kept."
ANSWERS = (
    "From the study that is open on the page Compare, on test rows only. Where the runs"
    " of a cell differ, this is what most of them chose."
)
NOTHING_OPEN = "Nothing is open yet. Open a sample or a file of your own first."
NO_QUESTION = "Nothing is to be predicted yet. Say what first."
NO_ROWS = "The tables hold no rows, so there is nothing to learn from yet."
ONLY_A_SCHEMA = (
    "This is a schema without rows. Graphs of it can be planned: hops are exact, counts"
    " are for assumed rows. To train, plant a signal, or open a database that has rows."
)
NO_TABLES = "This database has no tables, so there is nothing to look at yet."
NO_KEYS = (
    "No links (foreign keys) are declared and none were found, so no row leads to"
    " another. A hint file can name them; until then only the target's own rows can be"
    " used."
)
ONE_TABLE = (
    "A graph needs two linked tables, or columns whose values become nodes (the"
    " topology “promoted”)."
)
AS_IT_CAME = (
    "The graph “Junctions as edges” (row2edge) leaves it as it came: a row of the one"
    " table is a node, a row of the other a link, each pair once and both ways alike."
)
LINK_TO_NOTHING = (
    "That link points to data that is not open here. Open a sample or a file of your"
    " own first."
)
FROM_THE_SAMPLE = (
    "These are the results that come with the workbench: one set of facts kept in three"
    " schemas. Train on your own question to see yours here."
)
RUNS_ON = (
    "The run goes on when you leave this page or close the browser. Come back by this"
    " page's address."
)
JOB_DIED = (
    "The run stopped before it was finished. What had finished is kept; going on runs"
    " only the rest."
)
NO_STUDIES = (
    "No studies of yours yet. Train on a question of your own, and every study is kept"
    " here: to look at again, to set beside another one, to go on with."
)
MY_STUDIES = (
    "These are the studies that you have started. Nobody else sees or opens them, but"
    " whoever you give a link that can only look."
)
LOG_IN = "Studies and uploads here are each person's own, so log in first."
ONLY_TO_LOOK = (
    "You are looking at a study that was shared with you; nothing changes it."
)
SHARING = (
    "Whoever has this link sees the comparison and the report of this study, and can"
    " start, change or delete nothing. Taking it back ends that at once."
)
KEPT = "What has finished is kept."
RUN_AGAIN = "A new study with the same study file; this one stays as it is."
NO_SUCH_STUDIES = "No study matches. Search for fewer words, or show every state."
WHOSE_STUDIES = (
    "These are the studies started from this browser. Whoever has the address of one"
    " can open it from anywhere; nobody else sees this list."
)
CHOSEN_ROWS = (
    "What the first seed's networks of this depth say. Predictions are known of test"
    " rows; of the others it is only known whether they were right."
)
NO_RESULTS_YET = "This run has not finished anything that could be compared yet."

STYPES: Mapping[Stype, str] = MappingProxyType(
    {
        Stype.NUMERICAL: "number (numerical)",
        Stype.CATEGORICAL: "one of a few values (categorical)",
        Stype.MULTICATEGORICAL: "several of a few values (multicategorical)",
        Stype.BOOLEAN: "yes or no (boolean)",
        Stype.TIMESTAMP: "date or time (timestamp)",
        Stype.TEXT: "short text (text)",
        Stype.FREE_TEXT: "free text (free-text)",
        Stype.ID: "identifier (id), never a feature",
        Stype.CONSTANT: "always the same (constant), never a feature",
    }
)
ORIGINS: Mapping[KeyOrigin, str] = MappingProxyType(
    {
        KeyOrigin.DECLARED: "",
        KeyOrigin.HINTS: " (said by the hints)",
        KeyOrigin.INFERRED: " (found in the rows)",
    }
)
TASK_TYPES: Mapping[TaskType, str] = MappingProxyType(
    {
        TaskType.BINARY: "Yes or no (binary classification)",
        TaskType.MULTICLASS: "One of several classes (multiclass classification)",
        TaskType.REGRESSION: "A number (regression)",
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "any": "will there be any",
        "count": "how many will there be",
        "sum": "how much will there be in all",
        "mean": "how much will there be on average",
    }
)
SPANS: Mapping[str, str] = MappingProxyType(
    {"h": "hours", "d": "days", "w": "weeks", "y": "years"}
)
NO_EVENTS = (
    "A forecast looks at rows that come later, so it needs a table with a confirmed"
    " time and a link (foreign key) to those it is asked for. None has both yet."
    " Confirm a time column on the Data page."
)
DETAILS: Mapping[str, str] = MappingProxyType(
    {"names": "Names only", "keys": "Keys", "all": "All columns"}
)
SPLIT_PARTS = ("Training", "Validation", "Test", "Set aside (seen values)")
TABLE_ROLES: Mapping[TableRole, str] = MappingProxyType(
    {
        TableRole.NODE: "Every row a node (node)",
        TableRole.EDGE: "Every row ties two others (edge)",
        TableRole.FOLDED: "Joined into the rows that refer to it (folded)",
        TableRole.AGGREGATED: "Summarised in the rows around it (aggregated)",
        TableRole.DROPPED: "Left out (dropped)",
    }
)
TABLE_ROLES_SHORT: Mapping[TableRole, str] = MappingProxyType(
    {
        TableRole.NODE: "nodes",
        TableRole.EDGE: "edges",
        TableRole.FOLDED: "folded",
        TableRole.AGGREGATED: "summarised",
        TableRole.DROPPED: "left out",
    }
)
KEY_ROLES: Mapping[KeyRole, str] = MappingProxyType(
    {
        KeyRole.EDGE: "Messages both ways (edge)",
        KeyRole.UP: "Only to the row referred to (child-to-parent)",
        KeyRole.DOWN: "Only to the row that refers (parent-to-child)",
        KeyRole.UNDIRECTED: "Messages both ways alike, each pair once (undirected)",
        KeyRole.FOLDED: "The parent's columns are joined in (folded)",
        KeyRole.AGGREGATED: "Rows are summarised along it (aggregated)",
        KeyRole.DROPPED: "Left out (dropped)",
    }
)
COLUMN_ROLES: Mapping[ColumnRole, str] = MappingProxyType(
    {
        ColumnRole.FEATURE: "Known of each row (feature)",
        ColumnRole.PROMOTED: "Each value a node (promoted)",
        ColumnRole.PROMOTED_KEPT: "Each value a node, and known of each row",
        ColumnRole.BAG: "Each value a channel, nearly always 0 (bag)",
        ColumnRole.DROPPED: "Left out (dropped)",
    }
)
PATH_ROLES: Mapping[PathRole, str] = MappingProxyType(
    {
        PathRole.SHORTCUT: "An edge of its own (shortcut)",
        PathRole.DROPPED: "No edge of its own",
    }
)
STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "queued": ("○", "waiting"),
        "running": ("◐", "running"),
        "ok": ("●", "finished"),
        "failed": ("✕", "failed"),
        "out-of-memory": ("✕", "out of memory"),
        "cancelled": ("–", "cancelled"),
        STOPPED_EARLY: ("·", "stopped early (halving)"),
    }
)
STUDY_STATES: Mapping[StudyState, tuple[str, str]] = MappingProxyType(
    {
        StudyState.QUEUED: ("○", "waiting (queued)"),
        StudyState.RUNNING: ("◐", "running"),
        StudyState.DONE: ("●", "finished"),
        StudyState.CANCELLED: ("–", "cancelled"),
        StudyState.STOPPED: ("✕", "stopped before its end"),
        StudyState.NEW: ("○", "not started"),
    }
)
PHASES: Mapping[str, str] = MappingProxyType(
    {
        "planning": "Checking the study",
        "training": "Training",
        "comparing": "Comparing and writing the report",
        "done": "Finished",
        "cancelled": "Cancelled",
    }
)


def proposed(task: TaskSpec) -> str:
    """Return what a click on a proposed task does."""
    kind, _, column = task.split.partition(":")
    given = f", split as “{column}” says" if kind == "column" else ""
    return f"Predict {task.target}{given}, on this graph"


def reading(found: Reading) -> str:
    """Say how far a source has been read."""
    left = found.seconds_left
    still = "" if left is None else f", {duration(left)} left"
    return (
        f"Reading {found.table}: {found.num_rows:,} of {rows(found.total_rows)}{still}"
    )


def data_changed(sources: Sequence[str]) -> str:
    """Say that rows were added, removed or changed after a study."""
    return (
        f"The data has changed since this study: {', '.join(sources)}. What is shown"
        " here is of the rows as they were."
    )


def too_large(name: str, num_bytes: int, limit_mb: int) -> str:
    """Say that an upload is larger than is taken."""
    return (
        f'"{name}" has {num_bytes / 1e6:.0f} MB; the limit here is {limit_mb} MB.'
        " Upload a part of it, or use the command line on the file itself."
    )


def role(found: TableRole | KeyRole | ColumnRole | PathRole) -> str:
    """Return what becomes of something, in plain words with the field's term."""
    match found:
        case TableRole():
            return TABLE_ROLES[found]
        case KeyRole():
            return KEY_ROLES[found]
        case ColumnRole():
            return COLUMN_ROLES[found]
        case PathRole():
            return PATH_ROLES[found]


def hops_away(number: int | None) -> str:
    """Return how far something is from the target, in words."""
    if number is None:
        return "out of reach"
    return "1 hop away" if number == 1 else f"{number} hops away"


def rows(number: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if number == 1 else f"{number:,} rows"


def batch_rows(choice: int | str) -> str:
    """Say how many rows are trained at once, in plain words with the field's term."""
    match choice:
        case int():
            return f"At most {choice:,}"
        case "full":
            return "All rows at once (full batch)"
        case _:
            return "All rows where they fit into memory (automatic)"


def ahead(number: int) -> str:
    """Say how many studies come before one that waits."""
    if number == 0:
        return "It is the next to start, as soon as there is room on this machine."
    before = "1 study comes" if number == 1 else f"{number} studies come"
    return f"It waits for its turn: {before} before it."


def graphs(number: int) -> str:
    """Return a number of graphs in words."""
    return "1 graph" if number == 1 else f"{number} graphs"


def duration(seconds: float | None) -> str:
    """Return a duration as roughly as it is known."""
    if seconds is None:
        return "measuring how long it takes"
    if seconds < 20:
        return "a few seconds"
    if seconds < 90:
        return "about a minute"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.0f} hours"
