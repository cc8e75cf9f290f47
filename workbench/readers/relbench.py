"""RelBench folders: a manifest or annotated Parquet files, without any pickle."""

from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath

from workbench.columnar import ColumnarReader, Relation
from workbench.errors import DatabaseError
from workbench.files.deferred import DeferredReader, checking, state_of
from workbench.files.listing import PARQUETS, File, hash_files, left_out, list_folder
from workbench.files.manifest import MANIFESTS, TableEntry, read_manifest, read_notes
from workbench.files.parquet import link_parquet, read_metadata
from workbench.reader import Request, quote
from workbench.staging import Staging

ROWS = "db"  # the folder of the tables


def open_relbench(request: Request) -> DeferredReader:
    """Open a folder that RelBench, or the workbench's own export, has written.

    Raises:
        DatabaseError: It is no folder, or holds no Parquet files.
    """
    folder = request.path
    if not folder.is_dir():
        raise DatabaseError(f'"{request.address}" is no folder.')
    listed, _ = list_folder(folder)
    files = [
        file
        for file in listed
        if PurePosixPath(file.name).suffix in PARQUETS
        and str(PurePosixPath(file.name).parent) in (".", ROWS)
    ]
    if not files:
        raise DatabaseError(
            f'The folder "{request.address}" holds no Parquet files; RelBench keeps'
            f' them in it or in "{ROWS}".'
        )
    manifests = [
        File(name, folder / name) for name in MANIFESTS if (folder / name).is_file()
    ][:1]
    everything = [*manifests, *files]
    paths = [file.path for file in everything]
    state = state_of(paths)
    return DeferredReader(
        folder.resolve().name or "relbench",
        hash_files(everything),
        partial(_prepare, request, manifests, files),
        checking(paths, state),
    )


def _prepare(
    request: Request,
    manifests: Sequence[File],
    files: Sequence[File],
) -> ColumnarReader:
    staging = Staging([file.path.resolve() for file in files], request.limits)
    by_name = {PurePosixPath(file.name).stem: file for file in files}
    try:
        if manifests:
            entries = read_manifest(manifests[0].path)
        else:
            entries = {
                name: read_notes(read_metadata(file.path, staging), name)
                for name, file in by_name.items()
            }
        request.limits.check("tables", len(entries), "tables in the manifest")
        relations = [
            _relation(name, entry, by_name[name], staging, request)
            for name, entry in entries.items()
            if name in by_name
        ]
    except BaseException:
        staging.close()
        raise
    if not relations:
        staging.close()
        raise DatabaseError(
            f'The folder "{request.address}" holds no Parquet file of a table that its'
            " manifest names."
        )
    return ColumnarReader(
        request.path.resolve().name or "relbench",
        "",
        staging.connection,
        relations,
        shown=f'RelBench folder "{request.address}"',
        warnings=_sentences(entries, by_name),
        close=staging.close,
    )


def _relation(
    name: str, entry: TableEntry, file: File, staging: Staging, request: Request
) -> Relation:
    (sql,) = link_parquet([file.path], name, staging, request.limits)
    if entry.added:
        listed = ", ".join(map(quote, entry.added))
        order = f" ORDER BY {quote(entry.order)}" if entry.order else ""
        sql = f"(SELECT * EXCLUDE ({listed}) FROM {sql}{order})"
    return Relation(
        name=name,
        sql=sql,
        primary_key=entry.primary_key,
        foreign_keys=entry.foreign_keys,
    )


def _sentences(entries: dict[str, TableEntry], by_name: dict[str, File]) -> list[str]:
    missing = [name for name in entries if name not in by_name]
    unnamed = [file.name for name, file in by_name.items() if name not in entries]
    times = [
        f'"{name}.{entry.time_column}"'
        for name, entry in entries.items()
        if entry.time_column and name in by_name
    ]
    found = left_out(missing, "are in the manifest and have no Parquet file")
    found += left_out(unnamed, "are not in the manifest")
    if times:
        found.append(
            f"RelBench takes these for the times of rows: {', '.join(times)}; confirm"
            " them as time columns to have them used."
        )
    return found
