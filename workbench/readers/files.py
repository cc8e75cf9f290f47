"""Files of rows: a folder, an archive, or one file of CSV, TSV or Parquet."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from workbench.columnar import ColumnarReader, Relation
from workbench.errors import DatabaseError
from workbench.files.archive import Budget, decompress, is_tar, is_zip, told, unpack
from workbench.files.deferred import DeferredReader, checking, state_of
from workbench.files.delimited import Text, detect, stage_text
from workbench.files.listing import (
    File,
    Form,
    Named,
    hash_files,
    is_table,
    is_unmentioned,
    left_out,
    list_folder,
    name_tables,
)
from workbench.files.parquet import link_parquet
from workbench.reader import Request
from workbench.staging import Staging

PARQUET_MAGIC = b"PAR1"
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")


def open_files(request: Request) -> DeferredReader:
    """Open a folder, a zip, a tar, or one file of CSV, TSV or Parquet.

    Raises:
        DatabaseError: There is no such file, or it may not be read.
    """
    path = request.path
    shown = f'"{request.address}"'
    notes: list[str] = []
    if path.is_dir():
        files, warnings = list_folder(path)
        # what is told and how tables are called is kept with the rows
        notes = [*warnings, *(one.name for one in name_tables(files, _name(path)))]
        prepare = partial(_prepare, request, f"folder {shown}", files, warnings)
    elif not path.is_file():
        raise DatabaseError(f"There is no file or folder {shown}.")
    else:
        files = [File(path.name, path)]
        with told(f"file {shown}"):
            is_archive = is_zip(path) or is_tar(path)
        if is_archive:
            files = [File(_name(path), path)]  # which a table may be called like
            prepare = partial(_prepare_archive, request, f"archive {shown}")
        else:
            prepare = partial(_prepare, request, f"file {shown}", _as_table(path), [])
    paths = [file.path for file in files]
    state = state_of(paths)
    return DeferredReader(
        _name(path), hash_files(files, notes), prepare, checking(paths, state)
    )


def _name(path: Path) -> str:
    plain = path.resolve().name
    if path.is_dir():
        return plain or "files"
    for ending in (*ARCHIVES, ".tar", ".csv", ".tsv", ".tab", ".txt", ".parquet"):
        if plain.lower().endswith(ending) and len(plain) > len(ending):
            plain = plain[: -len(ending)]
    return plain


def _as_table(path: Path) -> list[File]:
    """Return a single file as what its first bytes say it is."""
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET_MAGIC
    name = path.name
    if is_parquet and not name.lower().endswith((".parquet", ".pq")):
        name += ".parquet"
    return [File(name, path)]


def _prepare_archive(request: Request, shown: str) -> ColumnarReader:
    def fill(staging: Staging) -> tuple[list[File], list[str]]:
        folder = staging.folder / "unpacked"
        folder.mkdir()
        members, others = unpack(request.path, folder, request.limits, is_table)
        rest = [name for name in others if not is_unmentioned(name)]
        files = [File(member.name, member.path) for member in members]
        return files, left_out(rest, "are no tables")

    return _stage(request, shown, fill, [])


def _prepare(
    request: Request, shown: str, files: Sequence[File], warnings: Sequence[str]
) -> ColumnarReader:
    parquets = [one.path.resolve() for one in files if one.form is Form.PARQUET]
    return _stage(request, shown, lambda staging: (files, warnings), parquets)


def _stage(
    request: Request,
    shown: str,
    fill: Callable[[Staging], tuple[Sequence[File], Sequence[str]]],
    readable: Sequence[Path],
) -> ColumnarReader:
    staging = Staging(readable, request.limits)
    try:
        files, warnings = fill(staging)
        request.limits.check("tables", len(files), f"tables in the {shown}")
        staged = _Staged(request, staging)
        for table in name_tables(files, _name(request.path)):
            staged.add(table, is_alone=len(files) == 1)
    except BaseException:
        staging.close()
        raise
    if not staged.relations:
        staging.close()
        why = " ".join(["", *staged.warnings, *warnings])
        raise DatabaseError(
            f"The {shown} holds no tables; CSV, TSV and Parquet files are read.{why}"
        )
    return ColumnarReader(
        _name(request.path),
        "",
        staging.connection,
        staged.relations,
        shown=shown,
        warnings=[*warnings, *staged.warnings],
        close=staging.close,
    )


class _Staged:
    """The tables so far."""

    def __init__(self, request: Request, staging: Staging) -> None:
        self.limits = request.limits
        self.staging = staging
        self.relations: list[Relation] = []
        self.warnings: list[str] = []

    def add(self, table: Named, *, is_alone: bool) -> None:
        if table.files[0].form is Form.PARQUET:
            self._add_parquet(table)
            return
        (file,) = table.files
        path = self._unpacked(file) if file.is_packed else file.path
        if not path.stat().st_size:
            self.warnings.append(f'The file "{file.name}" is empty and is left out.')
            return
        tab_first = ".tsv" in file.name.lower() or ".tab" in file.name.lower()
        text = Text(path, table.name, tab_first)
        decided = detect(text, self.limits)
        if not is_alone and ".txt" in file.name.lower() and decided[1].width < 2:
            self.warnings += left_out([file.name], "are no tables")
            return
        relation, warnings = stage_text(text, decided, self.staging, self.limits)
        self.relations.append(relation)
        self.warnings += warnings

    def _add_parquet(self, table: Named) -> None:
        paths = [file.path for file in table.files]
        found = link_parquet(paths, table.name, self.staging, self.limits)
        if len(found) == 1:
            self.relations.append(Relation(table.name, found[0]))
            return
        self.relations += [
            Relation(f"{table.name}.{Path(file.name).stem}", sql)
            for file, sql in zip(table.files, found, strict=True)
        ]

    def _unpacked(self, file: File) -> Path:
        num_unpacked = sum(1 for _ in self.staging.folder.glob("text-*"))
        target = self.staging.folder / f"text-{num_unpacked}"
        budget = Budget(f'file "{file.name}"', file.path.stat().st_size, self.limits)
        decompress(file.path, target, budget)
        return target
