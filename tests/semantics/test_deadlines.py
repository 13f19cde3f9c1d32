"""Deadlines of whole requests, hedges and circuit breakers: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

from semantics.lab import (
    Tree,
    customers,
    fates,
    fleet,
    latency,
    moments,
    run,
    scenario,
    seconds,
    work,
)
from semantics.test_retries import FAILS, retry, sendings


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-12, abs=1e-9)


def busy_s(result: Tree, name: str = "web") -> float:
    """vCPU time that a fleet of one vCPU has used."""
    return result["fleets"][name]["utilization"] * result["measured_s"]


# --- deadlines --------------------------------------------------------------------------------


def test_an_answer_at_the_very_instant_of_the_deadline_is_in_time(lab):
    assert fates(customers(scenario(lab.at(0, deadline="1s")))) == (1, 0, 0, 0, 0)
    assert fates(customers(scenario(lab.at(0, deadline="999999999ns")))) == (0, 0, 0, 1, 0)


def test_no_attempt_begins_after_the_deadline(lab):
    # Attempts at 0, 2 and 4; the next one would be at 6, so the request ends at 4 as it stands.
    tree = scenario(lab.at(0, deadline="5s", **retry(9, "2s")), work(FAILS))
    assert sendings(tree, 8) == seconds(0, 2, 4, until=8)
    assert fates(customers(tree | {"duration": "4.000000001s"})) == (0, 0, 1, 0, 0)


def test_an_attempt_may_begin_at_the_very_instant_of_the_deadline(lab):
    tree = scenario(lab.at(0, deadline="4s", **retry(9, "2s")), work(FAILS))
    assert sendings(tree, 8) == seconds(0, 2, 4, until=8)


def test_an_attempt_under_way_is_given_up_at_the_deadline(lab):
    # The first fails at 1; the second, from 2 on, would be answered at 3.
    tree = scenario(lab.at(0, deadline="2.5s", **retry(2, "1s")), work({"sleep": "1s"}, FAILS))
    assert fates(customers(tree)) == (0, 0, 0, 1, 0)
    assert fates(customers(tree | {"duration": "2.5s"})) == (0, 0, 0, 0, 1)
    assert fates(customers(tree | {"duration": "2.500000001s"})) == (0, 0, 0, 1, 0)


def test_a_worker_drops_what_is_too_late(lab):
    # 0: until 1. 1: from 1, given up at 1.6, worked on until 2. 2: too late at 1.7, dropped at 2.
    tree = scenario(lab.at(0, 0.1, 0.2, 2.5, deadline="1.5s"))
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (2, 0, 0, 2, 0)
    assert latency(result["traffic"]["customers"]) == exactly(1, 1)
    assert busy_s(result) == pytest.approx(3)
    assert result["fleets"]["web"]["wasted"] == 1
    # A time-out of the same length tells the server nothing: it works on all of them.
    result = run(scenario(lab.at(0, 0.1, 0.2, 2.5, timeout="1.5s")))
    assert busy_s(result) == pytest.approx(4)
    assert fates(result["traffic"]["customers"]) == (2, 0, 0, 2, 0)


def test_a_worker_drops_as_many_as_are_too_late_at_once(lab):
    tree = scenario(lab.at(*[0] * 500, 600, deadline="1.5s"), duration="1000s")
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (2, 0, 0, 499, 0)
    assert busy_s(result) == pytest.approx(3)


def test_what_is_too_late_holds_its_place_in_the_backlog_until_a_worker_comes(lab):
    tree = scenario(lab.at(0, 0.1, 2, deadline="1s"), work({"compute": "5s"}, backlog=1))
    assert fates(customers(tree)) == (0, 1, 0, 2, 0)
    taken_back = scenario(
        lab.at(0, 0.1, 2, deadline="1s", on_timeout="abandon"),
        work({"compute": "5s"}, backlog=1),
    )
    assert fates(customers(taken_back)) == (0, 0, 0, 3, 0)


def test_a_server_stops_at_the_end_of_the_step_under_way(lab):
    steps = work({"compute": "1s"}, {"compute": "1s"})
    assert busy_s(run(scenario(lab.at(0, deadline="0.5s"), steps))) == pytest.approx(1)
    assert busy_s(run(scenario(lab.at(0, timeout="0.5s"), steps))) == pytest.approx(2)


def shop(call: Any, *steps: Tree) -> Tree:
    """A shop that calls the fleet `web`."""
    services = {"front": work({"call": call}, *steps)}
    return {"services": services, "fleets": {"web": fleet(), "shop": fleet(service="front")}}


def test_the_deadline_of_a_request_holds_for_what_is_called(lab):
    # Both are at work for others until 10 s, when the call, given up at 2 s, is dropped.
    traffic = {"customers": lab.at(1, to="shop", deadline="1s"), "others": lab.at(0)}
    result = run(scenario(traffic, work(lab.sizes(10)), **shop("web", {"compute": "1s"})))
    assert fates(result["traffic"]["customers"]) == (0, 0, 0, 1, 0)
    assert fates(result["fleets"]["web"]) == (1, 0, 0, 1, 0)
    assert busy_s(result) == pytest.approx(10)
    # The shop stops when its call comes back, at the deadline.
    assert busy_s(result, "shop") == 0


def test_a_call_has_a_deadline_of_its_own_but_not_beyond_that_of_the_request(lab):
    def ends(own: str, of_request: str) -> float:
        """When the call, which fails at once and is made again each second, is given up."""
        call = {"to": "web", "deadline": own, **retry(100, "1s")}
        traffic = lab.at(0, to="shop", deadline=of_request)
        tree = scenario(traffic, work(FAILS), **shop(call))
        return run(tree)["fleets"]["web"]["requests"] - 1

    assert ends("3.5s", "9s") == 3
    assert ends("9s", "3.5s") == 3


def test_a_deadline_far_away_changes_nothing(lab):
    tree = scenario(lab.at(0, 0.1, 0.2, timeout="1.5s"), work(backlog=1))
    far = scenario(lab.at(0, 0.1, 0.2, timeout="1.5s", deadline="10h"), work(backlog=1))
    plain, with_deadline = run(tree), run(far)
    assert with_deadline["fleets"] == plain["fleets"]
    for key, value in plain["traffic"]["customers"].items():
        assert with_deadline["traffic"]["customers"][key] == value


# --- hedges -----------------------------------------------------------------------------------


def two_fleets(lab, slow: float = 1.0, **keys: Any) -> Tree:
    """Round robin over the first fleet, which is busy with others for 10 s, and the second."""
    fleets = {"first": fleet(speed=slow), "second": fleet()}
    traffic = {"customers": lab.at(1, to="door", **keys)}
    balancers = {"door": {"targets": ["first", "second"], "routing": "round_robin"}}
    return {"traffic": traffic, "fleets": fleets, "balancers": balancers}


def test_the_first_answer_wins_and_a_loser_that_waits_is_taken_back(lab):
    keys = two_fleets(lab, hedge="2s")
    keys["traffic"]["others"] = lab.at(0, to="first")
    keys["fleets"]["first"]["instance_type"]["speed"] = 0.1
    result = run(scenario(keys.pop("traffic"), **keys))
    source = result["traffic"]["customers"]
    assert latency(source) == exactly(3)
    assert (source["offered"], source["retries"], source["hedges"]) == (1, 1, 1)
    assert fates(result["fleets"]["first"]) == (1, 0, 0, 1, 0)
    assert busy_s(result, "first") == pytest.approx(10)
    assert result["fleets"]["first"]["wasted"] == 0


def test_the_work_of_a_loser_that_has_a_worker_is_wasted(lab):
    keys = two_fleets(lab, slow=0.1, hedge="2s")
    result = run(scenario(keys.pop("traffic"), **keys))
    assert latency(result["traffic"]["customers"]) == exactly(3)
    assert busy_s(result, "first") == pytest.approx(10)
    assert result["fleets"]["first"]["wasted"] == 1


def test_the_first_attempt_may_win_over_its_hedge(lab):
    keys = two_fleets(lab, slow=0.25, hedge="3.5s")
    result = run(scenario(keys.pop("traffic"), **keys))
    assert latency(result["traffic"]["customers"]) == exactly(4)
    assert fates(result["fleets"]["first"]) == (1, 0, 0, 0, 0)
    assert fates(result["fleets"]["second"]) == (0, 0, 0, 1, 0)


def test_who_is_answered_in_time_is_not_hedged(lab):
    keys = two_fleets(lab, hedge="2s")
    result = run(scenario(keys.pop("traffic"), **keys))
    assert result["traffic"]["customers"]["hedges"] == 0
    assert latency(result["traffic"]["customers"]) == exactly(1)


def test_an_attempt_without_success_leaves_the_other_one_its_chance(lab):
    # The first attempt fails at 3, the hedge succeeds at 5.
    fleets = {"first": fleet(service="bad"), "second": fleet()}
    balancers = {"door": {"targets": ["first", "second"], "routing": "round_robin"}}
    tree = scenario(
        lab.at(1, to="door", hedge="1s"),
        work({"sleep": "3s"}),
        services={"bad": work({"sleep": "2s"}, FAILS)},
        fleets=fleets,
        balancers=balancers,
    )
    assert latency(customers(tree)) == exactly(4)


def test_hedges_are_on_the_budget_too(lab):
    budget = {"share": 0, "reserve": 1}
    tree = scenario(lab.at(0, 10, hedge="1s", **retry(1, budget=budget)), work({"sleep": "5s"}))
    source = customers(tree)
    assert (source["hedges"], source["out_of_budget"]) == (1, 1)


# --- circuit breakers ---------------------------------------------------------------------------


def breaker(**keys: Any) -> Tree:
    return {"circuit_breaker": {"open": "3s", **keys}}


def test_an_open_breaker_rejects_at_once_and_sends_nothing(lab):
    # It opens at 1, lets a probe through at 4 and opens again.
    tree = scenario(lab.at(*range(8), **breaker(failures=2)), work(FAILS))
    assert sendings(tree, 7) == seconds(0, 1, 4, 7, until=7)
    source = customers(tree)
    assert fates(source) == (0, 4, 4, 0, 0)
    assert source["circuit_breaker"] == {"opened": 3, "held_back": 4}


def test_a_probe_that_succeeds_closes_the_breaker(lab):
    # The worker is held until 3.5 s: two are rejected, then it is open until 4.5 s.
    steps = work({"sleep": "3.5s"}, backlog=0)
    tree = scenario(lab.at(0, 1, 1.5, 2, 3, 5, 5.5, **breaker(failures=2)), steps)
    assert fates(customers(tree)) == (2, 5, 0, 0, 0)
    assert customers(tree)["circuit_breaker"] == {"opened": 1, "held_back": 3}


def test_a_breaker_looks_at_the_share_of_a_window(lab):
    # Two of three are rejected; that there are three is known when the first is answered.
    steps = work({"compute": "2s"}, backlog=0)
    rule = breaker(failure_rate="60%", window=3)
    tree = scenario(lab.at(0, 0.5, 1, 3, 4.5, 6, **rule), steps)
    source = customers(tree)
    assert source["circuit_breaker"] == {"opened": 1, "held_back": 2}
    assert fates(source) == (2, 4, 0, 0, 0)


def test_a_retry_that_the_breaker_holds_back_leaves_the_outcome_of_the_last_attempt(lab):
    tree = scenario(lab.at(0, **retry(3, "1s"), **breaker(failures=1)), work(FAILS))
    source = customers(tree)
    assert fates(source) == (0, 0, 1, 0, 0)
    assert source["retries"] == 0
    assert source["circuit_breaker"] == {"opened": 1, "held_back": 1}


def test_a_call_has_a_breaker_of_its_own(lab):
    call = {"to": "web", **breaker(failures=2)}
    tree = scenario(lab.at(*range(8), to="shop"), work(FAILS), **shop(call))
    assert sendings(tree, 7) == seconds(0, 1, 4, 7, until=7)
    assert fates(customers(tree)) == (0, 0, 8, 0, 0)
