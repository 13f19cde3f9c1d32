"""A zone goes dark for ten minutes: what users see, by health checks and by spare capacity.

    python examples/zone-outage.py

The scenario is zone-outage.yaml: a third of the instances fails at 12 minutes. Until a balancer has
found out, every third request fails under round robin, and more under least connections, for an
instance that fails fast looks idle. Then the others carry it all, if they can.

The second table has a balancer that does not send across zones: each zone gets a third, so what
fails fast draws nobody from the others; but where one zone has fewer instances it has to carry as
much as the others, and half of it all when the first is dark.
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


def by_zones(cross_zone: bool, counts: tuple[int, int, int]) -> nph.Result:
    """The run with so many instances in each zone, and least connections."""
    tree = nph.Scenario.load(FILE).to_dict()
    web = tree["fleets"].pop("web")
    zones = tree["hosts"]["hall"]["zones"]
    tree["hosts"]["hall"]["count"] = len(zones) * max(counts)
    fleets = {f"web-{zone}": web | {"zones": [zone]} for zone in zones}
    for fleet, count in zip(fleets.values(), counts, strict=True):
        fleet["count"] = count
    tree["fleets"] = fleets
    door = tree["load_balancers"]["front-door"]
    door |= {"targets": [{"fleet": fleet} for fleet in fleets], "cross_zone": cross_zone}
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
    print("\nby zone  across zones    failed   p99 (ms)")
    for counts in ((4, 4, 4), (4, 6, 2)):
        for cross_zone in (True, False):
            customers = by_zones(cross_zone, counts)["traffic.customers"]
            failed = (customers["failed"] + customers["timed_out"]) / customers["offered"]
            p99 = 1e3 * customers["latency_s"]["p99"]
            across = "yes" if cross_zone else "no"
            print(f"{' '.join(map(str, counts)):7}  {across:12}  {failed:8.3%}  {p99:9.0f}")


if __name__ == "__main__":
    main()
