"""How a balancer chooses: one test a rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from semantics.lab import ROUTINGS, fates, fleet, routed, run, scenario, simulation, targets, work

ALARM = 1e-6


def balanced(traffic, routing, *, count=2, service=None, weights=None, vcpus=1, **keys):
    """A balancer before one fleet of equals, or before fleets of one with weights."""
    if weights is None:
        fleets, names = {"web": fleet(count=count, vcpus=vcpus)}, ["web"]
    else:
        fleets = {f"web{i}": fleet(vcpus=vcpus) for i in range(len(weights))}
        names = [{"fleet": f"web{i}", "weight": w} for i, w in enumerate(weights)]
    door = {"targets": names, "routing": routed(routing)}
    return scenario(traffic, service, fleets=fleets, balancers={"door": door}, **keys)


def requests(tree, rng=7):
    return [target["requests"] for target in targets(run(tree, rng))]


POISSON = {"to": "door", "rate": "100/s"}


def even(counts, shares=None) -> bool:
    """Chi-square at a false alarm of one in a million."""
    total = sum(counts)
    shares = np.ones(len(counts)) if shares is None else np.asarray(shares, float)
    return stats.chisquare(counts, total * shares / shares.sum()).pvalue > ALARM


# --- policies ---------------------------------------------------------------------------------


def test_round_robin_takes_turns(lab):
    times = [10.0 * k for k in range(12)]
    tree = balanced(lab.at(*times, to="door"), "round_robin", count=5, duration="200s")
    counts = requests(tree)
    assert sorted(counts) == [2, 2, 2, 3, 3]
    # Five in a row go to five different instances.
    assert requests(tree | {"duration": "41s"}) == [1] * 5


def test_round_robin_is_blind_to_the_load(lab):
    # The first instance has hours of work; it gets its turn all the same.
    tree = balanced(
        lab.at(*range(10), to="door"), "round_robin", service=work(lab.sizes(3600, 1, 1, 1))
    )
    assert requests(tree) == [5, 5]


def test_least_connections_takes_the_free_one(lab):
    # The first request keeps one instance busy; all others find the other one free.
    tree = balanced(
        lab.at(0, 1, 3, 5, 7, to="door"),
        "least_connections",
        service=work(lab.sizes(50, 1, 1, 1, 1)),
    )
    assert sorted(requests(tree)) == [1, 4]


def test_least_connections_counts_those_who_wait(lab):
    # Six at once on three instances: two each, whoever is first.
    tree = balanced(lab.at(*[0] * 6, to="door"), "least_connections", count=3)
    assert requests(tree) == [2, 2, 2]


def test_least_connections_breaks_ties_at_random():
    # Light traffic: nearly every choice is a tie of all.
    tree = balanced(
        {"to": "door", "rate": "1/s"},
        "least_connections",
        count=7,
        service=work({"compute": "1ms"}),
        duration="20000s",
    )
    counts = requests(tree)
    assert even(counts)
    # And not in turn: turns would be far more even than chance.
    assert stats.chisquare(counts).statistic > stats.chi2.isf(1 - ALARM, 6)


def test_join_idle_queue_takes_an_idle_one(lab):
    tree = balanced(lab.at(0, 0.1, 0.2, 0.3, to="door"), "join_idle_queue", count=4)
    assert requests(tree) == [1, 1, 1, 1]


def test_join_idle_queue_is_random_when_none_is_idle(lab):
    # Four instances with an hour of work each: the rest are spread whatever the queues are.
    times = [0] * 4 + [0.001 * (k + 1) for k in range(4000)]
    tree = balanced(
        lab.at(*times, to="door"),
        "join_idle_queue",
        count=4,
        service=work({"compute": "1h"}),
        duration="10s",
    )
    counts = np.array(requests(tree)) - 1
    assert even(counts)
    assert np.ptp(counts) > 2  # the shortest queue would keep them equal


def test_power_of_two_never_takes_the_longer_of_two(lab):
    # With two targets both are compared: that is the shortest queue.
    tree = balanced(lab.at(*[0] * 10, to="door"), "power_of_two")
    assert requests(tree) == [5, 5]


def test_power_of_all_is_the_shortest_queue(lab):
    routing = {"power_of_two": {"choices": 6}}
    tree = balanced(lab.at(*[0] * 60, to="door"), routing, count=6)
    assert requests(tree) == [10] * 6


def test_power_of_two_draws_without_replacement(lab):
    # One of three is busy. Without replacement the pair holds an idle one for sure; with
    # replacement one request in nine would go to the busy one.
    tree = balanced(
        lab.at(0, *[1 + 0.1 * k for k in range(1, 400)], to="door"),
        "power_of_two",
        count=3,
        service=work(lab.sizes(3600, *[0.001] * 399)),
    )
    assert sorted(requests(tree))[0] == 1


def test_random_is_even():
    assert even(requests(balanced(POISSON, "random", count=10, duration="300s")))


def test_least_response_time_prefers_the_fast():
    fleets = {"slow": fleet(speed=0.25), "fast": fleet(speed=1.0)}
    door = {"targets": ["slow", "fast"], "routing": "least_response_time"}
    tree = scenario(
        {"to": "door", "rate": "0.2/s"}, fleets=fleets, balancers={"door": door}, duration="5000s"
    )
    slow, fast = (target["requests"] for target in targets(run(tree)))
    assert fast > 5 * slow
    assert slow > 0


def test_every_policy_uses_every_instance():
    for routing in ROUTINGS:
        counts = requests(balanced(POISSON, routing, count=20, duration="60s"))
        assert sum(counts) > 0
        assert min(counts) > 0, routing


# --- weights ----------------------------------------------------------------------------------


def test_round_robin_honours_weights_in_every_turn(lab):
    times = list(range(16))
    tree = balanced(lab.at(*times, to="door"), "round_robin", weights=[5, 2, 1])
    assert requests(tree) == [10, 4, 2]
    # Interleaved: even the first half turn has someone for the second.
    first, second, _ = requests(tree | {"duration": "4s"})
    assert first <= 3
    assert second >= 1


def test_weighted_random_honours_weights():
    counts = requests(balanced(POISSON, "weighted_random", weights=[5, 2, 0.5], duration="300s"))
    assert even(counts, [5, 2, 0.5])


def test_ip_hash_honours_weights():
    # Every request is a client of its own.
    counts = requests(balanced(POISSON, "ip_hash", weights=[5, 2, 0.5], duration="300s"))
    assert even(counts, [5, 2, 0.5])


def test_least_connections_honours_weights(lab):
    # 30 that stay: 3 to 1, within the one that makes no whole number.
    tree = balanced(
        lab.at(*[0] * 40, to="door"),
        "least_connections",
        weights=[3, 1],
        service=work({"compute": "1h"}),
    )
    assert requests(tree) == [30, 10]


def test_least_response_time_honours_weights():
    tree = balanced(
        {"to": "door", "rate": "40/s"},
        "least_response_time",
        weights=[4, 1],
        service=work({"sleep": "1s"}, concurrency=1000),
        duration="300s",
    )
    heavy, light = requests(tree)
    assert 3.5 < heavy / light < 4.5


def test_weights_are_per_instance():
    fleets = {"big": fleet(count=3), "small": fleet(count=2)}
    door = {
        "targets": [{"fleet": "big", "weight": 2}, "small"],
        "routing": "weighted_random",
    }
    tree = scenario(POISSON, fleets=fleets, balancers={"door": door}, duration="300s")
    assert even(requests(tree), [2, 2, 2, 1, 1])


@pytest.mark.parametrize("routing", ["random", "power_of_two", "join_idle_queue"])
def test_policies_without_weights_say_so(routing):
    with pytest.raises(Exception, match="weight"):
        run(balanced(POISSON, routing, weights=[2, 1]))


# --- targets that come and go -----------------------------------------------------------------


@pytest.mark.parametrize("routing", ROUTINGS)
def test_nothing_is_lost_when_targets_come_and_go(routing):
    tree = balanced(
        {"to": "door", "rate": "50/s", "clients": 100},
        routing,
        count=10,
        service=work(
            {"compute": {"exponential": "150ms"}}, {"sleep": {"exponential": "1s"}}, discipline="ps"
        ),
        duration="1000s",
    )
    sim = simulation(tree)
    for second, count in [(10, 3), (20, 12), (30, 1), (40, 10), (50, 9), (60, 30), (70, 2)]:
        sim.advance(f"{second}s")
        sim.set("fleets.web.count", count)
    sim.advance("80s")
    sim.set("fleets.web.count", 15)
    sim.set("traffic.customers.rate", "0.00000001/s")
    sim.advance("1000s")
    source = sim.results().to_dict()["traffic"]["customers"]
    assert source["offered"] > 3000
    assert source["completed"] == source["offered"]


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_target_that_left_gets_no_more_and_finishes_what_it_has(routing, lab):
    tree = balanced(
        lab.at(*[0.1 * k for k in range(40)], to="door"),
        routing,
        count=4,
        service=work({"compute": "1s"}),
    )
    tree["fleets"]["web"]["termination_policy"] = "newest"
    sim = simulation(tree)
    sim.advance("2s")
    before = [target["requests"] for target in targets(sim.results().to_dict())]
    sim.set("fleets.web.count", 2)
    sim.advance("100s")
    result = sim.results().to_dict()
    after = [target["requests"] for target in targets(result)]
    assert after[2:] == before[2:]
    assert sum(after) == 40
    assert fates(result["traffic"]["customers"]) == (40, 0, 0, 0, 0)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_target_that_comes_gets_its_share(routing):
    tree = balanced(POISSON, routing, count=2, service=work({"compute": "10ms"}), duration="100s")
    sim = simulation(tree)
    sim.advance("50s")
    before = [target["requests"] for target in targets(sim.results().to_dict())]
    sim.set("fleets.web.count", 4)
    sim.advance("100s")
    after = [target["requests"] for target in targets(sim.results().to_dict())]
    gained = np.array(after) - np.array([*before, 0, 0])
    # By response time the fastest of the idle ones gets them all; the others split them evenly.
    least = 0.0 if routing == "least_response_time" else 0.8
    assert gained.min() > least * gained.mean()


def test_routing_changes_from_one_request_to_the_next(lab):
    tree = balanced(lab.at(*range(20), to="door"), "round_robin", service=work({"sleep": "50s"}))
    sim = simulation(tree)
    sim.advance("10s")
    sim.set("load_balancers.door.routing", "ip_hash")
    sim.advance("15s")
    sim.set("load_balancers.door.routing", "least_connections")
    sim.advance("100s")
    assert [target["requests"] for target in targets(sim.results().to_dict())] == [10, 10]


def test_a_weight_changes_while_running():
    tree = balanced(POISSON, "weighted_random", weights=[1, 1], duration="200s")
    sim = simulation(tree)
    sim.advance("100s")
    before = [target["requests"] for target in targets(sim.results().to_dict())]
    sim.set("load_balancers.door.targets.web0.weight", 9)
    sim.advance("200s")
    after = [target["requests"] for target in targets(sim.results().to_dict())]
    assert even(before)
    assert even(np.array(after) - np.array(before), [9, 1])


# --- accounts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("routing", ROUTINGS)
def test_the_targets_sum_to_the_balancer_and_the_fleet(routing):
    tree = balanced(
        {"to": "door", "rate": "30/s", "timeout": "400ms"},
        routing,
        count=5,
        service=work({"compute": {"exponential": "150ms"}}, {"fail": 0.05}, backlog=3),
        duration="200s",
        warmup="20s",
    )
    result = run(tree)
    door = result["load_balancers"]["door"]
    for key in ("requests", "completed", "rejected", "failed", "timed_out", "in_flight"):
        assert sum(target[key] for target in targets(result)) == door[key], key
    for key in ("completed", "rejected", "failed", "timed_out"):
        assert door[key] > 0, key
        assert result["fleets"]["web"][key] == door[key]
        assert result["traffic"]["customers"][key] == door[key]
    assert door["requests"] == result["traffic"]["customers"]["offered"]


def test_two_balancers_may_share_a_fleet():
    fleets = {"web": fleet(count=4)}
    balancers = {
        "front": {"targets": ["web"], "routing": "least_connections"},
        "side": {"targets": ["web"], "routing": "round_robin"},
    }
    traffic = {
        "a": {"to": "front", "rate": "10/s"},
        "b": {"to": "side", "rate": "5/s"},
    }
    service = work({"compute": {"exponential": "100ms"}})
    result = run(scenario(traffic, service, fleets=fleets, balancers=balancers, duration="1000s"))
    for name, source in (("front", "a"), ("side", "b")):
        assert result["load_balancers"][name]["requests"] == result["traffic"][source]["offered"]
    both = sum(result["traffic"][name]["completed"] for name in traffic)
    assert result["fleets"]["web"]["completed"] == both
