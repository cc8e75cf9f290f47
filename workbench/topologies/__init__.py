"""The constructions users can name, and the files in which they write their own."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from workbench.aggregating import Aggregate
from workbench.blueprint import Blueprint, ColumnRole, KeyRole, PathRole, TableRole
from workbench.errors import TopologyError, unknown
from workbench.passes import Fold, Override, Shortcut
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies.aggregated import AGGREGATED
from workbench.topologies.flattened import FLATTENED
from workbench.topologies.promoted import PROMOTED
from workbench.topologies.row2edge import ROW2EDGE
from workbench.topologies.row2node import ROW2NODE
from workbench.topologies.shortcut import SHORTCUT
from workbench.topologies.single_table import SINGLE_TABLE
from workbench.topology import Topology, plan

TOPOLOGIES: Mapping[str, Topology] = MappingProxyType(
    {
        "single-table": SINGLE_TABLE,
        "row2node": ROW2NODE,
        "row2edge": ROW2EDGE,
        "flattened": FLATTENED,
        "promoted": PROMOTED,
        "shortcut": SHORTCUT,
        "aggregated": AGGREGATED,
    }
)

_Role = TypeVar("_Role", bound=StrEnum)
_SETTINGS = (
    *("name", "base", "full", "shortcut_length", "aggregate_depth"),
    *("tables", "keys", "columns", "paths"),
)


def resolve_topology(name_or_path: str | Path) -> Topology:
    """Return a topology by its name, or from a topology file (``.toml``).

    Raises:
        TopologyError: There is no such topology, or the file says what none can do.
    """
    if isinstance(name_or_path, str) and not name_or_path.endswith(".toml"):
        if name_or_path not in TOPOLOGIES:
            raise TopologyError(unknown("topology", name_or_path, TOPOLOGIES))
        return TOPOLOGIES[name_or_path]
    path = Path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError(
            f'The topology file "{path}" cannot be read; give a TOML file or one of'
            f" {', '.join(TOPOLOGIES)}."
        ) from error
    return read_topology(text, path.stem)


def plan_named(schema: Schema, spec: TaskSpec, name_or_path: str | Path) -> Blueprint:
    """Plan the graph of a topology given by its name or file.

    Raises:
        TopologyError: The topology is unknown or does not fit the schema.
    """
    return plan(schema, spec, resolve_topology(name_or_path))


def read_topology(text: str, default_name: str = "custom") -> Topology:
    """Return the topology that the text of a topology file describes.

    Args:
        text: TOML with ``name``, ``base`` (a name in `TOPOLOGIES`), ``full`` (fold hubs
            too), ``shortcut_length``, ``aggregate_depth`` and the tables ``tables``,
            ``keys``, ``columns`` and ``paths`` of roles.
        default_name: The name when the text gives none.

    Raises:
        TopologyError: The text is no TOML or holds a word that is not known.
    """
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TopologyError(
            f'The topology file "{default_name}" is not TOML: {error}.'
        ) from error
    for setting in settings:
        if setting not in _SETTINGS:
            raise TopologyError(unknown("topology setting", setting, _SETTINGS))
    base_name, name = str(settings.get("base", "row2node")), settings.get("name")
    if base_name not in TOPOLOGIES:
        raise TopologyError(unknown("topology", base_name, TOPOLOGIES))
    base = TOPOLOGIES[base_name]
    if settings.get("full", False):
        base = _fold_fully(base)
    for setting, make in (
        ("shortcut_length", Shortcut),
        ("aggregate_depth", Aggregate),
    ):
        if setting in settings:
            base = _with_pass(base, make(_whole(setting, settings[setting])))
    override = Override(
        tables=_roles(settings, "tables", TableRole),
        keys=_roles(settings, "keys", KeyRole),
        columns=_roles(settings, "columns", ColumnRole),
        paths=_roles(settings, "paths", PathRole),
    )
    return replace(
        base,
        name=str(name or default_name),
        title=f"Your own, from {base.title[0].lower()}{base.title[1:]}",
        story=f"{base.story} Some tables, keys or columns are decided by a file.",
        passes=(*base.passes, override),
    )


def _fold_fully(base: Topology) -> Topology:
    if not any(isinstance(step, Fold) for step in base.passes):
        folding = [
            one.name
            for one in TOPOLOGIES.values()
            if any(isinstance(step, Fold) for step in one.passes)
        ]
        raise TopologyError(
            f'The topology "{base.name}" folds nothing, so "full" says nothing to it;'
            f" it goes with the base {' or '.join(folding)}."
        )
    passes = tuple(
        replace(step, full=True) if isinstance(step, Fold) else step
        for step in base.passes
    )
    return replace(base, passes=passes)


def _whole(setting: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TopologyError(
            f'"{setting}" of a topology file is a whole number, not "{value}".'
        )
    return value


def _with_pass(base: Topology, step: Shortcut | Aggregate) -> Topology:
    """Return a topology with a pass in the place of its own of that kind, or last."""
    passes = [step if isinstance(one, type(step)) else one for one in base.passes]
    return replace(base, passes=tuple(passes if step in passes else [*passes, step]))


def _roles(
    settings: Mapping[str, Any], section: str, roles: type[_Role]
) -> dict[str, _Role]:
    """Return the roles in one section of a topology file."""
    asked: Any = settings.get(section, {})
    if not isinstance(asked, dict):
        raise TopologyError(
            f'"{section}" of a topology file is a table of names and roles, such as'
            f' "{next(iter(roles))}".'
        )
    found: dict[str, _Role] = {}
    for subject, role in cast("dict[str, Any]", asked).items():
        if str(role) not in set(roles):
            known = ", ".join(f'"{one}"' for one in roles)
            raise TopologyError(
                f'"{subject}" cannot be "{role}" in a topology file; choose from'
                f" {known}."
            )
        found[subject] = roles(str(role))
    return found
