"""What an instance does with its requests: one test a rule."""

from __future__ import annotations

import pytest

from semantics.lab import (
    completions,
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


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-12, abs=1e-9)


# --- first come, first served -----------------------------------------------------------------


def test_two_cores_serve_in_the_order_of_arrival(lab):
    # The hand trace TRACE_FIFO_2core of the reference data.
    tree = scenario(
        lab.at(0, 1, 2, 3, 4),
        work(lab.sizes(5, 1, 4, 1, 1), concurrency=2),
        fleets={"web": fleet(vcpus=2)},
    )
    assert completions(tree, 8) == seconds(5, 2, 6, 6, 7, until=8)
    assert latency(customers(tree)) == exactly(5, 1, 4, 3, 3)


def test_one_worker_serves_one_at_a_time(lab):
    tree = scenario(lab.at(0, 0, 0.5))
    assert latency(customers(tree)) == exactly(1, 2, 2.5)


def test_a_free_worker_starts_at_once_after_an_idle_spell(lab):
    tree = scenario(lab.at(0, 10, 20.25))
    assert latency(customers(tree)) == exactly(1, 1, 1)


def test_workers_default_to_the_vcpus(lab):
    tree = scenario(lab.at(0, 0, 0, 0), fleets={"web": fleet(vcpus=3)})
    assert latency(customers(tree)) == exactly(1, 1, 1, 2)


def test_more_workers_than_vcpus_share_them(lab):
    # Two at half speed until both are done; the third had to wait for a worker.
    tree = scenario(lab.at(0, 0, 0), work(concurrency=2))
    assert latency(customers(tree)) == exactly(2, 2, 3)


def test_fewer_workers_than_vcpus_leave_some_idle(lab):
    tree = scenario(lab.at(0, 0), work(concurrency=1), fleets={"web": fleet(vcpus=4)})
    assert latency(customers(tree)) == exactly(1, 2)


def test_a_faster_instance_needs_less_time(lab):
    tree = scenario(lab.at(0), fleets={"web": fleet(speed=2.5)})
    assert latency(customers(tree)) == exactly(0.4)


# --- processor sharing ------------------------------------------------------------------------


def test_sharing_one_core(lab):
    # TRACE_PS_1core: at t=1 the first has 1 s left; both then run at half speed and end at 3.
    tree = scenario(lab.at(0, 1), work(lab.sizes(2, 1), discipline="ps"))
    assert completions(tree, 4) == seconds(3, 3, until=4)
    assert latency(customers(tree)) == exactly(3, 2)


def test_sharing_one_core_among_three(lab):
    # TRACE_PS_1core_b: completions 5, 3.5 and 4.5.
    tree = scenario(lab.at(0, 1, 2), work(lab.sizes(3, 1, 1), discipline="ps"))
    assert completions(tree, 6) == seconds(5, 3.5, 4.5, until=6)
    assert latency(customers(tree)) == exactly(5, 2.5, 2.5)


def test_sharing_gives_nobody_more_than_one_vcpu(lab):
    tree = scenario(
        lab.at(0, 0, 0),
        work(lab.sizes(2, 2, 2), discipline="ps"),
        fleets={"web": fleet(vcpus=4)},
    )
    assert latency(customers(tree)) == exactly(2, 2, 2)


def test_sharing_three_requests_on_two_vcpus(lab):
    # Each gets 2/3 until the first is done at 1.5; the other two then have a vCPU each.
    tree = scenario(
        lab.at(0, 0, 0),
        work(lab.sizes(1, 2, 2), discipline="ps"),
        fleets={"web": fleet(vcpus=2)},
    )
    assert latency(customers(tree)) == exactly(1.5, 2.5, 2.5)


def test_sharing_takes_all_in_at_once_unless_concurrency_bounds_it(lab):
    tree = scenario(lab.at(0, 0, 0), work(discipline="ps"))
    assert latency(customers(tree)) == exactly(3, 3, 3)
    tree = scenario(lab.at(0, 0, 0), work(discipline="ps", concurrency=2))
    assert latency(customers(tree)) == exactly(2, 2, 3)


def test_sharing_is_exact_where_thirds_do_not_end(lab):
    # Three at a third of a vCPU each: 1 s of work takes 3 s to the nanosecond, for hours on end.
    times = [10 * k for k in range(1000) for _ in range(3)]
    tree = scenario(lab.at(*times), work(discipline="ps"), duration="10010s")
    result = run(tree)
    assert result["traffic"]["customers"]["completed"] == 3000
    assert latency(result["traffic"]["customers"]) == exactly(3)


# --- backlog ----------------------------------------------------------------------------------


def test_a_full_backlog_rejects(lab):
    tree = scenario(lab.at(0, 0.1, 0.2, 0.3), work(backlog=1))
    source = customers(tree)
    assert fates(source) == (2, 2, 0, 0, 0)
    assert latency(source) == exactly(1, 1.9)


def test_backlog_zero_is_a_loss_system(lab):
    source = customers(scenario(lab.at(0, 0.5, 1, 1.5), work(backlog=0)))
    # At 1 s the first is done before the third comes: departures go before later arrivals.
    assert fates(source) == (2, 2, 0, 0, 0)


def test_the_backlog_is_unlimited_by_default(lab):
    source = customers(scenario(lab.at(*[0] * 500), duration="600s"))
    assert fates(source) == (500, 0, 0, 0, 0)
    assert source["latency_s"]["max"] == pytest.approx(500)


def test_a_rejection_is_counted_where_it_happened(lab):
    tree = scenario(
        lab.at(0, 0, 0, to="door"),
        work(backlog=1),
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
    )
    result = run(tree)
    for place in (
        result["traffic"]["customers"],
        result["load_balancers"]["door"],
        result["fleets"]["web"],
    ):
        assert place["completed"] == 2
        assert place["rejected"] == 1


# --- steps ------------------------------------------------------------------------------------


def test_steps_follow_each_other(lab):
    tree = scenario(lab.at(0), work({"compute": "1s"}, {"sleep": "3s"}, {"compute": "0.5s"}))
    assert latency(customers(tree)) == exactly(4.5)


def test_sleep_holds_the_worker_but_no_cpu(lab):
    tree = scenario(lab.at(0, 0), work({"sleep": "2s"}))
    result = run(tree)
    assert latency(result["traffic"]["customers"]) == exactly(2, 4)
    assert result["fleets"]["web"]["utilization"] == 0


def test_sleepers_do_not_slow_the_others(lab):
    tree = scenario(
        lab.at(0, 1), work({"compute": "1s"}, {"sleep": "5s"}, discipline="ps"), duration="50s"
    )
    assert latency(customers(tree)) == exactly(6, 6)


def test_a_failing_step_fails_the_request(lab):
    tree = scenario(lab.at(0, 0), work({"compute": "1s"}, {"fail": 1.0}, {"compute": "5s"}))
    source = customers(tree)
    assert fates(source) == (0, 0, 2, 0, 0)
    assert source["latency_s"]["count"] == 0
    # The step after the failure is not run: the second request fails at 2 s.
    assert fates(customers(tree | {"duration": "2.000000001s"})) == (0, 0, 2, 0, 0)
    assert fates(customers(tree | {"duration": "2s"})) == (0, 0, 1, 0, 1)


def test_a_step_that_never_fails(lab):
    assert fates(customers(scenario(lab.at(0, 5), work({"fail": 0.0})))) == (2, 0, 0, 0, 0)


def test_a_service_of_no_time_at_all_completes_at_once(lab):
    tree = scenario(lab.at(0, 0, 1), work({"compute": "0s"}))
    assert latency(customers(tree)) == exactly(0, 0, 0)


def test_choose_takes_branches_in_proportion_to_weight():
    branches = [
        {"weight": 3, "steps": [{"compute": "1ms"}]},
        {"weight": 0, "steps": [{"compute": "1s"}]},
        {"weight": 1, "steps": [{"fail": 1.0}]},
    ]
    source = customers(
        scenario({"to": "web", "rate": "100/s"}, work({"choose": branches}), duration="400s")
    )
    share = source["failed"] / source["offered"]
    assert abs(share - 0.25) < 4.8916 * (0.25 * 0.75 / source["offered"]) ** 0.5
    assert source["latency_s"]["max"] < 1


# --- calls ------------------------------------------------------------------------------------


def two_tiers(lab, front: dict, back: dict, *times: float, **keys):
    return scenario(
        lab.at(*times),
        front,
        fleets={"web": fleet(), "db": fleet("store")},
        services={"store": back},
        **keys,
    )


def test_a_call_waits_for_its_answer(lab):
    tree = two_tiers(lab, work({"compute": "1s"}, {"call": "db"}, {"compute": "1s"}), work(), 0)
    result = run(tree)
    assert latency(result["traffic"]["customers"]) == exactly(3)
    assert latency(result["fleets"]["db"]) == exactly(1)


def test_a_worker_stays_busy_while_it_calls(lab):
    tree = two_tiers(lab, work({"call": "db"}), work({"compute": "2s"}), 0, 0)
    # Not 2 and 4 by way of the store's queue: the second starts only when the first has its answer.
    result = run(tree)
    assert latency(result["traffic"]["customers"]) == exactly(2, 4)
    assert latency(result["fleets"]["db"]) == exactly(2, 2)
    tree = two_tiers(lab, work({"call": "db"}, backlog=0), work({"compute": "2s"}), 0, 1)
    assert fates(customers(tree)) == (1, 1, 0, 0, 0)


def test_a_caller_uses_no_cpu_while_it_waits(lab):
    tree = two_tiers(lab, work({"call": "db"}), work({"compute": "2s"}), 0, duration="10s")
    fleets = run(tree)["fleets"]
    assert fleets["web"]["utilization"] == 0
    assert fleets["db"]["utilization"] == pytest.approx(0.2)


def test_a_failed_call_fails_the_caller(lab):
    tree = two_tiers(
        lab, work({"call": "db"}, {"compute": "9s"}), work({"compute": "1s"}, {"fail": 1.0}), 0
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert result["fleets"]["db"]["failed"] == 1
    assert result["fleets"]["web"]["failed"] == 1
    # At once: the step after the call is not run.
    assert fates(customers(tree | {"duration": "1.000000001s"})) == (0, 0, 1, 0, 0)


def test_a_rejected_call_fails_the_caller(lab):
    tree = two_tiers(lab, work({"call": "db"}, concurrency=2), work(backlog=0), 0, 0.5)
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (1, 0, 1, 0, 0)
    assert result["fleets"]["db"]["rejected"] == 1


def test_a_call_that_times_out_fails_the_caller_and_its_work_goes_on(lab):
    step = {"call": {"to": "db", "timeout": "1s"}}
    tree = two_tiers(lab, work(step, concurrency=2), work({"compute": "3s"}), 0, 4)
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 2, 0, 0)
    assert result["fleets"]["db"]["timed_out"] == 2
    # 3 s of wasted work each.
    assert result["fleets"]["db"]["utilization"] == pytest.approx(0.06)
    assert fates(customers(tree | {"duration": "1.1s"})) == (0, 0, 1, 0, 0)


def test_calls_go_through_a_balancer(lab):
    tree = scenario(
        lab.at(0, 0, 0, 0),
        work({"call": "hall"}, concurrency=10),
        fleets={"web": fleet(), "db": fleet("store", count=2)},
        services={"store": work()},
        balancers={"hall": {"targets": ["db"], "routing": "round_robin"}},
    )
    result = run(tree)
    assert latency(result["traffic"]["customers"]) == exactly(1, 1, 2, 2)
    assert result["load_balancers"]["hall"]["completed"] == 4


def test_calls_may_go_round_under_a_choice():
    again = {"weight": 1, "steps": [{"call": "web"}]}
    done = {"weight": 3, "steps": [{"compute": "0s"}]}
    service = work({"compute": "1ms"}, {"choose": [again, done]}, concurrency=1000)
    tree = scenario({"to": "web", "rate": "10/s"}, service, duration="1000s")
    result = run(tree)
    visits = result["fleets"]["web"]["completed"] / result["traffic"]["customers"]["completed"]
    # Geometric with success probability 3/4: mean 4/3, variance 4/9.
    n = result["traffic"]["customers"]["completed"]
    assert abs(visits - 4 / 3) < 4.8916 * (4 / 9 / n) ** 0.5 + 1e-3


def test_calls_that_never_end_are_refused_at_load(lab):
    tree = two_tiers(lab, work({"call": "db"}), work({"call": "web"}), 0)
    with pytest.raises(Exception, match="call"):
        run(tree)


# --- straight to a fleet ----------------------------------------------------------------------


def test_what_goes_straight_to_a_fleet_goes_to_its_first_instance(lab):
    tree = scenario(lab.at(0, 0, 0), fleets={"web": fleet(count=3)}, duration="10s")
    result = run(tree)
    assert latency(result["traffic"]["customers"]) == exactly(1, 2, 3)
    assert result["fleets"]["web"]["utilization"] == pytest.approx(0.1)


def test_a_fleet_of_none_rejects(lab):
    source = customers(scenario(lab.at(0, 1), fleets={"web": fleet(count=0)}))
    assert fates(source) == (0, 2, 0, 0, 0)


def test_a_balancer_with_no_target_rejects(lab):
    tree = scenario(
        lab.at(0, 1, to="door"),
        fleets={"web": fleet(count=0)},
        balancers={"door": {"targets": ["web"]}},
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 2, 0, 0, 0)
    assert result["load_balancers"]["door"]["rejected"] == 2
