"""Eight days of the 1998 World Cup web site: a fleet that follows its load, and fleets that do not.

The trace holds the requests of each minute (columns `time` and `requests`); it is replayed at a
tenth of its volume. Four fleets serve it: one that target tracking keeps near half of its CPU, the
same with a forecast by the hour beside it, a fixed one that costs as much as the first, and a fixed
one as large as the first ever was.

    python examples/world-cup.py --trace ../shared/data/traces/worldcup98_minute_counts.csv
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import nephoscope as nph

DAYS = 8
SCALE = 0.1
TRACKING = {"target_tracking": {"metric": "cpu", "target": "50%", "warmup": "2m"}}
FORECAST = {"predictive": {"metric": "cpu", "target": "50%"}}


def scenario_of(trace: Path, options: argparse.Namespace, web: dict[str, Any]) -> nph.Scenario:
    """The days of the trace, served by a fleet of this size or with these policies."""
    requests = {"file": str(trace.resolve()), "time_column": "time", "count_column": "requests"}
    return nph.Scenario(
        name="world-cup",
        start="1998-06-24T00:00:00Z",
        duration=f"{options.days}d",
        series="1m",
        services={
            "page": {
                "concurrency": 4,
                "steps": [{"compute": {"lognormal": {"mean": "90ms", "cv": 1.8}}}],
            }
        },
        fleets={"web": {"instance_type": "c5.large", "service": "page", **web}},
        load_balancers={"entrance": {"targets": ["web"], "routing": "least_connections"}},
        traffic={
            "fans": {
                "to": "entrance",
                "timeout": "10s",
                "arrivals": {"trace": {**requests, "scale": options.scale}},
            }
        },
    )


def line(name: str, result: nph.Result) -> str:
    """What the fans felt and what it cost."""
    fans, web = result["traffic.fans"], result["fleets.web"]
    lost = 1 - fans["completed"] / max(fans["offered"], 1)
    latency = fans["latency_s"]
    sizes = web["instances"]
    return (
        f"{name:24} {sizes['mean']:9.1f} {sizes['min']:4} {sizes['max']:4}"
        f" {web['utilization']:6.1%}"
        f" {latency['p50'] * 1e3:9.0f} {latency['p99'] * 1e3:9.0f} {lost:8.3%}"
        f" {result['cost_usd.instances.web.usd']:9.2f}"
    )


def main() -> None:
    """Replay the days on every fleet, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", type=Path, required=True, help="CSV: time, requests (a minute)")
    parser.add_argument("--scale", type=float, default=SCALE, help="share of the volume replayed")
    parser.add_argument("--days", type=int, default=DAYS)
    options = parser.parse_args()
    bounds = {"min": 2, "max": 100}
    with ThreadPoolExecutor() as pool:
        policies = ([TRACKING], [TRACKING, FORECAST])
        tracked, foreseen = pool.map(
            lambda rules: scenario_of(
                options.trace, options, {"count": bounds, "scaling": rules}
            ).run(),
            policies,
        )
        sizes = tracked["fleets.web.instances"]
        fixed, ample = pool.map(
            lambda count: scenario_of(options.trace, options, {"count": count}).run(),
            (max(round(sizes["mean"]), 1), sizes["max"]),
        )
    _, offered = tracked.series("traffic.fans.offered")
    print(f"{tracked['traffic.fans.offered']:,} requests, {offered.max():,} in the busiest minute")
    print(
        "fleet                    instances  min  max   busy  p50 (ms)  p99 (ms)     lost       USD"
    )
    print(line("target tracking", tracked))
    print(line("with a forecast", foreseen))
    print(line("fixed, at equal cost", fixed))
    print(line("fixed, for the peak", ample))
    _, instances = tracked.series("fleets.web.instances")
    by_day = np.array_split(instances, options.days)
    print("instances by day, tracked:", " ".join(f"{day.mean():.1f}" for day in by_day))


if __name__ == "__main__":
    main()
