"""A scenario small enough to be run a thousand times."""

import nephoscope as nph

P99 = "traffic.users.latency_s.p99"
MEAN = "traffic.users.latency_s.mean"
LOST = "traffic.users.lost_share"
COUNT = "fleets.web.count"


def small(**changes):
    """Some hundred requests to two servers: a run takes a millisecond or two."""
    scenario = nph.Scenario(
        name="small",
        duration="60s",
        warmup="10s",
        seed=3,
        series="none",
        fleets={"web": {"count": 2, "service": "page", "instance_type": {"vcpus": 1}}},
        services={"page": {"backlog": 5, "steps": [{"compute": {"exponential": "150ms"}}]}},
        load_balancers={"door": {"targets": ["web"], "routing": "round_robin", "type": "none"}},
        traffic={"users": {"to": "door", "rate": "10/s"}},
    )
    return scenario.replace(changes)
