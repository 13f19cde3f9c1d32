"""A table of a page, and those of latencies, messages and costs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nephoscope.report.html.words import money
from nephoscope.report.terminal import count, seconds, share

# More rows than this are in the JSON of a run, for machines.
ROWS_MAX = 200

_QUANTILES = ("mean", "p50", "p90", "p95", "p99", "p999", "max")

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A caption, the heads of the columns, and rows that begin with what they are of."""

    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    @property
    def shown(self) -> Sequence[tuple[str, ...]]:
        """The rows that the page has."""
        return self.rows[:ROWS_MAX]

    @property
    def left_out(self) -> int:
        """How many it has not."""
        return max(len(self.rows) - ROWS_MAX, 0)


def latency_table(tree: Tree) -> Table:
    """Latencies of everything that answers, and the ages of messages."""
    rows = [
        (words, count(latency["count"]), *(seconds(latency.get(key)) for key in _QUANTILES))
        for words, latency in _latencies(tree)
    ]
    head = ("part", "count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max")
    return Table("Latencies of completed requests, and ages of messages when deleted", head, rows)


def outcome_table(tree: Tree) -> Table:
    """What became of the requests of each traffic."""
    keys = ("offered", "completed", "rejected", "failed", "timed_out", "in_flight", "retries")
    rows = [(name, *(count(part[key]) for key in keys)) for name, part in tree["traffic"].items()]
    head = ("traffic", *(key.replace("_", " ") for key in keys))
    return Table("What became of the requests", head, rows)


def cost_table(bill: Tree) -> Table:
    """A line each, with its share of the whole."""
    total = bill["total"]
    rows = [
        (name, section.replace("_", " "), _billed(line), money(line["usd"]), _part(line, total))
        for section, lines in bill.items()
        if section != "total"
        for name, line in lines.items()
    ]
    rows.sort(key=lambda row: row[1])
    rows.append(("total", "", "", money(total), share(1.0) if total else "-"))
    return Table("The bill of the whole run", ("line", "for", "billed", "amount", "share"), rows)


def _part(line: Tree, total: float) -> str:
    return share(line["usd"] / total) if total else "-"


def _billed(line: Tree) -> str:
    """What a line of the bill counts, in its own words."""
    told = []
    for key, value in line.items():
        words = key.removesuffix("_s").replace("_", " ")
        if key == "licence_usd":
            told += [f"of it {money(value)} for licences"] if value else []
        elif key.endswith("_s"):
            told.append(f"{value / 3600:,.3g} hours {words}")
        elif isinstance(value, str):
            told.append(value.replace("_", " "))
        elif isinstance(value, int | float) and key != "usd":
            told.append(f"{value:,.4g} {words}")
    return ", ".join(told)


def _latencies(tree: Tree) -> Iterator[tuple[str, Tree]]:
    sections = (
        ("traffic", "traffic", "latency_s"),
        ("load_balancers", "load balancer", "latency_s"),
        ("fleets", "fleet", "latency_s"),
        ("queues", "queue", "age_s"),
    )
    for section, kind, key in sections:
        for name, part in tree.get(section, {}).items():
            yield f"{kind} {name}", part[key]
