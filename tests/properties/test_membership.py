"""Random fleets over zones that fail and come back: levelled in the end, never beyond their bounds.

Unit of the random instants is a millisecond.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from properties.liveliness import derandomised
from properties.test_upkeep import checked, scenario

Tree = dict[str, Any]

ZONES = ("a", "b", "c")
QUIET_MS = 240_000  # from the last thing that happens on


@st.composite
def zoned(draw) -> Tree:
    """A fleet on hosts with room for all of it in any zone; outages, and sizes by the clock."""
    zones = ZONES[: draw(st.integers(2, 3))]
    most = draw(st.sampled_from([3, 8, 21]))
    sizes = st.integers(1, most)
    faults = [
        {
            "at": f"{draw(st.integers(0, 60_000))}ms",
            "for": f"{draw(st.sampled_from([700, 20_000, 50_000]))}ms",
            draw(st.sampled_from(["fail", "fail", "maintain"])): {
                "zone": draw(st.sampled_from(zones))
            },
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    rules = [
        {"scheduled": {"at": f"{draw(st.integers(0, 60_000))}ms", "desired": draw(sizes)}}
        for _ in range(draw(st.integers(0, 3)))
    ]
    fleet: Tree = {
        "count": {"min": 1, "desired": draw(sizes), "max": most},
        "scaling": rules,
        "hosts": "hall",
        "boot": draw(st.sampled_from(["0s", "2500ms", {"exponential": "3s"}])),
        "zone_balance": draw(st.sampled_from(["best_effort", "best_effort", "only"])),
        "health": {"check": "load_balancer", "grace": draw(st.sampled_from(["0s", "5s"]))},
        "replacement": draw(st.sampled_from(["terminate_first", "launch_first"])),
        "termination_policy": draw(st.sampled_from(["default", "oldest", "newest"])),
    }
    tree = scenario(
        {"steps": [{"compute": "10ms"}]},
        fleet,
        door={"health_check": {"interval": "1s", "timeout": "500ms"}},
        traffic={"customers": {"to": "door", "rate": "2/s", "arrivals": "constant"}},
        faults=faults,
        duration=f"{110_000 + QUIET_MS}ms",
    )
    kind = {"cores": 64, "memory": "256GiB"}
    return tree | {"hosts": {"hall": {"count": len(zones), "type": kind, "zones": list(zones)}}}


def ends_levelled(tree: Tree) -> int:
    """Looks at what is left, with the invariants checked after every event."""
    results = checked(tree)
    (web,), (hall,) = results["fleets"], results["hosts"]
    zones = [int(count) for count in hall["instances"]]
    bounds = tree["fleets"]["web"]["count"]
    assert sum(zones) == web["instances_final"] == web["scaling"]["desired"]
    assert max(zones) - min(zones) <= 1
    # Who is replaced may stay until others serve; zones are levelled by a tenth, or one, at a time.
    spare = bounds["max"] if tree["fleets"]["web"]["replacement"] == "launch_first" else 0
    assert web["instances_max"] <= bounds["max"] + max(bounds["max"] // 10, 1) + spare
    return int(web["membership"]["rebalanced"])


def test_zones_end_levelled_whatever_fails():
    moved = 0

    @derandomised(60)
    @given(zoned())
    def look(tree: Tree) -> None:
        nonlocal moved
        moved += ends_levelled(tree)

    look()
    assert moved > 10
