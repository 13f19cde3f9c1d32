r"""An order and all who want to know of it, by a topic and by a bus.

Both bring drinks to the baristas, cakes to the baker and everything to the books, at once. They
differ in how long they go on with a service that does not answer: the loyalty programme is down for
20 minutes of three hours. A topic tries an endpoint three times more, 20 s apart, and drops what it
could not deliver; a bus tries for a day. The same from the command line:

    nephoscope compare examples/order-fan-out.yaml \
        --vary 'services.take-order.steps.1={publish: orders},{put: shop}' \
        --metric fleets.loyalty.completed

    python examples/order-fan-out.py
"""

from pathlib import Path

import nephoscope as nph

EDGE = "services.take-order.steps.1"
METRICS = {
    "fleets.loyalty.completed": "points added",
    "fleets.loyalty.requests": "attempts to",
    "queues.drinks.age_s.p99": "drink after, p99, s",
    "cost_usd.total": "cost, $",
}


def main() -> None:
    """Print a line for each figure: by topic, by bus, and the paired difference."""
    scenario = nph.Scenario.load(Path(__file__).parent / "order-fan-out.yaml")
    edges = {EDGE: [{"publish": "orders"}, {"put": "shop"}]}
    compared = nph.compare(scenario, edges, replications=10, metrics=list(METRICS))
    print(f"{'':20}{'by topic':>10}{'by bus':>10}")
    for difference in compared.differences:
        interval = difference.interval
        assert interval is not None
        by_topic, by_bus = (runs[difference.metric].mean for runs in compared.runs.values())
        print(
            f"{METRICS[difference.metric]:20}{by_topic:10.2f}{by_bus:10.2f}   "
            f"{interval.value:+10.3f} ± {interval.half_width:.3f}, {difference.verdict}"
        )


if __name__ == "__main__":
    main()
