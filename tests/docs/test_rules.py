"""The page of rules: every test that is named there exists, and every rule has one or a reason."""

import ast
import re
from functools import cache

import pytest

from docs.snippets import DOCS, ROOT

PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
REASON = re.compile(r"not modelled: \w")


@cache
def named_in(path: str) -> frozenset[str]:
    """The test functions of a file, which is read and not imported."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def rows_of(page: str) -> list[tuple[str, str]]:
    """Rule and proof of every row of every table, without their heads."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    rows = [tuple(re.split(r"(?<!\\) \| ", line.strip("| "))) for line in lines]
    return [row for row in rows if row != ("rule", "proved by")]


def complaint(row: tuple[str, ...]) -> str | None:
    """What is wrong with a row, if anything is."""
    if len(row) != 2 or not row[0]:
        return "not a rule and its proof"
    named = PROOF.findall(row[1])
    left = PROOF.sub("", row[1]).replace("<br>", "").strip()
    if not named:
        return None if REASON.match(left) else "neither a test nor a reason"
    if left:
        return f"{left!r} beside the tests"
    if len(set(named)) != len(named):
        return "a test is named twice"
    gone = [f"{path}::{name}" for path, name in named if name not in named_in(path)]
    return f"no such test: {', '.join(gone)}" if gone else None


ROWS = rows_of((DOCS / "rules.md").read_text(encoding="utf-8"))


def test_every_rule_names_tests_that_exist_or_a_reason():
    wrong = {row[0]: said for row in ROWS if (said := complaint(row))}
    assert wrong == {}


def test_no_rule_stands_twice_under_a_service():
    page = (DOCS / "rules.md").read_text(encoding="utf-8")
    for section in page.split("\n## ")[1:]:
        rules = [row[0] for row in rows_of(section)]
        assert len(set(rules)) == len(rules) > 10, section[:40]


HERE = "`tests/docs/test_rules.py::test_what_is_wrong_with_a_row_is_told`"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"| a rule | {HERE} |", None),
        ("| a rule | not modelled: there is nothing to see |", None),
        ("| a rule | not modelled |", "neither a test nor a reason"),
        ("| a rule | it is so |", "neither a test nor a reason"),
        (f"| a rule | {HERE}<br>{HERE} |", "named twice"),
        (f"| a rule | {HERE} and more |", "beside the tests"),
        ("| a rule | `tests/docs/test_rules.py::test_nothing` |", "no such test"),
        ("| a rule | `tests/docs/test_nowhere.py::test_nothing` |", "no such test"),
        ("| a rule | one | two |", "not a rule and its proof"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(line, said):
    (row,) = rows_of(line)
    found = complaint(row)
    assert found is None if said is None else said in found
