"""The page of a run, put together from its pieces by the templates beside this file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from nephoscope.extras import need
from nephoscope.report.description import describe
from nephoscope.report.html import distribution, events, hosts, series, svg, timeline
from nephoscope.report.html.breakdown import breakdowns
from nephoscope.report.html.distribution import Histograms
from nephoscope.report.html.tables import cost_table, latency_table, outcome_table
from nephoscope.report.html.theory import theory_section
from nephoscope.report.html.topology import KINDS, topology
from nephoscope.report.html.topology_picture import topology_picture
from nephoscope.report.html.troubles import Trouble, troubles
from nephoscope.report.html.words import answers, question, time_text
from nephoscope.report.terminal import count
from nephoscope.results import Result
from nephoscope.scenario import Scenario
from nephoscope.scenario.saved_policies import named

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).parent / "templates"


def check_extra() -> None:
    """Raise ExtraError where what reports need is not installed: better before a run than after."""
    templates()


def page(result: Result) -> str:
    """The report of a run; the same text for the same scenario, seed and version."""
    parts = pieces(result, result.to_dict(), result)
    parts |= {"kicker": "Report of a run", "estimates": None, "one_of": ""}
    return templates().get_template("run.html").render(parts | {"dashes": svg.DASHES})


def pieces(result: Result, tree: dict[str, Any], runs: Histograms) -> dict[str, Any]:
    """What a page tells of a run, or of all whose `tree` and latencies these are, by its names."""
    scenario = result.source
    found = troubles(tree)
    return {
        "title": result.scenario,
        "question": question(tree),
        "answers": list(answers(tree)),
        "troubles": [_trouble_words(trouble) for trouble in found],
        "system": None if scenario is None else _system(scenario, tree, found),
        "outcomes": outcome_table(tree),
        "latencies": latency_table(tree),
        "theory": None if scenario is None else theory_section(scenario, tree),
        "tails": _tails(runs, tree),
        "breakdowns": breakdowns(result.to_dict()),
        "time": _time(result, scenario),
        "pools": hosts.pools(result, scenario),
        "costs": cost_table(tree["cost_usd"]) if "cost_usd" in tree else None,
        "method": _method(result),
        "definition": None if scenario is None else definition(scenario),
    }


def templates() -> "jinja2.Environment":
    """The templates, with escaping switched on."""
    engine = need("jinja2", "report")
    environment: jinja2.Environment = engine.Environment(
        loader=engine.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=engine.StrictUndefined,
    )
    return environment


def _trouble_words(trouble: Trouble) -> str:
    section, _, name = trouble.part.partition(".")
    return f"{KINDS[section]} {name}: {trouble.words}" if name else trouble.words


def _system(scenario: Scenario, tree: dict[str, Any], found: list[Trouble]) -> dict[str, Any]:
    parts = topology(scenario, tree, found)
    kinds = list(dict.fromkeys(edge.kind for edge in parts.edges))
    return {"picture": topology_picture(parts), "table": parts.table, "kinds": kinds}


def _tails(runs: Histograms, tree: dict[str, Any]) -> dict[str, Any] | None:
    lines = distribution.tails(runs, list(tree["traffic"]))
    if not lines:
        return None
    return {"picture": distribution.tail_picture(lines), "names": [line.name for line in lines]}


def _time(result: Result, scenario: Scenario | None) -> dict[str, Any] | None:
    shown = series.panels(result)
    if not shown:
        return None
    span_s = result.simulated_s
    happened = events.events(result, scenario)
    return {
        "panels": [
            {
                "key": panel.key,
                "title": panel.title,
                "names": [line.name for line in panel.lines],
                "left_out": panel.left_out,
                "picture": timeline.panel_picture(panel, happened, result.warmup_s, span_s),
                "table": panel.table,
                "peaks": panel.peaks,
            }
            for panel in shown
        ],
        "lane": timeline.lane_picture(happened, span_s) if happened else "",
        "marks": {events.KINDS[it.kind][0]: events.KINDS[it.kind][1] for it in happened},
        "events": events.event_table(happened) if happened else None,
        "marks_left_out": max(len(happened) - events.EVENTS_MAX, 0),
        "data": timeline.data_json(shown, span_s),
        "warmup": result.warmup_s > 0,
    }


def _method(result: Result) -> list[tuple[str, str]]:
    steady = {
        True: "yes: the number in the system did not grow all the way",
        False: "no: the number in the system grew over the whole run",
        None: "cannot be told: no series, or too short ones",
    }
    told = [
        ("Engine", result.engine),
        ("Seed", f"{result.seed}, replication {result.replication}"),
        ("Simulated", time_text(result.simulated_s)),
        ("Warm-up, not measured", time_text(result.warmup_s)),
        ("Measured", time_text(result.measured_s)),
        ("Events of the engine", count(result.events)),
        ("Unfinished at the end", f"{count(result.in_flight)} measured requests"),
        ("Steady state", steady[result.steady]),
        ("Intervals", "none: this is one run; --replications gives confidence intervals"),
        ("Fingerprint", result.fingerprint),
    ]
    if result.series_names:
        ends, _ = result.series(result.series_names[0])
        size = -(-len(ends) // series.POINTS_MAX)
        if len(ends):
            every = time_text(float(ends[0]))
            thinned = f"; {size} are drawn as one, gauges by their extremes" if size > 1 else ""
            told.append(("Series", f"{len(ends):,} intervals of {every}{thinned}"))
    return told


def definition(scenario: Scenario) -> dict[str, str]:
    """The scenario in words, and as a file."""
    written = yaml.safe_dump(
        named(scenario.to_dict()), sort_keys=False, allow_unicode=True, width=100
    )
    return {"words": "\n".join(describe(scenario)), "yaml": written}
