"""A frontier on a terminal: the cells that no other is shown to beat, and how sure that is."""

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from nephoscope.experiment import Frontier
from nephoscope.experiment.alternatives import short_names
from nephoscope.report.comparison import estimate_text
from nephoscope.report.terminal import count, plain_table

_ROWS_MAX = 200
_WORDS = {"on": "on the frontier", "undecided": "undecided"}


def print_frontier(found: Frontier, console: Console) -> None:
    """The points that are kept, by the first metric, and how many were beaten."""
    beaten = sum(point.verdict == "beaten" for point in found.points)
    undefined = len(found.points) - len(found.kept) - beaten
    axes = [found.x, found.y]
    names = short_names(axes, 2)
    senses = " and ".join(
        f"{'more' if axis in found.greater else 'less'} of {names[axis]}" for axis in axes
    )
    head = Text("\nfrontier", style="bold")
    head.append(f"  {senses} is better; {count(beaten)} combinations are beaten", style="default")
    if undefined:
        head.append(f", of {count(undefined)} a metric is undefined")
    note = Text(
        f"  by paired differences, all of them together at {100 * found.confidence:g} %"
        " (Bonferroni); * no other is better by the estimates",
        style="dim",
    )
    table = plain_table("combination", [*(names[axis] for axis in axes), "verdict"])
    for point in found.kept[:_ROWS_MAX]:
        table.add_row(
            point.label,
            estimate_text(found.x, point.x),
            estimate_text(found.y, point.y),
            _WORDS[point.verdict] + (" *" if point.estimated else ""),
        )
    if len(found.kept) > _ROWS_MAX:
        table.add_row(Text(f"and {count(len(found.kept) - _ROWS_MAX)} more", style="dim"))
    console.print(Group(head, note, Padding(table, (1, 0, 0, 2), expand=False)))
