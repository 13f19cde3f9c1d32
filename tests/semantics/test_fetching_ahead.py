"""Of more instances than a cache holds, what the next requests will touch is fetched ahead.

That changes nothing: a second source of traffic, of which no request comes, takes the world out of
the shape in which it is known who sends next, and so what to fetch.
"""

import pytest

from nephoscope import Scenario

COUNT = 8_200
SECONDS = 0.05
ROUTINGS = (
    "round_robin",
    "least_connections",
    "ip_hash",
    "least_response_time",
    "random",
    "power_of_two",
)


def farm(routing: str, **others: object) -> Scenario:
    customers = {"to": "door", "rate": f"{0.8 * COUNT / 0.01}/s"}
    return Scenario.model_validate(
        {
            "nephoscope": 1,
            "name": "farm",
            "duration": f"{SECONDS}s",
            "fleets": {
                "web": {
                    "instance_type": {"vcpus": 1, "memory": "1GiB"},
                    "count": COUNT,
                    "service": "work",
                }
            },
            "services": {
                "work": {"discipline": "fifo", "steps": [{"compute": {"exponential": "10ms"}}]}
            },
            "load_balancers": {"door": {"targets": ["web"], "routing": routing}},
            "traffic": {"customers": customers} | others,
        }
    )


@pytest.mark.parametrize("routing", ROUTINGS)
def test_changes_nothing(routing):
    # The first request of the other comes in an hour.
    alone = farm(routing).run()
    beside = farm(routing, others={"to": "door", "arrivals": "constant", "rate": "1/h"}).run()
    assert alone["traffic.customers.completed"] > 20_000
    assert beside["traffic.others.offered"] == 0
    assert alone["traffic.customers"] == beside["traffic.customers"]
    assert alone.histogram("traffic.customers") == beside.histogram("traffic.customers")
    for target in range(0, COUNT, 41):
        path = f"load_balancers.door.targets.{target}"
        assert alone[path] == beside[path]
