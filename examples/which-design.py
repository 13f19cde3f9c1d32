"""Which design is better, and how much of it is enough: the coffee shop asked three questions.

Does it matter how orders are dealt to the baristas? Are seven of them dealt to at random as good as
six who take an order when they are idle? And how many are enough for 99 customers in a hundred to
have their drink within five seconds?

    python examples/which-design.py
"""

from pathlib import Path

import nephoscope as nph

ROUTING = "load_balancers.bar.routing"
COUNT = "fleets.baristas.count"
MEAN = "traffic.customers.latency_s.mean"
P99 = "traffic.customers.latency_s.p99"


def show(comparison: nph.Comparison) -> None:
    """A line for each alternative, with what it differs by from the first."""
    for difference in comparison.differences:
        interval = difference.interval
        assert interval is not None
        assert interval.half_width is not None
        print(
            f"  {difference.metric.removeprefix('traffic.customers.'):15}"
            f"{difference.alternative:34}{interval.value:+7.2f} s ± {interval.half_width:.2f} s"
            f"   {difference.verdict}"
        )


def main() -> None:
    """Ask the three questions."""
    scenario = nph.Scenario.load(Path(__file__).parent / "coffee-shop-by-call.yaml")
    print("against join_idle_queue:")
    routings = ["join_idle_queue", "least_connections", "round_robin"]
    show(nph.compare(scenario, {ROUTING: routings}, 20, metrics=[MEAN, P99]))
    print("against six who take an order when they are idle:")
    designs = {ROUTING: ["join_idle_queue", "random"], COUNT: [6, 7]}
    show(nph.compare(scenario, designs, 20, metrics=[MEAN, P99]))
    found = nph.size(scenario, COUNT, f"{P99} < 5s")
    print(f"{found.value} baristas for a p99 below 5 s:")
    for trial in found.in_order:
        interval = trial.intervals[P99]
        assert interval is not None
        print(
            f"  {trial.value:2}  {interval.low:.2f} to {interval.high:.2f} s  {trial.verdict.value}"
        )


if __name__ == "__main__":
    main()
