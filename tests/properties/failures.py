"""Random faults, and health checks that find them out."""

from __future__ import annotations

from typing import Any

from properties import strategies as st

Tree = dict[str, Any]

GAPS = st.sampled_from(["400ms", {"exponential": "1s"}, {"uniform": {"min": "0s", "max": "5s"}}])
MOVES = [
    {},
    {"by": "stop_start"},
    {"by": "migrate"},
    {"by": "migrate", "pause": {"exponential": "400ms"}},
    {"by": "migrate", "pause": "0s", "otherwise": "drain"},
    {"by": "migrate", "pause": "3s", "otherwise": "stop_start"},
]


@st.composite
def checks(draw) -> Tree:
    """What a balancer says of its targets' health, and of those that leave."""
    keys: Tree = draw(st.sampled_from([{}, {"deregistration_delay": "300ms"}]))
    if draw(st.booleans()):
        return keys
    check: Tree = {"interval": draw(st.sampled_from(["300ms", "1s", "2500ms"])), "timeout": "200ms"}
    check |= {"healthy_threshold": draw(st.integers(1, 3))}
    check |= {"unhealthy_threshold": draw(st.integers(1, 2))}
    check |= draw(st.sampled_from([{}, {}, {"work": "20ms"}]))
    check |= draw(st.sampled_from([{}, {"minimum_healthy": 0}, {"minimum_healthy": 2}]))
    check |= draw(st.sampled_from([{}, {}, {"minimum_healthy": {"share": "50%"}}]))
    check |= draw(st.sampled_from([{}, {}, {"dns_failover": 2}]))
    return keys | {"health_check": check}


@st.composite
def places(draw, hosts: Tree, fleets: Tree) -> Tree:
    """What a fault strikes."""
    kinds = ["fleet"] if fleets else []
    kinds += ["host", "rack", "zone"] if hosts else []
    scope = draw(st.sampled_from(kinds))
    if scope == "fleet":
        name = draw(st.sampled_from(sorted(fleets)))
        return {"fleet": name, "count": draw(st.integers(1, 3))}
    name = draw(st.sampled_from(sorted(hosts)))
    if scope == "zone":
        return {"zone": draw(st.sampled_from(hosts[name].get("zones", ["a"])))}
    return {scope: name, **draw(st.sampled_from([{}, {"index": 0}]))}


@st.composite
def faults(draw, hosts: Tree, fleets: Tree, doors: Tree, duration: int) -> list[Tree]:
    """The faults of a scenario."""
    checked = any("health_check" in door for door in doors.values())
    nodes = max(door.get("nodes", 1) for door in doors.values()) if doors else 1
    kinds = ["kill", "fail", "fail", "slow", "hang", *(["lose_health_checks"] if checked else [])]
    kinds += ["maintain", "maintain"] if hosts else []
    made = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        kind = draw(st.sampled_from(kinds))
        fault: Tree = {kind: draw(places(hosts, {} if kind == "maintain" else fleets))}
        if kind == "maintain":
            fault[kind] |= draw(st.sampled_from([{"notice": "0s"}, {"notice": "2s"}]))
            fault[kind] |= draw(st.sampled_from(MOVES))
        if kind == "lose_health_checks" and nodes > 1:
            fault[kind]["node"] = draw(st.integers(0, nodes - 1))
        if kind == "slow":
            fault["slow"]["factor"] = draw(st.sampled_from([1.5, 4, 30]))
        if draw(st.integers(0, 2)) == 0:
            fault["every"] = draw(GAPS)
        else:
            fault["at"] = f"{draw(st.integers(0, duration * 1000 - 1))}ms"
        if kind != "kill" and draw(st.integers(0, 3)) != 0:
            fault["for"] = draw(GAPS)
        made.append(fault)
    return made
