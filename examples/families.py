"""Five families of instance types, and a load that suits each of them.

A type of each family with four vCPUs serves a load of each kind. Eight users send whenever they are
answered, and again where they failed for want of memory. The time is what a user waits for a
request that succeeds, the price what a million of those cost on demand.

    python examples/families.py
"""

from typing import Any

import nephoscope as nph

TYPES = {
    "general": "m5.xlarge",
    "compute": "c5.xlarge",
    "memory": "r5.xlarge",
    "gpu": "g4dn.xlarge",
    "disk": "i3.xlarge",
}
LOADS: dict[str, list[dict[str, Any]]] = {
    "general": [{"memory": "3.5GiB"}, {"compute": {"exponential": "50ms"}}],
    "compute": [{"compute": {"exponential": "50ms"}}],
    "memory": [{"memory": "7GiB"}, {"compute": {"exponential": "50ms"}}],
    "gpu": [{"compute": "1ms"}, {"gpu": {"work": "40ms", "batch": 4}}],
    "disk": [{"compute": "1ms"}, {"disk": {"bytes": "40MB", "ops": 10_000}}],
}
USERS = 8
SECONDS = 1200


def measure(load: str, kind: str) -> tuple[float, float]:
    """Seconds a success, and US dollars a million of them."""
    scenario = nph.Scenario(
        nephoscope=1,
        name="families",
        duration=f"{SECONDS}s",
        fleets={"web": {"service": "work", "instance_type": kind}},
        services={"work": {"steps": LOADS[load]}},
        traffic={
            "users": {
                "to": "web",
                "arrivals": {"closed": {"users": USERS, "think": {"exponential": "10ms"}}},
            }
        },
    )
    completed = scenario.run(rng=1)["traffic.users.completed"]
    usd = nph.catalog.price(kind, "linux").usd_per_hour * SECONDS / 3600
    return USERS * SECONDS / completed, usd / completed * 1e6


def main() -> None:
    """Run every load on every type and print two tables."""
    figures = {load: [measure(load, kind) for kind in TYPES.values()] for load in LOADS}
    for at, (title, factor) in enumerate((("ms a request", 1e3), ("USD a million requests", 1))):
        print(f"{title:24}" + "".join(f"{kind:>13}" for kind in TYPES.values()) + "   best")
        for load, row in figures.items():
            values = [each[at] * factor for each in row]
            best = list(TYPES.values())[values.index(min(values))]
            print(f"{load:24}" + "".join(f"{value:13.2f}" for value in values) + f"   {best}")
        print()


if __name__ == "__main__":
    main()
