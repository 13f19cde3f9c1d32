"""Volumes that are slow at the first touch, or delay a launch: one test a rule, by hand.

A gp3 volume gives 125 MB/s. Unless told, 1 GB of it is fresh and comes at 10 MB/s.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import Tree, fates, latency, run, scenario, simulation, work

SNAPSHOT: Tree = {"bandwidth": "10MB/s", "bytes": "1GB"}


def fresh(lab: Any, times: list[float], megabytes: int = 100, **keys: Any) -> Tree:
    """An instance that is launched at the start, with requests that ask for that of its volume."""
    volume = {"snapshot": SNAPSHOT | keys.pop("snapshot", {})} | keys.pop("volume", {})
    web = {"service": "work", "instance_type": "m5.large", "initially": "pending"}
    web |= {"boot": "0s", "volume": volume} | keys.pop("web", {})
    step = {"disk": {"bytes": f"{megabytes}MB"}}
    traffic = lab.at(*times)
    return scenario(traffic, work(step, concurrency=8), fleets={"web": web}, duration="1h", **keys)


def took(tree: Tree) -> tuple[float, float, float]:
    """Mean, least and greatest."""
    mean, _, least, most = latency(run(tree)["traffic"]["customers"])
    return mean, least, most


def test_what_is_touched_for_the_first_time_is_slow(lab):
    """Ten requests touch 100 MB each, in 10 s; the eleventh finds nothing fresh: 0.8 s."""
    times = [20.0 * n for n in range(1, 11)]
    assert took(fresh(lab, times)) == pytest.approx((10.0, 10.0, 10.0), abs=1e-6)
    mean, least, most = took(fresh(lab, [*times, 300.0]))
    assert (mean, least, most) == pytest.approx((100.8 / 11, 0.8, 10.0), abs=1e-6)


def test_the_rest_comes_beside_it(lab):
    """50 MB are fresh and take 5 s, while the others take 0.4 s; of 1 MB, 0.1 s beside 0.792 s."""
    for fresh_bytes, seconds in (("50MB", 5.0), ("1MB", 99 / 125)):
        tree = fresh(lab, [20.0], snapshot={"bytes": fresh_bytes})
        assert took(tree)[2] == pytest.approx(seconds, abs=1e-6)


def test_all_who_touch_it_share_the_bandwidth(lab):
    """Two at once take 20 s; two of which one finds its bytes loaded, 10 s and 0.8 s."""
    assert took(fresh(lab, [20.0, 20.0])) == pytest.approx((20.0, 20.0, 20.0), abs=1e-6)
    tree = fresh(lab, [20.0, 20.0], snapshot={"bytes": "100MB"})
    assert took(tree)[1:] == pytest.approx((0.8, 10.0), abs=1e-6)


def test_operations_are_as_fast_as_ever(lab):
    tree = fresh(lab, [20.0])
    tree["services"]["work"] = work({"disk": {"ops": 3000}})
    assert took(tree)[2] == pytest.approx(1.0, abs=1e-6)


def test_instances_that_run_at_the_start_have_touched_it(lab):
    tree = fresh(lab, [20.0], web={"initially": "running"})
    assert took(tree)[2] == pytest.approx(0.8, abs=1e-6)


def test_the_provider_loads_what_nobody_has_touched(lab):
    """10 MB/s from the launch on: at 95 s 50 MB are left, which take 5 s, and at 100 s none."""
    for at, seconds in ((95.0, 5.0), (100.0, 0.8), (50.0, 10.0)):
        tree = fresh(lab, [at], snapshot={"initialization": "10MB/s"})
        assert took(tree)[2] == pytest.approx(seconds, abs=1e-6)
    # What has been touched need not be loaded: 400 MB by 40 s and 600 MB by touch.
    times = [5.0] * 6
    tree = fresh(lab, [*times, 40.0], snapshot={"initialization": "10MB/s"})
    assert took(tree)[1] == pytest.approx(0.8, abs=1e-6)


def test_by_default_all_of_its_size_is_fresh(lab):
    volume = {"size": "1GiB", "snapshot": {"bandwidth": "1MiB/s"}}
    tree = fresh(lab, [20.0], 10_000, volume=volume)
    assert took(tree)[2] == pytest.approx(1024.0, abs=1e-6)


def test_a_stop_keeps_what_has_been_touched_and_a_new_instance_has_nothing(lab):
    """All is touched by 100 s. Who starts again at 300 s is fast, who is launched then is slow."""
    times = [5.0] * 10 + [400.0]
    stopped = [
        {"at": "200s", "stop": {"fleet": "web"}},
        {"at": "300s", "start": {"fleet": "web"}},
    ]
    durations = {"durations": {"stop": "0s", "restart": "0s", "terminate": "0s"}}
    assert took(fresh(lab, times, web=durations, actions=stopped))[1] == pytest.approx(0.8)
    ended = [{"at": "200s", "terminate": {"fleet": "web"}}]
    assert took(fresh(lab, [400.0], web=durations, actions=ended))[2] == pytest.approx(10.0)


def test_saved_in_the_midst_of_it_goes_on_as_it_would_have(lab):
    scenario_ = nph.Scenario.model_validate(fresh(lab, [20.0 * n for n in range(1, 13)]))
    sim = nph.Simulation(scenario_, rng=7)
    sim.advance("85s")
    again = nph.Simulation.load(sim.save())
    for each in (sim, again):
        each.advance("1000s")
    assert sim.result().fingerprint == again.result().fingerprint
    assert latency(again.result().to_dict()["traffic"]["customers"])[2] == pytest.approx(0.8)


def test_an_encrypted_volume_delays_the_launch(lab):
    """It serves at 5 s, and with 20 s more at 25 s; a start after a stop takes 5 s all the same."""
    web = {"durations": {"pending": "5s", "boot": "0s", "restart": "0s", "stop": "0s"}}

    def served(at: float, *actions: Tree, **volume: str) -> bool:
        tree = fresh(lab, [at], 1, web=web, volume=volume, actions=list(actions))
        del tree["fleets"]["web"]["boot"]
        return fates(run(tree)["traffic"]["customers"])[0] == 1

    assert [served(at) for at in (4.9, 5.1)] == [False, True]
    assert [served(at, encryption="20s") for at in (24.9, 25.1)] == [False, True]
    again = [{"at": "100s", "stop": "web"}, {"at": "200s", "start": "web"}]
    assert [served(at, *again, encryption="20s") for at in (204.9, 205.1)] == [False, True]


def test_who_is_launched_later_waits_for_its_volume(lab):
    tree = fresh(lab, [1.0], 1, volume={"encryption": "20s"}, web={"initially": "running"})
    sim = simulation(tree)
    sim.advance("100s")
    sim.set("fleets.web.count", 2)
    for until, serving in (("119s", 1), ("121s", 2)):
        sim.advance(until)
        assert sim.results()["fleets.web.instances.final"] == serving


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"snapshot": {"bandwidth": "10MB/s"}}, "a snapshot of no size"),
        ({"snapshot": {"bandwidth": "125MB/s", "bytes": "1GB"}}, "is not slow"),
        ({"snapshot": {"bytes": "1GB"}}, "bandwidth"),
        ({"size": "1GiB", "snapshot": {"bandwidth": "1MB/s", "bytes": "2GiB"}}, "1GiB or less"),
        ({"encryption": "2d"}, "at most 1d"),
    ],
)
def test_what_makes_no_sense_is_refused(lab, volume: Tree, message: str):
    tree = fresh(lab, [1.0])
    tree["fleets"]["web"]["volume"] = volume
    with pytest.raises(nph.ScenarioError, match=message) as told:
        nph.Scenario.model_validate(tree)
    (problem,) = told.value.problems
    assert problem.path.startswith("fleets.web.volume")
