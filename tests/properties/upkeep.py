"""Random admission control, instance refreshes and types of load balancers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Tree = dict[str, Any]

SELDOM = st.sampled_from([False] * 4 + [True])
BOUNDS = (
    {},
    {"min_healthy": "0%"},
    {"min_healthy": "50%", "max_healthy": "100%"},
    {"min_healthy": "100%", "max_healthy": "100%"},
    {"min_healthy": "80%", "max_healthy": "150%"},
)
OTHERS = [
    {"to": {"instance_type": {"vcpus": 2, "memory": "1GiB"}}},
    {"to": {"instance_type": {"vcpus": 1, "memory": "3GiB"}, "os": "windows"}},
    {"to": {"os": "windows"}},
]
STAYING = [
    {"scale_in_protected": "refresh"},
    {"scale_in_protected": "ignore"},
    {"skip_matching": True},
]


@st.composite
def admissions(draw) -> Tree:
    """Whom the instances of a service let in."""
    keys: Tree = {}
    checks = draw(st.sampled_from([{}, {}, {"health_checks": True}]))
    if draw(SELDOM):
        rate = draw(st.sampled_from(["5/s", "12/s", "90/m"]))
        keys["rate_limit"] = {"rate": rate, "burst": draw(st.sampled_from([1, 3, 10])), **checks}
    if draw(SELDOM):
        bound: Tree = draw(
            st.sampled_from(
                [
                    {"queue_delay": "0s"},
                    {"queue_delay": "300ms"},
                    {"in_flight": 1},
                    {"in_flight": 2, "queue_delay": "1s"},
                ]
            )
        )
        keys["shed"] = bound | checks
    return keys


@st.composite
def refreshes(draw, fleet: Tree, duration: int) -> Tree:
    """That all instances of a fleet are replaced at some instant."""
    if draw(st.integers(0, 3)) != 0:
        return {}
    refresh: Tree = {"at": f"{draw(st.integers(0, duration * 700))}ms"}
    refresh |= draw(st.sampled_from(BOUNDS))
    refresh |= draw(st.sampled_from([{}, {"warmup": "1500ms"}]))
    if draw(st.integers(0, 3)) == 0:
        refresh |= {"checkpoints": ["40%", "100%"], "checkpoint_delay": "2500ms"}
    mixed = "on_demand_base" in fleet.get("purchase", {}).get("spot", {})
    refresh |= draw(st.sampled_from([{}, *(() if mixed else OTHERS)]))
    refresh |= draw(st.sampled_from([{}, {}, *STAYING]))
    if "to" in refresh:
        refresh |= draw(st.sampled_from([{}, {"rollback": True}]))
    return {"refresh": refresh}


def bills() -> st.SearchStrategy[Tree]:
    """What a load balancer is billed as."""
    return st.sampled_from([{}, {"type": "network"}, {"type": "classic"}, {"type": "none"}])
