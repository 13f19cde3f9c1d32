"""Every snippet of the documentation runs; the tutorial and the how-tos show what is printed."""

import ast
import importlib.util
import json
import re
import shlex
import shutil

import pytest

import nephoscope
from docs.snippets import (
    DOCS,
    GUIDES,
    PAGES,
    ROOT,
    Page,
    blocks_of,
    command_output,
    commands_of,
    plain,
)
from nephoscope import Scenario, figures
from nephoscope.errors import ExtraError

# What a `bash` block may begin with: environments, and what writes a file by the shell.
SET_UP = {"python", "python3", "pip", "git", "cd", "pytest", "nephoscope"}
FILE_NAME = re.compile(r"# [\w.-]+\.yaml\n")
ALL = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_snippets_of_a_page(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Page()
    compared = 0
    for language, text in blocks_of(path.read_text(encoding="utf-8")):
        if language == "text" and page.printed is not None:
            assert plain(text) == plain(page.printed)
            page.printed = None
            compared += 1
        else:
            page.run(language, text)
            compared += language == "pycon"
    assert compared >= 1


def missing(text):
    """What a program imports and nobody has installed."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return {name for name in names if importlib.util.find_spec(name.partition(".")[0]) is None}


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_the_snippets_of_a_guide(path, tmp_path, monkeypatch):
    """In order, with what is in `examples`; up to where an extra is that is not installed."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.setenv("MPLBACKEND", "agg")
    page = Page()
    for language, text in blocks_of(path.read_text(encoding="utf-8")):
        assert language in {"yaml", "sh", "text", "python", "bash", "c"}
        assert language != "yaml" or FILE_NAME.match(text), "a file has a name"
        if language == "c" and shutil.which("cc") is None:
            pytest.skip("there is no C compiler (cc)")
        if language == "python" and missing(text):
            continue
        try:
            page.run(language, text)
        except ExtraError as error:
            pytest.skip(str(error))


def test_what_stands_behind_a_line_is_its_value():
    page = Page()
    page.run("python", "word = 'lower'\nword  # 'lower'\nword  # a word\n")
    with pytest.raises(AssertionError):
        page.run("python", "word  # 'higher'\n")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_what_is_not_run_sets_a_machine_up(path):
    for language, text in blocks_of(path.read_text(encoding="utf-8")):
        assert language in {"yaml", "sh", "text", "python", "pycon", "bash", "json"}
        if language == "bash":
            for command in commands_of(text):
                words = shlex.split(command, comments=True)
                assert words[0].rpartition("/")[2] in SET_UP


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_python_is_python(path):
    """Also where an extra is not installed."""
    for language, text in blocks_of(path.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(text)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_names_of_the_package_are_there(path):
    """Also those of pages whose programs are sketches."""
    for language, text in blocks_of(path.read_text(encoding="utf-8")):
        if language in {"python", "pycon"}:
            for dotted in re.findall(r"\b(?:nph|nephoscope)((?:\.[A-Za-z]\w*)+)", text):
                found = nephoscope
                for name in dotted.split(".")[1:]:
                    if not hasattr(found, name):  # a module that nobody has imported yet
                        importlib.import_module(f"{found.__name__}.{name}")
                    found = getattr(found, name)
            for name in re.findall(r"\bfigures\.(\w+)\(", text):
                assert name in figures.__all__


def test_the_readme_shows_what_its_command_prints(monkeypatch):
    """Its first output leaves out what is not spoken of; what it has is there, in order."""
    monkeypatch.chdir(ROOT)
    blocks = blocks_of((ROOT / "README.md").read_text(encoding="utf-8"))
    commands = blocks[0][1]
    shown = blocks[1][1]
    (run,) = re.findall(r"bin/(nephoscope run .*)", commands)
    printed = iter(plain(command_output(run)).splitlines())
    for line in plain(shown).splitlines():
        assert line in printed, line


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    """As it stands, but for the file: 20 instances for 30 seconds."""
    scenario = Scenario.load(ROOT / "examples" / "ten-million.yaml").replace(
        {
            "fleets.web.count": 20,
            "traffic.customers.rate": "160/s",
            "duration": "30s",
            "warmup": "5s",
        }
    )
    (tmp_path / "examples").mkdir()
    written = json.dumps(scenario.to_dict())
    (tmp_path / "examples" / "ten-million.yaml").write_text(written, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (program,) = [
        text
        for language, text in blocks_of((ROOT / "README.md").read_text(encoding="utf-8"))
        if language == "python"
    ]
    page = Page()
    page.run("python", program)
    assert page.names["twin"].now == page.names["sim"].now == 30.0
    assert len(page.names["runs"]) == 30


def test_every_option_of_a_page_is_one():
    """An option that a page gives to a command of nephoscope is one that the command has."""
    helps = {}
    for path in ALL:
        text = path.read_text(encoding="utf-8")
        for command, rest in re.findall(r"nephoscope (run|compare|sweep|size|explain)\b(.*)", text):
            if command not in helps:
                helps[command] = command_output(f"nephoscope {command} --help")
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest.partition("`")[0]):
                assert option in helps[command], f"{path.name}: nephoscope {command} {option}"
