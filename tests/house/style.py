"""The limits of style that a machine can check, as functions from a file's text to complaints."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LINES_MAX = 400
LINES_MAX_TEST = 600
WIDTH_MAX = 100
FUNCTION_LINES_MAX = 60

CODE = {".py", ".pyi", ".cpp", ".hpp", ".cmake", ".sh"}
TEXT = CODE | {".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".out", ".ini", ".cfg"}
FOLDERS = ("cpp", "python", "tests", "benchmarks", "examples", "fuzz", "docs", "cmake", ".ci")

# In pieces, so that this file does not find itself.
BANNED_WORDS = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|tmp|root|farm|home|Users)/")

TOKEN = re.compile(
    r"""
    //[^\n]* | /\*.*?\*/                            # comments
    | R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)"           # raw strings
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])'      # strings and characters
    """,
    re.VERBOSE | re.DOTALL,
)
TEMPLATE = re.compile(r"\btemplate\s*<[^{}()]*?>\s*(?=\w)")
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")


def files(root: Path) -> Iterator[Path]:
    """Every text file of the project, not what builds and tools leave behind."""
    yield from sorted(p for p in root.iterdir() if p.is_file() and p.suffix in TEXT)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            hidden = any(
                part.startswith((".", "__py")) for part in path.relative_to(root).parts[1:]
            )
            if path.is_file() and not hidden and (path.suffix in TEXT or path.name == "run"):
                yield path


def complaints(name: str, text: str) -> list[str]:
    """Everything that one file does against the limits; `name` is its path from the root."""
    path = Path(name)
    found = [f"{name}:{number}: {what}" for number, what in _line_complaints(path, text)]
    if path.suffix not in CODE:
        return found
    limit = LINES_MAX_TEST if path.parts[0] == "tests" else LINES_MAX
    lines = text.count("\n")
    if lines > limit:
        found.append(f"{name}: {lines} lines, at most {limit}")
    if path.suffix == ".hpp":
        found += _header_complaints(name, text)
    functions = python_functions(text) if path.suffix in {".py", ".pyi"} else []
    if path.suffix in {".cpp", ".hpp"}:
        functions = cpp_functions(text)
    found += [
        f"{name}:{line}: {what} has {length} lines, at most {FUNCTION_LINES_MAX}"
        for what, line, length in functions
        if length > FUNCTION_LINES_MAX
    ]
    return found


def _line_complaints(path: Path, text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if path.suffix in CODE and len(line) > WIDTH_MAX:
            yield number, f"{len(line)} columns, at most {WIDTH_MAX}"
        if word := BANNED_WORDS.search(line):
            yield number, f"{word[0]}: do it, or write it into an issue"
        if place := MACHINE_PATHS.search(line):
            yield number, f"{place[0]}: a path of one machine"


def _header_complaints(name: str, text: str) -> list[str]:
    found = []
    if not text.startswith(("//", "/*")):
        found.append(f"{name}: opens with no comment that says what it is for")
    if not re.search(r"^#pragma once$", text, re.MULTILINE):
        found.append(f"{name}: no #pragma once")
    return found


def python_functions(text: str) -> list[tuple[str, int, int]]:
    """Name, first line and length of every function."""
    return [
        (node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def cpp_functions(text: str) -> list[tuple[str, int, int]]:
    """Header, first line and length of every function, by counting braces.

    A brace opens a function if something with a parenthesis stands before it, it is not inside
    one already, and no namespace or class begins there. Braces of member initialisers belong to
    the constructor that they precede.
    """
    text = TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    text = re.sub(
        r"^[ \t]*#(?:[^\n\\]|\\.)*", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.M | re.S
    )
    functions: list[tuple[str, int, int]] = []
    depth, start, since = 0, -1, 0  # depth inside a function, where its header starts
    for brace in re.finditer(r"[{};]", text):
        kind, at = brace[0], brace.start()
        if start < 0:
            header = text[since:at]
            since = at + 1
            head, paren, _ = TEMPLATE.sub("", header).partition("(")
            if kind == "{" and paren and not CONTAINER.search(head):
                start, depth = at - len(header.lstrip()), 1
        elif kind == "{":
            depth += 1
        elif kind == "}":
            depth -= 1
            rest = text[at + 1 : at + 400].lstrip()
            if depth == 0 and not rest.startswith((",", "{")):
                first = text.count("\n", 0, start) + 1
                header = " ".join(text[start : text.index("{", start)].split())
                functions.append((header, first, text.count("\n", 0, at) + 2 - first))
                start, since = -1, at + 1
    return functions
