"""SQL scripts: a schema, or a dump with rows; parsed, not executed."""

from workbench.columnar import ColumnarReader
from workbench.ddl.declared import Unread
from workbench.ddl.declaring import stage_declared
from workbench.ddl.dump import read_rows
from workbench.ddl.reading import read_ddl
from workbench.reader import Request


def open_script(request: Request) -> ColumnarReader:
    """Open one script, or several that are one schema together.

    Raises:
        DatabaseError: A file cannot be read or declares no tables.
        SchemaError: There is no such dialect.
    """
    texts = [(path.name, path) for path in request.paths]
    schema = read_ddl(texts, request.dialect)
    unread: list[Unread] = []
    return stage_declared(
        request, schema, read_rows(texts, schema, unread.append), unread
    )
