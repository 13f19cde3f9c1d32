"""The page of a value that was looked for: what it is, and all that were tried for it."""

from nephoscope.experiment import Sizing
from nephoscope.experiment.alternatives import text_of
from nephoscope.experiment.size import Trial
from nephoscope.report.comparison import figure
from nephoscope.report.html.intervals import Estimate, interval_picture
from nephoscope.report.html.page import definition, templates
from nephoscope.report.html.tables import Table
from nephoscope.report.terminal import count
from nephoscope.results import engine_version
from nephoscope.scenario import Scenario


def size_page(found: Sizing, scenario: Scenario | None) -> str:
    """The report of a search; the same text for the same scenario, seed and version."""
    which = "greatest" if found.greatest else "least"
    value = f"{found.path} = {text_of(found.value)}"
    confidence = f"a confidence of {100 * found.confidence:g} %"
    paths = list(dict.fromkeys(found.condition.paths))
    return (
        templates()
        .get_template("values.html")
        .render(
            kicker="Report of a search",
            title=found.scenario,
            question=f"What is the {which} {found.path} with {found.condition}?",
            answers=[f"{value} is the {which} with {found.condition}, at {confidence}."],
            troubles=found.flags,
            pictures=[
                {
                    "name": path,
                    "picture": interval_picture(
                        path,
                        [Estimate(_label(it), it.intervals[path]) for it in found.in_order],
                    ),
                }
                for path in paths
            ],
            trials=Table(
                "All values that were tried",
                (found.path, *(f"{path} (interval)" for path in paths), "condition"),
                [_row(it, paths) for it in found.in_order],
            ),
            method=_method(found),
            definition=None if scenario is None else definition(scenario),
        )
    )


def _label(trial: Trial) -> str:
    return f"{text_of(trial.value)} ({trial.verdict.value})"


def _row(trial: Trial, paths: list[str]) -> tuple[str, ...]:
    cells = []
    for path in paths:
        interval = trial.intervals[path]
        if interval is None:
            cells.append("undefined")
            continue
        ends = (interval.low, interval.high)
        low, high = ("?" if end is None else figure(path, end) for end in ends)
        cells.append(f"{figure(path, interval.value)} ({low} to {high})")
    return text_of(trial.value), *cells, trial.verdict.value


def _method(found: Sizing) -> list[tuple[str, str]]:
    side = "smaller" if found.greatest else "greater"
    intervals = (
        f"one-sided, each at {100 * found.each_confidence:.5g} %, so that the value is right at "
        f"{100 * found.confidence:g} % (Bonferroni)"
    )
    return [
        ("Engine", engine_version()),
        ("Seed", f"{found.seed}, the same random numbers for all values"),
        ("Values tried", count(len(found.trials))),
        ("Replications", f"{count(found.replications)} of each value"),
        ("Intervals", intervals),
        ("Taken for granted", f"what holds for a value holds for all {side} ones"),
    ]
