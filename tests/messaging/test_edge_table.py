"""Every line of the table of edge cases in the reference, where that is at hand."""

import re
from pathlib import Path

import pytest

from nephoscope import PatternError, parts

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "aws-behaviour.md"
ABSENT = "the reference (../shared/reference/aws-behaviour.md) is not here"


def rows(file: Path) -> list[tuple[str, str, str]]:
    """Pattern, event and result of each line."""
    table = re.search(r"### Edge table.*?```\n(.*?)```", file.read_text(encoding="utf-8"), re.S)
    assert table is not None
    return [tuple(line.split(" | ")) for line in table[1].splitlines()]


def outcome(pattern: str, event: str) -> str:
    try:
        found = parts.EventPattern(pattern)
    except PatternError:
        return "INVALID"
    return "match" if found.matches(event) else "no match"


def disagreements(file: Path) -> list[str]:
    return [
        f"{pattern} | {event} | {result}: {outcome(pattern, event)}"
        for pattern, event, result in rows(file)
        if outcome(pattern, event) != result.partition(":")[0]
    ]


@pytest.mark.skipif(not FILE.exists(), reason=ABSENT)
def test_every_line_of_the_table():
    assert len(rows(FILE)) >= 90
    assert disagreements(FILE) == []
