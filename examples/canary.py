"""A bad release, caught by a canary or rolled out to everybody: what users see of it.

    python examples/canary.py

The new release fails one request in five. At five minutes its target group gets a share of the
requests by its weight: as a canary a few in a hundred, or all of them. From then on somebody looks,
each minute or each ten seconds, at what the group failed since the last look; where that is more
than 2 % of at least 50 requests the old release has all the weight again.
"""

from typing import Any

import nephoscope as nph

DOOR = "load_balancers.front-door"
ALARM = 0.02
LEAST = 50


def scenario() -> nph.Scenario:
    """Two fleets with a release each, and a balancer that divides the requests by weight."""

    def fleet(service: str) -> dict[str, Any]:
        kind = {"vcpus": 2, "memory": "4GiB"}
        return {"instance_type": kind, "count": 10, "service": service}

    return nph.Scenario.model_validate(
        {
            "nephoscope": 1,
            "name": "canary",
            "duration": "30m",
            "seed": 3,
            "fleets": {"blue-web": fleet("release-1"), "green-web": fleet("release-2")},
            "services": {
                "release-1": {"steps": [{"compute": {"exponential": "20ms"}}]},
                "release-2": {"steps": [{"compute": {"exponential": "20ms"}}, {"fail": "20%"}]},
            },
            "load_balancers": {
                "front-door": {
                    "groups": {
                        "blue": {"targets": ["blue-web"], "weight": 100},
                        "green": {"targets": ["green-web"], "weight": 0},
                    },
                    "routing": "least_connections",
                }
            },
            "traffic": {"customers": {"to": "front-door", "rate": "400/s"}},
        }
    )


def shift(simulation: nph.Simulation, green: int) -> None:
    """The weights from now on, in per cent."""
    simulation.set(f"{DOOR}.groups.green.weight", green)
    simulation.set(f"{DOOR}.groups.blue.weight", 100 - green)


def counts(simulation: nph.Simulation) -> tuple[int, int]:
    """Requests that the new release has ended, and those that failed."""
    green = simulation.result()[f"{DOOR}.groups.green"]
    return green["completed"] + green["failed"], green["failed"]


def roll_out(share: int, look_every: str) -> tuple[float, nph.Result]:
    """How long the new release was out (s), and what became of the run."""
    simulation = nph.Simulation(scenario())
    simulation.advance("5m")
    shift(simulation, share)
    began = simulation.now
    before = counts(simulation)
    while not simulation.finished:
        simulation.advance(look_every)
        ended, failed = (new - old for new, old in zip(counts(simulation), before, strict=True))
        if ended < LEAST:
            continue
        if failed > ALARM * ended:
            shift(simulation, 0)
            break
        before = counts(simulation)
    out = simulation.now - began
    simulation.advance()
    return out, simulation.result()


def main() -> None:
    """A line for each way to bring the release out."""
    print("share  look every  out for (s)    failed  of requests while it was out")
    for look_every in ("1m", "10s"):
        for share in (100, 25, 5, 1):
            out, result = roll_out(share, look_every)
            failed = result["traffic.customers.failed"]
            hit = failed / (400 * out)
            print(f"{share:4} %  {look_every:>10}  {out:11.0f}  {failed:8,}  {hit:8.2%}")


if __name__ == "__main__":
    main()
