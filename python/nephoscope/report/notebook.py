"""What scenarios, results and experiments show of themselves in a notebook.

Tables that need no styles, and pictures as images: a notebook may be exported, and the styles of a
cell must not reach the others.
"""

import base64
import html
from collections.abc import Iterable, Sequence
from typing import Any

from nephoscope.experiment import Comparison, Frontier, Replications, Sizing, Sweep
from nephoscope.experiment.alternatives import text_of
from nephoscope.report.comparison import estimate_text
from nephoscope.report.description import describe
from nephoscope.report.html import distribution
from nephoscope.report.html.intervals import Estimate, interval_picture
from nephoscope.report.html.plan import plan
from nephoscope.report.html.standalone import standalone
from nephoscope.report.html.tables import Table, cost_table, latency_table, outcome_table
from nephoscope.report.html.topology_picture import topology_picture
from nephoscope.report.terminal import count
from nephoscope.report.theory_words import answer_words, load_words, queue_load_words
from nephoscope.results import Result
from nephoscope.scenario import Scenario
from nephoscope.theory import Explanation, explain

ROWS_MAX = 60


def notebook_html(shown: Any) -> str:
    """The HTML of anything that a user may have in hand."""
    for kind, pieces in _PIECES.items():
        if isinstance(shown, kind):
            return "".join(pieces(shown))
    raise TypeError(f"{type(shown).__name__} does not show itself")


def _scenario(scenario: Scenario) -> Iterable[str]:
    explanation = explain(scenario)
    yield _head(scenario.name, f"{scenario.duration}, seed {scenario.seed}")
    yield _image(topology_picture(plan(scenario, explanation)), f"The parts of {scenario.name}")
    yield _folded("In words", describe(scenario))


def _explanation(found: Explanation) -> Iterable[str]:
    yield _head("Theory", "loads in the long run, and models that apply")
    yield _list([*load_words(found), *queue_load_words(found)])
    yield _list(answer_words(found))


def _result(result: Result) -> Iterable[str]:
    tree = result.to_dict()
    span = f"{result.simulated_s:g} s simulated, of it {result.warmup_s:g} s warm-up"
    yield _head(result.scenario, f"{span}, seed {result.seed}")
    yield _table(outcome_table(tree))
    yield _table(latency_table(tree))
    tails = distribution.tails(result, list(tree["traffic"]))
    if tails:
        yield _image(distribution.tail_picture(tails), "Share of requests slower than a latency")
    if "cost_usd" in tree:
        yield _table(cost_table(tree["cost_usd"]))
    yield _flags(result.flags)
    yield _note(f"fingerprint {result.fingerprint}")


def _replications(runs: Replications) -> Iterable[str]:
    first = runs.results[0]
    yield _head(first.scenario, f"{len(runs)} replications, seed {first.seed}")
    # One path a line: the latencies, the losses and the bill, which are what is looked for first.
    told = [it for it in runs.intervals if it.startswith(("traffic.", "cost_usd.total"))]
    rows = [(path, estimate_text(path, runs.intervals[path])) for path in told]
    yield _table(Table("Estimates with their 95 % intervals", ("number", "estimate"), rows))
    yield _flags(runs.flags)


def _comparison(found: Comparison) -> Iterable[str]:
    name = found.alternatives[0].base.name
    yield _head(name, f"{found.replications} replications of each, the same random numbers")
    for metric in found.metrics:
        estimates = [Estimate(label, found.estimate(metric, label)) for label in found.labels]
        yield _image(interval_picture(metric, estimates), f"Estimates of {metric}")
    rows = [
        (
            f"{it.alternative} against {it.base}",
            it.metric,
            estimate_text(it.metric, it.interval),
            it.verdict,
        )
        for it in found.differences
    ]
    caption = f"Paired differences that hold together at {100 * found.confidence:g} %"
    yield _table(Table(caption, ("alternative", "metric", "difference", "verdict"), rows))
    yield _flags(found.flags)


def _sweep(found: Sweep) -> Iterable[str]:
    yield _head(found.scenario, f"{len(found)} combinations, {found.replications} replications")
    rows = [
        (
            ", ".join(text_of(cell.values[path]) for path in found.paths),
            *(estimate_text(metric, cell.intervals[metric]) for metric in found.metrics),
        )
        for cell in found.cells
    ]
    caption = f"Estimates with their {100 * found.confidence:g} % intervals"
    yield _table(Table(caption, (", ".join(found.paths), *found.metrics), rows))
    yield _flags(found.flags)


def _frontier(found: Frontier) -> Iterable[str]:
    yield _head(found.sweep.scenario, "combinations that no other is shown to beat")
    rows = [
        (
            it.label,
            estimate_text(found.x, it.x),
            estimate_text(found.y, it.y),
            it.verdict,
        )
        for it in found.kept
    ]
    head = ("combination", found.x, found.y, "verdict")
    yield _table(Table(f"All together at {100 * found.confidence:g} %", head, rows))


def _sizing(found: Sizing) -> Iterable[str]:
    which = "greatest" if found.greatest else "least"
    value = text_of(found.value)
    yield _head(f"{found.path} = {value}", f"the {which} with {found.condition}")
    paths = list(dict.fromkeys(found.condition.paths))
    rows = [
        (
            text_of(it.value),
            *(estimate_text(path, it.intervals[path]) for path in paths),
            it.verdict.value,
        )
        for it in found.in_order
    ]
    yield _table(Table("All values that were tried", (found.path, *paths, "verdict"), rows))
    yield _flags(found.flags)


_PIECES: dict[type, Any] = {
    Scenario: _scenario,
    Explanation: _explanation,
    Result: _result,
    Replications: _replications,
    Comparison: _comparison,
    Sweep: _sweep,
    Frontier: _frontier,
    Sizing: _sizing,
}


def _head(title: str, more: str) -> str:
    return f"<p><strong>{html.escape(title)}</strong> {html.escape(more)}</p>"


def _note(words: str) -> str:
    return f"<p><small>{html.escape(words)}</small></p>"


def _flags(flags: Sequence[str]) -> str:
    return _list([f"! {flag}" for flag in flags])


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _folded(title: str, lines: Iterable[str]) -> str:
    words = html.escape("\n".join(lines))
    return f"<details><summary>{html.escape(title)}</summary><pre>{words}</pre></details>"


def _image(drawn: str, words: str) -> str:
    """A picture as an image; nothing where nothing was drawn."""
    if not drawn:
        return ""
    file = standalone(drawn, ground="var(--ground)")
    data = base64.b64encode(file.encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return f'<p><img alt="{html.escape(words)}" style="max-width:100%" src="{source}"></p>'


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    head = "".join(f'<th scope="col">{html.escape(words)}</th>' for words in table.head)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in table.rows[:ROWS_MAX]
    )
    rest = len(table.rows) - ROWS_MAX
    more = _note(f"and {count(rest)} more") if rest > 0 else ""
    caption = f"<caption>{html.escape(table.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
