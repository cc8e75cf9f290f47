"""The rows of a forecast: one per entity and seed time, each with its label.

They are a table like any other, in a database of its own that is derived from the
source's: its key leads to the entity, its time is the seed time, and the label is its
target column.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import numpy as np

from workbench.clock import time_sql
from workbench.database import (
    ROW,
    Database,
    SourceColumn,
    SourceKey,
    SourceTable,
    extend,
    quote,
)
from workbench.errors import TaskError, unknown
from workbench.filters import render_filter
from workbench.forecast import (
    FEWEST_SEED_TIMES,
    LABEL,
    SEED_TABLE,
    SEED_TIME,
    Forecast,
    Outcome,
    span_in_words,
)
from workbench.hints import TaskSpec
from workbench.moments import date_text
from workbench.schema import Column, ForeignKey, KeyOrigin, Schema, Stype, Table
from workbench.schema import value_sql as written_value
from workbench.task import Task

VERSION = 1  # a new number makes every table of seeds be made again
SUMMED = (Stype.CATEGORICAL, Stype.BOOLEAN, Stype.CONSTANT)  # if stored as numbers


@dataclass(frozen=True, slots=True)
class Moment:
    """A seed time of a task.

    Attributes:
        time: The seed time, ``2024-12-31 00:00:00``.
        side: 0 training, 1 validation, 2 test.
        num_rows: How many rows are predicted at it.
        mean: The mean of their labels: the share with any event, or what is told.
    """

    time: str
    side: int
    num_rows: int
    mean: float


def with_seeds(
    database: Database, schema: Schema, spec: TaskSpec, root: Path
) -> tuple[Database, Schema, TaskSpec, tuple[str, ...]]:
    """Return a database with the table that a forecast predicts, its schema and task.

    Labels are counted on all rows by one query: of an entity's events with a time those
    after the seed time and up to the end of the window. Without such events any is 0,
    the number is 0, the sum is 0, and the mean is unknown, so that the row takes no
    part. Seed times are set back from the last event (or the forecast's own end), each
    as far from the next; those whose window would end after the last event are left
    out, since their labels are not known yet, and so are those before the first event.

    Args:
        database: The rows; they are not changed.
        schema: What they mean.
        spec: What is asked; its forecast says how the table is made.
        root: The folder of the cache.

    Returns:
        The database, its schema, the task over the new table (which may have to be
        named otherwise than asked), and what is said of its rows.

    Raises:
        SchemaError: A table or column is not there.
        TaskError: The forecast does not make a task.
    """
    forecast = spec.forecast
    if forecast is None:
        return database, schema, spec, ()
    if not database.has_rows:
        raise TaskError(
            f'A forecast is told from rows, and "{database.name}" has none; open a'
            " database with rows, or predict a column."
        )
    asked = _Asked.read(database, schema, forecast)
    source, query = asked.table(), asked.query()
    times, notes = _seed_times(forecast, *asked.span())
    told = [VERSION, database.fingerprint, asdict(source), query, times]
    fingerprint = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    try:
        seeded = extend(database, fingerprint, source, (query, [times]), root)
    except duckdb.Error as error:
        if forecast.where is None:
            raise
        raise asked.misfit(error) from error
    settled = replace(
        spec,
        target=f"{source.name}.{source.columns[-1].name}",
        split=f"time:{source.columns[-2].name}",
        # A number is a value even where it only takes two.
        metric=spec.metric or (None if forecast.outcome is Outcome.ANY else "r2"),
    )
    num_rows = seeded.table(source.name).num_rows
    said = (
        f"{len(times)} moments (seed times) from {date_text(times[0])} to"
        f" {date_text(times[-1])}, {span_in_words(forecast.every or forecast.within)}"
        f" apart: {num_rows:,} rows to predict. What is asked of each is known"
        f" {span_in_words(forecast.within)} later."
    )
    return seeded, _with_table(schema, seeded, source), settled, (said, *notes)


def moments_of(database: Database, task: Task) -> tuple[Moment, ...]:
    """Return the seed times of a forecast's task, the earliest first.

    Args:
        database: What `with_seeds` returned.
        task: The task over its table.
    """
    column = task.spec.split.partition(":")[2]
    times = database.arrow(task.spec.table, [column]).column(0).to_numpy()[task.rows]
    found = []
    for time in np.unique(times):
        chosen = times == time
        found.append(
            Moment(
                time=str(time),
                side=int(task.split[chosen][0]),
                num_rows=int(chosen.sum()),
                mean=float(task.labels[chosen].mean()),
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A forecast whose every name has been looked up."""

    database: Database
    schema: Schema
    forecast: Forecast
    entity: Table
    events: Table
    key: ForeignKey

    @staticmethod
    def read(database: Database, schema: Schema, forecast: Forecast) -> "_Asked":
        entity, events = schema.table(forecast.entity), schema.table(forecast.events)
        if not entity.primary_key:
            raise TaskError(
                f'The rows of "{entity.name}" have no key (primary key), so nothing can'
                " be forecast for each; give one in a hint file."
            )
        if events.time_column is None:
            proposed = [one.column for one in events.time_proposals]
            such = f', such as "{proposed[0]}"' if proposed else ""
            raise TaskError(
                f'The table "{events.name}" has no confirmed time, so it is not known'
                f" what comes later; confirm a time column{such}, on the Data page or"
                " in a hint file."
            )
        key = _find_key(schema, forecast)
        return _Asked(database, schema, forecast, entity, events, key)

    def span(self) -> tuple[float, float]:
        """Return the first and the last time of the events, in seconds since 1970."""
        time = time_sql(self.schema, self.events.name, "c")
        ((first, last),) = self.database.rows(
            f"SELECT min(t), max(t) FROM (SELECT {time} AS t FROM"
            f" {quote(self.events.name)} c) WHERE isfinite(t)"
        )
        if first is None:
            raise TaskError(
                f'No row of "{self.events.name}" has a time in'
                f' "{self.events.time_column}", so nothing can be forecast.'
            )
        return first, last

    def table(self) -> SourceTable:
        """Return the table of seeds as a snapshot declares it, its rows uncounted."""
        entity = self.entity
        is_usual = self.key.ref_columns == entity.primary_key
        is_apart = self.key.table != self.key.ref_table
        keys = self.key.columns if is_usual and is_apart else entity.primary_key
        taken = [name.casefold() for name in keys]
        time, label = _free(SEED_TIME, taken), _free(LABEL, taken)
        physical = [
            self.database.physical_type(entity.name, one) for one in entity.primary_key
        ]
        whole = self.forecast.outcome is Outcome.ANY
        kinds = (*physical, "VARCHAR", "BIGINT" if whole else "DOUBLE")
        return SourceTable(
            name=_free(SEED_TABLE, [one.name.casefold() for one in self.schema.tables]),
            num_rows=0,
            columns=tuple(
                SourceColumn(name, kind, nullable=name == label)
                for name, kind in zip((*keys, time, label), kinds, strict=True)
            ),
            primary_key=(*keys, time),
            foreign_keys=(SourceKey(tuple(keys), entity.name, entity.primary_key),),
        )

    def query(self) -> str:
        """Return the SQL of the table's rows; its value is the list of seed times."""
        pairs = self.database.comparable(
            ("c", self.events.name, self.key.columns),
            ("p", self.entity.name, self.key.ref_columns),
        )
        same = " AND ".join(f"{own} = {ref}" for own, ref in pairs)
        row, window = quote(ROW), self.forecast.window_s
        own = time_sql(self.schema, self.entity.name, "p") or "NULL"
        names = ", ".join(f"p.{quote(one)}" for one in self.entity.primary_key)
        recent = (
            f" SEMI JOIN __event b ON b.r = k.r AND b.t > k.s - {window} AND b.t <= k.s"
            if self.forecast.active
            else ""
        )
        return f"""
WITH __seed AS (SELECT unnest(?::DOUBLE[]) AS s),
__counted AS (SELECT c.{row} AS e, {time_sql(self.schema, self.events.name, "c")} AS t,
  {self._amount()} AS a, {self._condition()} AS chosen
  FROM {quote(self.events.name)} c),
__event AS (SELECT p.{row} AS r, n.t, n.a, n.chosen FROM __counted n
  JOIN {quote(self.events.name)} c ON c.{row} = n.e
  JOIN {quote(self.entity.name)} p ON {same} WHERE isfinite(n.t)),
__outcome AS (SELECT v.r, z.s, {self._outcome()} AS told FROM __event v
  JOIN __seed z ON v.t > z.s AND v.t <= z.s + {window} WHERE v.chosen GROUP BY ALL),
__start AS (SELECT r, min(t) AS began FROM __event GROUP BY r),
__entity AS (SELECT p.{row} AS r, {own} AS born FROM {quote(self.entity.name)} p),
__known AS (SELECT i.r, z.s FROM __entity i LEFT JOIN __start b ON b.r = i.r
  CROSS JOIN __seed z WHERE coalesce(i.born, b.began) <= z.s)
SELECT row_number() OVER (ORDER BY k.s, k.r) - 1, {names},
  CAST(make_timestamp(CAST(k.s * 1000000 AS BIGINT)) AS VARCHAR), {self._label()}
FROM __known k JOIN {quote(self.entity.name)} p ON p.{row} = k.r{recent}
LEFT JOIN __outcome o ON o.r = k.r AND o.s = k.s ORDER BY k.s, k.r"""

    def misfit(self, error: duckdb.Error) -> TaskError:
        """Return what is said where the filter does not fit the values."""
        return TaskError(
            f'The filter "{self.forecast.where}" does not fit the values:'
            f" {str(error).splitlines()[0]}"
        )

    def _condition(self) -> str:
        written = self.forecast.where
        if written is None:
            return "true"
        names = [column.name for column in self.events.columns]
        condition = render_filter(written, self.events.name, names)
        try:
            kinds = self.database.rows(
                f"SELECT typeof({condition}) FROM {quote(self.events.name)} LIMIT 1"
            )
        except duckdb.Error as error:
            raise self.misfit(error) from error
        if kinds != [("BOOLEAN",)]:
            raise TaskError(
                f'The filter "{written}" is no condition; compare something, as in'
                f' "{names[0]} IS NOT NULL".'
            )
        return f"coalesce({condition}, false)"

    def _amount(self) -> str:
        if self.forecast.column is None:
            return "NULL"
        column = self.events.column(self.forecast.column)
        stored = self.database.physical_type(self.events.name, column.name)
        is_number = column.stype in SUMMED and stored in ("BIGINT", "DOUBLE")
        if column.stype is not Stype.NUMERICAL and not is_number:
            raise TaskError(
                f'The column "{self.events.name}.{column.name}" holds no numbers to'
                f" add up: it is {column.stype}."
            )
        value = written_value(Stype.NUMERICAL, f"c.{quote(column.name)}")
        return f"CASE WHEN isfinite({value}) THEN {value} END"

    def _outcome(self) -> str:
        match self.forecast.outcome:
            case Outcome.ANY:
                return "1"
            case Outcome.COUNT:
                return "count(*)"
            case Outcome.SUM:
                return "sum(v.a ORDER BY v.a)"  # the same whichever thread is first
            case Outcome.MEAN:
                return "avg(v.a ORDER BY v.a)"

    def _label(self) -> str:
        return (
            "o.told" if self.forecast.outcome is Outcome.MEAN else "coalesce(o.told, 0)"
        )


def _find_key(schema: Schema, forecast: Forecast) -> ForeignKey:
    """Return the one key that leads from the events to the entity."""
    keys = {
        "+".join(key.columns): key
        for key in schema.keys_from(forecast.events)
        if key.ref_table == forecast.entity
    }
    if not keys:
        tied = {one.ref_table for one in schema.keys_from(forecast.events)}
        leads = f"; its keys lead to {', '.join(sorted(tied))}" if tied else ""
        raise TaskError(
            f'No key (foreign key) leads from "{forecast.events}" to'
            f' "{forecast.entity}"{leads}.'
        )
    if forecast.by is not None:
        if forecast.by not in keys:
            raise TaskError(
                unknown(
                    f'key from "{forecast.events}" to "{forecast.entity}"',
                    forecast.by,
                    keys,
                )
            )
        return keys[forecast.by]
    if len(keys) > 1:
        raise TaskError(
            f'Several keys lead from "{forecast.events}" to "{forecast.entity}":'
            f" {', '.join(keys)}. Say which one counts (by)."
        )
    return next(iter(keys.values()))


def _seed_times(
    forecast: Forecast, first: float, last: float
) -> tuple[list[float], list[str]]:
    """Return the seed times, the earliest first, and what is said of those left out."""
    end = last if forecast.until_s is None else forecast.until_s
    newest = np.floor(end - forecast.window_s)
    asked = [
        float(newest - step * forecast.every_s) for step in range(forecast.seed_times)
    ]
    censored = [one for one in asked if one + forecast.window_s > last]
    early = [one for one in asked if one < first]
    times = sorted(set(asked) - {*censored, *early})
    events, window = forecast.events, span_in_words(forecast.within)
    if len(times) < FEWEST_SEED_TIMES:
        raise TaskError(
            f'The rows of "{events}" from {date_text(first)} to {date_text(last)} leave'
            f" {len(times)} of {forecast.seed_times} moments whose next {window} are"
            f" known; at least {FEWEST_SEED_TIMES} are needed. Look ahead less far, or"
            " set the moments nearer together."
        )
    notes = []
    if censored:
        notes.append(
            f"{len(censored)} of the {forecast.seed_times} moments asked for are left"
            f' out: the next {window} would end after the last row of "{events}"'
            f" ({date_text(last)}), so what becomes of them is not known yet"
            " (censored)."
        )
    if early:
        notes.append(
            f"{len(early)} of the {forecast.seed_times} moments asked for are left out:"
            f' they lie before the first row of "{events}" ({date_text(first)}).'
        )
    return times, notes


def _with_table(schema: Schema, seeded: Database, source: SourceTable) -> Schema:
    """Return a schema with the table of seeds, about which nothing has to be found."""
    *keys, time, label = source.columns
    (key,) = source.foreign_keys
    about = f"names the row of {key.ref_table} that is asked about"
    is_whole = label.sql_type == "BIGINT"
    meanings = [(one, Stype.ID, about) for one in keys]
    meanings += [
        (time, Stype.TIMESTAMP, "the moment from which one looks ahead"),
        (
            label,
            Stype.BOOLEAN if is_whole else Stype.NUMERICAL,
            "what came within the window",
        ),
    ]
    counted = ", ".join(
        f"count({quote(one.name)}), count(DISTINCT {quote(one.name)})"
        for one in source.columns
    )
    ((num_rows, *numbers),) = seeded.rows(
        f"SELECT count(*), {counted} FROM {quote(source.name)}"
    )
    table = Table(
        name=source.name,
        num_rows=num_rows,
        primary_key=source.primary_key,
        columns=tuple(
            Column(
                name=one.name,
                sql_type=one.sql_type,
                stype=stype,
                nullable=one.nullable,
                num_distinct=numbers[2 * at + 1],
                num_null=num_rows - numbers[2 * at],
                evidence=why,
            )
            for at, (one, stype, why) in enumerate(meanings)
        ),
        time_column=time.name,
        key_evidence="one row per entity and seed time",
    )
    seed_key = ForeignKey(
        table=source.name,
        columns=key.columns,
        ref_table=key.ref_table,
        ref_columns=key.ref_columns,
        origin=KeyOrigin.DECLARED,
        num_null=0,
        num_dangling=0,
        evidence={"origin": str(KeyOrigin.DECLARED), "matched": num_rows},
    )
    declared = [one for one in schema.foreign_keys if one.declared]
    others = [one for one in schema.foreign_keys if not one.declared]
    return replace(
        schema,
        fingerprint=seeded.fingerprint,
        tables=(*schema.tables, table),
        foreign_keys=(*declared, seed_key, *others),
    )


def _free(wanted: str, taken: Sequence[str]) -> str:
    """Return a name, with a number where it is taken already."""
    name, number = wanted, 2
    while name.casefold() in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name
