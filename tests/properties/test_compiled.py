"""Compiled policies in any system: the twin of `random` comes to the same, to the bit.

Every balancer of the system chooses at random, in its twin by a policy in C that draws the same
words. Systems are random ones with all that the language has, changed while they run.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

from properties.engine import Session, compiled, same
from properties.fronts import MITIGATED
from properties.liveliness import look_until_seen
from properties.systems import System, systems
from properties.test_unwatched import tells
from semantics.policies import of_c


def routed(system: System, routing: Any) -> System:
    """The same system, and every balancer that may have any routing has this one."""
    tree = copy.deepcopy(system.tree)
    for door in tree["load_balancers"].values():
        if "slow_start" in door or door["routing"] == MITIGATED:
            continue
        door["routing"] = routing
        parts = [door, *(door.get("groups") or {}).values()]
        for part in parts:
            part["targets"] = [_unweighted(target) for target in part.get("targets", ())]
            if not part["targets"]:
                del part["targets"]
    changes = tuple(c for c in system.changes if not c.path.endswith((".routing", ".weight")))
    return System(tree, changes, system.cuts_ns, system.seed)


def _unweighted(target: Any) -> Any:
    return target["fleet"] if isinstance(target, dict) else target


def test_nobody_can_tell_a_twin_of_ones_own():
    seen: Counter[str] = Counter()
    policy = of_c("any")

    def look(system: System) -> None:
        own, twin = Session(routed(system, "random")), Session(routed(system, policy))
        for instant in (*system.cuts_ns, system.duration_ns):
            own.to(instant)
            twin.to(instant, checked=True)
            assert same(tells(own.world), tells(twin.world)), instant
        # What is saved goes on, with the policy brought by the spec.
        saved = twin.world.save()
        again = type(twin.world).restore(compiled(routed(system, policy)), saved)
        assert again.save() == saved
        doors = routed(system, policy).tree["load_balancers"]
        seen["chosen"] += any(door["routing"] is policy for door in doors.values())
        seen["groups"] += any("groups" in door for door in doors.values())

    look_until_seen(look, systems(), 30, seen, ("chosen",), ("groups",))
