"""A week of the 1998 World Cup web site, replayed day by day.

The trace holds the requests of each minute (columns `time` and `requests`); it is replayed at a
tenth of its volume, on a tenth of the servers that the site would need. The days run side by side.

    python examples/world-cup.py --trace ../shared/data/traces/worldcup98_minute_counts.csv
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nephoscope as nph

DAYS = 7
SCALE = 0.1


def scenario_of(trace: Path, day: int, scale: float) -> nph.Scenario:
    """One day of the trace: shifted to the left by the days before it."""
    return nph.Scenario(
        name=f"world-cup-day-{day + 1}",
        duration="1d",
        series="1m",
        services={
            "page": {
                "discipline": "fifo",
                "concurrency": 4,
                "backlog": 200,
                "steps": [{"compute": {"lognormal": {"mean": "18ms", "cv": 1.8}}}],
            }
        },
        fleets={"web": {"instance_type": {"vcpus": 2}, "count": 3, "service": "page"}},
        load_balancers={"entrance": {"targets": ["web"], "routing": "least_connections"}},
        traffic={
            "fans": {
                "to": "entrance",
                "timeout": "10s",
                "arrivals": {
                    "trace": {
                        "file": str(trace.resolve()),
                        "time_column": "time",
                        "count_column": "requests",
                        "scale": scale,
                        "shift": f"-{day}d",
                    }
                },
            }
        },
    )


def main() -> None:
    """Replay the week and print a line a day."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", type=Path, required=True, help="CSV: time, requests (a minute)")
    parser.add_argument("--scale", type=float, default=SCALE, help="share of the volume replayed")
    parser.add_argument("--days", type=int, default=DAYS)
    options = parser.parse_args()
    scenarios = [scenario_of(options.trace, day, options.scale) for day in range(options.days)]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(nph.run, scenarios))
    print("day    requests   busiest minute   servers busy     p50 ms     p99 ms   lost")
    for day, result in enumerate(results, 1):
        fans = result["traffic.fans"]
        _, offered = result.series("traffic.fans.offered")
        lost = 1 - fans["completed"] / max(fans["offered"], 1)
        latency = fans["latency_s"]
        busy = result["fleets.web.utilization"]
        print(
            f"{day:3} {fans['offered']:11,} {offered.max():16,} {busy:14.1%}",
            f"{latency['p50'] * 1e3:10.1f} {latency['p99'] * 1e3:10.1f} {lost:6.2%}",
        )
    print("fingerprints", " ".join(result.fingerprint[:8] for result in results))


if __name__ == "__main__":
    main()
