"""How the size of a fleet follows its load: one test a rule, on loads that are set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope import parts
from semantics.lab import Lab, Tree, fleet, outcome, run, scenario, simulation, work

ONCE = {"out_periods": 1, "in_periods": 1, "scale_in_below": "100%", "warmup": "0s"}


def tracking(target: float = 10, metric: str = "requests_per_target", **keys: Any) -> Tree:
    return {"target_tracking": {"metric": metric, "target": target, **ONCE, **keys}}


def step(*steps: list[Any], threshold: float = 10, **keys: Any) -> Tree:
    rule = {"metric": "requests_per_target", "threshold": threshold, "steps": list(steps)}
    return {"step": {"warmup": "0s", **rule, **keys}}


def simple(change: float, threshold: float = 10, **keys: Any) -> Tree:
    rule = {"metric": "requests_per_target", "threshold": threshold, "change": change}
    return {"simple": {**rule, **keys}}


def group(*policies: Tree, desired: int = 2, low: int = 1, high: int = 50, **keys: Any) -> Tree:
    count = {"min": low, "desired": desired, "max": high}
    made = fleet() | {"count": count, "scaling": list(policies), "metrics": {"delay": "0s"}}
    return made | keys


def loads(lab: Lab, *requests: int) -> Tree:
    """So many requests in each minute, one after another in its midst."""
    times = [60 * m + 10 + 40 * i / n for m, n in enumerate(requests) for i in range(n)]
    return lab.at(*times, to="door")


def cloud(lab: Lab, requests: list[int], web: Tree, **keys: Any) -> Tree:
    return scenario(
        loads(lab, *requests),
        keys.pop("service", work({"compute": "1ms"})),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration=f"{len(requests)}m",
        **{"series": "30s", **keys},
    )


def sizes(tree: Tree, name: str = "desired") -> list[int]:
    """What is desired within each minute, after what is decided at its beginning."""
    _, values = outcome(tree).series(f"fleets.web.{name}")
    return [int(value) for value in values[0::2]]


# --- target tracking ---------------------------------------------------------------------------


def test_what_is_missing_is_rounded_up_and_of_what_is_too_much_the_fraction_stays(lab):
    # 25 requests on 2: 12.5 for 10, so 2.5 instances, hence 3. 25 on 3 is 8.3: 2.5, which is 3.
    assert sizes(cloud(lab, [25, 25, 19, 19], group(tracking()))) == [2, 3, 3, 2]


def test_a_ratio_that_is_whole_needs_nobody_more(lab):
    assert sizes(cloud(lab, [30, 30, 30], group(tracking(), desired=1))) == [1, 3, 3]


def test_out_after_three_periods_and_in_after_fifteen(lab):
    usual = tracking(out_periods=3, in_periods=15)
    high = sizes(cloud(lab, [40] * 6, group(usual)))
    assert high == [2, 2, 2, 4, 4, 4]
    low = sizes(cloud(lab, [4] * 18, group(usual)))
    assert low == [2] * 15 + [1] * 3


def test_these_are_the_defaults(lab):
    plain = {"target_tracking": {"metric": "requests_per_target", "target": 10, "warmup": "0s"}}
    assert sizes(cloud(lab, [40] * 5, group(plain))) == [2, 2, 2, 4, 4]
    # 18 on 2 is 9, not below 90 % of the target; 17 is.
    assert sizes(cloud(lab, [18] * 18, group(plain, desired=2)))[-1] == 2
    assert sizes(cloud(lab, [17] * 18, group(plain, desired=3)))[-1] == 2


def test_one_period_below_the_threshold_starts_the_count_anew(lab):
    usual = tracking(out_periods=3)
    assert sizes(cloud(lab, [40, 40, 20, 40, 40, 40, 40], group(usual))) == [2] * 6 + [4]


def test_cpu_is_the_share_of_the_vcpus_that_ran(lab):
    # 60 requests of 1 s on 2 instances of 1 vCPU in 60 s: a half; 2 vCPUs each: a quarter.
    service = work({"compute": "1s"})
    web = group(tracking(0.25, "cpu"))
    assert sizes(cloud(lab, [30] * 3, web, service=service)) == [2, 2, 2]
    assert sizes(cloud(lab, [60] * 2, web, service=service)) == [2, 4]
    wide = web | {"instance_type": {"vcpus": 2, "memory": "1GiB"}}
    assert sizes(cloud(lab, [60] * 3, wide, service=service)) == [2, 2, 2]


def test_network_is_bytes_a_second(lab):
    # 60 requests of 1 MB on 2 instances: half a megabyte, 4 Mbit, a second and instance.
    service = work({"network": "1MB"})
    for target, wanted in (("4Mbps", 2), ("3.9Mbps", 3), ("1Mbps", 8)):
        web = group(tracking(target, "network", scale_in=False))
        del web["scaling"][0]["target_tracking"]["scale_in_below"]
        assert sizes(cloud(lab, [60] * 2, web, service=service))[-1] == wanted


def test_requests_of_a_target_group_are_those_that_it_got(lab):
    """Not those of the balancer: another group has the rest."""

    def grouped(own: int, others: int, *requests: int) -> list[int]:
        tree = cloud(lab, list(requests), group(tracking()))
        tree["fleets"]["other"] = fleet(count=7)
        blue = {"targets": ["web"], "weight": own}
        green = {"targets": ["other"], "weight": others}
        tree["load_balancers"]["door"] = {"groups": {"blue": blue, "green": green}}
        return sizes(tree)

    assert grouped(1, 0, 40, 40, 20) == [2, 4, 4]
    assert grouped(0, 1, 40, 40, 40) == [2, 1, 1]
    # A quarter of 400 for targets of ten each.
    assert 7 <= grouped(1, 3, 400, 400)[1] <= 13


def test_only_what_is_above_the_target_scales_out(lab):
    assert sizes(cloud(lab, [20] * 3, group(tracking()))) == [2, 2, 2]
    assert sizes(cloud(lab, [21] * 3, group(tracking()))) == [2, 3, 3]


def test_it_may_be_told_never_to_scale_in(lab):
    rule = {"metric": "requests_per_target", "target": 10, "out_periods": 1, "warmup": "0s"}
    never = {"target_tracking": rule | {"scale_in": False}}
    assert sizes(cloud(lab, [40, 1, 1, 1], group(never))) == [2, 4, 4, 4]


def test_the_bounds_hold(lab):
    web = group(tracking(), low=2, high=5)
    assert sizes(cloud(lab, [900, 900, 1, 1], web)) == [2, 5, 5, 2]


def test_one_is_enough_to_scale_out_and_the_largest_wish_wins(lab):
    both = [tracking(10), tracking(5)]
    assert sizes(cloud(lab, [40, 40], group(*both))) == [2, 8]
    assert sizes(cloud(lab, [12, 12], group(*both))) == [2, 3]


def test_all_have_to_agree_to_scale_in(lab):
    service = work({"compute": "1s"})
    both = [tracking(10), tracking(0.05, "cpu")]
    # 10 requests on 4: 2.5 each, far below 10; but of a cpu of 10/240 = 4 % 5 % are 3.3: 4.
    assert sizes(cloud(lab, [10, 10], group(*both, desired=4), service=service)) == [4, 4]
    idle = [tracking(10), tracking(0.5, "cpu")]
    assert sizes(cloud(lab, [10, 10], group(*idle, desired=4), service=service)) == [4, 1]
    # One that may not scale in is not asked.
    rule = {"metric": "cpu", "target": 0.05, "out_periods": 1, "warmup": "0s", "scale_in": False}
    quiet = [tracking(10), {"target_tracking": rule}]
    assert sizes(cloud(lab, [10, 10], group(*quiet, desired=4), service=service)) == [4, 1]


def test_it_ignores_the_cooldown(lab):
    web = group(tracking(), cooldown="1h")
    assert sizes(cloud(lab, [40, 80, 160, 160], web)) == [2, 4, 8, 16]


# --- warm-up ------------------------------------------------------------------------------------


def test_those_that_warm_up_are_not_measured_and_nobody_is_added_twice(lab):
    # 60 requests of 1 s on 2 make 4; the new ones have no work, and would halve the metric.
    service = work(lab.sizes(*[1] * 400))
    web = group(tracking(0.25, "cpu", warmup="2m"))
    tree = cloud(lab, [60] * 6, web, service=service)
    assert sizes(tree) == [2, 4, 4, 4, 4, 4]


def test_while_they_do_more_load_adds_the_difference(lab):
    # At 2:00 25 on each of the two that are warm are 5 instances, at 3:00 40 are 8.
    web = group(tracking(warmup="5m"))
    assert sizes(cloud(lab, [40, 100, 200, 200], web)) == [2, 4, 5, 8]


def test_and_nobody_is_removed_until_they_have(lab):
    # In service at 1:00, warm at 3:00: the period from then on is the first that counts them.
    web = group(tracking(warmup="2m"))
    assert sizes(cloud(lab, [40, 1, 1, 1, 1, 1], web)) == [2, 4, 4, 4, 1, 1]


def test_the_warm_up_begins_when_it_serves(lab):
    # Booted at 2:30 and warm at 4:30; the first period that counts them ends at 6:00.
    web = group(tracking(warmup="2m"), boot="90s")
    assert sizes(cloud(lab, [40, 1, 1, 1, 1, 1, 1], web)) == [2, 4, 4, 4, 4, 4, 1]


def test_without_its_own_a_policy_has_the_fleets_warm_up_else_the_cooldown(lab):
    rule = {key: value for key, value in ONCE.items() if key != "warmup"}
    policy = {"target_tracking": {"metric": "requests_per_target", "target": 10, **rule}}
    load = [40, 1, 1, 1, 1, 1, 1, 1]
    assert sizes(cloud(lab, load, group(policy, instance_warmup="2m"))).index(1) == 4
    assert sizes(cloud(lab, load, group(policy, cooldown="3m"))).index(1) == 5
    assert sizes(cloud(lab, load, group(policy))).index(1) == 7


def test_the_first_instances_are_warm(lab):
    assert sizes(cloud(lab, [40, 40], group(tracking(warmup="1h")))) == [2, 4]


# --- metrics ------------------------------------------------------------------------------------


def test_policies_see_a_period_when_its_metric_has_come(lab):
    late = {"delay": "150s"}
    assert sizes(cloud(lab, [40] * 5, group(tracking(), metrics=late))) == [2, 2, 2, 2, 4]
    usual = group(tracking())
    del usual["metrics"]
    assert sizes(cloud(lab, [40] * 3, usual)) == [2, 2, 4]


def test_a_longer_period_is_looked_at_more_rarely(lab):
    web = group(tracking(), metrics={"period": "2m", "delay": "0s"})
    # Requests count a minute, whatever the period.
    assert sizes(cloud(lab, [40] * 4, web)) == [2, 2, 4, 4]


def test_without_data_nothing_is_done(lab):
    # The only instance is down from 1:01 to 4:02: it reports nothing, whatever its door has.
    web = group(tracking(0.1, "cpu", out_periods=2), desired=1)
    load = [30, 30, 30, 30, 30, 30]
    faults = [{"at": "61s", "for": "181s", "fail": "web"}]
    tree = cloud(lab, load, web, faults=faults, service=work({"compute": "1s"}))
    assert sizes(tree) == [1, 1, 1, 1, 1, 5]


# --- step scaling -------------------------------------------------------------------------------


def test_a_step_changes_by_more_the_further_the_metric_is(lab):
    rule = step([0, 5, 1], [5, "inf", 3])
    assert sizes(cloud(lab, [20, 20], group(rule))) == [2, 3]
    assert sizes(cloud(lab, [29, 29], group(rule))) == [2, 3]
    assert sizes(cloud(lab, [30, 30], group(rule))) == [2, 5]
    assert sizes(cloud(lab, [19, 19], group(rule))) == [2, 2]


def test_below_the_threshold_the_upper_bound_belongs_to_a_step(lab):
    rule = step(["-inf", -5, -2], [-5, 0, -1], when="below")
    assert sizes(cloud(lab, [40, 40], group(rule, desired=4))) == [4, 3]
    assert sizes(cloud(lab, [21, 21], group(rule, desired=4))) == [4, 3]
    assert sizes(cloud(lab, [20, 20], group(rule, desired=4))) == [4, 2]
    assert sizes(cloud(lab, [41, 41], group(rule, desired=4))) == [4, 4]


def test_percentages_are_rounded_towards_nothing_but_move_by_one(lab):
    def percent(change: float, desired: int, **keys: Any) -> int:
        rule = step([0, None, change], adjustment="percent", **keys)
        return sizes(cloud(lab, [600] * 2, group(rule, desired=desired)))[-1]

    assert percent(10, 19) == 20  # 1.9
    assert percent(10, 9) == 10  # 0.9
    assert percent(-10, 9) == 8  # -0.9
    assert percent(-23, 29) == 23  # -6.67
    assert percent(10, 10, min_change=4) == 14


def test_an_exact_capacity_is_one(lab):
    assert sizes(cloud(lab, [60] * 2, group(step([0, None, 7], adjustment="exact")))) == [2, 7]


def test_the_same_step_adds_nothing_while_instances_warm_up_a_higher_one_the_difference(lab):
    rule = step([0, 20, 2], [20, None, 5], warmup="5m")
    load = [30, 30, 30, 200, 200]
    assert sizes(cloud(lab, load, group(rule))) == [2, 4, 4, 4, 7]


def test_m_of_n_datapoints(lab):
    rule = step([0, None, 1], periods=4, datapoints=2)
    assert sizes(cloud(lab, [30, 1, 1, 1, 30, 1, 1], group(rule))) == [2] * 7
    assert sizes(cloud(lab, [30, 1, 30, 30], group(rule))) == [2, 2, 2, 3]


def test_a_datapoint_in_no_step_does_nothing(lab):
    # Two of the last two periods breach, but the newest one lies below the step.
    rule = step([5, None, 1])
    assert sizes(cloud(lab, [22, 22], group(rule))) == [2, 2]


# --- simple scaling -----------------------------------------------------------------------------


def test_after_a_change_the_cooldown_has_to_pass(lab):
    web = group(simple(1, cooldown="150s"))
    assert sizes(cloud(lab, [90] * 8, web)) == [2, 3, 3, 3, 4, 4, 4, 5]


def test_it_counts_from_the_end_of_the_change(lab):
    # Asked for at 1:00, serving at 2:30; two minutes later it is 4:30.
    web = group(simple(1, cooldown="2m"), boot="90s")
    assert sizes(cloud(lab, [90] * 7, web)) == [2, 3, 3, 3, 3, 4, 4]


def test_and_of_a_removal_when_what_goes_has_finished(lab):
    # At 1:00 one of three goes, which has 90 s of work left; then a minute: 3:30.
    requests = [3, 1, 1, 1, 1, 1]
    service = work(lab.sizes(1, 1, 130, *[0.001] * 5))
    web = group(simple(-1, 5, when="below", cooldown="1m"), desired=3)
    tree = cloud(lab, requests, web, service=service)
    assert sizes(tree) == [3, 2, 2, 2, 1, 1]
    assert run(tree)["traffic"]["customers"]["completed"] == 8


def test_without_its_own_a_policy_has_the_cooldown_of_the_fleet(lab):
    load = [90] * 8
    assert sizes(cloud(lab, load, group(simple(1)))) == [2] + [3] * 5 + [4] * 2
    assert sizes(cloud(lab, load, group(simple(1), cooldown="2m"))) == [2, 3, 3, 4, 4, 5, 5, 6]


def test_the_cooldown_is_nobody_elses(lab):
    # A schedule and an operator do not wait; target tracking neither.
    tree = cloud(lab, [90] * 4, group(simple(1), {"scheduled": {"at": "2m", "desired": 6}}))
    assert sizes(tree) == [2, 3, 6, 6]
    tree = cloud(lab, [90] * 3, group(simple(1), tracking(out_periods=2)))
    assert sizes(tree) == [2, 3, 9]


# --- schedules, operators -----------------------------------------------------------------------


def test_a_schedule_sets_size_and_bounds(lab):
    changes = [
        {"scheduled": {"at": "1m", "desired": 5}},
        {"scheduled": {"at": "2m", "min": 7}},
        {"scheduled": {"at": "3m", "min": 1, "max": 4}},
        {"scheduled": {"at": "4m", "max": 9, "desired": 8}},
    ]
    tree = cloud(lab, [1] * 6, group(*changes))
    assert sizes(tree) == [2, 5, 7, 4, 8, 8]
    told = run(tree)["fleets"]["web"]["scaling"]
    assert told == {"desired": 8, "min": 1, "max": 9, "scheduled": 4, "policies": {}}


def test_a_schedule_follows_the_clock_on_the_wall(lab):
    # From 9:58 on in Berlin: at 10:00 and at 10:03 there.
    changes = [
        {"scheduled": {"cron": "0 10 * * *", "zone": "Europe/Berlin", "desired": 5}},
        {"scheduled": {"cron": "3-5/3 8 * * MON", "desired": 3}},
    ]
    tree = cloud(lab, [1] * 7, group(*changes), start="2026-07-06T07:58:00Z")
    assert sizes(tree) == [2, 2, 5, 5, 5, 3, 3]


def test_schedules_come_in_the_order_of_time(lab):
    changes = [{"scheduled": {"at": at, "desired": n}} for at, n in (("2m", 5), ("1m", 3))]
    assert sizes(cloud(lab, [1] * 3, group(*changes))) == [2, 3, 5]


def test_a_schedule_may_be_late(lab):
    changes = [{"scheduled": {"at": "50s", "desired": 5, "late": "2m"}}]
    assert sizes(cloud(lab, [1] * 4, group(*changes))) == [2, 2, 2, 5]


def test_and_never_comes_where_the_run_ends_first(lab):
    changes = [{"scheduled": {"at": "150s", "desired": 5, "late": "2m"}}]
    tree = cloud(lab, [1] * 4, group(*changes))
    assert sizes(tree) == [2, 2, 2, 2]
    assert run(tree)["fleets"]["web"]["scaling"]["scheduled"] == 0


def test_none_overtakes_one_that_was_due_before_it(lab):
    changes = [
        {"scheduled": {"at": "70s", "desired": 3}},
        {"scheduled": {"at": "50s", "desired": 5, "late": "2m"}},
    ]
    assert sizes(cloud(lab, [1] * 4, group(*changes))) == [2, 2, 2, 3]


def test_how_late_is_a_draw_of_its_own(lab):
    """Each time another one, whatever else the fleet follows."""
    law = {"uniform": {"min": "0s", "max": "2m"}}
    rule = {"metric": "requests_per_target", "target": 10, "scale_in": False}
    late = {"scheduled": {"cron": "*/10 * * * *", "desired": 5, "late": law}}
    back = {"scheduled": {"cron": "5-59/10 * * * *", "desired": 2}}
    seen = {}
    for name, policies in (
        ("alone", [late, back]),
        ("beside", [late, back, {"target_tracking": rule}]),
    ):
        tree = cloud(lab, [1] * 200, group(*policies), series="1s")
        _, desired = outcome(tree).series("fleets.web.desired")
        seen[name] = [int(at) % 600 for at in np.flatnonzero(np.diff(desired) > 0) + 1]
    assert seen["alone"] == seen["beside"]
    assert len(seen["alone"]) == 20
    assert 0 <= min(seen["alone"]) < 40
    assert 80 < max(seen["alone"]) <= 121
    assert len(set(seen["alone"])) > 10


def test_an_operator_sets_the_size_within_the_bounds(lab):
    live = simulation(cloud(lab, [20] * 4, group(tracking(), high=6)))
    live.advance("90s")
    live.set("fleets.web.count", 6)
    live.advance("100s")
    assert live.numbers()["fleets"]["web"]["scaling"]["desired"] == 6
    with pytest.raises(nph.ScenarioError, match=r"7 is out of its bounds.*1 to 6"):
        live.set("fleets.web.count", 7)
    live.advance("190s")
    assert live.numbers()["fleets"]["web"]["scaling"]["desired"] == 2


def test_what_is_counted(lab):
    tree = cloud(lab, [40, 40, 10, 10], group(tracking(), tracking(20)))
    told = run(tree)["fleets"]["web"]["scaling"]
    assert told["policies"] == {"0": {"out": 1, "in": 1}, "1": {"out": 0, "in": 1}}
    assert told["desired"] == 1


def test_a_number_within_bounds_stays_as_it_is(lab):
    web = group()
    del web["metrics"], web["scaling"]
    assert sizes(cloud(lab, [900] * 3, web)) == [2, 2, 2]
    web = run(cloud(lab, [900] * 3, web | {"count": 2}))["fleets"]["web"]
    assert "scaling" not in web


def test_what_dies_is_replaced_and_warms_up(lab):
    # Killed at 1:10, the new one serves at once and is warm at 3:10: until 5:00 nobody goes.
    web = group(tracking(warmup="2m"), desired=3)
    faults = [{"at": "70s", "kill": "web"}]
    assert sizes(cloud(lab, [29, 1, 1, 1, 1, 1], web, faults=faults)) == [3, 3, 3, 3, 3, 1]


def test_alarms_are_billed_by_the_month(lab):
    steps = step([0, None, 1])
    clock = {"scheduled": {"at": "1m", "min": 1}}
    tree = cloud(lab, [1] * 73, group(tracking(), steps, simple(1), clock))
    tree["duration"] = "73h"
    bill = run(tree)["cost_usd"]["alarms"]["web"]
    # 2 + 1 + 1 alarms for a tenth of a month.
    assert bill == {"alarms": 4, "usd": pytest.approx(4 * 0.1 * 0.10)}


def test_a_loop_scales_by_a_metric_of_its_own():
    """Requests under way for each instance, which no policy of a file looks at: of one a second
    that takes a minute there are 60, so for ten each six instances; of two a second twelve."""
    source = {"to": "door", "rate": "1/s", "arrivals": "constant"}
    tree = scenario(
        source, work({"sleep": "60s"}, concurrency=64), fleets={"web": fleet()},
        balancers={"door": {"targets": ["web"]}}, duration="20m",
    )  # fmt: skip
    sim = simulation(tree)
    policies = parts.ScalingGroup(1, 50, [tracking(10)])
    seen = [1]
    for minute in range(1, 13):
        sim.advance(f"{minute}m")
        door = sim.results().to_dict()["load_balancers"]["door"]
        policies.observe(0, door["in_flight"] / seen[-1])
        seen.append(policies.decide(desired=seen[-1], warm=seen[-1]))
        sim.set("fleets.web.count", seen[-1])
        if minute == 6:
            sim.set("traffic.customers.rate", "2/s")
    assert seen[2:7] == [6] * 5
    assert seen[9:] == [12] * 4
    assert sim.results()["fleets.web.instances.final"] == 12
