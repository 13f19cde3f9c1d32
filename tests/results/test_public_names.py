"""What the package offers, and that its documentation is true."""

import doctest
import tomllib
import types
from pathlib import Path

import nephoscope
from nephoscope import errors


def test_all_is_what_is_public():
    public = {
        name
        for name, value in vars(nephoscope).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    } | {"catalog", "parts", "routing"}
    assert set(nephoscope.__all__) == public
    assert list(nephoscope.__all__) == sorted(nephoscope.__all__)


def test_the_version_is_that_of_the_project():
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    assert nephoscope.__version__ == project["version"]


def test_the_example_runs():
    names = ("buckets", "hypervisor", "lifecycle", "placement", "provisioning", "resilience")
    names += ("scaling", "shared_device", "patterns", "event_schedule")
    parts = (nephoscope.parts, *(getattr(nephoscope.parts, name) for name in names))
    for module in (nephoscope, nephoscope.catalog, *parts):
        failures, tests = doctest.testmod(module)
        assert tests >= 3
        assert failures == 0


def test_the_tree_of_errors_is_the_one_drawn():
    classes = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    tree = errors.__doc__.splitlines()
    for name, cls in classes.items():
        (line,) = [row for row in tree if name in row.split()]
        depth = next(i for i, letter in enumerate(line) if letter.isalpha()) // 4
        ours = [base for base in cls.__mro__ if base.__module__ == errors.__name__]
        assert depth == len(ours) - 1, name
