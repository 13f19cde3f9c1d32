"""The page of replications: what all of them say together, and the course of the first one."""

from collections.abc import Iterable, Iterator
from typing import Any

from nephoscope.experiment import Replications
from nephoscope.experiment.outcome import LOST_SHARE
from nephoscope.report.comparison import estimate_text, figure
from nephoscope.report.html import svg
from nephoscope.report.html.page import pieces, templates
from nephoscope.report.html.strips import DOTS_MAX, Strip, strip_picture
from nephoscope.report.html.tables import Table
from nephoscope.report.html.words import time_text
from nephoscope.report.terminal import count

_FIRST = ("traffic.", "cost_usd.")

# What is drawn, of each traffic and of each fleet.
_FELT = ("mean", "p50", "p90", "p99", "p999")
_WORKED = ("utilization", "steal", "instances.mean")


def replications_page(runs: Replications) -> str:
    """The report of replications; the same text for the same scenario, seed and version."""
    tree = runs.to_dict()
    # Beside quantiles of all requests together the mean of the greatest would look too small.
    for name, latency in tree["latencies"].items():
        section, _, part = name.partition(".")
        known = tree[section][part].get("latency_s")
        if known and latency.get("max") is not None:
            known["max"] = latency["max"]
    first = runs.results[0]
    parts = pieces(first, tree, runs)
    parts["method"] = _method(runs)
    return (
        templates()
        .get_template("run.html")
        .render(
            parts
            | {
                "kicker": f"Report of {count(len(runs))} replications",
                "estimates": _estimates(runs, tree),
                "one_of": f"the first of {count(len(runs))} replications",
                "dashes": svg.DASHES,
            }
        )
    )


def _estimates(runs: Replications, tree: dict[str, Any]) -> dict[str, Any]:
    """The numbers with their intervals; key figures with what each replication had of them."""
    pictures = []
    drawn: list[str] = []
    for title, strips in _strips(runs, tree):
        if picture := strip_picture(title, strips):
            pictures.append({"name": title, "picture": picture})
            drawn += [strip.path for strip in strips]
    # A page has so many rows at most: what users feel and what it costs comes first.
    paths = sorted(runs.intervals, key=lambda path: not path.startswith(_FIRST))
    rows = [(path, estimate_text(path, runs.intervals[path])) for path in paths]
    caption = "The numbers with their 95 % intervals"
    return {
        "pictures": pictures,
        "points": _point_table(runs, drawn),
        "dots_max": DOTS_MAX if len(runs) > DOTS_MAX else None,
        "table": Table(caption, ("number", "estimate"), rows),
    }


def _point_table(runs: Replications, paths: list[str]) -> Table:
    """The dots in numbers."""
    rows = []
    for result, run in zip(runs.results, runs.runs, strict=True):
        values = (run.numbers.get(path) for path in paths)
        told = (
            "-" if it is None else figure(path, it) for path, it in zip(paths, values, strict=True)
        )
        rows.append((str(result.replication), *told))
    return Table("What each replication had", ("replication", *paths), rows)


def _strips(runs: Replications, tree: dict[str, Any]) -> Iterator[tuple[str, list[Strip]]]:
    """Of each traffic what users feel and what is lost, of each fleet its load, and the bill."""
    for name in list(tree["traffic"])[: svg.LINES_MAX]:
        part = f"traffic.{name}"
        felt = [(key, f"{part}.latency_s.{key}") for key in _FELT]
        yield f"Latency of {name}", _known(runs, [*felt, ("lost", f"{part}.{LOST_SHARE}")])
    for name in list(tree["fleets"])[: svg.LINES_MAX]:
        keys = [(key.replace(".", ", "), f"fleets.{name}.{key}") for key in _WORKED]
        moving = [it for it in _known(runs, keys) if len(set(it.values)) > 1]
        yield f"Fleet {name}", moving
    yield "The bill", _known(runs, [("total", "cost_usd.total")])


def _known(runs: Replications, wanted: Iterable[tuple[str, str]]) -> list[Strip]:
    found = []
    for label, path in wanted:
        values = [run.numbers[path] for run in runs.runs if path in run.numbers]
        if path in runs.intervals and any(values):
            found.append(Strip(label, path, values, runs.intervals[path]))
    return found


def _method(runs: Replications) -> list[tuple[str, str]]:
    first = runs.results[0]
    told = [
        ("Engine", first.engine),
        ("Seed", f"{first.seed}; each replication draws its own random numbers"),
        ("Replications", count(len(runs))),
        ("Simulated, each", time_text(first.simulated_s)),
        ("Warm-up, not measured", _spans([it.warmup_s for it in runs.results])),
        ("Events of the engine", count(sum(it.events for it in runs.results))),
        (
            "Intervals",
            "95 %, each by itself: Student's t; quantiles are those of all requests together",
        ),
    ]
    for goal in runs.precision:
        reached = "no interval" if goal.reached is None else f"{100 * goal.reached:.2g} %"
        told.append((f"Precision of {goal.path}", f"{reached}; {100 * goal.wanted:g} % wanted"))
    return [*told, ("Fingerprint", runs.fingerprint)]


def _spans(spans: list[float]) -> str:
    low, high = min(spans), max(spans)
    return time_text(low) if low == high else f"{time_text(low)} to {time_text(high)}"
