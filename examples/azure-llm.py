"""An hour of a code-completion service: real arrivals, and work from the tokens of each request.

Each row of the trace is a request: when it came (TIMESTAMP), how many tokens it brought
(ContextTokens) and how many it was answered with (GeneratedTokens). Reading costs 0.2 ms a token
and writing 25 ms a token; a replica works on 16 requests at once. How many replicas are enough?

    python examples/azure-llm.py --trace ../shared/data/traces/azure_llm_inference_2023_code.csv
"""

import argparse
from pathlib import Path

import nephoscope as nph

REPLICAS = (2, 3, 4, 6, 8, 12)


def scenario_of(trace: Path, replicas: int) -> nph.Scenario:
    """The service with this many replicas."""
    return nph.Scenario(
        name="code-completion",
        duration="1h",
        services={
            "complete": {
                "discipline": "fifo",
                "concurrency": 16,
                "steps": [
                    {"compute": column_of(trace, "ContextTokens", "200us")},
                    {"sleep": column_of(trace, "GeneratedTokens", "25ms")},
                ],
            }
        },
        fleets={
            "replicas": {
                "instance_type": {"vcpus": 1, "memory": "80GiB"},
                "count": replicas,
                "service": "complete",
            }
        },
        load_balancers={"gateway": {"targets": ["replicas"], "routing": "least_connections"}},
        traffic={
            "editors": {
                "to": "gateway",
                "arrivals": {"trace": {"file": str(trace.resolve()), "column": "TIMESTAMP"}},
            }
        },
    )


def column_of(trace: Path, column: str, a_token: str) -> dict[str, object]:
    """The time that each request takes for its tokens."""
    return {"replay": {"file": str(trace.resolve()), "column": column, "scale": a_token}}


def main() -> None:
    """Vary the number of replicas and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", type=Path, required=True, help="CSV with the three columns")
    options = parser.parse_args()
    base = scenario_of(options.trace, REPLICAS[0])
    print("replicas   requests   completed   busy     mean s      p50 s      p99 s")
    for replicas in REPLICAS:
        result = base.replace({"fleets.replicas.count": replicas}).run()
        editors = result["traffic.editors"]
        latency = [f"{editors['latency_s'][key]:10.3f}" for key in ("mean", "p50", "p99")]
        busy = result["fleets.replicas.utilization"]
        print(
            f"{replicas:8} {editors['offered']:10,} {editors['completed']:11,} {busy:6.1%}",
            *latency,
        )
        for flag in result.flags:
            print("         !", flag)


if __name__ == "__main__":
    main()
