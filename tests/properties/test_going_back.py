"""Requests of limited patience are booked ahead where nobody watches, until one is late.

Then the world goes back to an earlier one, runs up to that instant again, and watches the fleet
from there on. The twin of a system has a service with one more step, which takes no time: there
every request is watched from the start. Both must tell the same to the bit, but for the looks that
the events count; and where a run is cut, by which it goes back less far, changes nothing at all.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.elastic import elastic
from properties.engine import run, same
from properties.liveliness import derandomised, look_until_seen
from properties.lives import operations
from properties.systems import BLIND, System
from properties.test_in_time import is_the_same_looked_after
from properties.test_properties import conserves, resumes

PATIENCE = st.sampled_from(["300ms", "700ms", "1500ms", "4s", "60s"])


@st.composite
def impatient_systems(draw) -> System:
    """Everybody's patience is limited; the load comes in waves, so that many are in time first."""
    duration = 20
    count = draw(st.sampled_from([1, 2, 5]))
    kind = {"vcpus": 1, "memory": "1GiB", "speed": draw(st.sampled_from([1.0, 1.7]))}
    laws = ({"exponential": "50ms"}, {"lognormal": {"mean": "50ms", "cv": 2}})
    work = draw(st.sampled_from(laws))
    door = {"targets": ["web"], "routing": draw(st.sampled_from(BLIND))}
    if draw(st.booleans()):
        door["idle_timeout"] = draw(PATIENCE)
    if draw(st.booleans()):
        door["health_check"] = {"interval": "5s", "timeout": "2s"}
    waves = [["0s", f"{5 * count}/s"], ["15s", f"{draw(st.sampled_from([8, 20, 40])) * count}/s"]]
    source = {"to": "door", "arrivals": {"profile": waves}, "clients": 20}
    if "idle_timeout" not in door or draw(st.booleans()):
        source |= {"timeout": draw(PATIENCE)}
        source["on_timeout"] = draw(st.sampled_from(["finish", "abandon"]))
    tree = {
        "nephoscope": 1,
        "name": "impatient",
        "duration": f"{duration}s",
        "warmup": draw(st.sampled_from(["0s", "1s"])),
        "series": draw(st.sampled_from(["none", "1s", "7s"])),
        "fleets": {"web": {"service": "work", "count": count, "instance_type": kind}},
        "services": {"work": {"concurrency": 1, "steps": [{"compute": work}]}},
        "load_balancers": {"door": door},
        "traffic": {"customers": source},
        "faults": [],
    }
    if draw(st.integers(0, 3)) == 0:
        tree["traffic"]["others"] = source | {"to": "web"}
    if draw(st.integers(0, 3)) == 0:
        tree["fleets"]["web"] |= draw(elastic(count, balanced=True, duration=duration))
        tree["actions"] = draw(operations(tree["fleets"], duration))
    instants = st.integers(1, duration * 10**9 - 1)
    cuts = tuple(sorted(draw(st.lists(instants, min_size=2, max_size=4))))
    return System(tree, [], cuts, draw(st.integers(0, 2**32)))


def test_nobody_can_tell_what_was_booked():
    """In some systems nobody is ever late, and in many somebody is after others were in time."""
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        own, twin = is_the_same_looked_after(system)
        sources = own.results()["traffic"]
        late = sum(s["timed_out"] + s["failed"] for s in sources)
        seen["never"] += late == 0
        seen["late"] += late > 0 and sum(s["completed"] for s in sources) > 100
        seen["fewer events"] += own.events < twin.events

    look_until_seen(look, impatient_systems(), 80, seen, ("never", "late", "fewer events"))


@pytest.mark.slow
@derandomised(400)
@given(impatient_systems())
def test_nobody_can_tell_in_many_more(system):
    is_the_same_looked_after(system)


@derandomised(40)
@given(impatient_systems())
def test_a_run_may_be_cut_anywhere(system):
    straight, cut = run(system), run(system, system.cuts_ns)
    assert same(straight.results(), cut.results())
    assert straight.events == cut.events
    assert straight.save() == cut.save()


@derandomised(15)
@given(impatient_systems())
def test_and_saved_and_restored(system):
    resumes(system)


@derandomised(40)
@given(impatient_systems())
def test_invariants_hold_after_every_event(system):
    conserves(system)
    free, checked = run(system), run(system, checked=True)
    assert same(free.results(), checked.results())
    assert free.save() == checked.save()


def test_by_how_much_a_check_is_answered_too_late_is_not_kept():
    """A queue of some seconds, looked at from one end or the other."""
    tree = {
        "nephoscope": 1,
        "name": "slow",
        "duration": "20s",
        "fleets": {
            "web": {"service": "work", "instance_type": {"vcpus": 1, "memory": "1GiB"}},
        },
        "services": {"work": {"concurrency": 1, "steps": [{"compute": {"exponential": "50ms"}}]}},
        "load_balancers": {
            "door": {"targets": ["web"], "health_check": {"interval": "5s", "timeout": "2s"}},
        },
        "traffic": {
            "customers": {
                "to": "door",
                "arrivals": {"profile": [["0s", "5/s"], ["15s", "40/s"]]},
            }
        },
    }
    system = System(tree, (), (), 0)
    free, checked = run(system), run(system, checked=True)
    assert free.results()["load_balancers"][0]["health"]["failed_checks"] > 0
    assert free.save() == checked.save()
