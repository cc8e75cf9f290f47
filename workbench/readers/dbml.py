"""DBML files: a schema without rows."""

from workbench.columnar import ColumnarReader
from workbench.ddl.dbml import read_dbml
from workbench.ddl.declaring import stage_declared
from workbench.errors import DatabaseError
from workbench.reader import Request


def open_dbml(request: Request) -> ColumnarReader:
    """Open a DBML file.

    Raises:
        DatabaseError: The file cannot be read or declares no tables.
    """
    try:
        text = request.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatabaseError(
            f'The file "{request.path}" is not UTF-8; save it as UTF-8.'
        ) from error
    except OSError as error:
        raise DatabaseError(f'The file "{request.path}" may not be read.') from error
    return stage_declared(request, read_dbml(request.path.name, text))
