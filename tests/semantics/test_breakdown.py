"""What latencies are made of: traces worked out by hand, one test a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope.results.breakdown import Part, parts_of
from semantics.lab import fleet, outcome, run, scenario, simulation, work

Tree = dict[str, Any]


def made_of(tree: Tree, key: str = "mean", traffic: str = "customers") -> dict[str, float]:
    """The parts of the followed requests, `web waiting` and so on, in seconds."""
    breakdown = run({"traces": 1000, **tree})["traffic"][traffic]["breakdown"]
    told = dict(parts_of(breakdown[key]))
    assert sum(told.values()) == pytest.approx(breakdown[key]["latency_s"], rel=1e-12)
    return {" ".join(part).strip(): spent for part, spent in told.items()}


def exactly(**parts: float):
    """In the words of `made_of`, with _ for a space."""
    return pytest.approx({name.replace("_", " ", 1): it for name, it in parts.items()}, abs=2e-9)


# --- at one instance --------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [{}, {"backlog": 5}], ids=["unwatched", "watched"])
def test_a_request_waits_and_works(lab, keys):
    """The second of two waits half a second for the worker."""
    tree = scenario(lab.at(0, 0.5), work(discipline="fifo", concurrency=1, **keys))
    assert made_of(tree) == exactly(web_work=1.0, web_waiting=0.25)


def test_work_is_what_it_takes_on_a_vcpu_of_that_speed(lab):
    tree = scenario(lab.at(0), fleets={"web": fleet(speed=2)})
    assert made_of(tree) == exactly(web_work=0.5)
    tree["services"]["work"] |= {"discipline": "fifo", "concurrency": 1}
    assert made_of(tree) == exactly(web_work=0.5)


def test_those_who_compute_share_the_vcpus(lab):
    """Two on one vCPU take two seconds each; on two, one."""
    shared = scenario(lab.at(0, 0), work(discipline="ps"))
    assert made_of(shared) == exactly(web_work=1.0, web_sharing=1.0)
    assert made_of(shared | {"fleets": {"web": fleet(vcpus=2)}}) == exactly(web_work=1.0)


def test_what_neighbours_take_is_steal(lab):
    """Two tenants of one core have half of it each; two jobs of each have a quarter."""
    hosts = {"hall": {"type": {"cores": 1, "memory": "64GiB"}, "cpu_overcommit": 8.0}}
    fleets = {name: fleet() | {"hosts": "hall"} for name in ("web", "batch")}
    traffic = {"customers": lab.at(0, to="web"), "jobs": lab.at(0, to="batch")}
    tree = scenario(traffic, work(discipline="ps"), fleets=fleets, hosts=hosts)
    assert made_of(tree) == exactly(web_work=1.0, web_steal=1.0)
    traffic["customers"] = lab.at(0, 0, to="web")
    traffic["jobs"] = lab.at(0, 0, to="batch")
    assert made_of(tree) == exactly(web_work=1.0, web_sharing=2.0, web_steal=1.0)


def test_a_slow_instance_takes_longer_than_its_work(lab):
    slow = {"at": "500ms", "for": "10s", "slow": {"fleet": "web", "factor": 3}}
    for keys in ({}, {"discipline": "fifo", "concurrency": 1}):
        tree = scenario(lab.at(1), work(**keys), faults=[slow])
        assert made_of(tree) == exactly(web_work=1.0, web_sharing=2.0)


def test_an_instance_that_hangs_does_not_answer(lab):
    hang = {"at": "400ms", "for": "3s", "hang": "web"}
    told = made_of(scenario(lab.at(0), faults=[hang]))
    assert told == exactly(web_work=1.0, web_not_answering=3.0)


def test_sleep_and_devices_are_told_apart(lab):
    steps = work({"sleep": "2s"}, {"disk": "3MB"}, {"network": "8MB"}, {"gpu": "4s"})
    machine = fleet(
        disk={"bandwidth": "1MB/s"}, network={"baseline": "16Mbps"}, gpu={"count": 1, "speed": 1}
    )
    told = made_of(scenario(lab.at(0), steps, fleets={"web": machine}))
    assert told == exactly(web_sleeping=2.0, web_disk=3.0, web_network=4.0, web_accelerator=4.0)


# --- across services --------------------------------------------------------------------------


def chain(lab, *times: float) -> Tree:
    """web sleeps half a second and calls db, which computes one on one worker."""
    services = {
        "front": work({"sleep": "500ms"}, {"call": "db"}, concurrency=10),
        "look-up": work(discipline="fifo", concurrency=1),
    }
    fleets = {"web": fleet("front"), "db": fleet("look-up")}
    return scenario(lab.at(*times), fleets=fleets, services=services)


def test_who_calls_waits_for_what_the_other_does(lab):
    told = made_of(chain(lab, 0, 0))
    assert told == exactly(web_sleeping=0.5, db_work=1.0, db_waiting=0.5)


def test_attempts_in_vain_and_the_waits_between_are_retries(lab):
    """The second is refused at 0.5, and again a second later; at 2.5 it is let in."""
    again = {"retry": {"attempts": 3, "backoff": {"fixed": "1s"}}}
    tree = scenario(lab.at(0, 0.5, **again), work({"compute": "1900ms"}, backlog=0))
    tree["services"]["work"] |= {"discipline": "fifo", "concurrency": 1}
    assert made_of(tree) == exactly(web_work=1.9, retry=1.0)


def test_an_attempt_that_was_late_is_in_vain(lab):
    """Of 5 s of work that are given 2 s; the second attempt does 1 s, beside it."""
    keys = {"timeout": "2s", "retry": {"attempts": 2, "backoff": {"fixed": "1s"}}}
    tree = scenario(lab.at(0, **keys), fleets={"web": fleet(vcpus=2)})
    step = {"choose": [{"weight": 1, "steps": [{"compute": "1s"}]}]}
    tree["services"]["work"]["steps"] = [step, {"fail": 0.0}]
    assert made_of(tree) == exactly(web_work=1.0)
    tree["faults"] = [{"at": "500ms", "for": "2s", "hang": "web"}]
    assert made_of(tree) == exactly(web_work=1.0, retry=3.0)


def test_of_hedged_attempts_the_one_that_answers_counts(lab):
    """One of two instances hangs; its request is sent to the other, too, 1.2 s after the first."""
    tree = scenario(
        lab.at(0.5, 0.5, to="door", hedge="1200ms"),
        fleets={"web": fleet(count=2)},
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        faults=[{"at": "600ms", "for": "20s", "hang": {"fleet": "web", "count": 1}}],
    )
    assert made_of(tree) == exactly(web_work=1.0, retry=0.6)


def test_who_finds_no_room_waits_at_the_balancer(lab):
    door = {"targets": ["web"], "routing": "round_robin", "surge_queue": 5}
    service = work(discipline="fifo", concurrency=1, backlog=0)
    tree = scenario(lab.at(0, 0, to="door"), service, balancers={"door": door})
    assert made_of(tree) == exactly(web_work=1.0, balancer=0.5)


def test_a_caller_that_gave_up_is_not_told_of_what_went_on(lab):
    """The call is given up after half a second, and the step after it sleeps."""
    tree = chain(lab, 0)
    tree["services"]["front"]["steps"] = [
        {"call": {"to": "db", "timeout": "500ms"}},
        {"sleep": "2s"},
    ]
    tree["services"]["look-up"]["steps"] = [{"sleep": "700ms"}]
    result = run(tree | {"traces": 10})["traffic"]["customers"]
    assert result["failed"] == 1
    assert result["breakdown"] == {"requests": 0, "share": 1.0}


# --- which are followed -----------------------------------------------------------------------

FARM: Tree = {
    "nephoscope": 1,
    "duration": "2000s",
    "warmup": "100s",
    "services": {"serve": {"steps": [{"compute": {"exponential": "100ms"}}]}},
    "fleets": {"web": {"service": "serve", "count": 2, "instance_type": "m5.large"}},
    "load_balancers": {"door": {"targets": ["web"], "routing": "least_connections"}},
    "traffic": {"all": {"to": "door", "rate": "15/s"}, "few": {"to": "web", "rate": "1/s"}},
}


@pytest.mark.parametrize("serving", [{}, {"discipline": "fifo", "concurrency": 1}])
def test_following_changes_nothing_else(serving):
    tree = FARM | {"services": {"serve": FARM["services"]["serve"] | serving}}
    followed = outcome(tree | {"traces": 500})
    assert followed.fingerprint == outcome(tree).fingerprint
    assert followed["traffic.all.breakdown.requests"] <= 500
    # Of the rarer traffic, as many are kept as of the other.
    assert followed["traffic.few.breakdown.requests"] > 200
    assert followed["traffic.few.breakdown.share"] > 4 * followed["traffic.all.breakdown.share"]


def test_which_are_kept_is_a_question_of_their_arrival_alone():
    """A sample of few is part of the sample of many; how a run is cut changes nothing."""

    def arrivals(traces: int, *cuts: str) -> Any:
        sim = nph.Simulation(nph.Scenario.model_validate(FARM | {"traces": traces}))
        for cut in cuts:
            sim.advance(cut)
        return sim.result()._numbers["traffic"][0]["traces"]

    few, many = arrivals(100, "2000s"), arrivals(5000, "2000s")
    assert 25 < len(few["arrival_ns"]) <= 100
    assert 1250 < len(many["arrival_ns"]) <= 5000
    assert np.isin(few["arrival_ns"], many["arrival_ns"]).all()
    cut = arrivals(100, "150s", "700s", "1ms", "1149.999s")
    assert all(np.array_equal(cut[key], few[key]) for key in few)
    assert few["arrival_ns"].min() >= 100e9


def test_the_sample_has_the_quantiles_of_all():
    """Of 28,500 requests 4,000 at least: their p99 is within 15 % of that of all."""
    result = outcome(FARM | {"traces": 8000})
    told = result["traffic.all.breakdown"]
    assert told["requests"] > 4000
    for key in ("p50", "p90", "p99"):
        whole = result[f"traffic.all.latency_s.{key}"]
        assert told[key]["latency_s"] == pytest.approx(whole, rel=0.15)
        assert sum(dict(parts_of(told[key])).values()) == pytest.approx(told[key]["latency_s"])
    assert told["mean"]["latency_s"] == pytest.approx(result["traffic.all.latency_s.mean"], rel=0.1)


def test_a_quantile_is_told_when_some_request_was_slower(lab):
    told = run(scenario(lab.at(*range(20)), traces=100))["traffic"]["customers"]["breakdown"]
    assert told.keys() == {"requests", "share", "mean", "p50", "p90"}
    assert told["p90"]["fleets_s"] == {"web": {"work": pytest.approx(1.0)}}
    assert dict(parts_of(told["p90"])) == {Part("web", "work"): pytest.approx(1.0)}


def test_without_it_nothing_is_told(lab):
    assert "breakdown" not in run(scenario(lab.at(0)))["traffic"]["customers"]


def test_a_fork_follows_its_own(lab):
    tree = scenario(lab.at(0, 5, 10), traces=10)
    first = simulation(tree)
    first.advance("4s")
    second = first.fork()
    second.advance("20s")
    assert second.results()["traffic.customers.breakdown.requests"] == 3
    assert first.results()["traffic.customers.breakdown.requests"] == 1
