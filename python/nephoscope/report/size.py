"""A value that was looked for, on a terminal: what it is, and all that were tried."""

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from nephoscope.experiment import Sizing
from nephoscope.experiment.alternatives import short_names, text_of
from nephoscope.experiment.interval import Interval
from nephoscope.report.comparison import figure
from nephoscope.report.terminal import plain_table, plural

_STYLES = {"holds": "bold", "fails": "", "undecided": "yellow", "undefined": "yellow"}


def print_size(found: Sizing, console: Console) -> None:
    """The value, and the table of trials in order of value."""
    which = "greatest" if found.greatest else "least"
    head = Text()
    head.append(f"{found.path} = {text_of(found.value)}", style="bold")
    head.append(f"  is the {which} with {found.condition}, at {100 * found.confidence:g} %")
    note = Text(
        f"  {found.scenario}, {plural(len(found.trials), 'value')} tried with {found.replications} "
        f"replications each and the same random numbers, seed {found.seed}; each at "
        f"{100 * found.each_confidence:.5g} % (Bonferroni); taken for granted that what holds once "
        f"holds for all {'smaller' if found.greatest else 'greater'} values{_open(found)}",
        style="dim",
    )
    titles = short_names(list(dict.fromkeys(found.condition.paths)), 2)
    table = plain_table(found.path, [*titles.values(), ""])
    for trial in found.in_order:
        cells = [_cell(path, trial.intervals[path]) for path in titles]
        verdict = Text(trial.verdict.value, style=_STYLES[trial.verdict.value])
        table.add_row(text_of(trial.value), *cells, verdict)
    lines = Text()
    for flag in found.flags:
        lines.append(f"\n  ! {flag}", style="yellow")
    console.print(Group(head, note, Padding(table, (1, 0, 0, 2), expand=False)))
    if lines:
        console.print(lines)


def _open(found: Sizing) -> str:
    """What a question mark in the table stands for, if there is one."""
    ends = [
        end
        for trial in found.trials
        for it in trial.intervals.values()
        if it is not None
        for end in (it.low, it.high)
    ]
    return "; ?: an end that so few requests do not tell" if None in ends else ""


def _cell(path: str, interval: Interval | None) -> str:
    if interval is None:
        return "undefined"
    low, high = ("?" if end is None else figure(path, end) for end in (interval.low, interval.high))
    return f"{figure(path, interval.value)} ({low} to {high})"
