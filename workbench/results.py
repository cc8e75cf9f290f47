"""A results folder: the files of the contract, written whole and read back checked.

Every file carries a version, and every file is written beside its place and renamed
into it, so a reader never meets half of one.
"""

import json
import math
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.comparison import COMPARISON_VERSION, Comparison, Trial
from workbench.errors import StoreError, unknown
from workbench.resources import resource_path

VERSION = 1
VERSION_KEY = b"workbench_version"
CELL_COLUMNS = ("source", "topology", "model", "remedy", "depth")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "trials": tuple(field.name for field in fields(Trial)),
    "layers": (
        *CELL_COLUMNS,
        *("seed", "state", "layer", "node_type", "measure", "value", "num_rows"),
        "flag",
    ),
    "predictions": (*CELL_COLUMNS, "seed", "key", "label", "prediction", "value"),
    "projection": (
        *CELL_COLUMNS,
        *("layer", "row", "key", "x", "y", "label", "correct"),
    ),
    "states": (
        *CELL_COLUMNS,
        *("layer", "num_rows", "num_components", "share", "states"),
    ),
    "influence": (
        *CELL_COLUMNS,
        *("seed", "state", "kind", "name", "value", "num_rows"),
    ),
}
# Columns that folders written earlier do not have, and what stands for them.
ADDED: Mapping[str, Mapping[str, Any]] = {
    "trials": {"seen": math.nan, "width": 0, "batch_rows": 0, "batch_fan_out": 0}
}
# Folders written before these were measured have no such file.
OPTIONAL = frozenset({"influence", "states"})
# Larger than all the rest, and read where it is asked for: see `load_states`.
ON_REQUEST = frozenset({"states"})


@dataclass(frozen=True, slots=True)
class Results:
    """What a finished study left behind.

    Attributes:
        folder: Where it lies.
        study: The parsed ``study.toml``.
        comparison: The parsed ``comparison.json``.
        trials: A row per cell and seed.
        layers: A row per trial × state × layer × node type × measure.
        predictions: A row per trial × test row.
        projection: A row per cell × layer × sampled target row, first seed.
        influence: A row per trial × state × kind × hop or table; may be empty.
        plans: The ``plan --json`` document of every source.
    """

    folder: Path
    study: Mapping[str, Any]
    comparison: Mapping[str, Any]
    trials: pd.DataFrame
    layers: pd.DataFrame
    predictions: pd.DataFrame
    projection: pd.DataFrame
    influence: pd.DataFrame
    plans: Mapping[str, Mapping[str, Any]]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of the databases, each sentence once."""
        return notes_of(self.plans)

    @property
    def arms(self) -> tuple[tuple[str, str], ...]:
        """Every (source, topology), in the order in which the study names them."""
        sources = self.trials["source"].tolist()
        pairs = zip(sources, self.trials["topology"].tolist(), strict=True)
        return tuple(dict.fromkeys(pairs))

    @property
    def depths(self) -> tuple[int, ...]:
        """Every depth of the study, ascending."""
        return tuple(sorted(set(map(int, self.trials["depth"].tolist()))))


def notes_of(plans: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what the plans of a study say of their databases, each sentence once.

    Where there are several sources and not all say the same, each is named.
    """
    said = {
        source: plan.get("source", {}).get("notes", [])
        for source, plan in plans.items()
    }
    everybody = [one for one in next(iter(said.values()), []) if _in_all(one, said)]
    single = [
        f"{source}: {note}"
        for source, notes in said.items()
        for note in notes
        if note not in everybody
    ]
    return (*everybody, *single)


def _in_all(note: str, said: Mapping[str, Sequence[str]]) -> bool:
    return all(note in notes for notes in said.values())


def write_results(
    folder: Path,
    *,
    trials: Sequence[Trial],
    layers: pd.DataFrame,
    predictions: pd.DataFrame,
    projection: pd.DataFrame,
    states: pd.DataFrame | None = None,
    influence: pd.DataFrame | None = None,
    comparison: Comparison,
    plans: Mapping[str, Mapping[str, Any]],
    study_toml: str | None = None,
) -> None:
    """Write the files of the contract into a folder, each one atomically.

    Args:
        folder: An existing results folder.
        trials: Every cell and seed, finished or not.
        layers: The measures; may be empty, then without columns.
        predictions: The test rows; may be empty.
        projection: The projected target rows; may be empty.
        states: What more is kept of their states; may be empty or left out.
        influence: What outputs listen to; may be empty or left out.
        comparison: What was found.
        plans: The ``plan --json`` document of every source.
        study_toml: The study, or None where ``study.toml`` is there already.

    Raises:
        StoreError: The folder cannot be written.
    """
    try:
        if study_toml is not None:
            _replace(folder / "study.toml", study_toml.encode())
        frames = {
            "trials": pd.DataFrame([asdict(trial) for trial in trials]),
            "layers": layers,
            "predictions": predictions,
            "projection": projection,
            "states": pd.DataFrame() if states is None else states,
            "influence": pd.DataFrame() if influence is None else influence,
        }
        for name, frame in frames.items():
            _replace(folder / f"{name}.parquet", _to_parquet(name, frame))
        document = {"version": VERSION, "sources": dict(plans)}
        # In the study's order, which decides the arms' colours.
        text = json.dumps(document, indent=1, ensure_ascii=False)
        _replace(folder / "plan.json", text.encode())
        # Last: a folder with a comparison is a folder with everything else.
        _replace(folder / "comparison.json", comparison.to_json().encode())
    except OSError as error:
        raise StoreError(
            f'The results folder "{folder}" cannot be written'
            f" ({error.strerror or error}); choose another."
        ) from error


def load_results(folder: Path) -> Results:
    """Read a results folder.

    Raises:
        StoreError: The folder or one of its files is missing, broken, or of a
            version that this workbench does not read.
    """
    if not folder.is_dir():
        raise StoreError(f'There is no results folder "{folder}".')
    comparison = _read(folder / "comparison.json", _read_json, COMPARISON_VERSION)
    frames = {
        name: _read_frame(folder, name) for name in COLUMNS if name not in ON_REQUEST
    }
    return Results(
        folder=folder,
        study=_read(folder / "study.toml", _read_toml),
        comparison=comparison,
        plans=_read(folder / "plan.json", _read_json)["sources"],
        **frames,
    )


def has_states(folder: Path) -> bool:
    """Return whether a results folder keeps states; earlier versions kept none."""
    return (folder / "states.parquet").exists()


def load_states(folder: Path) -> pd.DataFrame:
    """Read what a results folder keeps of the sampled rows' states.

    Returns:
        A row per cell × layer, first seed; ``states`` holds float16 [rows, components]
        as bytes, in the order of ``projection.parquet``. Empty where none were kept.

    Raises:
        StoreError: The file is broken, or of a version that is not read.
    """
    return _read_frame(folder, "states")


def stored(name: str) -> Path:
    """Return the folder of results that ship with the workbench.

    Raises:
        StoreError: No results of this name ship with it.
    """
    folder = resource_path("sample_dbs") / "stored" / name
    if not folder.is_dir():
        shipped = [path.name for path in folder.parent.glob("*") if path.is_dir()]
        raise StoreError(unknown("stored comparison", name, shipped))
    return folder


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        _replace(path, text.encode())
    except OSError as error:
        raise StoreError(
            f'"{path}" cannot be written ({error.strerror or error}).'
        ) from error


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _to_parquet(name: str, frame: pd.DataFrame) -> bytes:
    """Return a frame with the contract's columns first, other columns after them."""
    others = [column for column in frame if column not in COLUMNS[name]]
    ordered = frame.reindex(columns=[*COLUMNS[name], *others])
    table = pa.Table.from_pandas(ordered, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), VERSION_KEY: str(VERSION).encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _read(
    path: Path, read: Callable[[Path], tuple[Any, Any]], wanted: int = VERSION
) -> Any:
    """Return a file's content once its version is known to be ours."""
    try:
        content, version = read(path)
    except FileNotFoundError as error:
        raise StoreError(
            f'"{path.parent}" holds no finished results: "{path.name}" is missing. Run'
            " the study into this folder first."
        ) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(
            f'"{path}" cannot be read as {path.suffix[1:]}; run the study again to'
            " write it."
        ) from error
    if version != wanted:
        found = "has no version" if version is None else f'is of version "{version}"'
        raise StoreError(f'"{path}" {found}; this workbench reads version {wanted}.')
    return content


def _read_frame(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    if name in OPTIONAL and not path.exists():
        return pd.DataFrame(columns=pd.Index(COLUMNS[name]))
    frame = _read(path, _read_parquet)
    added = ADDED.get(name, {})
    whole = frame.assign(**{one: added[one] for one in added if one not in frame})
    missing = [column for column in COLUMNS[name] if column not in whole]
    if missing:
        raise StoreError(
            f'"{folder / name}.parquet" has no column "{missing[0]}"; run the study'
            " again to write it."
        )
    return whole


def _read_json(path: Path) -> tuple[Any, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content, content.get("version") if isinstance(content, dict) else None


def _read_toml(path: Path) -> tuple[Any, Any]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return content, content.get("version")


def _read_parquet(path: Path) -> tuple[Any, Any]:
    table = pq.read_table(pa.BufferReader(path.read_bytes()))
    found = (table.schema.metadata or {}).get(VERSION_KEY)
    version = int(found) if found is not None and found.isdigit() else None
    return table.to_pandas(), version
