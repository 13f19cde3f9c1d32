"""The baristas go on a break: orders handed over by hand, and orders on a board.

The same customers by either kind of edge. By `call` a cashier waits until the drink is there, so
that soon all wait for baristas who do not come; by `send` the order goes on the board, and the
cashier is free. The last column is what the board changes for the same customers: the mean of the
differences over ten runs of two hours, and how far off it may be, with a confidence of 95 %.

    python examples/barista-break.py
"""

from pathlib import Path
from typing import Any

import nephoscope as nph
from nephoscope.experiment import Interval

RUNS = 10
CUSTOMERS = "traffic.customers"
BOARD = "queues.order-board"
DRINK = {"compute": {"lognormal": {"mean": "900ms", "cv": 0.8}}}
ORDER = {"compute": {"exponential": "40ms"}}
BY_CALL: dict[str, Any] = {
    "queues": {},
    "services": {
        "take-order": {"concurrency": 4, "backlog": 20, "steps": [ORDER, {"call": "bar"}]},
        "make-drink": {"steps": [DRINK]},
    },
    "load_balancers": {
        "front-door": {"targets": ["cashiers"], "routing": "least_connections"},
        "bar": {"targets": ["baristas"], "routing": "join_idle_queue"},
    },
}


def figures(result: nph.Result) -> dict[str, float]:
    """What customers saw, in percent of them and in seconds from the order to the drink."""
    by_send = "queues" in result.to_dict()
    waits = f"{BOARD}.age_s" if by_send else f"{CUSTOMERS}.latency_s"
    offered = result[f"{CUSTOMERS}.offered"]
    lost = result[f"{BOARD}.dead_lettered"] + result[f"{BOARD}.expired"] if by_send else 0
    return {
        "turned away, %": 100 * result[f"{CUSTOMERS}.rejected"] / offered,
        "gave up, %": 100 * result[f"{CUSTOMERS}.timed_out"] / offered,
        "order lost, %": 100 * lost / offered,
        "drink after, median, s": result[f"{waits}.p50"],
        "drink after, p99, s": result[f"{waits}.p99"],
        "drink after, at most, s": result[f"{waits}.max"],
    }


def main() -> None:
    """Print a line for each figure."""
    by_send = nph.Scenario.load(Path(__file__).parent / "barista-break.yaml")
    runs = [
        [figures(result) for result in nph.replicate(scenario, replications=RUNS).results]
        for scenario in (by_send.replace(BY_CALL), by_send)
    ]
    print(f"{'':24}{'by call':>10}{'by send':>10}   difference")
    for name in runs[0][0]:
        call, send = ([run[name] for run in of] for of in runs)
        apart = Interval.of([s - c for c, s in zip(call, send, strict=True)])
        means = f"{sum(call) / RUNS:10.2f}{sum(send) / RUNS:10.2f}"
        print(f"{name:24}{means}{apart.mean:+10.2f} ± {apart.half_width:.2f}")


if __name__ == "__main__":
    main()
