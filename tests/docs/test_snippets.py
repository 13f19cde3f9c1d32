"""Every snippet of the tutorial and the how-tos runs, and prints what the page says."""

import ast
import re
import shlex

import pytest

from docs.snippets import DOCS, PAGES, ROOT, Page, blocks_of, command_output, commands_of, plain

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
                assert words[0].rpartition("/")[2] in {
                    "python",
                    "python3",
                    "pip",
                    "git",
                    "cd",
                    "pytest",
                }


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_python_is_python(path):
    """Of the other pages, which show calls and not programs, that much at least."""
    for language, text in blocks_of(path.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(text)


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
