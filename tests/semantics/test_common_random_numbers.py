"""Common random numbers: what a request needs and when it comes do not depend on its treatment.

A change of routing, of the fleet or of the queueing must not change a single arrival instant or
service demand; then two designs are compared on the same requests.
"""

from __future__ import annotations

import numpy as np
import pytest

from nephoscope import _core
from semantics.lab import ROUTINGS, fleet, routed, run, scenario, simulation, work

LAWS = {
    "exponential": {"exponential": "300ms"},
    "lognormal": {"lognormal": {"mean": "300ms", "cv": 1.5}},
    "gamma": {"gamma": {"mean": "300ms", "cv": 0.6}},
    "erlang": {"erlang": {"mean": "300ms", "k": 3}},
    "hyperexponential": {"hyperexponential": {"mean": "300ms", "cv": 2.0}},
    "normal": {"normal": {"mean": "300ms", "cv": 0.3}},
    "uniform": {"uniform": {"min": "100ms", "max": "500ms"}},
    "empirical": {"empirical": {"values": ["100ms", "700ms"], "weights": [2, 1]}},
}
ARRIVALS = {
    "poisson": {"rate": "40/s"},
    "mmpp": {"arrivals": {"mmpp": {"rates": ["10/s", "80/s"], "mean_stay": ["5s", "5s"]}}},
    "profile": {"arrivals": {"profile": [["0s", "10/s"], ["60s", "80/s"], ["120s", "0/s"]]}},
    "clients": {"rate": "40/s", "clients": {"count": 500, "popularity": {"zipf": 1.0}}},
}


def system(routing, *, source=None, service=None, count=15, **keys):
    """A fleet behind a balancer that fails, rejects and times out some of its requests."""
    return scenario(
        {"to": "door", "timeout": "5s", **(source or ARRIVALS["poisson"])},
        service or work({"compute": LAWS["exponential"]}, {"fail": 0.02}, backlog=20),
        fleets={"web": fleet(count=count)},
        balancers={"door": {"targets": ["web"], "routing": routed(routing)}},
        duration="120s",
        **keys,
    )


def instants(tree, limit: int = 400) -> list[int]:
    """The first arrival instants, read off the running world."""
    sim = simulation(tree)
    seen = []
    while len(seen) < limit:
        upcoming = int(sim.state()["next_arrival_ns"][0])
        if upcoming >= 120 * 10**9:
            break
        seen.append(upcoming)
        sim.advance(f"{upcoming + 1}ns")
    return seen


@pytest.mark.parametrize("name", ARRIVALS)
def test_routing_changes_no_arrival_instant(name):
    first = instants(system("round_robin", source=ARRIVALS[name]))
    assert len(first) > 100
    assert first == sorted(first)
    for routing in ROUTINGS:
        assert instants(system(routing, source=ARRIVALS[name])) == first, routing


def test_the_arrivals_are_those_of_their_stream():
    spec = _core.ArrivalSpec()
    spec.kind = _core.ArrivalKind.poisson
    spec.rate = 40.0
    alone = _core.arrivals(spec, 7, 0, "traffic/customers/arrivals", 400)
    assert instants(system("random")) == alone.tolist()


def test_another_seed_gives_other_arrivals():
    tree = system("random")
    offered = {run(tree, rng)["traffic"]["customers"]["offered"] for rng in range(6)}
    assert len(offered) > 1


def demands(routing, service, source=None, **keys):
    """Latencies where nobody waits: there a latency is the request's own demand."""
    tree = scenario(
        {"to": "door", **(source or ARRIVALS["poisson"])},
        service,
        fleets={"web": fleet(count=4, vcpus=4000)},
        balancers={"door": {"targets": ["web"], "routing": routed(routing)}},
        duration="100s",
        **keys,
    )
    sim = simulation(tree)
    sim.advance("90s")
    if "rate" in (source or ARRIVALS["poisson"]):
        sim.set("traffic.customers.rate", "0.00000001/s")
    sim.advance("100s")
    return sim.results().histogram("traffic.customers")


@pytest.mark.parametrize("law", LAWS)
def test_routing_changes_no_demand(law):
    service = work({"compute": LAWS[law]}, discipline="ps")
    first = demands("round_robin", service)
    assert first.count > 3000
    for routing in ROUTINGS:
        assert demands(routing, service) == first, routing


def test_the_demands_are_those_of_their_stream():
    distribution = _core.Distribution()
    distribution.kind = _core.DistributionKind.exponential
    distribution.mean = 300e6
    histogram = demands("random", work({"compute": LAWS["exponential"]}, discipline="ps"))
    count = histogram.count
    alone = _core.sample(distribution, 7, 0, "traffic/customers/work/work/0", count)
    # A demand is the draw rounded to a whole nanosecond.
    assert abs(histogram.sum - alone.sum()) <= count
    assert histogram.max == pytest.approx(alone.max(), abs=1.0)
    assert histogram.min == pytest.approx(alone.min(), abs=1.0)


def test_demands_of_later_steps_do_not_depend_on_the_routing_either():
    branch = [
        {"weight": 1, "steps": [{"sleep": LAWS["lognormal"]}]},
        {"weight": 2, "steps": [{"compute": LAWS["gamma"]}, {"fail": 0.1}]},
    ]
    service = work({"compute": "1ms"}, {"choose": branch}, {"sleep": LAWS["uniform"]})
    service["discipline"] = "ps"
    first = demands("round_robin", service)
    for routing in ROUTINGS:
        assert demands(routing, service) == first, routing


def test_demands_behind_calls_do_not_depend_on_the_routing():
    def histogram(routing):
        tree = scenario(
            {"to": "door", "rate": "20/s"},
            work({"call": "hall"}, {"compute": LAWS["uniform"]}, {"call": "hall"}, discipline="ps"),
            fleets={"web": fleet(count=3, vcpus=4000), "db": fleet("store", 5, 4000)},
            services={"store": work({"compute": LAWS["lognormal"]}, discipline="ps")},
            balancers={
                "door": {"targets": ["web"], "routing": "random"},
                "hall": {"targets": ["db"], "routing": ROUTINGS[routing]},
            },
            duration="1000s",
        )
        sim = simulation(tree)
        sim.advance("60s")
        sim.set("traffic.customers.rate", "0.00000001/s")
        sim.advance("1000s")
        results = sim.results()
        return (
            results.histogram("traffic.customers"),
            results.histogram("fleets.db"),
        )

    first = histogram("round_robin")
    # The two calls of a request are two draws, not one drawn twice.
    assert first[1].count == 2 * first[0].count
    for routing in ROUTINGS:
        assert histogram(routing) == first, routing


def test_the_total_work_does_not_depend_on_the_routing():
    # Here they queue, and for long; but all work is done in the end, and it is the same work.
    service = work({"compute": LAWS["exponential"]})
    used = set()
    for routing in ROUTINGS:
        tree = system(routing, service=service, count=10)
        tree = tree | {"duration": "100000s"}
        tree["traffic"]["customers"].pop("timeout")
        sim = simulation(tree)
        sim.advance("100s")
        sim.set("traffic.customers.rate", "0.00000001/s")
        sim.advance("100000s")
        numbers = sim.numbers()
        assert numbers["traffic"]["customers"]["in_flight"] == 0
        done = numbers["traffic"]["customers"]["completed"]
        used.add((done, int(numbers["fleets"]["web"]["run_ns"])))
    assert len(used) == 1


def test_another_source_changes_nothing_for_the_first():
    one = demands("random", work({"compute": LAWS["exponential"]}, discipline="ps"))
    tree = scenario(
        {
            "customers": {"to": "door", "rate": "40/s"},
            "robots": {"to": "door", "rate": "500/s"},
        },
        work({"compute": LAWS["exponential"]}, discipline="ps"),
        fleets={"web": fleet(count=4, vcpus=4000)},
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        duration="100s",
    )
    sim = simulation(tree)
    sim.advance("90s")
    sim.set("traffic.customers.rate", "0.00000001/s")
    sim.advance("100s")
    assert sim.results().histogram("traffic.customers") == one


def test_the_size_of_the_fleet_changes_no_demand():
    service = work({"compute": LAWS["exponential"]}, discipline="ps")
    one = demands("random", service)
    tree = system("round_robin", service=service, count=3)
    tree["fleets"]["web"] = fleet(count=97, vcpus=4000)
    tree["traffic"]["customers"].pop("timeout")
    sim = simulation(tree | {"duration": "100s"})
    sim.advance("90s")
    sim.set("traffic.customers.rate", "0.00000001/s")
    sim.advance("100s")
    assert sim.results().histogram("traffic.customers") == one


@pytest.mark.parametrize("routing", ROUTINGS)
def test_thoughts_and_demands_of_users_belong_to_the_user_and_the_request(routing):
    # Request k of user u is the same whatever happened to the others, so the users' cycles, where
    # nobody waits, are the same under every routing.
    source = {"arrivals": {"closed": {"users": 50, "think": {"exponential": "2s"}}}}
    service = work({"compute": LAWS["exponential"]}, discipline="ps")
    assert demands(routing, service, source) == demands("round_robin", service, source)


def test_a_faster_rate_squeezes_the_same_arrivals():
    slow = instants(system("random"), limit=100)
    fast = instants(system("random", source={"rate": "80/s"}), limit=100)
    assert np.allclose(np.array(slow), 2 * np.array(fast), atol=100)
