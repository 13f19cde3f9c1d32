"""The arrows of the house: kernel <- parts, strangers to each other <- world <- bindings."""

from pathlib import Path

import pytest

from house import arrows

ROOT = Path(__file__).parents[2]


def test_includes_run_downwards():
    assert arrows.include_errors(ROOT) == []


def test_targets_link_what_they_include_and_no_more():
    assert arrows.cmake_errors(ROOT) == []


def test_every_layer_has_a_target():
    layers = {layer for layer, _ in arrows.sources(ROOT)} - {"fuzz"}
    assert layers <= arrows.cmake_links(ROOT).keys()


def test_python_imports_run_downwards():
    package = ROOT / "python" / "nephoscope"
    assert arrows.python_errors(package) == []
    assert arrows.python_errors(package, arrows.SCENARIO_RANKS, ("scenario",)) == []


def test_no_two_types_have_one_name():
    """Two of them would be one to the linker, and the vectors of one those of the other."""
    assert arrows.name_errors(ROOT) == []


# The rest proves that the rules above would catch what they forbid.


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("file", "include"),
    [
        ("cpp/kernel/clock.hpp", '"world/spec.hpp"'),
        ("cpp/kernel/clock.hpp", '"balancing/routing.hpp"'),
        ("cpp/balancing/routing.hpp", '"compute/instance.hpp"'),
        ("cpp/balancing/routing.hpp", "<workload/arrivals.hpp>"),
        ("cpp/service/program.cpp", '"world/world.hpp"'),
        ("cpp/world/world.hpp", '"bindings/pybind11.hpp"'),
        ("cpp/world/world.hpp", "<pybind11/numpy.h>"),
        ("cpp/world/world.hpp", "<boost/any.hpp>"),
        ("cpp/world/world.hpp", '"../kernel/clock.hpp"'),
        ("cpp/world/world.hpp", '"spec.hpp"'),
        ("cpp/helpers/misc.hpp", "<vector>"),
        ("fuzz/core.cpp", '"bindings/pybind11.hpp"'),
    ],
)
def test_forbidden_include_is_caught(tmp_path, file, include):
    plant(tmp_path, {file: f"#pragma once\n  #  include {include}\n"})
    (error,) = arrows.include_errors(tmp_path)
    assert error.startswith(file)


def test_allowed_includes_pass(tmp_path):
    text = '#include <vector>\n#include "kernel/clock.hpp"\n// "world/spec.hpp" in a comment\n'
    plant(tmp_path, {"cpp/balancing/routing.cpp": text + '#include "balancing/routing.hpp"\n'})
    assert arrows.include_errors(tmp_path) == []


@pytest.mark.parametrize(
    ("cmake", "error"),
    [
        ("layer(kernel world)\n", "target kernel links world"),
        ("layer(service kernel compute)\n", "target service links compute"),
        ("target_link_libraries(nephoscope-kernel PUBLIC nephoscope-compute)\n", "kernel links"),
    ],
)
def test_forbidden_link_is_caught(tmp_path, cmake, error):
    plant(tmp_path, {"cpp/CMakeLists.txt": cmake})
    assert error in arrows.cmake_errors(tmp_path)[0]


def test_include_without_link_is_caught(tmp_path):
    cmake = "layer(kernel)\nlayer(service)\n"
    plant(
        tmp_path,
        {"cpp/CMakeLists.txt": cmake, "cpp/service/x.hpp": '#include "kernel/clock.hpp"\n'},
    )
    assert "links no kernel" in arrows.cmake_errors(tmp_path)[0]


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("language/fleet.py", "from nephoscope.scenario.rules.life import life_problems"),
        ("language/fleet.py", "from ..rules import life"),
        ("rules/life.py", "from nephoscope.scenario import scenario"),
        ("units.py", "from nephoscope.scenario.language.fleet import Fleet"),
        ("misc.py", "import os"),
    ],
)
def test_forbidden_import_inside_scenario_is_caught(tmp_path, file, statement):
    modules = ("scenario.py", "language/fleet.py", "rules/life.py", file)
    package = plant(
        tmp_path / "nephoscope",
        dict.fromkeys((f"scenario/{it}" for it in modules), "") | {f"scenario/{file}": statement},
    )
    (error,) = arrows.python_errors(package, arrows.SCENARIO_RANKS, ("scenario",))
    assert error.startswith(f"nephoscope/scenario/{file}")


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("scenario/model.py", "from nephoscope.run import run"),
        ("scenario/model.py", "from ..run import run"),
        ("scenario/model.py", "from .. import cli"),
        ("scenario/model.py", "def late():\n    import nephoscope.cli"),
        ("errors.py", "from . import scenario"),
        ("errors.py", "from nephoscope import _core"),
        ("results.py", "from .run import run"),
        ("results.py", "def late():\n    from .run import run"),
        ("scenario/model.py", "from nephoscope.run import run  # and not in a function"),
        ("misc.py", "import os"),
    ],
)
def test_forbidden_import_is_caught(tmp_path, file, statement):
    package = plant(
        tmp_path / "nephoscope",
        {"run.py": "", "cli.py": "", "_core.pyi": "", "scenario/__init__.py": "", file: statement},
    )
    (error,) = arrows.python_errors(package)
    assert error.startswith(f"nephoscope/{file}")


@pytest.mark.parametrize(
    "statement",
    [
        "from nephoscope import errors",
        "def run():\n    from nephoscope.run import run",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nephoscope.run import run",
    ],
)
def test_allowed_import_passes(tmp_path, statement):
    package = plant(
        tmp_path / "nephoscope", {"run.py": "", "errors.py": "", "scenario/model.py": statement}
    )
    assert arrows.python_errors(package) == []


def test_a_name_given_twice_is_caught(tmp_path):
    plant(
        tmp_path,
        {
            "cpp/world/visit.hpp": "struct Sent;\nstruct Sent {\n  struct Inner {};\n};\n",
            "cpp/messaging/calls.hpp": "class Sent {\n  struct Inner {};\n};\n",
        },
    )
    assert arrows.name_errors(tmp_path) == ["Sent: cpp/messaging/calls.hpp, cpp/world/visit.hpp"]
