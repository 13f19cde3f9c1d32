"""The snippets of a page of the documentation: run in order, and held against what is printed.

    ```yaml            a file, if the first line is `# NAME.yaml`; else left alone
    ```c               likewise, if it is `// NAME.c`
    ```sh              commands of nephoscope, run in this process
    ```text            what the `sh` block before it prints
    ```pycon           a session in Python with its answers; the names are those of the whole page
    ```python          a program in Python; likewise. A line that is an expression with a value
                       behind it, `found.verdict  # 'lower'`, has that value
    ```bash            what sets a machine up: not run, but for a compiler (`cc`) where there is one

Lines that are indented show how a command is written, with words in capitals for what is to be put
there: their options are looked at.

Times of a run differ, so what stands in parentheses behind the first line of a summary is left out
of the comparison. `python tests/docs/snippets.py` writes the output of all pages anew.
"""

import ast
import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from nephoscope.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [DOCS / "tutorial.md", *sorted((DOCS / "howto").glob("*.md"))]
GUIDES = sorted(set(DOCS.glob("*.md")) - set(PAGES))

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
                self._program(text)
            case "pycon":
                self._session(text)
            case "c":
                self._file(text, r"// ([\w.-]+\.c)")
            case "bash":
                self._compile(text)

    def _file(self, text, named=r"# ([\w.-]+\.yaml)"):
        first = text.partition("\n")[0]
        if name := re.fullmatch(named, first):
            Path(name[1]).write_text(text, encoding="utf-8")

    def _program(self, text):
        """Statement by statement, so that what is said of their values can be looked at."""
        lines = text.splitlines()
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.Expr) and statement.lineno == statement.end_lineno:
                code = compile(ast.Expression(statement.value), "page", "eval")
                found, told = eval(code, self.names), value_behind(lines[statement.lineno - 1])
                assert told is None or found == told[0], (lines[statement.lineno - 1], found)
            else:
                exec(compile(ast.Module([statement], []), "page", "exec"), self.names)

    def _compile(self, text):
        """By the compiler that is there, with the Python that runs this."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        for command in commands_of(text):
            if command.startswith("cc ") and shutil.which("cc"):
                subprocess.run(["sh", "-c", command], env=os.environ | {"PATH": path}, check=True)

    def _session(self, text):
        parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
        told = io.StringIO()
        test = parser.get_doctest(text, self.names, "page", None, 0)
        with contextlib.redirect_stdout(told):
            failed, tried = runner.run(test, clear_globs=False)
        self.names = test.globs
        assert tried
        assert not failed, told.getvalue()


def value_behind(line):
    """What a comment at the end of a line says, in a tuple; None where that is no value."""
    *_, comment = line.rpartition("  # ")
    with contextlib.suppress(ValueError, SyntaxError):
        return (ast.literal_eval(comment),) if "  # " in line else None


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
