"""Random fleets that follow their load, or a clock."""

from __future__ import annotations

from typing import Any

from properties import strategies as st

Tree = dict[str, Any]

PERIODS = st.sampled_from(["500ms", "1s", "1250ms"])


@st.composite
def policies(draw, balanced: bool) -> Tree:
    """One reason to change the size of a fleet."""
    metric = draw(st.sampled_from(["cpu", *(["requests_per_target"] if balanced else [])]))
    level = draw(st.sampled_from([0.02, 0.3] if metric == "cpu" else [15, 200]))
    kind = draw(st.sampled_from(["target_tracking", "target_tracking", "step", "simple"]))
    waits = st.sampled_from(["0s", "700ms", "3s"])
    if kind == "target_tracking":
        rule: Tree = {"metric": metric, "target": level, "warmup": draw(waits)}
        rule |= {"out_periods": draw(st.integers(1, 2)), "in_periods": draw(st.integers(1, 3))}
        return {kind: rule | draw(st.sampled_from([{}, {}, {"scale_in": False}]))}
    rule = {"metric": metric, "threshold": level, "when": draw(st.sampled_from(["above", "below"]))}
    sign = 1 if rule["when"] == "above" else -1
    if kind == "simple":
        return {kind: rule | {"change": sign, "cooldown": draw(waits)}}
    percent = draw(st.booleans())
    change = sign * (60 if percent else 2)
    bounds = [0, None] if sign > 0 else [None, 0]
    rule |= {"steps": [[*bounds, change]], "warmup": draw(waits)}
    return {kind: rule | ({"adjustment": "percent", "min_change": 2} if percent else {})}


@st.composite
def elastic(draw, count: int, balanced: bool, duration: int) -> Tree:
    """What a fleet of so many instances says of its size; mostly nothing more."""
    if draw(st.booleans()):
        return {"count": count}
    rules = [draw(policies(balanced)) for _ in range(draw(st.integers(1, 2)))]
    if draw(st.integers(0, 3)) == 0:
        at = f"{draw(st.integers(0, duration * 1000 - 1))}ms"
        size = draw(st.sampled_from([{"desired": 3}, {"min": 2}, {"min": 0, "max": 4}]))
        late = draw(st.sampled_from([{}, {"late": {"exponential": "700ms"}}]))
        rules.append({"scheduled": {"at": at, **size, **late}})
    if draw(st.integers(0, 7)) == 0:
        history = [0.4] * 12 + [1.2] * 12
        rule = {"metric": "cpu", "target": 0.5, "history": history}
        mode = draw(st.sampled_from([{}, {}, {}, {"mode": "forecast_only"}]))
        rules.append({"predictive": rule | mode})
    low = min(count, 1)
    metrics = {"period": draw(PERIODS), "delay": draw(st.sampled_from(["0s", "300ms", "1s"]))}
    if "predictive" in rules[-1]:
        metrics["period"] = "500ms"
    bounds = {"min": low, "desired": count, "max": max(count, 8)}
    return {"count": bounds, "scaling": rules, "metrics": metrics}


def within(fleet: Tree, count: int) -> int:
    """The nearest size that an operator may ask for."""
    bounds = fleet["count"]
    return count if isinstance(bounds, int) else min(max(count, bounds["min"]), bounds["max"])


def can_be_set(fleet: Tree) -> bool:
    """Whether the bounds of its size stay those of the file."""
    return not any("scheduled" in rule for rule in fleet.get("scaling", ()))


def balanced(doors: Tree, name: str) -> bool:
    """Whether a fleet is a target of some balancer."""
    targets = [target for door in doors.values() for target in door["targets"]]
    return any(
        name in (target, dict(target).get("fleet") if isinstance(target, dict) else None)
        for target in targets
    )
