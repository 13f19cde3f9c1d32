"""Tables of cases: what every operator takes, refuses and matches, also where nobody looks."""

import json
from pathlib import Path

from nephoscope import PatternError, parts

CASES = Path(__file__).parent / "cases"


def rows(name: str) -> list[list[str]]:
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def of_pattern(pattern: str, event: str) -> str:
    try:
        found = parts.EventPattern(pattern)
    except PatternError:
        return "INVALID"
    return "match" if found.matches(event) else "no match"


def of_policy(policy: str, scope: str, message: str) -> str:
    try:
        found = parts.FilterPolicy(policy, scope)
    except PatternError:
        return "INVALID"
    if scope == "attributes":
        matched = found.matches(json.loads(message))
    else:
        matched = found.matches(body=None if message == "-" else message)
    return "match" if matched else "no match"


def test_patterns_match_as_the_table_says():
    table = rows("patterns.tsv")
    assert len(table) > 500
    assert {row[-1] for row in table} == {"match", "no match", "INVALID"}
    assert [row for row in table if of_pattern(*row[:-1]) != row[-1]] == []


def test_policies_match_as_the_table_says():
    table = rows("policies.tsv")
    assert len(table) > 100
    assert {row[-1] for row in table} == {"match", "no match", "INVALID"}
    assert [row for row in table if of_policy(*row[:-1]) != row[-1]] == []


def test_one_matcher_of_all_patterns_agrees():
    """Compiled into one, they share terms and tables."""
    table = [row for row in rows("patterns.tsv") if row[-1] != "INVALID"]
    patterns = dict.fromkeys(row[0] for row in table)
    rules = parts.EventRules({pattern: pattern for pattern in patterns})
    matching = {
        event: set(rules.matches(event)) for event in dict.fromkeys(row[1] for row in table)
    }
    for pattern, event, outcome in table:
        assert (pattern in matching[event]) == (outcome == "match"), (pattern, event)
