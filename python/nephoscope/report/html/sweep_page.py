"""The page of a sweep: what each metric comes to over the grid, and a row for each cell."""

from collections.abc import Iterator

from nephoscope.experiment import Sweep
from nephoscope.experiment.alternatives import text_of
from nephoscope.report.comparison import estimate_text, figure
from nephoscope.report.html.intervals import Estimate, interval_picture
from nephoscope.report.html.page import definition, templates
from nephoscope.report.html.tables import Table
from nephoscope.report.html.words import names_text
from nephoscope.report.terminal import count
from nephoscope.results import engine_version
from nephoscope.scenario import Scenario

# More cells than this under each other are no picture any more; the table has them.
_DRAWN_MAX = 40


def sweep_page(found: Sweep, scenario: Scenario | None) -> str:
    """The report of a sweep; the same text however often it was interrupted."""
    drawn = found.metrics if len(found) <= _DRAWN_MAX else ()
    estimates = {
        metric: [Estimate(cell.label, cell.intervals[metric]) for cell in found.cells]
        for metric in drawn
    }
    rows = [
        (
            *(text_of(cell.values[path]) for path in found.paths),
            *(estimate_text(metric, cell.intervals[metric]) for metric in found.metrics),
        )
        for cell in found.cells
    ]
    return (
        templates()
        .get_template("values.html")
        .render(
            kicker="Report of a sweep",
            title=found.scenario,
            question=f"What becomes of {names_text(list(found.metrics))} over all values of "
            f"{names_text(list(found.paths))}?",
            answers=list(_answers(found)),
            troubles=found.flags,
            pictures=[
                {"name": metric, "picture": interval_picture(metric, estimates[metric])}
                for metric in drawn
            ],
            trials=Table("All combinations of values", (*found.paths, *found.metrics), rows),
            method=_method(found),
            definition=None if scenario is None else definition(scenario),
        )
    )


def _answers(found: Sweep) -> Iterator[str]:
    """Of each metric the least and the greatest estimate, and where they are."""
    for metric in found.metrics:
        known = [
            (interval.value, cell.label)
            for cell in found.cells
            if (interval := cell.intervals[metric]) is not None
        ]
        if not known:
            yield f"{metric} is undefined everywhere."
            continue
        (low, at), (high, there) = min(known), max(known)
        if low == high:
            yield f"{metric} is {figure(metric, low)} everywhere."
        else:
            ends = f"{figure(metric, low)} ({at}) to {figure(metric, high)} ({there})"
            yield f"{metric} goes from {ends}."


def _method(found: Sweep) -> list[tuple[str, str]]:
    return [
        ("Engine", engine_version()),
        ("Seed", f"{found.seed}, the same random numbers for all combinations"),
        ("Combinations", count(len(found))),
        ("Replications", f"{count(found.replications)} of each combination"),
        ("Intervals", f"{100 * found.confidence:g} %, each by itself: of many some are wrong"),
    ]
