"""A scenario explained: in words, as a chart, and by theory."""

from collections.abc import Iterator

from nephoscope.report.cautions import zone_warnings
from nephoscope.report.description import describe, section
from nephoscope.report.html.topology import Topology
from nephoscope.report.mermaid import mermaid
from nephoscope.report.theory_words import answer_words, load_words, overall, queue_load_words
from nephoscope.scenario import Scenario
from nephoscope.theory import Explanation


def explanation_lines(
    scenario: Scenario, explanation: Explanation, chart: Topology | None
) -> Iterator[str]:
    """The lines that `nephoscope explain` prints; the chart is left out where it is a file."""
    yield from describe(scenario)
    if chart is not None:
        yield ""
        yield "```mermaid"
        yield from mermaid(chart)
        yield "```"
    yield ""
    yield from section("load, in the long run and if nothing is lost", load_words(explanation))
    yield from section("messages, likewise", queue_load_words(explanation))
    title = f"theory: {overall(explanation.answers).removeprefix('theory has ')}"
    yield from section(title, answer_words(explanation))
    yield from section("placement", zone_warnings(scenario))
