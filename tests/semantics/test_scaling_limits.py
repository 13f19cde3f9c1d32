"""What fleets that scale are unless told, and the documented limits of what they may be told."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import Tree, fleet, run, scenario
from semantics.test_scaling import cloud, group, simple, sizes, step, tracking

DAY_NS = 86_400 * 10**9


def taken(lab, web: Tree) -> nph.Scenario:
    return nph.Scenario.model_validate(cloud(lab, [1], web))


def refused(lab, web: Tree, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        taken(lab, web)


def bounded(**keys: Any) -> Tree:
    return fleet() | {"count": {"min": 2, "max": 8}} | keys


# --- unless told ---------------------------------------------------------------------------------


def test_what_is_desired_is_the_least_unless_told(lab):
    instances = run(cloud(lab, [1], bounded()))["fleets"]["web"]["instances"]
    assert (instances["min"], instances["max"]) == (2, 2)


def test_a_forecast_may_not_lift_the_bound_unless_told(lab):
    """400 requests a minute are forecast for every hour, of ten each: 40 instances, but 30."""
    rule = {"metric": "requests_per_target", "target": 10, "history": [400.0] * 24}
    web = fleet() | {"count": {"min": 1, "max": 30}, "scaling": [{"predictive": rule}]}
    tree = scenario(
        lab.at(1, to="door"), fleets={"web": web},
        balancers={"door": {"targets": ["web"]}}, duration="2h",
    )  # fmt: skip
    assert run(tree)["fleets"]["web"]["scaling"]["desired"] == 30


# --- step scaling --------------------------------------------------------------------------------


def test_steps_leave_no_gap_and_do_not_overlap(lab):
    taken(lab, group(step([0, 5, 1], [5, None, 2])))
    refused(lab, group(step([0, 5, 1], [6, None, 2])), "gap or overlap")
    refused(lab, group(step([0, 5, 1], [4, None, 2])), "gap or overlap")


def test_one_step_at_most_has_no_lower_and_one_no_upper_bound(lab):
    taken(lab, group(step([None, -5, -2], [-5, 0, -1], when="below")))
    refused(lab, group(step([None, 5, 1], [None, 9, 2])), "gap or overlap")
    refused(lab, group(step([0, None, 1], [5, None, 2])), "gap or overlap")


def test_step_scaling_waits_for_no_cooldown(lab):
    """Beside a simple policy, which waits for an hour; and again each minute."""
    web = group(simple(1, threshold=1000), step([0, None, 2]), cooldown="1h")
    assert sizes(cloud(lab, [90, 130, 200, 200], web)) == [2, 4, 6, 8]


def test_step_scaling_waits_for_no_activity(lab):
    """What was asked for at 1:00 boots for 90 s; at 2:00 a higher step asks for more."""
    rule = step([0, 20, 2], [20, None, 6], warmup="5m")
    assert sizes(cloud(lab, [30, 90, 90], group(rule, boot="90s"))) == [2, 4, 8]


# --- limits --------------------------------------------------------------------------------------


def test_a_life_is_a_day_at_least(lab):
    taken(lab, bounded(max_lifetime="86400s"))
    refused(lab, bounded(max_lifetime="86399s"), "1d")


def test_a_buffer_of_a_forecast_is_less_than_an_hour(lab):
    rule: Tree = {"metric": "requests_per_target", "target": 10}
    taken(lab, bounded(scaling=[{"predictive": rule | {"buffer": "3599s"}}]))
    refused(lab, bounded(scaling=[{"predictive": rule | {"buffer": "1h"}}]), "less than 1h")


def test_a_schedule_has_the_five_fields_of_cron(lab):
    taken(lab, group({"scheduled": {"cron": "0 10 * * *", "desired": 3}}))
    six = {"scheduled": {"cron": "0 10 * * ? *", "desired": 3}}
    refused(lab, group(six), "cron")


def test_a_refresh_keeps_90_percent_and_at_most_twice_as_many(lab):
    """At most 100 % lie between the least and the greatest number."""
    made = taken(lab, bounded(refresh={"at": "1s"})).fleets["web"].refresh
    assert made is not None
    assert made.min_healthy == 90
    taken(lab, bounded(refresh={"at": "1s", "min_healthy": "100%", "max_healthy": "200%"}))
    for keys in ({"max_healthy": "201%"}, {"max_healthy": "99%"}, {"min_healthy": "101%"}):
        refused(lab, bounded(refresh={"at": "1s"} | keys), "out of range")
    apart = {"min_healthy": "90%", "max_healthy": "191%"}
    refused(lab, bounded(refresh={"at": "1s"} | apart), "too far apart")


@pytest.mark.parametrize("hook", ["launch", "terminate"])
def test_a_hook_waits_for_an_hour_unless_told_and_30_s_to_two_hours(lab, hook):
    rule: Tree = {"duration": "1s"}
    made = taken(lab, bounded(hooks={hook: rule})).fleets["web"].hooks
    assert made is not None
    assert int(getattr(made, hook).timeout) == DAY_NS // 24
    for good, bad in (("30s", "29s"), ("7200s", "7201s")):
        taken(lab, bounded(hooks={hook: rule | {"timeout": good}}))
        refused(lab, bounded(hooks={hook: rule | {"timeout": bad}}), "30s to 2h")


def test_a_target_is_above_nothing_and_of_cpu_at_most_all(lab):
    for target, metric in ((0, "requests_per_target"), (1.5, "cpu")):
        refused(lab, group(tracking(target, metric)), "never reached|more than all")
    taken(lab, group(tracking(1.0, "cpu")))
