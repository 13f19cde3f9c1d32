"""A neighbour's bursts, seen by a web fleet: under each scheduler, with and without the neighbour.

One of the fleet's four hosts has a tenant that computes in bursts. The customers, their requests
and the work are the same in every line; what differs is who shares the hosts, how, and whether the
balancer looks at response times.

    python examples/noisy-neighbour.py
"""

from pathlib import Path
from typing import Any

import nephoscope as nph

ROUTING = "load_balancers.front-door.routing"

# Pinned vCPUs are never overcommitted, so the neighbour needs a host more.
SCHEDULERS: dict[str, dict[str, Any]] = {
    "fluid": {},
    "fair": {"hosts.hall.scheduler": "fair"},
    "credit": {"hosts.hall.scheduler": "credit"},
    "pinned": {
        "hosts.hall.scheduler": "pinned",
        "hosts.hall.cpu_overcommit": 1,
        "hosts.hall.count": 5,
    },
}


def worst(result: nph.Result) -> str:
    """The host with the most steal, and its first cause."""
    hosts = result["hosts.hall.by_host"]
    steal = {host: sum(part["steal_s"].values()) for host, part in hosts.items()}
    host = max(steal, key=lambda each: steal[each])
    if not steal[host]:
        return "none"
    causes = hosts[host]["steal_s"]
    cause = max(causes, key=lambda each: causes[each])
    return f"host {host}, {steal[host]:.0f} s by {cause}"


def main() -> None:
    """Print a line for each scheduler and routing."""
    scenario = nph.Scenario.load(Path(__file__).parent / "noisy-neighbour.yaml")
    print("scheduler  routing               p99 ms alone   beside the neighbour   most steal")
    for scheduler, settings in SCHEDULERS.items():
        for routing in ("round_robin", "least_response_time"):
            beside = scenario.replace({**settings, ROUTING: routing})
            alone = beside.replace({"fleets.batch.count": 0})
            results = [each.run() for each in (alone, beside)]
            quiet, noisy = (r["traffic.customers.latency_s.p99"] * 1e3 for r in results)
            print(f"{scheduler:10} {routing:20} {quiet:13.1f} {noisy:22.1f}   {worst(results[1])}")


if __name__ == "__main__":
    main()
