"""Every snippet of the tutorial and the how-tos runs, and prints what the page says."""

import ast
import importlib
import json
import re
import shlex

import pytest

import nephoscope
from docs.snippets import DOCS, PAGES, ROOT, Page, blocks_of, command_output, commands_of, plain
from nephoscope import Scenario, figures

# What a `bash` block may begin with: environments, and what writes a file by the shell.
SET_UP = {"python", "python3", "pip", "git", "cd", "pytest", "nephoscope"}
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
    """Of the other pages, which show calls and not programs, that much at least."""
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
