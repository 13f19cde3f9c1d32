"""A sweep on a terminal: a row for each cell of its grid."""

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from nephoscope.experiment import Sweep
from nephoscope.experiment.alternatives import short_names, text_of
from nephoscope.report.comparison import estimate_text
from nephoscope.report.terminal import count, plain_table

_ROWS_MAX = 200
_FLAGS_MAX = 20


def print_sweep(found: Sweep, console: Console) -> None:
    """The table of a sweep, and what a reader must know of its cells."""
    head = Text()
    head.append(found.scenario, style="bold")
    head.append(
        f"  {count(len(found))} combinations, {count(found.replications)} replications each with "
        f"the same random numbers, seed {found.seed}"
    )
    made = f"  {count(found.simulated)} of {count(len(found) * found.replications)} runs made now"
    note = Text(f"{made}; estimates ± their {100 * found.confidence:g} % intervals", style="dim")
    first, *others = short_names(found.paths, 2).values()
    table = plain_table(first, [*others, *short_names(found.metrics, 2).values()])
    for cell in found.cells[:_ROWS_MAX]:
        values = [text_of(cell.values[path]) for path in found.paths]
        table.add_row(*values, *(estimate_text(it, cell.intervals[it]) for it in found.metrics))
    if len(found) > _ROWS_MAX:
        table.add_row(Text(f"and {count(len(found) - _ROWS_MAX)} more", style="dim"))
    lines = Text()
    for flag in found.flags[:_FLAGS_MAX]:
        lines.append(f"\n  ! {flag}", style="yellow")
    if len(found.flags) > _FLAGS_MAX:
        lines.append(f"\n  ! and {len(found.flags) - _FLAGS_MAX} more", style="yellow")
    console.print(Group(head, note, Padding(table, (1, 0, 0, 2), expand=False)))
    if lines:
        console.print(lines)
