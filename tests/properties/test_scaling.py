"""Metamorphic: a deterministic system with every time doubled runs exactly twice as long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.engine import run, same
from properties.liveliness import derandomised
from properties.systems import Change, System
from properties.test_properties import COUNTS

# Durations and gaps in ms, so that doubling and halving are exact; rates whose gaps are whole ns.
WORK = (0, 1, 3, 10, 70, 250, 333)
GAPS = (5, 8, 10, 50, 125)
BLIND = ("round_robin", "ip_hash", "random", "least_connections", "join_idle_queue")


@st.composite
def plans(draw) -> dict[str, Any]:
    """Numbers only; `build` makes a system of them at a scale of time."""
    return {
        "work": draw(st.lists(st.sampled_from(WORK), min_size=1, max_size=3)),
        "sleep": draw(st.sampled_from([None, 20, 111])),
        "fail": draw(st.sampled_from([0.0, 0.3])),
        "choose": draw(st.booleans()),
        "call": draw(st.booleans()),
        "gap": draw(st.sampled_from(GAPS)),
        "think": draw(st.sampled_from([None, 40, 175])),
        "vcpus": draw(st.integers(1, 3)),
        "concurrency": draw(st.sampled_from([None, 1, 2])),
        "backlog": draw(st.sampled_from([None, 0, 2])),
        "count": draw(st.integers(1, 4)),
        "discipline": draw(st.sampled_from(["fifo", "ps"])),
        "routing": draw(st.sampled_from(BLIND)),
        "timeout": draw(st.sampled_from([None, 90, 400])),
        "abandon": draw(st.booleans()),
        "changes": draw(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 5)), max_size=3)),
        "seed": draw(st.integers(0, 1000)),
    }


def build(plan: dict[str, Any], scale: int) -> System:
    def ms(value: int) -> str:
        return f"{scale * value}ms"

    steps: list[dict[str, Any]] = [{"compute": ms(value)} for value in plan["work"]]
    if plan["sleep"] is not None:
        steps.append({"sleep": ms(plan["sleep"])})
    if plan["choose"]:
        branches = [{"weight": w, "steps": [{"compute": ms(13 * w)}]} for w in (1, 2)]
        steps.append({"choose": branches})
    if plan["call"]:
        steps.append({"call": "hall"})
    steps.append({"fail": plan["fail"]})
    service: dict[str, Any] = {"steps": steps, "discipline": plan["discipline"]}
    service |= {key: plan[key] for key in ("concurrency", "backlog") if plan[key] is not None}
    instance = {"vcpus": plan["vcpus"], "memory": "1GiB"}
    source: dict[str, Any] = {"to": "door"}
    if plan["think"] is None:
        gap_s = scale * plan["gap"] / 1000
        source |= {"rate": f"{1 / gap_s!r}/s", "arrivals": "constant"}
    else:
        source["arrivals"] = {"closed": {"users": 7, "think": ms(plan["think"])}}
    if plan["timeout"] is not None and plan["think"] is None:
        source["timeout"] = ms(plan["timeout"])
        source["on_timeout"] = "abandon" if plan["abandon"] else "finish"
    tree = {
        "nephoscope": 1,
        "name": "deterministic",
        "duration": ms(10_000),
        "warmup": ms(1_000),
        "series": "none",
        "fleets": {
            "web": {
                "service": "work",
                "count": plan["count"],
                "instance_type": instance,
                "boot": ms(0),
            },
            "db": {"service": "store", "count": 2, "instance_type": instance},
        },
        "services": {"work": service, "store": {"steps": [{"compute": ms(9)}]}},
        "load_balancers": {
            "door": {"targets": ["web"], "routing": plan["routing"]},
            "hall": {"targets": ["db"], "routing": "round_robin"},
        },
        "traffic": {"customers": source},
    }
    changes = (
        Change(scale * at * 10**6, "fleets.web.count", count)
        for at, count in sorted(plan["changes"], key=lambda change: change[0])
    )
    return System(tree, tuple(changes), (), plan["seed"])


def doubles(plan: dict[str, Any]) -> None:
    once, twice = (run(build(plan, scale)) for scale in (1, 2))
    assert once.events == twice.events
    one, two = once.results(), twice.results()
    for kind in ("traffic", "load_balancers", "fleets"):
        for a, b in zip(one[kind], two[kind], strict=True):
            assert all(a[key] == b[key] for key in COUNTS), (kind, a["name"])
            if a["completed"]:
                assert b["latency"].sum == 2 * a["latency"].sum
                assert b["latency"].min == 2 * a["latency"].min
                assert b["latency"].max == 2 * a["latency"].max
    for a, b in zip(one["fleets"], two["fleets"], strict=True):
        assert b["run_ns"] == 2 * a["run_ns"]
        assert b["vcpu_ns"] == 2 * a["vcpu_ns"]
    for a, b in zip(one["load_balancers"], two["load_balancers"], strict=True):
        assert same(a["targets"]["requests"], b["targets"]["requests"])
        assert np.array_equal(2 * a["targets"]["run_ns"], b["targets"]["run_ns"])


@derandomised(150)
@given(plans().filter(lambda plan: plan["discipline"] == "fifo" and not shares(plan)))
def test_double_times_double_everything(plan):
    doubles(plan)


@pytest.mark.slow
@derandomised(800)
@given(plans().filter(lambda plan: plan["discipline"] == "fifo" and not shares(plan)))
def test_double_times_double_everything_in_many_more(plan):
    doubles(plan)


def shares(plan: dict[str, Any]) -> bool:
    """Requests share a vCPU: thirds of a nanosecond are rounded, and rounding does not scale."""
    return plan["concurrency"] is not None and plan["concurrency"] > plan["vcpus"]
