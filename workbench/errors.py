"""What a user can put right: one error per stage, each a plain sentence."""

import difflib
from collections.abc import Iterable


class WorkbenchError(Exception):
    """A problem its user can fix; shells show its message and nothing else."""


class DatabaseError(WorkbenchError):
    """A source cannot be opened or read."""


class SchemaError(WorkbenchError):
    """A table, column, key or hint does not fit the database."""


class TaskError(WorkbenchError):
    """What should be predicted cannot be."""


class TopologyError(WorkbenchError):
    """A graph construction is unknown or does not fit the schema."""


class GraphError(WorkbenchError):
    """A blueprint cannot be built from the rows."""


class ModelError(WorkbenchError):
    """A network, remedy or training setting cannot be used."""


class StudyError(WorkbenchError):
    """A study's settings do not fit together."""


class StoreError(WorkbenchError):
    """A results folder cannot be read or written."""


class LoginError(WorkbenchError):
    """People should log in here, and cannot."""


class SampleError(WorkbenchError):
    """A sample database is unknown or cannot be built."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> str:
    """Return the sentence that says a name is not known and which ones are.

    Args:
        kind: What was looked up, singular, such as ``"table"``.
        name: The name as the user wrote it.
        choices: The names that would have worked.

    Returns:
        One or two sentences; the nearest choice comes first when one is near.
    """
    known = sorted(choices)
    folded = {choice.casefold(): choice for choice in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f'There is no {kind} "{name}"; did you mean "{folded[near[0]]}"?'
    if not known:
        return f'There is no {kind} "{name}", and there are none to choose from.'
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f'There is no {kind} "{name}"; choose from {shown}.'
