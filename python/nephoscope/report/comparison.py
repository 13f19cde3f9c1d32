"""A comparison on a terminal: each metric with what its alternatives have, and the verdict."""

import io
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from nephoscope.experiment import Comparison, Difference, Interval
from nephoscope.report.cautions import warnings
from nephoscope.report.terminal import count, plain_table, seconds, share
from nephoscope.theory import explain

# Of equal numbers the digits that rounding leaves are below this part of them.
_ROUNDING = 1e-12
# As wide as what a command prints into a file.
_TEXT_WIDTH = 160
_STYLES = {"not distinguishable": "dim", "undefined": "yellow"}


def print_comparison(found: Comparison, console: Console) -> None:
    """The table of a comparison, and what a reader must know of its intervals."""
    console.print(Group(*_parts(found)))


def comparison_text(found: Comparison) -> str:
    """What is printed of a comparison, without colours."""
    text = io.StringIO()
    print_comparison(found, Console(file=text, width=_TEXT_WIDTH, color_system=None))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def figure(path: str, value: float) -> str:
    """A number in the unit that its path says: seconds, shares, dollars."""
    sign = "-" if value < 0.0 else ""
    size = abs(value)
    parts = path.split(".")
    if parts[-1].endswith("_s") or any(part.endswith("_s") for part in parts[-2:-1]):
        # Of a distribution of seconds all but the count is in seconds.
        return sign + (count(size) if parts[-1] == "count" else seconds(size) if size else "0 s")
    if parts[-1] in ("lost_share", "utilization", "steal"):
        return sign + (share(size) if size >= 0.001 or not size else f"{100 * size:.2g} %")
    if parts[0] == "cost_usd":
        return f"{sign}${size:,.4g}"
    return sign + (count(size) if float(size).is_integer() or size >= 100 else f"{size:.4g}")


def estimate_text(path: str, interval: Interval | None, size: float = 0.0) -> str:
    """An estimate with half the width of its interval; of a difference, of numbers of this size.

    What is left of numbers that are the same is rounding, and told as 0.
    """
    if interval is None:
        return "undefined"
    least = _ROUNDING * max(abs(interval.value), size)
    text = figure(path, interval.value if abs(interval.value) > least else 0.0)
    if interval.half_width is None:
        return text
    return f"{text} ± {figure(path, interval.half_width if interval.half_width > least else 0.0)}"


def warned(found: Comparison) -> list[str]:
    """What the scenarios are warned of; what holds of all alternatives is said once."""
    each = {
        it.label: list(warnings(it.scenario, explain(it.scenario))) for it in found.alternatives
    }
    first, *others = each.values()
    common = [line for line in first if all(line in lines for lines in others)]
    own = [
        f"{label}: {line}" for label, lines in each.items() for line in lines if line not in common
    ]
    return [*common, *own]


def _parts(found: Comparison) -> Iterable[RenderableType]:
    first = next(iter(found.runs.values())).results[0]
    head = Text()
    head.append(first.scenario, style="bold")
    head.append(
        f"  {len(found.labels)} alternatives, {found.replications} replications each with the same "
        f"random numbers, seed {first.seed}"
    )
    yield head
    together, each = 100 * found.confidence, 100 * found.each_confidence
    number = len(found.differences)
    paired = (
        f"the difference is paired, at {together:g} %"
        if number == 1
        else f"the {number} differences are paired, each at {each:.5g} % so that all hold at "
        f"{together:g} % (Bonferroni)"
    )
    yield Text(f"  estimates at {together:g} % by themselves; {paired}", style="dim")
    for metric in found.metrics:
        yield _table(found, metric)
    lines = Text()
    for flag in [*found.flags, *warned(found)]:
        lines.append(f"  ! {flag}\n", style="yellow")
    if lines:
        yield Text()
        yield lines


def _table(found: Comparison, metric: str) -> RenderableType:
    table = plain_table(metric, ["estimate", "difference", "", ""])
    base = found.labels[0]
    table.add_row(base, estimate_text(metric, found.estimate(metric, base)), "", "", "")
    for difference in found.differences:
        if difference.metric != metric:
            continue
        versus = "" if difference.base == base else f" against {difference.base}"
        estimate = found.estimate(metric, difference.alternative)
        size = 0.0 if estimate is None else abs(estimate.value)
        own = estimate_text(metric, estimate)
        table.add_row(difference.alternative + versus, own, *_difference(difference, size))
    return Padding(table, (1, 0, 0, 2), expand=False)


def _difference(difference: Difference, size: float) -> tuple[str, str, Text]:
    verdict = Text(difference.verdict, style=_STYLES.get(difference.verdict, "bold"))
    if difference.note:
        verdict.append(f" ({difference.note})", style="yellow")
    if difference.interval is None:
        return "-", "", verdict
    relative = "" if difference.relative is None else f"{100 * difference.relative:+.3g} %"
    return estimate_text(difference.metric, difference.interval, size), relative, verdict
