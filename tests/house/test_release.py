"""What a release is made of: the sdist, its metadata, and the files beside them."""

import os
import re
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Folders of the project; all others that lie about are of tools and builds.
FOLDERS = {"LICENSES", "benchmarks", "cmake", "cpp", "docs", "examples", "fuzz", "python", "tests"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    backend = pytest.importorskip("scikit_build_core.build", reason="scikit-build-core is not here")
    folder, before = tmp_path_factory.mktemp("sdist"), Path.cwd()
    os.chdir(ROOT)
    try:
        file = folder / backend.build_sdist(str(folder))
    finally:
        os.chdir(before)
    with tarfile.open(file) as archive:
        return {Path(*Path(it.name).parts[1:]): it for it in archive.getmembers() if it.isfile()}


def ours():
    """The files of the project by the rules of its own folders, no git needed."""
    junk = {"__pycache__"}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not junk & set(path.parts) and path.suffix not in {".so", ".o"}:
                inside = path.relative_to(ROOT)
                if not any(part.startswith(".") for part in inside.parts):
                    yield inside


def test_the_sdist_has_everything_and_nothing_else(sdist):
    expected = set(ours())
    at_the_top = {path for path in sdist if len(path.parts) == 1}
    assert set(sdist) - at_the_top == expected
    needed = {"pyproject.toml", "CMakeLists.txt", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md"}
    assert needed <= {path.name for path in at_the_top}
    assert {path.name for path in at_the_top} <= {
        *(path.name for path in ROOT.iterdir() if path.is_file()),
        "PKG-INFO",
    }
    assert sum(it.size for it in sdist.values()) < 8e6


def test_licences_of_what_is_compiled_in_are_there(sdist):
    patterns = PROJECT["project"]["license-files"]
    files = {path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)}
    assert {path.name for path in files} == {"LICENSE", "NOTICE", "pybind11.txt"}
    assert files <= set(sdist)
    text = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for name in re.findall(r"LICENSES/(\S+\.txt)", text):
        assert (ROOT / "LICENSES" / name).is_file()
    assert "BSD" in text
    found = {path.name for path in (ROOT / "LICENSES").iterdir()}
    assert found == set(re.findall(r"LICENSES/(\S+\.txt)", text))
    required = PROJECT["build-system"]["requires"]
    assert [it for it in required if "pybind11" in it]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {PROJECT['project']['version']}" in log


def test_wheels_are_for_the_versions_that_are_named():
    named = {
        it.rpartition(" ")[2]
        for it in PROJECT["project"]["classifiers"]
        if re.search(r":: 3\.\d+$", it)
    }
    wheels = PROJECT["tool"]["cibuildwheel"]["build"]
    assert {f"3.{it.removeprefix('cp3').removesuffix('-*')}" for it in wheels} == named
    assert PROJECT["project"]["requires-python"] == f">={min(named)}"
