"""Summaries for a terminal: what a person can take in within ten seconds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from nephoscope.experiment import Replications
from nephoscope.report.breakdown_words import tail_words
from nephoscope.report.screen import block, fitting, stacked
from nephoscope.results import Result
from nephoscope.scenario.units import Duration

_LOST = ("rejected", "failed", "timed_out")
# As many as there is room for; before p50 and p99 go, the numbers of what was lost do.
_LATENCIES = (
    ("mean", "p50", "p99", "p999", "max"),
    ("mean", "p50", "p99", "max"),
    ("mean", "p50", "p99"),
    ("p50", "p99"),
)
_VARIANTS = (*((it, True) for it in _LATENCIES), (_LATENCIES[2], False), (_LATENCIES[3], False))
_LIFE = ("interruptions", "stops", "starts", "reboots", "hibernations", "stopped")
_GONE = ("dead_lettered", "expired")
_UNDELIVERED = (
    "unconfirmed",
    "filtered",
    "matched",
    "retried",
    "dead_lettered",
    "dropped",
    "pending",
    "failed",
)
_ROWS_MAX = 20


def print_result(
    result: Result,
    console: Console,
    *,
    courses: Table | None = None,
    theory: Text | None = None,
) -> None:
    """The summary of one run, on one screen if it can be; `courses` are its lines over time."""
    tree = result.to_dict()
    lines = [block(courses)] if courses is not None else []
    blocks = [_head(tree), *_tables(tree, {}, console), *lines, _tail(tree, theory)]
    console.print(stacked(blocks, console))


def print_replications(runs: Replications, console: Console, theory: Text | None = None) -> None:
    """The summary of many runs: estimates, each with the half width of its 95 % interval."""
    tree = runs.to_dict()
    half_widths = {
        path: interval.half_width
        for path, interval in runs.intervals.items()
        if interval.half_width is not None
    }
    head = _head(tree)
    head.append(
        "\n  means of the replications, quantiles of all requests together, ± their 95 % intervals",
        style="dim",
    )
    blocks = [head, *_tables(tree, half_widths, console), _tail(tree, theory)]
    console.print(stacked(blocks, console))


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it, to three digits: `1.57 s`, `87.2 ms`."""
    if value is None:
        return "-"
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if value * factor >= 1.0:
            return f"{_digits(value * factor)} {unit}"
    return f"{_digits(value * 1e9)} ns"


def count(value: float) -> str:
    """A number of things: `12,991`."""
    return f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:,.1f}"


def plural(number: int, word: str) -> str:
    """So many of them: `1 value`, `2 values`."""
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def share(value: float | None) -> str:
    """A share in percent."""
    return "-" if value is None else f"{100 * value:.1f} %"


def rate_text(value: float) -> str:
    """A rate to three digits, without its unit."""
    return count(value) if value >= 100 else f"{value:.3g}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _head(tree: Mapping[str, Any]) -> Text:
    span = Duration(round(tree["simulated_s"] * 1e9))
    warmup = Duration(round(tree["warmup_s"] * 1e9))
    runs = f"{tree['replications']} replications of " if "replications" in tree else ""
    speed = tree["events"] / tree["wall_s"] if tree["wall_s"] > 0 else 0.0
    text = Text()
    text.append(str(tree["scenario"]), style="bold")
    text.append(f"  {runs}{span}, warm-up {warmup}, seed {tree['seed']}")
    text.append(
        f"  ({count(tree['events'])} events in {seconds(tree['wall_s'])}, {speed / 1e6:.3g} M/s)",
        style="dim",
    )
    return text


def _tables(
    tree: Mapping[str, Any], widths: Mapping[str, float], console: Console
) -> Iterable[RenderableType]:
    yield _latency_table("traffic", "offered", tree["traffic"], widths, console)
    if "load_balancers" in tree:
        yield _latency_table("load_balancers", "requests", tree["load_balancers"], widths, console)
    yield _fleet_table(tree["fleets"], widths)
    if "hosts" in tree:
        yield _host_table(tree["hosts"])
    if "queues" in tree:
        yield _queue_table(tree["queues"])
    if "topics" in tree:
        yield _topic_table("topics", "published", tree["topics"])
    if "buses" in tree:
        yield _topic_table("buses", "put", tree["buses"])
    if "pipes" in tree:
        yield _topic_table("pipes", "received", tree["pipes"])


class _Verbatim(Table):
    """A table whose cells are printed as they are: `[web]` is a value of a user, not a style."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*(Text(it) if isinstance(it, str) else it for it in cells), **options)


def plain_table(title: str, columns: Iterable[str]) -> Table:
    """A table without lines: names on the left, numbers to the right of their columns."""
    table = _Verbatim(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(Text(title), style="bold")
    for column in columns:
        table.add_column(Text(column), justify="right", no_wrap=True)
    return table


def _latency_table(
    section: str,
    sent: str,
    parts: Mapping[str, Any],
    widths: Mapping[str, float],
    console: Console,
) -> RenderableType:
    """Counts and latencies; on a narrow screen the least telling are left out."""

    def tables() -> Iterable[Table]:
        for latencies, counted in _VARIANTS:
            yield _latency_columns(section, sent, parts, widths, latencies, counted=counted)

    return _with_rest(fitting(tables(), console), parts)


def _latency_columns(
    section: str,
    sent: str,
    parts: Mapping[str, Any],
    widths: Mapping[str, float],
    latencies: Sequence[str],
    *,
    counted: bool,
) -> Table:
    lost = [key for key in _LOST if any(part[key] for part in parts.values())]
    titles = ["p99.9" if key == "p999" else key for key in latencies]
    again = ["retries"] if any(part.get("retries") for part in parts.values()) else []
    columns = [sent, *again, *(key.replace("_", " ") for key in lost), *titles]
    table = plain_table(section.replace("_", " "), columns)
    for name, part in list(parts.items())[:_ROWS_MAX]:
        path = f"{section}.{name}"
        cells: list[str | Text] = [count(part[key]) for key in (sent, *again)]
        cells += [_lost(part[key], part[sent], counted=counted) for key in lost]
        cells += [_latency(part, path, key, widths) for key in latencies]
        table.add_row(name, *cells)
    return table


def _fleet_table(parts: Mapping[str, Any], widths: Mapping[str, float]) -> RenderableType:
    stolen = any(part.get("steal") for part in parts.values())
    columns = ["instances", "busy", *(["steal"] if stolen else []), "requests", "mean", "p99"]
    table = plain_table("fleets", columns)
    for name, part in list(parts.items())[:_ROWS_MAX]:
        path = f"fleets.{name}"
        table.add_row(
            name,
            count(part["instances"]["mean"]),
            share(part.get("utilization")),
            *([share(part["steal"])] if stolen else []),
            count(part["requests"]),
            *(_latency(part, path, key, widths) for key in ("mean", "p99")),
        )
    return _with_rest(table, parts)


def _host_table(parts: Mapping[str, Any]) -> RenderableType:
    columns = ["hosts", "busy", "steal", "placements", "rejected", "most steal"]
    table = plain_table("hosts", columns)
    for name, part in list(parts.items())[:_ROWS_MAX]:
        table.add_row(
            name,
            count(part["hosts"]),
            share(part["utilization"]),
            seconds(sum(part["steal_s"].values())),
            count(part["placements"]),
            count(part["rejected_launches"]),
            _most_stolen(part.get("by_host", {})),
        )
    return _with_rest(table, parts)


def _queue_table(parts: Mapping[str, Any]) -> RenderableType:
    lost = [key for key in _GONE if any(part[key] for part in parts.values())]
    words = (key.replace("_", " ") for key in lost)
    columns = ["sent", "received", "deleted", *words, "depth", "most", "age mean", "p99"]
    table = plain_table("queues", columns)
    for name, part in list(parts.items())[:_ROWS_MAX]:
        table.add_row(
            name,
            *(count(part[key]) for key in ("sent", "received", "deleted", *lost)),
            *(count(part["depth"][key]) for key in ("mean", "max")),
            *(seconds(part["age_s"].get(key)) for key in ("mean", "p99")),
        )
    return _with_rest(table, parts)


def _topic_table(title: str, sent: str, parts: Mapping[str, Any]) -> RenderableType:
    rare = [key for key in _UNDELIVERED if any(part.get(key) for part in parts.values())]
    words = (key.replace("_", " ") for key in rare)
    table = plain_table(title, [sent, "delivered", *words])
    for name, part in list(parts.items())[:_ROWS_MAX]:
        table.add_row(name, *(count(part.get(key, 0)) for key in (sent, "delivered", *rare)))
    return _with_rest(table, parts)


def _most_stolen(hosts: Mapping[str, Any]) -> str:
    """The host with the most steal, and its first cause."""
    steal = {i: sum(host["steal_s"].values()) for i, host in hosts.items()}
    worst = max(steal, key=lambda i: steal[i], default=None)
    if worst is None or not steal[worst]:
        return "-"
    causes = hosts[worst]["steal_s"]
    return f"host {worst}: {seconds(steal[worst])}, by {max(causes, key=lambda c: causes[c])}"


def _with_rest(table: Table, parts: Mapping[str, Any]) -> RenderableType:
    rest = len(parts) - _ROWS_MAX
    if rest > 0:
        table.add_row(Text(f"and {rest} more", style="dim"))
    return block(table)


def _lost(value: float, of: float, *, counted: bool) -> Text:
    if not value or not of:
        return Text(count(value))
    words = f"{count(value)} ({share(value / of)})" if counted else share(value / of)
    return Text(words, style="red")


def _latency(part: Mapping[str, Any], path: str, key: str, widths: Mapping[str, float]) -> str:
    text = seconds(part["latency_s"].get(key))
    width = widths.get(f"{path}.latency_s.{key}")
    return text if width is None else f"{text} ± {seconds(width)}"


def _failures(tree: Mapping[str, Any]) -> Iterable[str]:
    """What failed, and what balancers made of it."""
    for name, fleet in tree["fleets"].items():
        if (failures := fleet.get("failures", {})).get("count"):
            down = Duration(round(failures["down_s"] * 1e9))
            yield f"{name}: {plural(failures['count'], 'failure')}, {down} down in all"
    for name, balancer in tree.get("load_balancers", {}).items():
        told = [
            (key, balancer.get("health", {}).get(key)) for key in ("turned_unhealthy", "recovered")
        ]
        parts = [
            f"{plural(number, 'target')} {key.replace('_', ' ')}" for key, number in told if number
        ]
        errors = balancer.get("errors", {})
        parts += [f"{count(number)} x {code}" for code, number in errors.items() if number]
        if parts:
            yield f"{name}: {', '.join(parts)}"


def _tail(tree: Mapping[str, Any], theory: Text | None) -> Text:
    """What is told in sentences, the fingerprint, and what theory says, if it does."""
    lines = Text()
    if "cost_usd" in tree:
        span = Duration(round(tree["simulated_s"] * 1e9))
        lines.append(f"  the bill is ${tree['cost_usd']['total']:,.4g} for {span}\n")
    if tree["in_flight"]:
        lines.append(f"  {count(tree['in_flight'])} requests were unfinished at the end\n")
    for name, fleet in tree["fleets"].items():
        told = [(key, fleet.get(key)) for key in ("throttled", "shed")]
        told += [(key, fleet.get("life", {}).get(key)) for key in _LIFE]
        told.append(("replaced", fleet.get("refresh", {}).get("replaced")))
        counts = ", ".join(f"{count(number)} {key}" for key, number in told if number)
        if counts:
            lines.append(f"  {name}: {counts}\n")
    for name, traffic in tree["traffic"].items():
        for line in tail_words(name, traffic.get("breakdown", {})):
            lines.append(f"  {line}\n")
    for line in _failures(tree):
        lines.append(f"  {line}\n")
    for flag in tree["flags"]:
        lines.append(f"  ! {flag}\n", style="yellow")
    lines.append(f"  fingerprint {tree['fingerprint']}", style="dim")
    if theory:
        lines.append("\n").append(theory)
    return lines
