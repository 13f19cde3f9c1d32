"""Rate limits and load shedding at a service: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import Lab, customers, fates, fleet, latency, run, scenario, simulation, work

Tree = dict[str, Any]


def limited(rate: str = "1/s", burst: int = 1, **keys: Any) -> Tree:
    return {"rate_limit": {"rate": rate, "burst": burst, **keys}}


def counts(result: Tree, name: str = "web") -> tuple[int, int, int]:
    """Rejected, of these throttled, of these shed."""
    web = result["fleets"][name]
    return web["rejected"], web["throttled"], web["shed"]


def door(**keys: Any) -> Tree:
    return {"door": {"targets": ["web"], **keys}}


# --- the rate limit ---------------------------------------------------------------------------


def test_a_bucket_is_full_at_the_start_and_a_request_takes_a_token(lab: Lab):
    tree = scenario(lab.at(*[0.5] * 5), work({"compute": "10ms"}, **limited(burst=3)))
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (3, 2, 0, 0, 0)
    assert counts(result) == (2, 2, 0)


def test_tokens_come_in_continuously_and_a_whole_one_is_needed(lab: Lab):
    # Empty at 1 s, 2 tokens a second: 0.998 tokens at 1.499 s, one at 1.5 s.
    service = work({"compute": "1ms"}, **limited("2/s", 1))
    assert customers(scenario(lab.at(1.0, 1.499), service))["rejected"] == 1
    assert customers(scenario(lab.at(1.0, 1.499999999), service))["rejected"] == 1
    assert customers(scenario(lab.at(1.0, 1.5), service))["rejected"] == 0


def test_a_request_that_is_throttled_takes_nothing(lab: Lab):
    # Were a token, or a part of one, taken at 1.4 s and 1.6 s, there would be none at 2 s.
    service = work({"compute": "1ms"}, **limited("1/s", 1))
    result = run(scenario(lab.at(1.0, 1.4, 1.6, 2.0), service))
    assert fates(result["traffic"]["customers"])[:2] == (2, 2)


def test_what_comes_into_a_full_bucket_is_lost(lab: Lab):
    # Idle for 50 s, it has its 2 tokens and no more.
    service = work({"compute": "1ms"}, **limited("1/s", 2))
    assert customers(scenario(lab.at(50.0, 50.0, 50.0), service))["rejected"] == 1


def test_rates_below_one_a_second_count_by_the_millionth(lab: Lab):
    # 1000/h, to a millionth of a token a second 0.277778: one every 3.599997 s.
    service = work({"compute": "1ms"}, **limited("1000/h", 1))
    assert customers(scenario(lab.at(1.0, 4.599997), service))["rejected"] == 1
    assert customers(scenario(lab.at(1.0, 4.599998), service))["rejected"] == 0
    assert customers(scenario(lab.at(1.0, 4.6), service))["rejected"] == 0


def test_each_instance_has_a_bucket_of_its_own(lab: Lab):
    service = work({"compute": "1ms"}, **limited(burst=2))
    tree = scenario(
        lab.at(*[1.0] * 7, to="door"),
        service,
        fleets={"web": fleet(count=3)},
        balancers=door(routing="round_robin"),
    )
    assert counts(run(tree)) == (1, 1, 0)


def test_an_instance_that_is_launched_later_begins_with_a_full_bucket(lab: Lab):
    service = work({"compute": "1ms"}, **limited("1/h", 2))
    tree = scenario(
        lab.at(1.0, 1.0, 1.0, 51.0, 51.0, 51.0, 51.0, to="door"), service, balancers=door()
    )
    sim = simulation(tree)
    sim.advance("50s")
    sim.set("fleets.web.count", 2)
    sim.advance("100s")
    # Two of three at 1 s; at 51 s each gets two, and the first has no token left.
    customers_ = sim.results().to_dict()["traffic"]["customers"]
    assert fates(customers_)[:2] == (4, 3)


def test_a_token_is_spent_on_what_the_backlog_then_refuses(lab: Lab):
    # One worker, nobody may wait: the second at 1 s takes a token for nothing.
    service = work({"compute": "500ms"}, concurrency=1, backlog=0, **limited("1/h", 2))
    result = run(scenario(lab.at(1.0, 1.0, 2.0), service))
    assert fates(result["traffic"]["customers"])[:2] == (1, 2)
    assert counts(result) == (2, 1, 0)


def test_an_instance_that_is_down_throttles_nobody(lab: Lab):
    service = work({"compute": "1ms"}, **limited("1/h", 1))
    tree = scenario(
        lab.at(1.0, 2.0, 20.0), service, faults=[{"at": "0.5s", "for": "10s", "fail": "web"}]
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (1, 0, 2, 0, 0)
    assert counts(result) == (0, 0, 0)


# --- load shedding ----------------------------------------------------------------------------


def test_in_flight_counts_those_with_a_worker_and_those_that_wait(lab: Lab):
    service = work({"compute": "10s"}, concurrency=1, shed={"in_flight": 3})
    result = run(scenario(lab.at(1.0, 2.0, 3.0, 4.0), service))
    assert fates(result["traffic"]["customers"]) == (3, 1, 0, 0, 0)
    assert counts(result) == (1, 0, 1)


def test_in_flight_limits_an_instance_that_serves_all_at_once(lab: Lab):
    # Two share a vCPU from 1 s to 3 s; the third finds both there, the fourth neither.
    service = work({"compute": "1s"}, discipline="ps", shed={"in_flight": 2})
    result = run(scenario(lab.at(1.0, 1.0, 2.999, 3.0), service))
    assert counts(result) == (1, 0, 1)
    assert latency(result["traffic"]["customers"])[3] == pytest.approx(2.0, abs=1e-8)


def test_queue_delay_is_that_of_the_one_that_has_waited_longest(lab: Lab):
    # The first is served until 11 s; the second waits from 2 s. At 4 s it has waited for 2 s and
    # no more, at 4.001 s for more.
    service = work({"compute": "10s"}, concurrency=1, shed={"queue_delay": "2s"})
    assert counts(run(scenario(lab.at(1.0, 2.0, 4.0), service))) == (0, 0, 0)
    assert counts(run(scenario(lab.at(1.0, 2.0, 4.001), service))) == (1, 0, 1)


def test_nobody_is_shed_while_nobody_waits(lab: Lab):
    # One is served for 50 s; the one that comes then waits, with nobody before it.
    service = work({"compute": "50s"}, concurrency=1, shed={"queue_delay": "0s"})
    assert counts(run(scenario(lab.at(1.0, 40.0), service))) == (0, 0, 0)


def test_shedding_ends_when_the_one_that_waited_has_a_worker(lab: Lab):
    # Until 6 s, 11 s, ...: the one of 2 s has a worker from 6 s on, and one of 5 s is shed.
    service = work({"compute": "5s"}, concurrency=1, shed={"queue_delay": "2s"})
    result = run(scenario(lab.at(1.0, 2.0, 5.0, 6.5), service))
    assert fates(result["traffic"]["customers"])[:2] == (3, 1)


def test_waiting_is_measured_of_requests_with_a_timeout_too(lab: Lab):
    service = work({"compute": "10s"}, concurrency=1, shed={"queue_delay": "2s"})
    traffic = lab.at(1.0, 2.0, 4.5, timeout="50s")
    assert counts(run(scenario(traffic, service))) == (1, 0, 1)


def test_the_rate_limit_comes_first(lab: Lab):
    # At 1 s one has the worker, one is shed with its token, one finds no token.
    service = work({"compute": "10s"}, shed={"in_flight": 1}, **limited("1/h", 2))
    assert counts(run(scenario(lab.at(1.0, 1.0, 1.0), service))) == (2, 1, 1)


# --- what callers see -------------------------------------------------------------------------


def test_clients_try_again_after_a_rejection(lab: Lab):
    # A token every second: attempts at 1 s, 2 s, 3 s.
    service = work({"compute": "1ms"}, **limited("1/s", 1))
    retry = {"attempts": 3, "backoff": {"fixed": "1s"}}
    result = run(scenario(lab.at(1.0, 1.0, 1.0, retry=retry), service))
    assert fates(result["traffic"]["customers"]) == (3, 0, 0, 0, 0)
    assert result["traffic"]["customers"]["retries"] == 3
    assert counts(result) == (3, 3, 0)


def test_a_circuit_breaker_opens_on_rejections(lab: Lab):
    service = work({"compute": "1ms"}, **limited("1/h", 1))
    breaker = {"failures": 2, "open": "60s"}
    result = run(scenario(lab.at(1, 2, 3, 4, 5, circuit_breaker=breaker), service))
    assert result["traffic"]["customers"]["circuit_breaker"] == {"opened": 1, "held_back": 2}
    assert counts(result) == (2, 2, 0)


def test_a_call_that_is_shed_fails_its_caller(lab: Lab):
    tree = scenario(
        lab.at(1.0, 1.0),
        work({"call": "back"}, concurrency=4),
        fleets={"web": fleet(), "back": fleet("slow")},
        services={"slow": work({"compute": "1s"}, shed={"in_flight": 1})},
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (1, 0, 1, 0, 0)
    assert counts(result, "back") == (1, 0, 1)


def test_only_measured_requests_are_counted(lab: Lab):
    service = work({"compute": "1ms"}, **limited("1/h", 1))
    result = run(scenario(lab.at(1.0, 2.0, 30.0), service, warmup="10s"))
    assert counts(result) == (1, 1, 0)


def test_fleets_of_other_services_do_not_tell_of_it(lab: Lab):
    web = run(scenario(lab.at(1.0)))["fleets"]["web"]
    assert "throttled" not in web
    assert "shed" not in web


# --- health checks ----------------------------------------------------------------------------


CHECK = {"interval": "10s", "timeout": "5s"}


def checked(lab: Lab, times: list[float], **keys: Any) -> Tree:
    tree = scenario(
        lab.at(*times, to="door"),
        work({"compute": "1ms"}, **keys),
        balancers=door(health_check=CHECK),
    )
    return run(tree)


def test_checks_take_no_token(lab: Lab):
    # Ten checks before, and the one token is there.
    result = checked(lab, [99.0], **limited("1/h", 1))
    assert result["load_balancers"]["door"]["health"]["checks"] == 10
    assert result["load_balancers"]["door"]["health"]["failed_checks"] == 0
    assert counts(result) == (0, 0, 0)


def test_checks_that_are_limited_take_tokens_and_fail_without(lab: Lab):
    # One token for the first check, nothing for the nine others and the request; which goes there
    # all the same, for with nobody well all targets get requests.
    result = checked(lab, [99.0], **limited("1/h", 1, health_checks=True))
    health = result["load_balancers"]["door"]["health"]
    assert (health["checks"], health["failed_checks"], health["unhealthy"]) == (10, 9, 1)
    assert counts(result) == (1, 1, 0)


@pytest.mark.parametrize(("told", "failed"), [(False, 0), (True, 3)])
def test_checks_are_shed_where_told(lab: Lab, told: bool, failed: int):
    # A worker is free, and yet the instance holds as many as it may, from 15 s to 45 s.
    tree = scenario(
        lab.at(15.0, 15.0, to="door"),
        work({"sleep": "30s"}, concurrency=8, shed={"in_flight": 2, "health_checks": told}),
        balancers=door(health_check=CHECK),
    )
    assert run(tree)["load_balancers"]["door"]["health"]["failed_checks"] == failed


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"rate_limit": {"rate": "1/s"}}, "services.work.rate_limit.burst"),
        ({"rate_limit": {"rate": "1/s", "burst": 0}}, "services.work.rate_limit.burst"),
        ({"rate_limit": {"rate": "0/s", "burst": 1}}, "services.work.rate_limit.rate"),
        ({"rate_limit": {"rate": "1/d", "burst": 1}}, None),
        ({"rate_limit": {"rate": "0.01/d", "burst": 1}}, "services.work.rate_limit"),
        ({"shed": {}}, "services.work.shed"),
        ({"shed": {"in_flight": 0}}, "services.work.shed.in_flight"),
        ({"shed": {"queue_dealy": "1s"}}, "services.work.shed.queue_dealy"),
    ],
)
def test_what_makes_no_sense_is_refused(lab: Lab, keys: Tree, path: str | None):
    tree = scenario(lab.at(1.0), work(**keys))
    if path is None:
        assert customers(tree)["completed"] == 1
        return
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(tree)
    assert [problem.path for problem in refused.value.problems] == [path]
