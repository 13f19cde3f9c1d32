"""The page of a comparison: verdicts in words, estimates with intervals, and all differences."""

from collections.abc import Iterator
from typing import Any

from nephoscope.experiment import Comparison, Difference
from nephoscope.report.comparison import estimate_text, figure, warned
from nephoscope.report.html import distribution, svg
from nephoscope.report.html.intervals import Estimate, interval_picture
from nephoscope.report.html.page import definition, templates
from nephoscope.report.html.tables import Table
from nephoscope.report.html.words import names_text, time_text
from nephoscope.report.terminal import count


def comparison_page(found: Comparison) -> str:
    """The report of a comparison; the same text for the same scenario, values, seed and version."""
    base = found.alternatives[0].base
    return (
        templates()
        .get_template("comparison.html")
        .render(
            kicker="Report of a comparison",
            title=base.name,
            question=f"What is different with {names_text(found.labels[1:])}, in place of "
            f"{found.labels[0]}?",
            answers=list(_answers(found)),
            troubles=[*found.flags, *warned(found)],
            metrics=[_metric(found, metric) for metric in found.metrics],
            tails=list(_tails(found)),
            method=_method(found),
            definition=definition(base),
            dashes=svg.DASHES,
        )
    )


def _answers(found: Comparison) -> Iterator[str]:
    """What can be told apart, a sentence each; then what cannot, in one."""
    alike = []
    for it in found.differences:
        if it.verdict in ("higher", "lower"):
            yield _sentence(it)
        else:
            against = "" if it.base == found.labels[0] else f" against {it.base}"
            alike.append(f"{it.metric} of {it.alternative}{against} ({it.verdict})")
    if alike:
        yield f"Nothing can be told of {names_text(alike, most=8)}."


def _sentence(it: Difference) -> str:
    assert it.interval is not None
    relative = "" if it.relative is None else f" ({100 * it.relative:+.3g} %)"
    size = estimate_text(it.metric, it.interval)
    return f"{it.alternative}: {it.metric} is {it.verdict} than with {it.base}: {size}{relative}."


def _metric(found: Comparison, metric: str) -> dict[str, Any]:
    estimates = [Estimate(label, found.estimate(metric, label)) for label in found.labels]
    rows = [(it.label, estimate_text(metric, it.interval)) for it in estimates]
    return {
        "name": metric,
        "picture": interval_picture(metric, estimates),
        "estimates": Table(f"{metric}: estimates", ("alternative", "estimate"), rows),
        "differences": Table(
            f"{metric}: paired differences",
            ("alternative", "against", "difference", "from", "to", "relative", "verdict"),
            [_row(it) for it in found.differences if it.metric == metric],
        ),
    }


def _row(it: Difference) -> tuple[str, ...]:
    note = f" ({it.note})" if it.note else ""
    verdict = it.verdict + note
    if it.interval is None:
        return it.alternative, it.base, "-", "-", "-", "-", verdict
    low, high = (
        "-" if end is None else figure(it.metric, end)
        for end in (it.interval.low, it.interval.high)
    )
    relative = "-" if it.relative is None else f"{100 * it.relative:+.3g} %"
    value = figure(it.metric, it.interval.value)
    return it.alternative, it.base, value, low, high, relative, verdict


def _tails(found: Comparison) -> Iterator[dict[str, Any]]:
    """Of each traffic the latencies under every alternative, all replications together."""
    for name in found.alternatives[0].scenario.traffic:
        lines = [
            tail
            for label, runs in list(found.runs.items())[: svg.LINES_MAX]
            if name in runs.results[0]["traffic"]
            for tail in distribution.tail_of(label, runs.histogram(f"traffic.{name}"))
        ]
        if lines:
            picture = distribution.tail_picture(lines)
            names = [line.name for line in lines]
            left_out = max(len(found.labels) - svg.LINES_MAX, 0)
            yield {"name": name, "picture": picture, "names": names, "left_out": left_out}


def _method(found: Comparison) -> list[tuple[str, str]]:
    first = next(iter(found.runs.values())).results[0]
    together, each = 100 * found.confidence, 100 * found.each_confidence
    number = len(found.differences)
    all_hold = f", so that all {number} hold together at {together:g} % (Bonferroni)"
    paired = f"paired, each at {each:.5g} %{all_hold if number > 1 else ''}"
    return [
        ("Engine", first.engine),
        ("Seed", f"{first.seed}, the same random numbers for all alternatives"),
        ("Replications", f"{count(found.replications)} of each alternative"),
        ("Simulated", f"{time_text(first.simulated_s)}, of it {time_text(first.warmup_s)} warm-up"),
        ("Intervals of estimates", f"{together:g} %, each by itself"),
        ("Intervals of differences", paired),
        *((f"Fingerprint of {label}", runs.fingerprint) for label, runs in found.runs.items()),
    ]
