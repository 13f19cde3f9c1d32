"""Who depends on whom, read from the includes, the CMake files and the Python imports.

The rules are in `ALLOWED` and the ranks; everything here takes a root folder, so that the
tests can also point it at a small tree with a forbidden arrow in it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PARTS = frozenset({"workload", "compute", "balancing", "messaging", "scaling", "service"})

# A layer may also include itself. The parts are strangers to each other.
ALLOWED: dict[str, frozenset[str]] = {
    "kernel": frozenset(),
    **dict.fromkeys(PARTS, frozenset({"kernel"})),
    "world": PARTS | {"kernel"},
    "bindings": PARTS | {"kernel", "world"},
    "fuzz": PARTS | {"kernel", "world"},
}

# A module of the package imports only modules of a lower rank; a sub-package is one module here.
PYTHON_RANKS: dict[str, int] = {
    "errors": 0,
    "nearest": 0,
    "extras": 1,
    "datasets": 2,
    "tables": 3,
    "_core": 1,
    "patterns": 1,
    "catalog": 1,
    "scenario": 2,
    "message_costs": 3,
    "cost": 4,
    "parts": 3,
    "routing": 3,
    "theory": 3,
    "results": 5,
    "run": 6,
    "simulation": 7,
    "experiment": 7,
    "rollouts": 8,
    "splitting": 8,
    "progress": 8,
    "rl": 8,
    "report": 8,
    "figures": 9,
    "commands": 9,
    "cli": 10,
    "__main__": 11,
    "__init__": 11,
}

# The same inside `scenario`, on the way from a file to what the core takes.
SCENARIO_RANKS: dict[str, int] = {
    "units": 0,
    "files": 1,
    "language": 2,
    "rules": 3,
    "problems": 3,
    "overriding": 3,
    "saved_policies": 3,
    "trace_events": 3,
    "data_files": 4,
    "editor_help": 3,
    "schema": 4,
    "checking": 5,
    "scenario": 6,
    "specs": 7,
    "compile": 8,
    "steering": 9,
    "__init__": 7,
}

# Imports within a function that run upwards all the same: a method that is a short cut to what a
# higher module does.
SHORT_CUTS = {
    ("scenario", "run"),  # Scenario.run
    ("scenario", "report"),  # what shows itself in a notebook
    ("theory", "report"),
    ("results", "report"),  # Result.to_html
    ("experiment", "report"),  # to_html of Comparison, Sizing, Sweep
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
TYPE = re.compile(
    r"^(?:struct|class|enum class)[ ]+(?:alignas\([^)]*\)[ ]+)?(\w+)\b[^;{]*\{", re.MULTILINE
)
LAYER_CALL = re.compile(r"^layer\(([^)]*)\)", re.MULTILINE)
LINK_CALL = re.compile(r"^\s*target_link_libraries\(([^)]*)\)", re.MULTILINE)


def sources(root: Path) -> Iterator[tuple[str, Path]]:
    """Every C++ file with the layer it belongs to: the first folder below cpp/, or fuzz."""
    for path in sorted((root / "cpp").rglob("*.[ch]pp")):
        yield path.relative_to(root / "cpp").parts[0], path
    for path in sorted((root / "fuzz").rglob("*.[ch]pp")):
        yield "fuzz", path


def include_errors(root: Path) -> list[str]:
    """The includes that cross a border the wrong way, or reach outside the standard library."""
    errors = []
    for layer, path in sources(root):
        where = path.relative_to(root).as_posix()
        if layer not in ALLOWED:
            errors.append(f"{where}: {layer} is no layer")
            continue
        for quoted, angled in INCLUDE.findall(path.read_text(encoding="utf-8")):
            reason = _include_error(layer, quoted, angled)
            if reason:
                errors.append(f"{where}: {quoted or angled}: {reason}")
    return errors


def _include_error(layer: str, quoted: str, angled: str) -> str:
    head = (quoted or angled).split("/")[0]
    if head in ALLOWED:
        return "" if head == layer or head in ALLOWED[layer] else f"{layer} may not see {head}"
    if quoted:
        return "ours are included by their path from cpp/"
    if re.fullmatch(r"[a-z0-9_]+", angled) or layer in {"bindings", "fuzz"}:
        return ""
    return "the core uses the standard library alone"


def cmake_links(root: Path) -> dict[str, set[str]]:
    """What each layer's CMake target links, by the names of layers; `bindings` is the module."""
    links: dict[str, set[str]] = {}
    for folder in ("cpp", "fuzz"):
        file = root / folder / "CMakeLists.txt"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        for call in LAYER_CALL.findall(text):
            name, *linked = call.split()
            links.setdefault(name, set()).update(linked)
        for call in LINK_CALL.findall(text):
            target, *linked = call.split()
            if "$" in target:  # the body of layer() itself
                continue
            owner = {"_core": "bindings"}.get(target, target.removeprefix("nephoscope-"))
            owner = owner if owner in ALLOWED else "fuzz"
            found = {name.removeprefix("nephoscope-") for name in linked}
            links.setdefault(owner, set()).update(
                found - {"PRIVATE", "PUBLIC", "INTERFACE", "flags"}
            )
    return links


def cmake_errors(root: Path) -> list[str]:
    """The links that run the wrong way, and the includes that no link stands for."""
    links = cmake_links(root)
    errors = [
        f"target {layer} links {other}"
        for layer, linked in sorted(links.items())
        for other in sorted(linked)
        if other not in ALLOWED.get(layer, frozenset())
    ]
    for layer, path in sources(root):
        reached = _reached(layer, links)
        for quoted, _ in INCLUDE.findall(path.read_text(encoding="utf-8")):
            head = quoted.split("/")[0]
            if head in ALLOWED and head not in reached:
                errors.append(f"{path.relative_to(root)}: includes {quoted}, links no {head}")
    return errors


def _reached(layer: str, links: dict[str, set[str]]) -> set[str]:
    reached, pending = set(), [layer]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(links.get(name, ()))
    return reached


def python_errors(
    package: Path, ranks: dict[str, int] = PYTHON_RANKS, inside: tuple[str, ...] = ()
) -> list[str]:
    """The imports between modules that do not run from a higher rank to a lower.

    Modules of the package, or of its sub-package `inside`.
    """
    errors = []
    folder = package.joinpath(*inside)
    for path in sorted(folder.rglob("*.py")):
        module = path.relative_to(folder).parts[0].removesuffix(".py")
        where = path.relative_to(package.parent).as_posix()
        if module not in ranks:
            errors.append(f"{where}: {module} has no rank in tests/house/arrows.py")
            continue
        for other, late in sorted(_imported(path, package, inside)):
            if other not in ranks:
                errors.append(f"{where}: {other} has no rank in tests/house/arrows.py")
            elif other == module or (late and (module, other) in SHORT_CUTS):
                continue
            elif ranks[other] >= ranks[module]:
                errors.append(f"{where}: {module} may not import {other}")
    return errors


def _imported(path: Path, package: Path, inside: tuple[str, ...]) -> set[tuple[str, bool]]:
    """The modules of ours that a file imports, each with whether that is within a function."""
    own = [package.name, *path.relative_to(package).parts[:-1]]
    prefix = ".".join((package.name, *inside, ""))
    found: set[tuple[str, bool]] = set()
    for node, late in _statements(ast.parse(path.read_text(encoding="utf-8")), late=False):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = own[: len(own) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{stem}.{alias.name}" for alias in node.names]
        else:
            continue
        ours = {
            name.removeprefix(prefix).split(".")[0] for name in names if name.startswith(prefix)
        }
        folder = package.joinpath(*inside)
        found |= {(name, late) for name in ours if _is_module(folder, name)}
    return found


def _statements(node: ast.AST, *, late: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that is run (not what only type checkers see): whether it is in a function."""
    for child in ast.iter_child_nodes(node):
        yield child, late
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield from _statements(child, late=late or isinstance(child, ast.FunctionDef))


def _is_module(package: Path, name: str) -> bool:
    """Whether a name imported from the package is a module of it: not a class or a value."""
    return any((package / f"{name}{suffix}").exists() for suffix in (".py", ".pyi", ""))


def name_errors(root: Path) -> list[str]:
    """Types that two headers define outside of any other type."""
    places: dict[str, list[str]] = {}
    for path in sorted((root / "cpp").rglob("*.hpp")):
        for name in TYPE.findall(path.read_text(encoding="utf-8")):
            places.setdefault(name, []).append(path.relative_to(root).as_posix())
    return [f"{name}: {', '.join(where)}" for name, where in places.items() if len(where) > 1]
