"""The idle timeout of a balancer: what a target does not answer in time is answered 504."""

from __future__ import annotations

from typing import Any

import pytest

from semantics.lab import fates, fleet, latency, outcome, run, scenario, work

Tree = dict[str, Any]


def patient(traffic: Tree, idle: str | None = "3s", service=None, **keys: Any) -> Tree:
    door = {"targets": ["web"], "routing": keys.pop("routing", "round_robin")}
    door |= {} if idle is None else {"idle_timeout": idle}
    web = keys.pop("web", fleet())
    fleets = {"web": web, **keys.pop("fleets", {})}
    return scenario(traffic, service, fleets=fleets, balancers={"door": door}, **keys)


def errors(result: Tree) -> Tree:
    return result["load_balancers"]["door"]["errors"]


def test_what_takes_longer_fails_and_the_work_goes_on(lab):
    """5 s, 1 s and 1 s of work at 0, 4 and 10 s; the second begins at 5 s when the first ends."""
    tree = patient(lab.at(0, 4, 10, to="door"), service=work(lab.sizes(5, 1, 1)))
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (2, 0, 1, 0, 0)
    assert latency(result["traffic"]["customers"]) == pytest.approx((1.5, 0.5, 1, 2))
    assert errors(result) == {"502": 0, "503": 0, "504": 1}
    assert result["fleets"]["web"]["wasted"] == 1
    assert run(tree | {"duration": "2s"})["traffic"]["customers"]["in_flight"] == 1
    cut = run(tree | {"duration": "3.000000001s"})
    assert cut["traffic"]["customers"]["failed"] == 1
    assert cut["fleets"]["web"]["wasted"] == 0


def test_an_answer_at_the_very_instant_is_in_time(lab):
    result = run(patient(lab.at(0, to="door"), service=work({"compute": "3s"})))
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 0, 0)


def test_waiting_for_a_worker_counts(lab):
    """Three at once of 2 s each: answered at 2 s, the others too late, but served to the end."""
    result = run(patient(lab.at(0, 0, 0, to="door"), service=work({"compute": "2s"})))
    assert fates(result["traffic"]["customers"]) == (1, 0, 2, 0, 0)
    assert result["fleets"]["web"]["wasted"] == 2


@pytest.mark.parametrize("timeout", ["2s", "3s"])
def test_a_client_that_leaves_first_has_timed_out(lab, timeout):
    traffic = lab.at(0, to="door", timeout=timeout)
    result = run(patient(traffic, service=work({"compute": "5s"})))
    assert fates(result["traffic"]["customers"]) == (0, 0, 0, 1, 0)
    assert errors(result)["504"] == 0


def test_a_client_that_would_wait_longer_gets_504(lab):
    result = run(patient(lab.at(0, to="door", timeout="4s"), service=work({"compute": "5s"})))
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert errors(result)["504"] == 1


def test_clients_who_take_back_only_what_waits(lab):
    """At 2 s the second is taken back; the first has its worker, and 3 s from the balancer."""
    traffic = lab.at(0, 0, 20, to="door", timeout="2s", on_timeout="abandon")
    tree = patient(traffic, service=work(lab.sizes(10, 10, 2.5)))
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (1, 0, 1, 1, 0)
    assert latency(result["traffic"]["customers"])[0] == pytest.approx(2.5)
    assert errors(result)["504"] == 1
    assert run(tree | {"duration": "2.5s"})["traffic"]["customers"]["in_flight"] == 1
    assert run(tree | {"duration": "3.1s"})["traffic"]["customers"]["failed"] == 1


def test_a_call_that_gets_504_fails(lab):
    tree = patient(lab.at(0, to="front"), service=work({"compute": "5s"}))
    tree["services"]["ask"] = work({"call": "door"}, {"compute": "1s"})
    tree["fleets"]["front"] = fleet("ask")
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert errors(result)["504"] == 1


def test_504_is_tried_again(lab):
    traffic = lab.at(0, to="door", retry={"attempts": 2, "backoff": {"fixed": "1s"}})
    result = run(patient(traffic, service=work({"compute": "5s"}), web=fleet(count=2)))
    source = result["traffic"]["customers"]
    assert fates(source) == (0, 0, 1, 0, 0)
    assert source["retries"] == 1
    assert errors(result)["504"] == 2


def test_users_go_on_after_it():
    users = {"to": "door", "arrivals": {"closed": {"users": 1, "think": "1s"}}}
    result = run(patient(users, service=work({"compute": "5s"}), web=fleet(count=2)))
    assert result["traffic"]["customers"]["failed"] > 15
    assert result["traffic"]["customers"]["completed"] == 0


def test_502_503_and_504_are_told_apart():
    """Down from 20 s, gone at 40 s; before that a tenth of the requests takes too long."""
    service = work(
        {
            "choose": [
                {"weight": 9, "steps": [{"compute": "10ms"}]},
                {"weight": 1, "steps": [{"sleep": "10s"}]},
            ]
        },
        concurrency=1000,
    )
    faults = [{"at": "20s", "fail": "web"}]
    actions = [{"at": "40s", "stop": "web"}]
    traffic = {"to": "door", "rate": "10/s", "arrivals": "constant"}
    result = run(patient(traffic, "2s", service, faults=faults, actions=actions, duration="60s"))
    found = errors(result)
    assert found["503"] == 200
    assert 200 <= found["502"] < 210  # with those that were under way
    assert 5 < found["504"] < 40
    assert result["traffic"]["customers"]["failed"] == found["502"] + found["504"]
    assert result["traffic"]["customers"]["rejected"] == found["503"]


@pytest.mark.parametrize("service", [work({"compute": {"exponential": "50ms"}}), None])
def test_one_that_nobody_reaches_changes_nothing(service):
    traffic = {"to": "door", "rate": "5/s"}
    with_, without = (
        outcome(patient(traffic, idle, service, web=fleet(count=8))) for idle in ("1000s", None)
    )
    assert with_["traffic"] == without["traffic"]
    assert with_["fleets"] == without["fleets"]
    assert "errors" not in without["load_balancers.door"]
