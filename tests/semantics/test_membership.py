"""Which instances a fleet keeps and who goes: one test a rule, with traces by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nephoscope import _core
from semantics.lab import Stepper, Tree, fates, fleet, run, scenario, simulation, work
from semantics.test_health import door, first_checks, steady

BOUNDS = {"min": 0, "max": 8}


def group(desired: int, **keys: Any) -> Tree:
    """A fleet whose size has bounds, so that its zones are levelled."""
    return fleet() | {"count": BOUNDS | {"desired": desired}, **keys}


def lone(web: Tree, *, duration: str = "30h", **keys: Any) -> Stepper:
    """A fleet to which nobody sends a request in time."""
    traffic = {"to": "web", "rate": "0.000001/s", "arrivals": "constant"}
    tree = scenario(traffic, fleets={"web": web}, duration=duration, series="none", **keys)
    return simulation(tree)


def running(sim: Stepper) -> list[int]:
    """The instances that serve, in the order of launch."""
    return [int(at) for at in np.flatnonzero(sim.state()["running"])]


def web_of(sim: Stepper) -> Tree:
    tree: Tree = sim.results().to_dict()["fleets"]["web"]
    return tree


# --- who goes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "left"), [("newest", [0, 1]), ("oldest", [2, 3])])
def test_the_newest_or_the_oldest_go(policy, left):
    sim = lone(fleet(count=4) | {"termination_policy": policy})
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    assert running(sim) == left


@pytest.mark.parametrize("policy", ["default", "closest_to_next_hour"])
def test_who_is_closest_to_the_next_hour_of_its_bill_goes(policy):
    # At 1h10m the first is 10 minutes into its second hour, the others 50 and 20 into the first.
    sim = lone(fleet(count=1) | {"termination_policy": policy})
    for at, count in (("20m", 2), ("50m", 3), ("70m", 2)):
        sim.advance(at)
        sim.set("fleets.web.count", count)
    assert running(sim) == [0, 2]
    sim.advance("115m")  # the third has run for 65 minutes, the first for 115
    sim.set("fleets.web.count", 1)
    assert running(sim) == [2]


@pytest.mark.parametrize(("policy", "left"), [("default", 1), ("closest_to_next_hour", 0)])
def test_those_that_a_refresh_will_replace_go_first(policy, left):
    """The new one, of 3,590 s, is a minute into its hour at 3,650 s, those of 0 s 50 s into theirs:
    it is closest to the next, but stays as long as the refresh is under way."""
    refresh = {"at": "3590s", "min_healthy": "75%", "warmup": "10m"}
    web = fleet(count=4) | {"boot": "0s", "termination_policy": policy, "refresh": refresh}
    sim = lone(web)
    sim.advance("3650s")
    assert running(sim) == [1, 2, 3, 4]
    sim.set("fleets.web.count", 3)
    assert running(sim).count(4) == left


def draws(scale_in: int, count: int, rng: int) -> list[int]:
    """The words that decide among equals, by index in the fleet."""
    key = np.array(_core.stream_key(rng, 0, "fleets/web/termination"), dtype=np.uint64)
    counters = ([index, scale_in, 0, 0] for index in range(count))
    return [int(np.random.Philox(key=key, counter=at).random_raw()) for at in counters]


@pytest.mark.parametrize("rng", [7, 8, 9])
def test_among_equals_a_draw_of_the_fleets_own_decides(rng):
    traffic = {"to": "web", "rate": "0.000001/s", "arrivals": "constant"}
    sim = simulation(scenario(traffic, fleets={"web": fleet(count=6)}), rng=rng)
    sim.set("fleets.web.count", 4)
    words = draws(0, 6, rng)
    left = sorted(sorted(range(6), key=words.__getitem__)[2:])
    assert running(sim) == left
    sim.set("fleets.web.count", 3)
    words = draws(1, 6, rng)
    assert running(sim) == sorted(sorted(left, key=words.__getitem__)[1:])


def halls(cores: int = 8, **keys: Any) -> Tree:
    """Two hosts that take so many instances each, one in each of two zones."""
    kind = {"cores": cores, "memory": "64GiB"}
    return {"hall": {"count": 2, "type": kind, "zones": ["a", "b"], **keys}}


def spread(sim: Stepper) -> list[int]:
    """Instances in the zones a and b."""
    (hall,) = sim.results()._numbers["hosts"]
    return [int(count) for count in hall["instances"]]


def test_zones_are_levelled_before_any_policy_is_asked():
    # First fit has filled zone a with the first three; the newest of all is alone in b.
    sim = lone(fleet(count=4) | {"hosts": "hall", "termination_policy": "newest"}, hosts=halls(3))
    assert spread(sim) == [3, 1]
    sim.set("fleets.web.count", 3)
    assert running(sim) == [0, 1, 3]
    sim.set("fleets.web.count", 2)
    assert running(sim) == [0, 3]
    sim.set("fleets.web.count", 1)  # none is fuller: now it is the newest
    assert running(sim) == [0]


def test_who_boots_goes_first_and_of_the_fullest_zone():
    web = group(4, hosts="hall", boot="1m", initially="pending")
    sim = lone(web, hosts=halls())
    sim.advance("10s")
    assert spread(sim) == [2, 2]
    sim.set("fleets.web.count", 3)
    sim.set("fleets.web.count", 2)
    assert spread(sim) == [1, 1]


# --- zones ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "zones"),
    [({}, [3, 2]), ({"zone_balance": "only"}, [3, 2]), ({"zone_balance": "off"}, [5, 0])],
)
def test_launches_go_to_the_zone_with_the_fewest(keys, zones):
    assert spread(lone(group(5, hosts="hall", **keys), hosts=halls())) == zones


def test_a_number_of_instances_is_placed_as_the_hosts_have_it_unless_told():
    for keys, zones in (({}, [4, 0]), ({"zone_balance": "best_effort"}, [2, 2])):
        assert spread(lone(fleet(count=4) | {"hosts": "hall", **keys}, hosts=halls())) == zones


def test_a_cluster_stays_in_its_zone():
    cluster = {"placement": {"group": "near", "strategy": "cluster"}}
    assert spread(lone(group(4, hosts="hall", **cluster), hosts=halls())) == [4, 0]


def outage(at: str, lasting: str) -> list[Tree]:
    return [{"at": at, "for": lasting, "fail": {"zone": "b"}}]


@pytest.mark.parametrize(
    ("balance", "zones", "later"), [("best_effort", [4, 0], [3, 1]), ("only", [1, 0], [2, 2])]
)
def test_a_launch_that_is_refused_goes_elsewhere_or_waits(balance, zones, later):
    web = group(1, hosts="hall", zone_balance=balance)
    sim = lone(web, hosts=halls(), faults=outage("5s", "25s"))
    sim.advance("10s")
    sim.set("fleets.web.count", 4)
    assert spread(sim) == zones
    # Who waits tries again after a minute.
    sim.advance("69.9s")
    assert spread(sim) == zones
    sim.advance("71.5s")
    assert spread(sim) == later


def test_zones_are_levelled_when_one_is_back_by_launching_first():
    # Four in a, of which the last serve from 15 s on. Then zone b has no room, and rests for a
    # minute. From 75 s on one at a time is launched there (10 % of at most 8 is less than one),
    # boots for 5 s, and one goes.
    web = group(1, hosts="hall", boot="5s")
    sim = lone(web, hosts=halls(), faults=outage("5s", "60s"))
    sim.advance("10s")
    sim.set("fleets.web.count", 4)
    seen = []
    for at in ("74.9s", "75.1s", "79.9s", "80.1s", "81.1s", "85.9s", "86.1s", "200s"):
        sim.advance(at)
        seen.append(spread(sim))
    assert seen == [[4, 0], [4, 1], [4, 1], [3, 1], [3, 2], [3, 2], [2, 2], [2, 2]]
    assert web_of(sim)["membership"]["rebalanced"] == 2
    assert web_of(sim)["launches"] == 6
    (hall,) = sim.results()._numbers["hosts"]
    assert hall["rejected_launches"] == 1


@pytest.mark.parametrize(("most", "beyond"), [(19, 1), (20, 2), (39, 3)])
def test_levelling_may_exceed_the_bound_by_a_tenth_or_by_one(most, beyond):
    web = group(most, hosts="hall", boot="5s") | {"count": {"min": 0, "max": most}}
    sim = lone(web, hosts=halls(64), faults=outage("5s", "60s"))
    sim.advance("10s")
    sim.set("fleets.web.count", most)
    sim.advance("75.5s")
    assert sum(spread(sim)) == most + beyond
    sim.advance("10m")
    left = spread(sim)
    assert sum(left) == most
    assert abs(left[0] - left[1]) <= 1


# --- health replacement -----------------------------------------------------------------------


def ill(count: int = 1, at: str = "20s") -> list[Tree]:
    return [{"at": at, "fail": {"fleet": "web", "count": count}}]


def checked(web: Tree, **keys: Any) -> Tree:
    keys = {"balancers": door(), "service": work({"compute": "10ms"}), **keys}
    return scenario(keys.pop("traffic", steady()), keys.pop("service"), fleets={"web": web}, **keys)


def seen_ill_s(index: int, count: int, after: float = 20.0) -> int:
    """The look that replaces an instance: the second check that fails, and then a whole second."""
    first = first_checks(count)[index]
    failing = math.ceil((after - first) / 10.0)
    return math.ceil(first + 10.0 * (failing + 1))


def test_what_a_balancer_holds_unhealthy_is_replaced_if_the_fleet_asks_it():
    for keys, launches in (({}, 2), ({"health": "instance"}, 2), ({"health": "load_balancer"}, 3)):
        web = run(checked(fleet(count=2) | keys, faults=ill()))["fleets"]["web"]
        assert (web["launches"], web["terminations"]) == (launches, launches - 2)
        assert web.get("membership", {}).get("unhealthy", 0) == launches - 2


def test_what_never_passes_a_check_is_replaced():
    """It is new, and no check of it is ever answered."""
    fleets = {"web": fleet(count=1), "new": fleet(count=0) | {"health": "load_balancer"}}
    faults = [{"at": "20s", "lose_health_checks": "new"}]
    sim = simulation(scenario(steady(), fleets=fleets, balancers=door("web", "new"), faults=faults))
    sim.advance("20s")
    sim.set("fleets.new.count", 1)
    second = 20 + first_checks(2)[1] + 10
    sim.advance(f"{second + 4.999:.3f}s")
    assert running(sim) == [0, 1]
    sim.advance(f"{math.ceil(second + 5)}.001s")
    assert running(sim) == [0, 2]


def test_it_is_replaced_when_it_is_next_looked_at():
    sim = simulation(checked(fleet(count=2) | {"health": "load_balancer"}, faults=ill()))
    at = seen_ill_s(0, 2)
    sim.advance(f"{at - 0.001:.3f}s")
    assert running(sim) == [0, 1]
    sim.advance(f"{at}.001s")
    assert running(sim) == [1, 2]


def test_grace_runs_from_entering_service():
    # Who serves from the start has no grace; the other one has, from 10 s on.
    web = fleet(count=1) | {"health": {"check": "load_balancer", "grace": "70s"}}
    sim = simulation(checked(web, faults=ill(2)))
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    sim.advance("60s")
    assert running(sim) == [1, 2]
    sim.advance("79.999s")
    assert running(sim) == [1, 2]
    sim.advance("80.001s")
    assert running(sim) == [2, 3]


def test_what_does_not_run_is_replaced_at_once_whatever_its_grace():
    actions = [{"at": "20s", "stop": {"fleet": "web", "count": 1}}]
    for keys, launches in (
        ({}, 2),
        ({"health": {"check": "load_balancer", "grace": "1h"}}, 3),
    ):
        web = run(checked(fleet(count=2) | keys, actions=actions))["fleets"]["web"]
        assert (web["launches"], web["terminations"]) == (launches, launches - 2)
        assert web.get("membership", {}).get("stopped", 0) == launches - 2


@pytest.mark.parametrize(
    ("health", "replaced"),
    [
        ("instance", False),
        ({"impaired": "3m"}, True),
        ({"impaired": "3m", "grace": "1h"}, True),  # who served from the start has no grace
        ({"impaired": "10m"}, False),  # it is back before
    ],
)
def test_who_is_impaired_for_too_long_is_replaced(health, replaced):
    """One of two is down from 15 s on, for five minutes."""
    fault = {"at": "15s", "for": "5m", "fail": {"fleet": "web", "count": 1}}
    sim = lone(fleet(count=2) | {"health": health}, faults=[fault])
    for at, there in ((194, [0, 1]), (196, [1, 2] if replaced else [0, 1])):
        sim.advance(f"{at}s")
        assert running(sim) == there
    sim.advance("400s")
    web = web_of(sim)
    assert (web["launches"], web["terminations"]) == ((3, 1) if replaced else (2, 0))
    assert web.get("membership", {}).get("unhealthy", 0) == int(replaced)


def test_who_is_impaired_in_its_grace_is_replaced_after_it():
    fault = {"at": "15s", "for": "2h", "fail": {"fleet": "web", "count": 1}}
    web = fleet(count=0) | {"health": {"impaired": "3m", "grace": "10m"}}
    sim = lone(web, faults=[fault])
    sim.advance("10s")
    sim.set("fleets.web.count", 1)
    sim.advance("609.9s")
    assert running(sim) == [0]
    sim.advance("611s")
    assert running(sim) == [1]


@pytest.mark.parametrize(
    ("replacement", "least", "most"), [("terminate_first", 1, 2), ("launch_first", 2, 3)]
)
def test_who_is_replaced_leaves_first_or_when_another_serves(replacement, least, most):
    keys = {"health": "load_balancer", "replacement": replacement, "boot": "30s"}
    web = run(checked(fleet(count=2) | keys, faults=ill()))["fleets"]["web"]
    assert [web["instances"][key] for key in ("min", "max", "final")] == [least, most, 2]
    assert (web["launches"], web["membership"]["unhealthy"]) == (3, 1)


def test_who_is_replaced_finishes_what_it_holds(lab):
    # Its checks are lost from 5 s on; what it began at 1 s goes on until 81.
    faults = [{"at": "5s", "lose_health_checks": {"fleet": "web", "count": 1}}]
    web = fleet(count=1) | {"health": "load_balancer"}
    keys = {"traffic": lab.at(1, to="door"), "service": work(lab.sizes(80))}
    result = run(checked(web, faults=faults, **keys))
    assert result["fleets"]["web"]["membership"]["unhealthy"] == 1
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 0, 0)


def test_no_cooldown_holds_up_a_replacement(lab):
    # The policy acts at 1 min and then rests for an hour; the replacement does not wait for it.
    rule = {"metric": "cpu", "threshold": 0, "change": 1, "cooldown": "1h"}
    web = group(2, scaling=[{"simple": rule}], metrics={"delay": "0s"}, health="load_balancer")
    result = run(checked(web, faults=ill(at="90s"), duration="300s"))["fleets"]["web"]
    assert result["scaling"]["desired"] == 3
    assert (result["launches"], result["membership"]["unhealthy"]) == (4, 1)


# --- protection from scale-in -----------------------------------------------------------------


def test_who_is_protected_stays_and_the_size_is_another_all_the_same():
    sim = lone(group(3, scale_in_protection=True))
    sim.set("fleets.web.count", 1)
    assert running(sim) == [0, 1, 2]
    assert web_of(sim)["membership"]["protected"] == 3
    sim.set("fleets.web.count", 4)  # one more than there are
    assert running(sim) == [0, 1, 2, 3]
    assert web_of(sim)["membership"]["protected"] == 4


def test_so_many_may_be_protected():
    sim = lone(fleet(count=4) | {"scale_in_protection": 1, "termination_policy": "oldest"})
    sim.set("fleets.web.count", 2)
    assert running(sim) == [0, 3]
    sim.set("fleets.web.count", 0)
    assert running(sim) == [0]


def test_who_boots_is_not_protected_yet():
    sim = lone(fleet(count=1) | {"scale_in_protection": True, "boot": "1m"})
    sim.set("fleets.web.count", 3)
    sim.advance("10s")
    sim.set("fleets.web.count", 1)
    sim.advance("5m")
    assert running(sim) == [0]


def test_a_protected_zone_is_passed_over():
    # Zone a has more, but all of it is protected: who is in b goes.
    sim = lone(fleet(count=4) | {"hosts": "hall", "scale_in_protection": 3}, hosts=halls(3))
    sim.set("fleets.web.count", 3)
    assert running(sim) == [0, 1, 2]


def test_a_launch_that_is_not_wanted_any_more_is_not_missing():
    web = fleet(count=2) | {"hosts": "hall", "scale_in_protection": True}
    sim = lone(web, hosts=halls(1))
    for count, missing in ((3, 1), (1, 0)):
        sim.set("fleets.web.count", count)
        assert sim.numbers()["fleets"]["web"]["missing"] == missing
    assert running(sim) == [0, 1]


def test_protection_is_not_from_health_replacement():
    keys = {"health": "load_balancer", "scale_in_protection": True}
    web = run(checked(fleet(count=2) | keys, faults=ill()))["fleets"]["web"]
    assert (web["launches"], web["membership"]["unhealthy"]) == (3, 1)
    assert web["membership"]["protected"] == 2


# --- lifetimes --------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "at_once"), [(3, 1), (20, 2)])
def test_who_is_too_old_is_replaced_a_tenth_at_a_time(count, at_once):
    # All are a day old at once. Each lot is gone at a whole second, and its successors boot 90 s.
    sim = lone(fleet(count=count) | {"max_lifetime": "1d", "boot": "90s"})
    sim.advance("86399.9s")
    assert web_of(sim)["launches"] == count
    sim.advance("86400.1s")
    assert web_of(sim)["launches"] == count + at_once
    sim.advance("86489.9s")
    assert web_of(sim)["launches"] == count + at_once
    sim.advance("86490.1s")
    assert web_of(sim)["launches"] == count + min(2 * at_once, count)
    sim.advance("25h")
    web = web_of(sim)
    assert web["launches"] == 2 * count
    assert web["membership"]["expired"] == count
    assert web["instances"]["min"] == count - at_once


def test_successors_may_come_first_here_too():
    keys = {"max_lifetime": "1d", "boot": "90s", "replacement": "launch_first"}
    sim = lone(fleet(count=3) | keys)
    sim.advance("25h")
    web = web_of(sim)
    assert (web["launches"], web["membership"]["expired"]) == (6, 3)
    assert [web["instances"][key] for key in ("min", "max")] == [3, 4]
