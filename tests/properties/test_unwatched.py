"""Fleets that nobody looks at are not in the calendar, and nothing else about them is different.

The twin of a system has balancers more, which nobody sends to and which would look at what every
fleet has outstanding: so all of them are in the calendar. Both must tell the same to the bit.
"""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from hypothesis import given

from nephoscope import _core
from properties.engine import Session, by_name, compiled, same
from properties.fronts import fleets_behind
from properties.liveliness import derandomised, look_until_seen
from properties.systems import System, plain_systems
from properties.test_properties import conserves, resumes


def watched(system: System) -> System:
    tree = copy.deepcopy(system.tree)
    behind = {name for door in tree["load_balancers"].values() for name in fleets_behind(door)}
    # An instance has the longest delay of its balancers, and without any as long as it takes.
    for name, delay, fleets in (
        ("watcher", "0s", behind),
        ("watcher-of-others", "1h", tree["fleets"].keys() - behind),
    ):
        watcher = {"targets": sorted(fleets), "routing": "least_connections"}
        if fleets:
            tree["load_balancers"][name] = watcher | {"deregistration_delay": delay}
    return System(tree, system.changes, system.cuts_ns, system.seed)


def tells(world: _core.World) -> dict:
    """Everything a world tells, but for the balancers that only its twin has."""
    results = world.results()
    names = [name for name in results["series"] if ".watcher" not in name]
    return {
        "events": results["events"],
        "traffic": by_name(results["traffic"]),
        "fleets": by_name(results["fleets"]),
        "load_balancers": {
            name: account
            for name, account in by_name(results["load_balancers"]).items()
            if not name.startswith("watcher")
        },
        "series": {name: results["series"][name] for name in names},
        "state": world.state(),
    }


def is_the_same_watched(system: System) -> _core.World:
    """The system's world at its end, which nobody can tell from its twin's."""
    own, twin = Session(system), Session(watched(system))
    for instant in (*system.cuts_ns, system.duration_ns):
        own.to(instant)
        twin.to(instant)
        assert same(tells(own.world), tells(twin.world)), instant
    return own.world


def test_nobody_can_tell_a_fleet_that_is_not_watched():
    """Most systems have fleets that are not watched, with requests in flight at the end."""
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        world = is_the_same_watched(system)
        seen["in flight"] += any(s["in_flight"] for s in world.results()["traffic"])
        seen["changed routing"] += any(c.path.endswith(".routing") for c in system.changes)
        # Entries of the calendar are part of a saved world: the twin's is the larger.
        sizes = [len(_core.World(compiled(s)).save()) for s in (system, watched(system))]
        seen["smaller"] += sizes[0] < sizes[1]

    look_until_seen(look, plain_systems(), 150, seen, ("in flight", "changed routing", "smaller"))


@pytest.mark.parametrize("routing", ["round_robin", "ip_hash", "random"])
@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("work", ["50ms", "2s"])
def test_checks_find_what_nobody_has_looked_at(routing, count, work):
    """Load that comes in waves makes targets ill and lets them recover, by their backlogs alone."""
    check = {"interval": "5s", "timeout": "3s", "healthy_threshold": 2, "unhealthy_threshold": 2}
    waves = [[f"{100 * at}s", f"{[1, 8 * count][at % 2]}/s"] for at in range(5)]
    tree = {
        "nephoscope": 1,
        "name": "waves",
        "duration": "400s",
        "series": "none",
        "services": {"serve": {"steps": [{"compute": {"exponential": work}}]}},
        "fleets": {"web": {"service": "serve", "count": count, "instance_type": "m5.large"}},
        "load_balancers": {"door": {"targets": ["web"], "routing": routing, "health_check": check}},
        "traffic": {"all": {"to": "door", "arrivals": {"profile": waves}, "clients": 100}},
    }
    tree["services"]["serve"] |= {"discipline": "fifo", "concurrency": 1}
    world = is_the_same_watched(System(tree, [], (150_000_000_000, 250_000_000_000), 7))
    health = world.results()["load_balancers"][0]["health"]
    assert health["checks"] == 80 * count
    assert (health["turned_unhealthy"] > 0) == (work == "2s")


@pytest.mark.slow
@derandomised(800)
@given(plain_systems())
def test_nobody_can_tell_in_many_more(system):
    is_the_same_watched(system)


@derandomised(100)
@given(plain_systems())
def test_invariants_hold_after_every_event(system):
    conserves(system)


@derandomised(60)
@given(plain_systems())
def test_a_run_may_be_cut_saved_and_restored_anywhere(system):
    resumes(system)
