"""Four ways of choosing a server, compared on ten slow servers and four fast ones.

Every routing gets the very same requests: the same arrivals, clients and work, so that whatever
differs is the doing of the routing alone.

    python examples/four-routings.py
"""

from pathlib import Path

import nephoscope as nph

ROUTINGS = ("round_robin", "least_connections", "ip_hash", "least_response_time")


def main() -> None:
    """Run the scenario under each routing and print a line for each."""
    scenario = nph.Scenario.load(Path(__file__).parent / "unequal-servers.yaml")
    print("routing                 mean ms   p50 ms   p99 ms   max ms   old busy   new busy")
    for routing in ROUTINGS:
        result = scenario.replace({"load_balancers.entrance.routing": routing}).run()
        latency = result["traffic.visitors.latency_s"]
        shown = [f"{latency[key] * 1e3:8.1f}" for key in ("mean", "p50", "p99", "max")]
        busy = [f"{result[f'fleets.{fleet}.utilization']:10.1%}" for fleet in ("old", "new")]
        print(f"{routing:22}", *shown, *busy)


if __name__ == "__main__":
    main()
