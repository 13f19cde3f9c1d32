"""All the checks of a scenario, and all its mistakes in one error."""

from pydantic import ValidationError

from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.calls import call_problems
from nephoscope.scenario.data_files import DataFiles, data_problems
from nephoscope.scenario.document import Document
from nephoscope.scenario.problems import problems_of
from nephoscope.scenario.references import name_problems
from nephoscope.scenario.rules import rule_problems
from nephoscope.scenario.standstill import standstill_problems
from nephoscope.scenario.structure import ScenarioModel


def checked(document: Document, files: DataFiles) -> ScenarioModel:
    """The model of a document without a mistake; raises ScenarioError with every one it has."""
    problems = list(document.problems)
    model: ScenarioModel | None = None
    try:
        model = ScenarioModel.model_validate(document.tree)
    except ValidationError as error:
        problems += problems_of(error, document)
    for rule in (name_problems, rule_problems, call_problems, standstill_problems):
        problems += rule(document)
    problems += data_problems(document, files)
    if problems or model is None:
        raise ScenarioError(_in_order(problems), document.source)
    return model


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Each place once (what was found first), by line."""
    first: dict[tuple[str, int | None], Problem] = {}
    for problem in problems:
        first.setdefault((problem.path, problem.line), problem)
    far = float("inf")
    return sorted(first.values(), key=lambda p: (p.line or far, p.column or far))
