"""All the checks of a scenario, and all its mistakes in one error."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.data_files import DataFiles, data_problems
from nephoscope.scenario.files.document import Document
from nephoscope.scenario.problems import problems_of
from nephoscope.scenario.rules.calls import call_problems
from nephoscope.scenario.rules.joined import rule_problems
from nephoscope.scenario.rules.references import name_problems
from nephoscope.scenario.rules.standstill import standstill_problems

# More than this many mistakes are one: the file is not a scenario.
_PROBLEMS_MAX = 1000

_RULES = (name_problems, rule_problems, call_problems, standstill_problems)


def check(document: Document, files: DataFiles, build: Callable[[dict[str, Any]], object]) -> None:
    """Build the models of a document; raises ScenarioError with every mistake it has."""
    problems = list(document.problems)
    try:
        build(document.tree)
    except ValidationError as error:
        problems += problems_of(error, document, _PROBLEMS_MAX)
    for rule in _RULES:
        problems += rule(document)
    problems += data_problems(document, files)
    if problems:
        raise ScenarioError(_in_order(problems)[:_PROBLEMS_MAX], document.source)


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Each place once (what was found first), by line."""
    first: dict[tuple[str, int | None], Problem] = {}
    for problem in problems:
        first.setdefault((problem.path, problem.line), problem)
    far = float("inf")
    return sorted(first.values(), key=lambda p: (p.line or far, p.column or far))
