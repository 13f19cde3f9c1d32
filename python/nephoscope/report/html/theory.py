"""The section of theory in the page of a run: its figures beside those that were seen."""

from typing import Any

from nephoscope.report.cautions import cautions
from nephoscope.report.html.tables import ROWS_MAX, Table, Tree
from nephoscope.report.theory_words import (
    answer_words,
    beside,
    first_of,
    load_words,
)
from nephoscope.scenario import Scenario
from nephoscope.theory import explain


def theory_section(scenario: Scenario, tree: Tree) -> dict[str, Any]:
    """Tables and sentences; parts without a formula are named with the reasons."""
    explanation = explain(scenario)
    rows = [(it.part, it.model, it.figure.name, *it.words) for it in beside(explanation, tree)]
    head = ("fleet", "model", "figure", "theory", "seen")
    known = {answer.part.partition(".")[2] for answer in explanation.answers if answer.model}
    return {
        "table": Table("What theory expects, and what was seen", head, rows) if rows else None,
        "cautions": first_of(cautions(scenario, explanation), ROWS_MAX),
        "loads": first_of(load_words(explanation), ROWS_MAX),
        "unknown": first_of(
            (it for it in answer_words(explanation) if it.partition(":")[0] not in known), ROWS_MAX
        ),
    }
