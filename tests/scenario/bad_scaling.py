"""Values of counts and scaling policies that are refused."""

from __future__ import annotations

from typing import Any

from scenario.breaking import Case

_WEB = "fleets.web"


def _count(value: Any, words: str) -> Case:
    return f"{_WEB}.count", value, None, words


def _policy(form: str, words: str, **keys: Any) -> Case:
    usual: dict[str, Any] = {
        "target_tracking": {"metric": "cpu", "target": 0.5},
        "step": {"metric": "cpu", "threshold": 0.5, "steps": [[0, None, 1]]},
        "simple": {"metric": "cpu", "threshold": 0.5, "change": 1},
        "scheduled": {"at": "1m", "desired": 3},
        "predictive": {"metric": "cpu", "target": 0.5},
    }
    return f"{_WEB}.scaling", [{form: usual[form] | keys}], None, words


SCALING: list[Case] = [
    _count({"min": 1, "desired": 4, "max": 3}, "1, 4, 3 are out of order"),
    _count({"min": 3, "max": 2}, "out of order"),
    _count({"min": 1}, "count.max: missing"),
    _count({"max": 3}, "count.min: missing"),
    _count({"min": 1, "max": 3, "most": 3}, "no key 'most' here"),
    _count({"min": -1, "max": 3}, "-1 is out of range"),
    _count({"min": 1.5, "max": 3}, "1.5 is not a whole number"),
    _count([1, 2], "is not a whole number"),
    (f"{_WEB}.scaling", {"x": 1}, None, "is not a list"),
    (f"{_WEB}.scaling", ["cpu"], None, "'cpu' is not a mapping"),
    (f"{_WEB}.scaling", [{"predictive": {}}], None, "metric: missing"),
    _policy("predictive", "less than 1h", buffer="1h"),
    _policy("predictive", "a cpu of 3", target=3),
    _policy("predictive", "'110%' is not between", max_buffer="110%"),
    _policy("predictive", "-1 is out of range", history=[-1]),
    (
        f"{_WEB}.scaling",
        [{"predictive": {"metric": "cpu", "target": 0.5}}] * 2,
        None,
        "looks ahead already, in place 0",
    ),
    (f"{_WEB}.termination_policy", "eldest", None, "'eldest' is not known"),
    (f"{_WEB}.zone_balance", "best_effort", None, "its instances are on no hosts"),
    ("fleets.batch.zone_balance", "all", None, "'all' is not known"),
    (f"{_WEB}.health", "elb", None, "'elb' is not known"),
    (f"{_WEB}.health", {"grace": "1m"}, None, "grace without load_balancer"),
    ("fleets.db.health", "load_balancer", None, "no load balancer checks its instances"),
    (f"{_WEB}.replacement", "launch_first", None, "nothing that serves is replaced"),
    (f"{_WEB}.scale_in_protection", -1, None, "-1 is no number of instances"),
    (f"{_WEB}.scale_in_protection", "yes", None, "'yes' is no number of instances"),
    (f"{_WEB}.max_lifetime", "23h", None, "23h is out of range"),
    (f"{_WEB}.warm_pool", {"max_prepared": 4}, None, "how many instances there may be"),
    ("fleets.batch.warm_pool", {"state": "hibernated"}, None, "cannot hibernate"),
    (f"{_WEB}.warm_pool", {"state": "cold"}, None, "'cold' is not known"),
    (f"{_WEB}.hooks", {}, None, "hooks without a hook"),
    (f"{_WEB}.hooks", {"launch": {}}, None, "duration: missing"),
    (f"{_WEB}.hooks", {"launch": {"duration": "1s", "timeout": "1s"}}, None, "1s is out of range"),
    (
        f"{_WEB}.hooks",
        {"launch": {"duration": "1s", "timeout": "1m", "heartbeat": "1m"}},
        None,
        "less than 1m",
    ),
    (
        f"{_WEB}.hooks",
        {"terminate": {"duration": "1s", "default_result": "continue"}},
        None,
        "no key 'default_result' here",
    ),
    (f"{_WEB}.cooldown", "1m", None, "cooldown without scaling has no effect"),
    (f"{_WEB}.metrics", {"period": "1m"}, None, "metrics without scaling has no effect"),
    (f"{_WEB}.instance_warmup", "1m", None, "instance_warmup without scaling has no effect"),
    _policy("target_tracking", "count: {min: .., max: ..} beside it"),
    _policy("target_tracking", "'load' is not a metric", metric="load"),
    _policy("target_tracking", "needs a queue", metric="backlog_per_instance"),
    _policy("target_tracking", "a cpu of 50 is more than all", target=50),
    _policy("target_tracking", "a target of 0", target=0),
    _policy("target_tracking", "-1 is out of range", target=-1),
    _policy("target_tracking", "'fast' is not", target="fast"),
    _policy("target_tracking", "without scale_in", scale_in=False, scale_in_below="50%"),
    _policy("target_tracking", "0 is out of range", in_periods=0),
    _policy("target_tracking", "65 is out of range", out_periods=65),
    _policy("target_tracking", "no step that uses the network", metric="network", target="1Mbps"),
    _policy("step", "2 of 1 cannot be", datapoints=2),
    _policy("step", "min_change belongs to percent", min_change=2),
    _policy("step", "is not a step", steps=[[0, 1]]),
    _policy("step", "is not a list of steps", steps=[]),
    _policy("step", "'inf' is not a number", steps=[["inf", 1, 1]]),
    _policy("step", "gap or overlap", steps=[[0, 1, 1], [2, None, 2]]),
    _policy("step", "gap or overlap", steps=[[0, None, 1], [2, None, 2]]),
    _policy("step", "gap or overlap", steps=[[0, 1, 1], [None, None, 2]]),
    _policy("step", "gap or overlap", steps=[[1, 1, 1]]),
    _policy("step", "1.5 instances cannot be", steps=[[0, None, 1.5]]),
    _policy("step", "-1 instances cannot be", steps=[[0, None, -1]], adjustment="exact"),
    _policy("step", "'over' is not known", when="over"),
    _policy("simple", "a change of 0 has no effect", change=0),
    _policy("simple", "a number from", change="1"),
    _policy("scheduled", "min 3 is above max 2", min=3, max=2),
    _policy("scheduled", "uniform", late={"unifrom": {"min": "0s", "max": "2m"}}),
    (f"{_WEB}.scaling", [{"scheduled": {"at": "1m"}}], None, "changes nothing"),
    _policy("scheduled", "needs at or cron", cron="0 9 * * *"),
    _policy("scheduled", "a zone is of cron", zone="Europe/Berlin"),
    (f"{_WEB}.scaling", [{"scheduled": {"cron": "0 9", "min": 1}}], None, "five fields"),
]
