"""The snippets of a page of the documentation: run in order, and held against what is printed.

    ```yaml            a file, if the first line is `# NAME.yaml`; else left alone
    ```sh              commands of nephoscope, run in this process
    ```text            what the `sh` block before it prints
    ```pycon           a session in Python with its answers; the names are those of the whole page
    ```python          a program in Python; likewise
    ```bash            what sets a machine up: not run

Times of a run differ, so what stands in parentheses behind the first line of a summary is left out
of the comparison. `python tests/docs/snippets.py` writes the output of all pages anew.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from nephoscope.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [DOCS / "tutorial.md", *sorted((DOCS / "howto").glob("*.md"))]

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
TIMES = re.compile(r"  \([\d,]+ events in [^)]*\)")


def blocks_of(text):
    """Language and text of each block, in order."""
    return [(match[1], match[2]) for match in FENCE.finditer(text)]


def plain(printed):
    """Output without what no two runs have in common."""
    lines = [line.rstrip() for line in TIMES.sub("", printed).strip("\n").splitlines()]
    return "\n".join(lines)


class Page:
    """A page while its blocks are run, one after the other, in the folder that one is in."""

    def __init__(self):
        self.names = {"__name__": "page"}
        self.printed = None
        """By the last `sh` block."""

    def run(self, language, text):
        """Run a block; nothing where it is none to run."""
        match language:
            case "yaml":
                self._file(text)
            case "sh":
                self.printed = "".join(command_output(it) for it in commands_of(text))
            case "python":
                exec(compile(text, "page", "exec"), self.names)
            case "pycon":
                self._session(text)

    def _file(self, text):
        first = text.partition("\n")[0]
        if name := re.fullmatch(r"# ([\w.-]+\.yaml)", first):
            Path(name[1]).write_text(text, encoding="utf-8")

    def _session(self, text):
        parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
        told = io.StringIO()
        test = parser.get_doctest(text, self.names, "page", None, 0)
        with contextlib.redirect_stdout(told):
            failed, tried = runner.run(test, clear_globs=False)
        self.names = test.globs
        assert tried
        assert not failed, told.getvalue()


def commands_of(text):
    """The commands of a block, those that go on in another line in one."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def command_output(command):
    """What a command prints."""
    program, *arguments = shlex.split(command)
    assert program == "nephoscope", command
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def record(path):
    """Put what is printed now into the `text` blocks of a page."""
    page, text = Page(), path.read_text(encoding="utf-8")

    def renewed(match):
        language, body = match[1], match[2]
        if language == "text" and page.printed is not None:
            body, page.printed = page.printed.strip("\n") + "\n", None
            body = "".join(line.rstrip() + "\n" for line in body.splitlines())
        else:
            page.run(language, body)
        return f"```{language}\n{body}```"

    path.write_text(FENCE.sub(renewed, text), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page_file = Path(name).resolve()
            os.chdir(folder)
            record(page_file)
            os.chdir(ROOT)
