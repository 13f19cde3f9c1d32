"""A zone goes dark for ten minutes: what users see, by health checks and by spare capacity.

    python examples/zone-outage.py

The scenario is zone-outage.yaml: a third of the instances fails at 12 minutes. Until a balancer has
found out, every third request fails under round robin, and more under least connections, for an
instance that fails fast looks idle. Then the others carry it all, if they can.
"""

from pathlib import Path

import nephoscope as nph

FILE = Path(__file__).with_name("zone-outage.yaml")
CHECKS = {"none": None, "30s": "30s", "10s": "10s", "5s": "5s"}
DOOR = "load_balancers.front-door"


def outage(interval: str | None, routing: str, instances: int) -> nph.Result:
    """The run with these health checks, that routing and so many instances."""
    tree = nph.Scenario.load(FILE).to_dict()
    tree["fleets"]["web"]["count"] = tree["hosts"]["hall"]["count"] = instances
    door = tree["load_balancers"]["front-door"]
    door["routing"] = routing
    if interval is None:
        del door["health_check"]
    else:
        door["health_check"]["interval"] = interval
    return nph.Scenario.from_dict(tree).run()


def main() -> None:
    """A line for each combination."""
    print("instances  routing            checks    failed   p99 (ms)")
    for instances in (9, 12, 15):
        for routing in ("round_robin", "least_connections"):
            for checks, interval in CHECKS.items():
                customers = outage(interval, routing, instances)["traffic.customers"]
                failed = (customers["failed"] + customers["timed_out"]) / customers["offered"]
                p99 = 1e3 * customers["latency_s"]["p99"]
                print(f"{instances:9}  {routing:17}  {checks:6}  {failed:8.3%}  {p99:9.0f}")


if __name__ == "__main__":
    main()
