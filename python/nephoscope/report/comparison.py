"""A comparison on a terminal: each metric with what its alternatives have, and the verdict."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from nephoscope.experiment import Comparison, Difference, Interval
from nephoscope.report.cautions import warnings
from nephoscope.report.terminal import count, plain_table, seconds, share
from nephoscope.theory import explain

_STYLES = {"not distinguishable": "dim", "undefined": "yellow"}


def print_comparison(found: Comparison, console: Console) -> None:
    """The table of a comparison, and what a reader must know of its intervals."""
    console.print(Group(*_parts(found)))


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


def estimate_text(path: str, interval: Interval | None) -> str:
    """An estimate with half the width of its interval."""
    if interval is None:
        return "undefined"
    text = figure(path, interval.value)
    if interval.half_width is None:
        return text
    return f"{text} ± {figure(path, interval.half_width)}"


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
    yield Text(
        f"  estimates at {together:g} % by themselves; the {len(found.differences)} differences "
        f"are paired, each at {each:.5g} % so that all hold at {together:g} % (Bonferroni)",
        style="dim",
    )
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
        own = estimate_text(metric, found.estimate(metric, difference.alternative))
        table.add_row(difference.alternative + versus, own, *_difference(difference))
    return Padding(table, (1, 0, 0, 2), expand=False)


def _difference(difference: Difference) -> tuple[str, str, Text]:
    verdict = Text(difference.verdict, style=_STYLES.get(difference.verdict, "bold"))
    if difference.note:
        verdict.append(f" ({difference.note})", style="yellow")
    if difference.interval is None:
        return "-", "", verdict
    relative = "" if difference.relative is None else f"{100 * difference.relative:+.3g} %"
    return estimate_text(difference.metric, difference.interval), relative, verdict
