"""The stubs of the compiled module say what is there, no less and no more."""

import ast
import enum
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from nephoscope import _core

STUBS = Path(__file__).parents[2] / "python" / "nephoscope" / "_core"
MODULES = {
    "__init__": _core,
    "balancers": _core.balancers,
    "buckets": _core.buckets,
    "devices": _core.devices,
    "faults": _core.faults,
    "hosts": _core.hosts,
    "hypervisor": _core.hypervisor,
    "life": _core.life,
    "lifecycle": _core.lifecycle,
    "math": _core.math,
    "membership": _core.membership,
    "patterns": _core.patterns,
    "placement": _core.placement,
    "queues": _core.queues,
    "resilience": _core.resilience,
    "routing": _core.routing,
    "scaling": _core.scaling,
    "service": _core.service,
    "topics": _core.topics,
}

# Parameters without their types: the names, and whether each has a default.
Parameters = list[tuple[str, bool]]


def public(names) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def parameters_of(arguments: ast.arguments) -> Parameters:
    names = [argument.arg for argument in arguments.args if argument.arg != "self"]
    required = len(names) - len(arguments.defaults)
    return [(name, index >= required) for index, name in enumerate(names)]


def parameters_in(docstring: str) -> Parameters:
    """What the binding library writes into the first line: `name(x: int, y: int = 0) -> int`."""
    line = re.sub(r"<[^<>]*>", "None", docstring.splitlines()[0])
    (function,) = ast.parse(f"def {line}: ...").body
    assert isinstance(function, ast.FunctionDef)
    return parameters_of(function.args)


def members(cls: ast.ClassDef) -> dict[str, ast.stmt]:
    """Everything public in the body of a class; of a property, its getter."""
    found: dict[str, ast.stmt] = {}
    for node in cls.body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, node)
        elif isinstance(node, ast.AnnAssign):
            found[ast.unparse(node.target)] = node
        elif isinstance(node, ast.Assign):
            found[ast.unparse(node.targets[0])] = node
    return found


def difference(name: str, stub: ast.stmt, real: object) -> list[str]:
    """How a function, a class or a member differs from its stub."""
    if isinstance(stub, ast.ClassDef):
        return class_differences(stub, real)
    is_property = isinstance(real, property)
    if isinstance(stub, ast.AnnAssign):
        return [] if is_property and real.fset else [f"{name} cannot be set"]
    assert isinstance(stub, ast.FunctionDef)
    decorated = any(ast.unparse(node) == "property" for node in stub.decorator_list)
    if is_property or decorated:
        return [] if is_property and decorated else [f"{name} is a property only on one side"]
    docstring = getattr(real, "__func__", real).__doc__ or ""
    same = parameters_of(stub.args) == parameters_in(docstring)
    return [] if same else [f"{name} is {docstring.splitlines()[0]}"]


def class_differences(stub: ast.ClassDef, real: object) -> list[str]:
    assert inspect.isclass(real)
    found = members(stub)
    if issubclass(real, enum.Enum):
        values = {name: ast.literal_eval(node.value) for name, node in found.items()}
        return [] if values == {e.name: e.value for e in real} else [f"{stub.name} differs"]
    names = public(found) ^ public(vars(real))
    differences = [f"{stub.name}.{name} is on one side only" for name in sorted(names)]
    for name in public(found) & public(vars(real)) | {"__init__"}:
        node = found[name]
        differences += difference(f"{stub.name}.{name}", node, inspect.getattr_static(real, name))
    return differences


@pytest.mark.parametrize("file", MODULES)
def test_stub_is_the_module(file):
    module: ModuleType = MODULES[file]
    tree = ast.parse((STUBS / f"{file}.pyi").read_text(encoding="utf-8"))
    stubs = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    submodules = {name for name, value in vars(module).items() if isinstance(value, ModuleType)}
    assert public(stubs) == public(vars(module)) - submodules
    differences = [
        d for name, node in stubs.items() for d in difference(name, node, vars(module)[name])
    ]
    assert differences == []


def test_every_submodule_has_a_stub():
    submodules = {name for name, value in vars(_core).items() if isinstance(value, ModuleType)}
    assert submodules == public(MODULES) == {file.stem for file in STUBS.iterdir()} - {"__init__"}
