"""The seed of it all: three counters, and a queue at one of them, or a host at the door.

The same customers come at the same instants with the same orders to both shops; only in the second
does a load balancer send each of them to the counter with the fewest people.

    python examples/one-counter-or-three.py
"""

from pathlib import Path

import nephoscope as nph

HERE = Path(__file__).parent


def main() -> None:
    """Run both shops and print what a customer feels."""
    print("                 time in the shop, minutes       counters busy")
    print("                  mean    p50    p99    max         1     2     3")
    for name in ("one-counter", "three-counters"):
        scenario = nph.Scenario.load(HERE / f"{name}.yaml")
        simulation = nph.Simulation(scenario)
        simulation.advance()
        result = simulation.result()
        latency = result["traffic.customers.latency_s"]
        minutes = [latency[key] / 60 for key in ("mean", "p50", "p99", "max")]
        print(f"{name:16}", *(f"{value:6.1f}" for value in minutes), "  ", *busy(result))


def busy(result: nph.Result) -> list[str]:
    """How busy each of the counters is; without a balancer the first does everything."""
    if result.to_dict().get("load_balancers"):
        targets = result["load_balancers.host.targets"]
        shares = [targets[str(i)]["utilization"] for i in range(3)]
    else:
        shares = [3 * result["fleets.counters.utilization"], 0.0, 0.0]
    return [f"{share:5.0%}" for share in shares]


if __name__ == "__main__":
    main()
