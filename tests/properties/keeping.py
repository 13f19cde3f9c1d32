"""What random fleets do besides following their load: who goes, who stays, who is replaced."""

from __future__ import annotations

import random
from typing import Any

from properties.fronts import fleets_behind, front_up, listen

Tree = dict[str, Any]

POLICIES = ("default", "oldest", "newest", "closest_to_next_hour")


def adorn(tree: Tree, fronts: int, keeps: int) -> None:
    """Adds something to the balancers and to the fleets of one scenario in so many."""
    front_up(tree, once_in=fronts)
    listen(tree, once_in=2)
    keep(tree, once_in=keeps)
    mix_types(tree, once_in=keeps)


def keep(tree: Tree, once_in: int) -> None:
    """Adds rules to the fleets of one scenario in so many, which its own text decides."""
    rng = random.Random(f"keep {tree}")
    if rng.random() * once_in > 1:
        return
    checked = {
        name
        for door in tree["load_balancers"].values()
        if "health_check" in door
        for name in fleets_behind(door)
    }
    for name, fleet in tree["fleets"].items():
        fleet["termination_policy"] = rng.choice(POLICIES)
        if "hosts" in fleet:
            fleet["zone_balance"] = rng.choice(("best_effort", "only", "off"))
        if name in checked and rng.random() < 0.7:
            grace = rng.choice(({}, {}, {"grace": "1700ms"}, {"impaired": "2500ms"}))
            fleet["health"] = {"check": "load_balancer"} | grace
            fleet["replacement"] = rng.choice(("terminate_first", "launch_first"))
        if isinstance(fleet["count"], dict) and "purchase" not in fleet and rng.random() < 0.5:
            states = ["stopped", "running", *(["hibernated"] if fleet.get("hibernation") else [])]
            pool = {"state": rng.choice(states), "reuse": rng.random() < 0.7}
            fleet["warm_pool"] = pool | rng.choice(({}, {"max_prepared": 4}, {"min": 1}))
        if rng.random() < 0.4:
            late = {"duration": {"uniform": {"min": "1s", "max": "40s"}}, "timeout": "30s"}
            late |= rng.choice(({}, {"heartbeat": "10s"}))
            soon = {"duration": {"exponential": "500ms"}}
            launch = soon | rng.choice(({}, {"default_result": "continue"}))
            both = ({"launch": launch}, {"terminate": soon}, {"launch": late, "terminate": late})
            fleet["hooks"] = rng.choice(both)
        fleet["scale_in_protection"] = rng.choice((False, False, 1, True))


def mix_types(tree: Tree, once_in: int) -> None:
    """Gives the fleets of one scenario in so many other types beside their own."""
    rng = random.Random(f"types {tree}")
    if rng.random() * once_in > 1:
        return
    for fleet in tree["fleets"].values():
        first, refresh = fleet["instance_type"], fleet.get("refresh", {})
        keeps_its_type = {"to", "skip_matching"} & refresh.keys() or "warm_pool" in fleet
        if not isinstance(first, dict) or keeps_its_type:
            continue
        spot = fleet.get("purchase", {}).get("spot")
        if spot is None:
            larger = first | {"vcpus": first["vcpus"] + rng.randint(1, 4)}
            kinds = [larger, first | {"memory": "3GiB"}, first]
        elif "hosts" in fleet or first.get("gpu", 0) != 0 or "prices" in spot:
            continue
        else:
            kinds = ["m5.large", "c5.large", "r5.large"]
            spot.update(rng.choice(({}, {"pools": 1}, {"pools": 3})))
        fleet["instance_type"], *fleet["other_types"] = rng.sample(kinds, rng.randint(2, 3))
        fleet["termination_policy"] = rng.choice((*POLICIES, "allocation_strategy"))
        if spot is None:
            fleet.update(rng.choice(({}, {"allocation": "prioritized"})))
