"""Refreshes that look at alarms: one test a rule, with traces by hand.

Four instances behind a balancer, of which one may be missing, and each takes 20 s to boot: a
refresh that begins at 10 s has replaced one at 30 s, two at 50 s, three at 70 s and all at 90 s.
Datapoints are of 10 s, and are seen at their ends.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.cost import USD_PER_ALARM_MONTH
from nephoscope.errors import ScenarioError
from semantics.lab import fleet, run, scenario, work

Tree = dict[str, Any]

FAST = {"instance_type": {"vcpus": 1, "memory": "1GiB", "speed": 2.0}}

# Requests of a target in a minute, which are six times those of 10 s.
BUSY: Tree = {"metric": "requests_per_target", "threshold": 12}


def lab_of(lab: Any, *times: float, alarms: Tree | None = None, **refresh: Any) -> Tree:
    """Requests at these times, and a refresh that fails while it is busy."""
    renewed = {"at": "10s", "min_healthy": "75%", "to": FAST, "alarms": ["busy"]} | refresh
    web = fleet(count=4) | {
        "count": {"min": 4, "max": 4},
        "boot": "20s",
        "metrics": {"period": "10s", "delay": "0s"},
        "alarms": {"busy": BUSY} if alarms is None else alarms,
        "refresh": renewed,
    }
    return scenario(
        lab.at(*times, to="door"),
        work({"compute": "10ms"}),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"]}},
        duration="200s",
    )


def burst(at: float) -> list[float]:
    """Eight requests within a second: two a target, or twelve in a minute."""
    return [at + i / 10 for i in range(8)]


def refreshed(tree: Tree) -> Tree:
    return run(tree)["fleets"]["web"]["refresh"]


def there(tree: Tree) -> list[tuple[int, int]]:
    types = run(tree)["fleets"]["web"]["types"]
    return [(each["launches"], each["instances"]) for each in types]


def test_an_alarm_that_goes_on_meanwhile_fails_it(lab):
    """The burst at 31 s is seen at 40 s, when one is replaced and the second has left."""
    tree = lab_of(lab, *burst(31))
    assert refreshed(tree) == {
        "started_s": 10.0,
        "finished_s": 40.0,
        "instances": 4,
        "replaced": 2,
        "failed": True,
        "alarm": "busy",
    }
    assert there(tree) == [(4, 2), (2, 2)]
    flag = "the refresh of fleet web failed: 2 of 4 replaced, the alarm busy was on"
    assert flag in run(tree)["flags"]


def test_it_is_rolled_back_then_if_told(lab):
    """At 40 s the new one that serves is to go, and the one that boots goes at once."""
    tree = lab_of(lab, *burst(31), rollback=True)
    told = refreshed(tree)
    assert told["alarm"] == "busy"
    assert told["rollback"] == {"started_s": 40.0, "instances": 2, "replaced": 2}
    assert there(tree) == [(6, 4), (2, 0)]


def test_a_roll_back_goes_on_whatever_the_alarm_says(lab):
    """Bursts without an end keep it on."""
    times = [at for start in range(31, 190, 5) for at in burst(start)]
    result = run(lab_of(lab, *times, rollback=True))["fleets"]["web"]
    assert result["scaling"]["alarms"] == {"busy": {"on": True, "went_on": 1}}
    assert "failed" not in result["refresh"]["rollback"]
    assert result["types"][0]["instances"] == 4


def test_an_alarm_that_is_on_before_lets_none_begin(lab):
    """That of 0 s to 10 s is seen at 10 s, before the refresh looks."""
    tree = lab_of(lab, *burst(1), at="10500ms")
    told = refreshed(tree)
    assert (told["started_s"], told["finished_s"], told["replaced"]) == (10.5, 10.5, 0)
    assert told["failed"]
    assert there(tree) == [(4, 4), (0, 0)]
    back = run(lab_of(lab, *burst(1), at="10500ms", rollback=True))["fleets"]["web"]
    assert back["refresh"]["rollback"] == {"started_s": 10.5, "instances": 0, "replaced": 0}
    assert [each["instances"] for each in back["types"]] == [4, 0]


def test_one_that_goes_on_before_or_after_is_none_of_its_business(lab):
    """On from 10 s to 20 s, and from 150 s to 160 s; the refresh is from 25 s to 105 s."""
    result = run(lab_of(lab, *burst(1), *burst(141), at="25s"))["fleets"]["web"]
    assert result["scaling"]["alarms"] == {"busy": {"on": False, "went_on": 2}}
    assert "failed" not in result["refresh"]
    assert [each["instances"] for each in result["types"]] == [0, 4]


def test_of_an_alarm_that_it_does_not_name_it_takes_no_notice(lab):
    tree = lab_of(lab, *burst(31), alarms={"busy": BUSY | {"threshold": 100}, "other": BUSY})
    assert "failed" not in refreshed(tree)
    assert run(tree)["fleets"]["web"]["scaling"]["alarms"]["other"]["went_on"] == 1


@pytest.mark.parametrize(("datapoints", "finished"), [(1, 40.0), (2, 60.0), (3, None)])
def test_it_needs_as_many_datapoints_as_it_is_told(lab, datapoints, finished):
    """Bursts in the fourth and in the sixth of the periods, of which it looks at three."""
    alarms = {"busy": BUSY | {"periods": 3, "datapoints": datapoints}}
    told = refreshed(lab_of(lab, *burst(31), *burst(51), alarms=alarms))
    assert told.get("failed", False) == (finished is not None)
    if finished is not None:
        assert told["finished_s"] == finished


def test_an_alarm_below_its_threshold(lab):
    """Nobody comes from 11 s on: the first datapoint without a request fails it."""
    alarms = {"busy": BUSY | {"threshold": 6, "when": "below"}}
    told = refreshed(lab_of(lab, *burst(1), alarms=alarms, at="15s"))
    assert told["finished_s"] == 20.0


def test_it_changes_no_size(lab):
    """With room to grow, and nothing that says so."""
    tree = lab_of(lab, *burst(31))
    tree["fleets"]["web"]["count"] = {"min": 1, "desired": 4, "max": 8}
    web = run(tree)["fleets"]["web"]
    assert (web["scaling"]["desired"], web["scaling"]["policies"]) == (4, {})


def test_alarms_are_billed_like_those_of_policies(lab):
    tree = lab_of(lab, *burst(31), alarms={"busy": BUSY, "other": BUSY})
    line = run(tree)["cost_usd"]["alarms"]["web"]
    assert line["alarms"] == 2
    assert line["usd"] == pytest.approx(2 * USD_PER_ALARM_MONTH * 200 / 3600 / 730)


def test_a_refresh_that_is_begun_by_hand_looks_at_them_too(lab):
    tree = lab_of(lab, *burst(31))
    del tree["fleets"]["web"]["refresh"]
    sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    sim.advance("10s")
    sim.refresh("web", min_healthy="75%", alarms=["busy"])
    sim.advance("25s")
    again = nph.Simulation.load(sim.save())
    for each in (sim, again):
        each.advance("100s")
    assert sim.result()["fleets.web.refresh.alarm"] == "busy"
    assert sim.result()["fleets.web.refresh.finished_s"] == 40.0
    assert sim.result().fingerprint == again.result().fingerprint
    with pytest.raises(ScenarioError, match="no 'bsy' among the alarms") as told:
        sim.refresh("web", alarms=["bsy"])
    assert told.value.problems[0].path == "fleets.web.refresh.alarms.0"


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"refresh": {"at": "1s", "alarms": ["bsy"]}}, "refresh.alarms.0", "no 'bsy' among"),
        ({"count": 4}, "alarms", "how many instances"),
        ({"alarms": {"busy": BUSY | {"metric": "network"}}}, "alarms.busy.metric", "no step"),
        ({"alarms": {"busy": BUSY | {"metric": "memory"}}}, "alarms.busy.metric", "not a metric"),
        ({"alarms": {"busy": BUSY | {"datapoints": 2}}}, "alarms.busy", "2 of 1 cannot be"),
        (
            {"alarms": {"busy": BUSY | {"metric": "backlog_per_instance", "queue": "jobs"}}},
            "alarms.busy.queue",
            "jobs",
        ),
    ],
)
def test_what_cannot_be_is_told(lab, change, path, words):
    tree = lab_of(lab)
    tree["fleets"]["web"] |= change
    with pytest.raises(ScenarioError, match=words) as told:
        nph.Scenario.model_validate(tree)
    assert f"fleets.web.{path}" in [problem.path for problem in told.value.problems]
