"""Changing a graph one decision at a time: what is possible, and what comes of it.

A design is a topology file: a base and the decisions that differ from it. Everything
here is a pure function of a schema, a question and a plan; no row is read.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import tomli_w

from workbench.blueprint import (
    Blueprint,
    ColumnRole,
    Decision,
    KeyRole,
    PathRole,
    TableRole,
)
from workbench.conflicts import conflicts
from workbench.difference import describe_difference
from workbench.draft import Draft, begin, draft_chains, edge_rules
from workbench.errors import TopologyError, unknown
from workbench.passes import MAX_LENGTH, Override
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies import TOPOLOGIES, read_topology
from workbench.topology import Pass, Topology, plan

Role = TableRole | KeyRole | ColumnRole | PathRole
MAX_FILE_BYTES = 1_000_000
MAX_NAME = 60
CHOSEN = "You decided so."
_NAME = re.compile(r"[^\x00-\x1f,/\\]+")


class Kind(StrEnum):
    """What a decision is about."""

    TABLE = "table"
    KEY = "key"
    COLUMN = "column"
    PATH = "path"


_ROLES: Mapping[
    Kind, type[TableRole] | type[KeyRole] | type[ColumnRole] | type[PathRole]
] = {
    Kind.TABLE: TableRole,
    Kind.KEY: KeyRole,
    Kind.COLUMN: ColumnRole,
    Kind.PATH: PathRole,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A role that a table, key, column or chain of keys has or could have.

    Attributes:
        role: The role.
        is_current: Whether it has this role now.
        refused: Why it cannot have it, as a sentence; empty where it can.
        changes: What the graph would do otherwise, in phrases; empty for the current
            role and a refused one.
    """

    role: Role
    is_current: bool
    refused: str = ""
    changes: tuple[str, ...] = ()


def choices(
    schema: Schema, spec: TaskSpec, blueprint: Blueprint, subject: str
) -> tuple[Choice, ...]:
    """Return every role of a subject's kind: possible, or refused and why.

    Args:
        schema: Tables, keys and types.
        spec: What is predicted and hidden.
        blueprint: The plan as it is.
        subject: A table, a key's id, ``"table.column"`` or a chain of `open_chains`.

    Raises:
        TopologyError: The plan decides about no such thing.
    """
    kind = kind_of(schema, spec, blueprint, subject)
    current = role_of(blueprint, subject, kind)
    found: list[Choice] = []
    for role in _ROLES[kind]:
        if role == current:
            found.append(Choice(role, is_current=True))
            continue
        outcome = _try(schema, spec, blueprint, _override(kind, subject, role))
        if isinstance(outcome, str):
            found.append(Choice(role, is_current=False, refused=outcome))
            continue
        changes = describe_difference(schema, blueprint, outcome)
        found.append(Choice(role, is_current=False, changes=changes))
    return tuple(found)


def decide(
    schema: Schema, spec: TaskSpec, blueprint: Blueprint, subject: str, role: str
) -> Blueprint:
    """Return the plan with another role for one subject, and what follows from it.

    Raises:
        TopologyError: The role is unknown, or not possible there.
    """
    kind = kind_of(schema, spec, blueprint, subject)
    roles = _ROLES[kind]
    if role not in set(roles):
        raise TopologyError(unknown(f"role of a {kind}", role, [*roles]))
    outcome = _try(schema, spec, blueprint, _override(kind, subject, role))
    if isinstance(outcome, str):
        raise TopologyError(f'"{subject}" cannot be "{role}": {outcome}')
    return outcome


def kind_of(schema: Schema, spec: TaskSpec, blueprint: Blueprint, subject: str) -> Kind:
    """Return what a subject is.

    Raises:
        TopologyError: The plan decides about no such thing.
    """
    decided = {
        Kind.TABLE: [one.subject for one in blueprint.tables],
        Kind.KEY: [one.subject for one in blueprint.keys],
        Kind.COLUMN: [one.subject for one in blueprint.columns],
    }
    for kind, names in decided.items():
        if subject in names:
            return kind
    chains = open_chains(schema, spec, blueprint)
    if subject in chains:
        return Kind.PATH
    known = [*chains, *(name for names in decided.values() for name in names)]
    raise TopologyError(unknown("table, key or column", subject, known))


def role_of(blueprint: Blueprint, subject: str, kind: Kind) -> Role:
    """Return what becomes of a subject; a chain that is no edge is dropped."""
    decisions: Iterable[Decision] = {
        Kind.TABLE: blueprint.tables,
        Kind.KEY: blueprint.keys,
        Kind.COLUMN: blueprint.columns,
        Kind.PATH: blueprint.paths,
    }[kind]
    found = {one.subject: one.role for one in decisions}
    return found.get(subject, PathRole.DROPPED)


def open_chains(
    schema: Schema, spec: TaskSpec, blueprint: Blueprint, longest: int = MAX_LENGTH
) -> dict[str, tuple[str, str]]:
    """Return the chains of keys that are, or could be, shortcut edges.

    Returns:
        The tables at both ends, by the ids of the keys joined by ``→``.
    """
    draft = replace(_resumed(schema, spec, blueprint), shortcut_length=longest)
    found = draft_chains(draft, edge_rules(draft))
    return {one.name: (one.edge.source, one.edge.target) for one in found}


def design_to_toml(
    schema: Schema, spec: TaskSpec, blueprint: Blueprint, base: str = "row2node"
) -> str:
    """Return a topology file that says what differs from a base and nothing else.

    Where what a base does cannot be told from it by single decisions, the file says
    everything, as `Blueprint.to_toml` does.

    Args:
        schema: The tables and keys.
        spec: The question.
        blueprint: The plan to write down.
        base: A name in `TOPOLOGIES`.
    """
    start = plan(schema, spec, TOPOLOGIES[base])
    written: dict[str, object] = {"name": blueprint.name, "base": base}
    for section, before, after in (
        ("tables", start.tables, blueprint.tables),
        ("keys", start.keys, blueprint.keys),
        ("columns", start.columns, blueprint.columns),
    ):
        roles = {one.subject: one.role for one in before}
        differing = {
            one.subject: str(one.role)
            for one in after
            if roles[one.subject] != one.role
        }
        written |= {section: differing} if differing else {}
    kept, had = ({one.subject for one in each.paths} for each in (blueprint, start))
    paths = dict.fromkeys(sorted(had - kept), str(PathRole.DROPPED))
    paths |= dict.fromkeys(sorted(kept - had), str(PathRole.SHORTCUT))
    written |= {"paths": paths} if paths else {}
    text = tomli_w.dumps(written)
    try:
        again = plan(schema, spec, read_topology(text))
    except TopologyError:
        return blueprint.to_toml()
    return text if _says_the_same(again, blueprint) else blueprint.to_toml()


def read_design(content: bytes, schema: Schema, spec: TaskSpec) -> Blueprint:
    """Return the plan of a topology file that a user brings.

    Args:
        content: The file.
        schema: The tables and keys that it has to fit.
        spec: The question that it has to fit.

    Raises:
        TopologyError: It is too large, no text, no topology file, or does not fit.
    """
    if len(content) > MAX_FILE_BYTES:
        raise TopologyError(
            f"The topology file has {len(content) / 1e6:.1f} MB; one has 1 MB at most."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TopologyError(
            "The topology file is not text (UTF-8); save a graph here to see one."
        ) from error
    topology = read_topology(text)
    return plan(schema, spec, replace(topology, name=checked_name(topology.name)))


def base_of(text: str) -> str:
    """Return the base that a topology file names; what it is held against."""
    return str(tomllib.loads(text).get("base", "row2node"))


def checked_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name for a design, told apart from others by a number.

    Raises:
        TopologyError: The name is empty, too long, or has signs that a name has not.
    """
    plain = name.strip()
    if not 0 < len(plain) <= MAX_NAME or not _NAME.fullmatch(plain):
        raise TopologyError(
            f'A graph cannot be called "{plain[:MAX_NAME]}"; 1 to {MAX_NAME} letters,'
            " digits or spaces work, without commas and slashes."
        )
    others = {*taken, *TOPOLOGIES}
    if plain not in others:
        return plain
    stem = plain if plain not in TOPOLOGIES else f"own {plain}"
    numbered = (f"{stem} {number}" for number in range(2, len(others) + 3))
    return next(one for one in (stem, *numbered) if one not in others)


@dataclass(frozen=True, slots=True)
class _Resume:
    """Takes every decision of a plan, whatever topology made it."""

    blueprint: Blueprint

    def __call__(self, draft: Draft) -> Draft:
        plan = self.blueprint
        return replace(
            draft.decide(plan.tables, plan.keys, plan.columns),
            paths={one.subject: one for one in plan.paths},
            aggregate_depth=plan.aggregate_depth,
        )


def _resumed(schema: Schema, spec: TaskSpec, blueprint: Blueprint) -> Draft:
    return _Resume(blueprint)(begin(schema, spec))


def _forget_broken_chains(draft: Draft) -> Draft:
    """Return the draft without the shortcuts along keys that are edges no more."""
    known = {one.name for one in draft_chains(draft, edge_rules(draft))}
    kept = {name: one for name, one in draft.paths.items() if name in known}
    return replace(draft, paths=kept)


def _override(kind: Kind, subject: str, role: str) -> Override:
    match kind:
        case Kind.TABLE:
            return Override(tables={subject: TableRole(role)}, reason=CHOSEN)
        case Kind.KEY:
            return Override(keys={subject: KeyRole(role)}, reason=CHOSEN)
        case Kind.COLUMN:
            return Override(columns={subject: ColumnRole(role)}, reason=CHOSEN)
        case Kind.PATH:
            return Override(paths={subject: PathRole(role)}, reason=CHOSEN)


def _try(
    schema: Schema, spec: TaskSpec, blueprint: Blueprint, change: Override
) -> Blueprint | str:
    """Return the plan after a change, or the sentence that says why there is none."""
    steps = (_Resume(blueprint), change, _forget_broken_chains)
    try:
        draft = begin(schema, spec)
        for step in steps[:2]:
            draft = step(draft)
        for problem in conflicts(replace(draft, paths={})):
            return _as_sentence(problem)
        planned = plan(schema, spec, _made_of(blueprint, steps))
    except TopologyError as error:
        return str(error)
    return planned


def _made_of(blueprint: Blueprint, steps: tuple[Pass, ...]) -> Topology:
    return Topology(
        name=blueprint.name,
        title=blueprint.title,
        story="",
        passes=steps,
        node_count="",
        edge_count="",
        hop_change="",
        source="",
    )


def _as_sentence(problem: str) -> str:
    return problem[0].upper() + problem[1:]


def _says_the_same(one: Blueprint, other: Blueprint) -> bool:
    """Return whether two plans agree on every decision and on what is built."""
    decided = [
        [
            (each.subject, each.role)
            for each in (*made.tables, *made.keys, *made.columns)
        ]
        for made in (one, other)
    ]
    return one.hash == other.hash and decided[0] == decided[1]
