"""Callers that try again: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import (
    Tree,
    completions,
    customers,
    fates,
    fleet,
    latency,
    moments,
    run,
    scenario,
    seconds,
    simulation,
    work,
)


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-12, abs=1e-9)


def retry(attempts: int, wait: Any = "0s", **keys: Any) -> Tree:
    """Further attempts, by default after the same wait."""
    backoff = wait if isinstance(wait, dict) else {"fixed": wait}
    return {"retry": {"attempts": attempts, "backoff": backoff, **keys}}


def sendings(tree: Tree, until: int) -> list[int]:
    """Attempts by each whole second, as `completions` counts."""
    cuts = (tree | {"duration": f"{second}.000000001s"} for second in range(until + 1))
    return [run(cut)["fleets"]["web"]["requests"] for cut in cuts]


FAILS = {"fail": 1.0}


# --- attempts ---------------------------------------------------------------------------------


def test_a_rejected_request_is_sent_again(lab):
    # At 0.5 s the worker is busy; the second attempt, at 1.5 s, finds it free.
    result = run(scenario(lab.at(0, 0.5, **retry(2, "1s")), work(backlog=0)))
    source = result["traffic"]["customers"]
    assert (source["offered"], source["retries"]) == (2, 1)
    assert fates(source) == (2, 0, 0, 0, 0)
    # From the first sending to the final answer, the wait included.
    assert latency(source) == exactly(1, 2)
    # The fleet knows attempts.
    assert result["fleets"]["web"]["requests"] == 3
    assert fates(result["fleets"]["web"]) == (2, 1, 0, 0, 0)
    assert latency(result["fleets"]["web"]) == exactly(1, 1)


def test_a_failed_request_is_sent_again_and_attempts_count_the_first(lab):
    tree = scenario(lab.at(0, **retry(3, "2s")), work({"sleep": "1s"}, FAILS))
    assert sendings(tree, 9) == seconds(0, 3, 6, until=9)
    result = run(tree)
    source = result["traffic"]["customers"]
    assert (source["offered"], source["retries"], fates(source)) == (1, 2, (0, 0, 1, 0, 0))
    assert fates(result["fleets"]["web"]) == (0, 0, 3, 0, 0)


def test_a_request_that_timed_out_is_sent_again(lab):
    # The first two do not let go of the worker before 2 and 4 s; the third is done at 6 s.
    tree = scenario(lab.at(0, timeout="1s", **retry(3, "1s")), work(lab.sizes(2)))
    assert sendings(tree, 6) == seconds(0, 2, 4, until=6)
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 0, 1, 0)
    assert result["fleets"]["web"]["wasted"] == 3


def test_an_attempt_that_is_taken_back_is_made_again(lab):
    # 0 has the worker until 3 and is waited for; 1 is taken back at 1.5 and comes again at 3.5.
    keys = {"timeout": "1s", "on_timeout": "abandon", **retry(2, "2s")}
    result = run(scenario(lab.at(0, 0.5, **keys), work(lab.sizes(3, 1))))
    assert latency(result["traffic"]["customers"]) == exactly(3, 4)
    assert fates(result["fleets"]["web"]) == (2, 0, 0, 1, 0)
    assert result["fleets"]["web"]["wasted"] == 0


def test_a_second_attempt_goes_to_a_target_that_is_not_down(lab):
    # One of two is down from 5.5 to 11.5 s and refuses at once; each retry goes to the other.
    keys = {
        "fleets": {"web": fleet(count=2)},
        "balancers": {"door": {"targets": ["web"], "routing": "round_robin"}},
        "faults": [{"at": "5.5s", "for": "6s", "fail": {"fleet": "web", "count": 1}}],
    }
    steps = work({"compute": "100ms"})
    once = run(scenario(lab.at(*range(20), to="door"), steps, **keys))
    twice = run(scenario(lab.at(*range(20), to="door", **retry(2)), steps, **keys))
    assert fates(once["traffic"]["customers"]) == (17, 0, 3, 0, 0)
    assert fates(twice["traffic"]["customers"]) == (20, 0, 0, 0, 0)
    assert twice["traffic"]["customers"]["retries"] == twice["load_balancers"]["door"]["failed"] > 3


def test_the_outcome_is_that_of_the_last_attempt(lab):
    # 0: timed out at 2, again at 7, when the worker is busy with 1: rejected.
    # 1: rejected at 1, again at 6, timed out at 8.
    keys = retry(2, "5s")
    tree = scenario(lab.at(0, 1, timeout="2s", **keys), work(lab.sizes(5, 5), backlog=0))
    assert fates(customers(tree)) == (0, 1, 0, 1, 0)


def test_one_attempt_is_no_retry(lab):
    plain = scenario(lab.at(0, 0.1, 0.2), work(backlog=1))
    once = scenario(lab.at(0, 0.1, 0.2, **retry(1)), work(backlog=1))
    assert customers(once) | {"hedges": 0} == customers(plain) | {"hedges": 0, "out_of_budget": 0}


def test_a_request_between_two_attempts_is_in_flight(lab):
    tree = scenario(lab.at(0, **retry(2, "5s")), work(FAILS))
    sim = simulation(tree)
    sim.advance("2s")
    numbers = sim.numbers()
    assert numbers["traffic"]["customers"]["in_flight"] == 1
    assert numbers["fleets"]["web"]["in_flight"] == 0
    assert sim.state()["in_flight"].tolist() == [1]
    sim.advance("6s")
    assert sim.numbers()["traffic"]["customers"]["failed"] == 1


def test_a_request_is_measured_where_it_was_first_sent(lab):
    # The first attempt is before the warm-up ends, the second after.
    tree = scenario(lab.at(1, 3, **retry(2, "2s")), work(FAILS), warmup="2s")
    result = run(tree)
    source = result["traffic"]["customers"]
    assert (source["offered"], source["retries"], source["failed"]) == (1, 1, 1)
    assert result["fleets"]["web"]["requests"] == 3


def test_a_fork_and_a_saved_run_go_on_between_two_attempts(lab):
    backoff = {"exponential": {"base": "1s"}}
    keys = retry(9, backoff, jitter="decorrelated", budget="50%") | {"hedge": "700ms"}
    breaker = {"failure_rate": "90%", "window": 5, "open": "3s"}
    source = {"to": "web", "rate": "2/s", "deadline": "2500ms", "circuit_breaker": breaker, **keys}
    tree = scenario(source, work({"sleep": "1s"}, {"fail": 0.7}, concurrency=3, backlog=2))
    scenario_ = nph.Scenario.model_validate(tree)
    straight, cut = (nph.Simulation(scenario_, rng=5) for _ in range(2))
    for seconds_ in (13, 28, 39):
        cut.advance(seconds_)
        twin = cut.fork()
        twin.advance()
        cut = nph.Simulation.load(cut.save())
    straight.advance()
    cut.advance()
    assert straight.result().fingerprint == cut.result().fingerprint == twin.result().fingerprint
    figures = straight.result()["traffic.customers"]
    assert min(figures[key] for key in ("retries", "hedges", "out_of_budget", "timed_out")) > 0
    assert figures["circuit_breaker"]["opened"] > 0


def test_a_user_waits_for_the_final_answer(lab):
    closed = {"closed": {"users": 1, "think": "1s"}}
    tree = scenario({"to": "web", "arrivals": closed, **retry(3, "2s")}, work(FAILS))
    # Thinks 1 s, sends at 1, 3 and 5, thinks, sends at 6, 8, 10, ...
    assert sendings(tree, 11) == seconds(1, 3, 5, 6, 8, 10, 11, until=11)


def test_a_user_leaves_after_so_many_requests_in_vain(lab):
    closed = {"closed": {"users": 3, "think": "1s", "give_up": 2}}
    keys = retry(3, "2s")
    # Each sends at 1, 3 and 5, thinks, sends at 6, 8 and 10, and has had enough.
    tree = scenario({"to": "web", "arrivals": closed, **keys}, work(FAILS))
    source = customers(tree)
    assert (source["offered"], source["failed"], source["retries"]) == (6, 6, 12)
    assert source["users_left"] == 3
    assert sendings(tree, 11) == [3 * n for n in seconds(1, 3, 5, 6, 8, 10, until=11)]


def test_a_success_between_makes_a_user_stay(lab):
    # The worker is busy with others from 3 to 5 s: requests at 3 and 4 fail, that at 5 does not.
    closed = {"closed": {"users": 1, "think": "1s", "give_up": 3}}
    traffic = {"customers": {"to": "web", "arrivals": closed}, "others": lab.at(2.5, 20)}
    tree = scenario(
        traffic, work({"choose": [{"weight": 1, "steps": [{"sleep": "2s"}]}]}, backlog=0)
    )
    source = run(tree)["traffic"]["customers"]
    assert source["users_left"] == 0
    assert source["completed"] > 20


# --- what belongs to the request, what to the attempt --------------------------------------------


def test_the_work_of_a_request_is_the_same_in_each_attempt(lab):
    # 3 s for the first request, 1 s for the second: never anything else.
    tree = scenario(lab.at(0, 20, timeout="2s", **retry(2, "3s")), work(lab.sizes(3, 1)))
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 1, 0)
    assert result["fleets"]["web"]["utilization"] * 100 == pytest.approx(3 + 3 + 1)


def test_a_step_that_fails_by_chance_fails_anew_in_each_attempt():
    source = {"to": "web", "rate": "100/s", **retry(2)}
    result = run(scenario(source, work({"fail": 0.5}, concurrency=100), duration="100s"))
    figures = result["traffic"]["customers"]
    assert figures["retries"] / figures["offered"] == pytest.approx(0.5, abs=0.03)
    assert figures["failed"] / figures["offered"] == pytest.approx(0.25, abs=0.03)


def test_a_choice_is_the_same_in_each_attempt():
    # One branch in two always fails: who takes it fails however often it is tried.
    branches = [{"weight": 1, "steps": [FAILS]}, {"weight": 1, "steps": [{"sleep": "1ms"}]}]
    source = {"to": "web", "rate": "100/s", **retry(3)}
    figures = customers(scenario(source, work({"choose": branches}, concurrency=100)))
    assert figures["retries"] == 2 * figures["failed"] > 0


def test_retries_change_no_arrival_and_no_demand():
    def lasting(**keys: Any) -> Tree:
        steps = work({"compute": {"exponential": "1s"}}, concurrency=1000, discipline="ps")
        web = {"web": fleet(vcpus=1000)}
        return run(scenario({"to": "web", "rate": "10/s", **keys}, steps, fleets=web))

    plain, deadline = lasting(), lasting(deadline="1h", **retry(5, "1s"))
    for section in ("traffic", "fleets"):
        for name, part in plain[section].items():
            same = {key: deadline[section][name][key] for key in part}
            assert same == part


# --- backoff ------------------------------------------------------------------------------------


def test_waits_double_up_to_the_cap(lab):
    backoff = {"exponential": {"base": "1s", "cap": "3s"}}
    tree = scenario(lab.at(0, **retry(5, backoff)), work(FAILS))
    assert sendings(tree, 10) == seconds(0, 1, 3, 6, 9, until=10)


def test_waits_may_follow_a_law(lab):
    tree = scenario(
        lab.at(0, **retry(2, {"fixed": {"empirical": {"values": ["4s"]}}})), work(FAILS)
    )
    assert sendings(tree, 5) == seconds(0, 4, until=5)


def test_full_jitter_spreads_what_came_together():
    # A hundred requests are refused at once; one that waits 0 to 10 s finds a place.
    source = {"to": "web", "arrivals": {"profile": [["0s", "1000/s"], ["100ms", "0/s"]]}}
    steps = work({"compute": "50ms"}, backlog=0)
    fixed = customers(scenario(source | retry(2, "10s"), steps))
    spread = customers(scenario(source | retry(2, "10s", jitter="full"), steps))
    assert spread["completed"] > 5 * fixed["completed"]


# --- budget --------------------------------------------------------------------------------------


def test_a_budget_bounds_retries(lab):
    # There is a token at the start, and a fifth of one for each request.
    budget = {"share": "20%", "reserve": 1}
    tree = scenario(lab.at(*range(11), **retry(2, budget=budget)), work(FAILS))
    source = customers(tree)
    assert (source["offered"], source["retries"], source["out_of_budget"]) == (11, 3, 8)
    assert sendings(tree, 10) == seconds(*range(11), 0, 5, 10, until=10)


def test_time_may_bring_tokens(lab):
    budget = {"share": 0, "reserve": 1, "rate": "0.5/s"}
    tree = scenario(lab.at(*range(5), **retry(2, budget=budget)), work(FAILS))
    assert sendings(tree, 4) == seconds(*range(5), 0, 2, 4, until=4)


# --- calls ---------------------------------------------------------------------------------------


def layers(lab, depth: int) -> Tree:
    """`depth` services that try three times what is below them; the last one fails."""
    names = [f"layer{level}" for level in range(depth)]
    services = {
        f"{name}-work": work({"call": {"to": below, **retry(3)}})
        for name, below in zip(names, [*names[1:], "web"], strict=True)
    }
    services["work"] = work(FAILS)
    fleets = {"web": fleet()} | {name: fleet(service=f"{name}-work") for name in names}
    return scenario(lab.at(0, to=names[0]), fleets=fleets, services=services)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_layers_that_try_three_times_multiply(lab, depth):
    # RETRY_AMPLIFICATION_deep: 3, 9, 27, 243 calls at the bottom.
    result = run(layers(lab, depth))
    assert result["fleets"]["web"]["requests"] == 3**depth
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)


def test_a_call_holds_the_worker_while_it_waits_for_the_next_attempt(lab):
    # The first request is there until 3 s, and the worker with it.
    services = {"front": work({"call": {"to": "web", **retry(2, "3s")}}, {"sleep": "1s"})}
    fleets = {"web": fleet(), "shop": fleet(service="front")}
    tree = scenario(lab.at(0, 1, to="shop"), work({"fail": 1.0}), services=services, fleets=fleets)
    assert sendings(tree, 7) == seconds(0, 3, 3, 6, until=7)


def test_a_call_that_succeeds_at_last_lets_the_request_go_on(lab):
    # The store is busy until 2 s with a request of its own and refuses the call at 1 s.
    services = {"front": work({"call": {"to": "web", **retry(2, "1.5s")}}, {"sleep": "1s"})}
    fleets = {"web": fleet(), "shop": fleet(service="front")}
    traffic = {"customers": lab.at(1, to="shop"), "others": lab.at(0)}
    steps = work({"sleep": "2s"}, backlog=0)
    result = run(scenario(traffic, steps, services=services, fleets=fleets))
    assert latency(result["traffic"]["customers"]) == exactly(1.5 + 2 + 1)
    assert fates(result["fleets"]["web"]) == (2, 1, 0, 0, 0)


def test_calls_time_out_and_are_made_again(lab):
    services = {"front": work({"call": {"to": "web", "timeout": "1s", **retry(2, "1s")}})}
    fleets = {"web": fleet(count=2), "shop": fleet(service="front")}
    balancers = {"store": {"targets": ["web"], "routing": "round_robin"}}
    services["front"]["steps"][0]["call"]["to"] = "store"
    tree = scenario(
        lab.at(0, to="shop"),
        work({"sleep": "5s"}),
        services=services,
        fleets=fleets,
        balancers=balancers,
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert fates(result["load_balancers"]["store"]) == (0, 0, 0, 2, 0)
    assert completions(tree, 4) == [0] * 5


def test_who_has_died_does_not_try_again(lab):
    services = {"front": work({"call": {"to": "web", **retry(5, "2s")}})}
    fleets = {"web": fleet(), "shop": fleet(service="front")}
    tree = scenario(
        lab.at(0, to="shop"),
        work(FAILS),
        services=services,
        fleets=fleets,
        actions=[{"at": "3s", "reboot": "shop"}],
    )
    result = run(tree)
    # Attempts at 0 and 2 s; the caller dies at 3 s.
    assert result["fleets"]["web"]["requests"] == 2
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
