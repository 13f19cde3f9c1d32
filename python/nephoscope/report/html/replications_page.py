"""The page of replications: what all of them say together, and the course of the first one."""

from typing import Any

from nephoscope.experiment import Replications
from nephoscope.report.comparison import estimate_text
from nephoscope.report.html import svg
from nephoscope.report.html.intervals import Estimate, interval_picture
from nephoscope.report.html.page import pieces, templates
from nephoscope.report.html.tables import Table
from nephoscope.report.html.words import time_text
from nephoscope.report.terminal import count

_FIRST = ("traffic.", "cost_usd.")

# Of each traffic, what is drawn.
_DRAWN = ("latency_s.mean", "latency_s.p50", "latency_s.p90", "latency_s.p99", "latency_s.p999")


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
    """The numbers with their intervals; of the latencies a picture as well."""
    pictures = []
    for name in list(tree["traffic"])[: svg.LINES_MAX]:
        known = [
            Estimate(key.removeprefix("latency_s."), runs.intervals[path])
            for key in _DRAWN
            if (path := f"traffic.{name}.{key}") in runs.intervals
        ]
        picture = interval_picture(f"traffic.{name}.latency_s", known)
        if picture:
            pictures.append({"name": f"Latency of {name}", "picture": picture})
    # A page has so many rows at most: what users feel and what it costs comes first.
    paths = sorted(runs.intervals, key=lambda path: not path.startswith(_FIRST))
    rows = [(path, estimate_text(path, runs.intervals[path])) for path in paths]
    caption = "The numbers with their 95 % intervals"
    return {"pictures": pictures, "table": Table(caption, ("number", "estimate"), rows)}


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
