"""The parts of several modules that some names need, as one text that stands alone."""

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

OWN = "workbench"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One text out of several modules.

    Attributes:
        imports: The imports of all parts, but those of one from another.
        parts: The definitions that are needed of each module, in its order.
    """

    imports: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Definition:
    """A function, class or constant at the top of a module, and the names it reads."""

    names: frozenset[str]
    text: str
    uses: frozenset[str]


def gather(modules: Sequence[Path], wanted: Iterable[str]) -> Bundle:
    """Return what some names need of modules that import nothing else of their own.

    Args:
        modules: Source files, each before those that build on it.
        wanted: Names that a text after the bundle uses.

    Raises:
        ValueError: Two of the modules give one name to different things.
    """
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules]
    texts = [path.read_text(encoding="utf-8") for path in modules]
    found = [
        list(_definitions(tree, text)) for tree, text in zip(trees, texts, strict=True)
    ]
    by_name: dict[str, _Definition] = {}
    for one in (each for part in found for each in part):
        for name in one.names:
            if name in by_name:
                raise ValueError(f'"{name}" stands in two of the modules')
            by_name[name] = one
    kept, pending = set[_Definition](), list(wanted)
    while pending:
        one = by_name.get(pending.pop())
        if one is not None and one not in kept:
            kept.add(one)
            pending += one.uses
    used = {name for one in kept for name in one.uses} | set(wanted)
    parts = ("\n\n\n".join(one.text for one in part if one in kept) for part in found)
    return Bundle(_imports(trees, used), tuple(part for part in parts if part))


def entry_of(module: Path, constant: str, key: str) -> str:
    """Return the text of one entry of a dictionary at the top of a module.

    Raises:
        KeyError: There is none.
    """
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            names = [one.id for one in node.targets if isinstance(one, ast.Name)]
            pairs = zip(node.value.keys, node.value.values, strict=True)
            for known, value in pairs:
                if names == [constant] and ast.literal_eval(known or value) == key:
                    return ast.unparse(value)
    raise KeyError(key)


def names_in(text: str) -> frozenset[str]:
    """Return the names that an expression or a block of code reads."""
    return _names(ast.parse(text))


def _definitions(tree: ast.Module, text: str) -> Iterator[_Definition]:
    lines = text.splitlines()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names = frozenset({name})
            case ast.Assign(targets=targets):
                names = frozenset(
                    one.id
                    for target in targets
                    for one in ast.walk(target)
                    if isinstance(one, ast.Name)
                )
            case _:
                continue
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(one.lineno for one in decorators)])
        written = "\n".join(lines[first - 1 : node.end_lineno])
        yield _Definition(names, written, _names(node) - names)


def _names(node: ast.AST) -> frozenset[str]:
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def _imports(trees: Sequence[ast.Module], used: set[str]) -> str:
    """Return the imports of what is used, the standard library's first."""
    plain: set[tuple[str, str]] = set()
    members: dict[str, set[str]] = {}
    for node in (one for tree in trees for one in tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                if bound in used:
                    plain.add((alias.name, _alias(alias)))
        elif isinstance(node, ast.ImportFrom) and not _is_own(node.module or ""):
            kept = {
                _alias(one) for one in node.names if (one.asname or one.name) in used
            }
            if kept:
                members.setdefault(node.module or "", set()).update(kept)
    written = [(module, f"import {text}") for module, text in plain]
    written += [
        (module, f"from {module} import {', '.join(sorted(names))}")
        for module, names in members.items()
    ]
    groups: list[list[str]] = [[], []]
    for module, line in sorted(written, key=lambda one: (one[1][:4] == "from", one)):
        is_standard = module.partition(".")[0] in sys.stdlib_module_names
        groups[0 if is_standard else 1].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group)


def _alias(alias: ast.alias) -> str:
    return alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"


def _is_own(module: str) -> bool:
    return module.partition(".")[0] == OWN
