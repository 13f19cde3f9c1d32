"""Refreshes that fail and are rolled back: one test a rule, with traces by hand.

A fleet of two types: of the first there are four, of which some are protected and waited for, so
that a refresh to the second fails an hour after nothing else was left to replace.
"""

from __future__ import annotations

from typing import Any

import nephoscope as nph
from semantics.lab import fates, fleet, outcome, run, scenario, work

Tree = dict[str, Any]

FAST = {"instance_type": {"vcpus": 1, "memory": "1GiB", "speed": 2.0}}


def lab_of(refresh: Tree, *, protected: int = 2, duration: str = "2h", **keys: Any) -> Tree:
    """Four instances behind a balancer, which are to be of another type from 10 s on."""
    renewed = {"at": "10s", "min_healthy": "0%", "to": FAST, "rollback": True} | refresh
    web = fleet(count=4) | {"boot": "2.5s", "refresh": renewed, "scale_in_protection": protected}
    return scenario(
        {"to": "door", "rate": "0.1/s", "arrivals": "constant"},
        work({"compute": "10ms"}),
        fleets={"web": web | keys.pop("web", {})},
        balancers={"door": {"targets": ["web"]}},
        duration=duration,
        **keys,
    )


def web_of(tree: Tree) -> Tree:
    return run(tree)["fleets"]["web"]


def serving(tree: Tree, since: int, until: int) -> list[int]:
    """Instances at the ends of these seconds."""
    _, values = outcome(tree | {"series": "1s"}).series("fleets.web.instances")
    return [int(value) for value in values[since - 1 : until]]


def there(web: Tree) -> list[tuple[int, int]]:
    return [(each["launches"], each["instances"]) for each in web["types"]]


def test_what_was_replaced_is_replaced_by_what_was_before():
    # Two are replaced at 10 s. At 3610 s the refresh fails, and others serve 2.5 s later.
    web = web_of(lab_of({}))
    assert web["refresh"] == {
        "started_s": 10.0,
        "finished_s": 3613.0,
        "instances": 4,
        "replaced": 2,
        "failed": True,
        "rollback": {"started_s": 3610.0, "instances": 2, "replaced": 2},
    }
    assert there(web) == [(6, 4), (2, 0)]
    assert serving(lab_of({}), 3610, 3614) == [4, 2, 2, 4, 4]


def test_unless_told_what_was_replaced_stays_so():
    web = web_of(lab_of({"rollback": False}))
    assert (web["refresh"]["finished_s"], "rollback" in web["refresh"]) == (3610.0, False)
    assert there(web) == [(4, 2), (2, 2)]


def test_one_that_does_not_fail_is_not_rolled_back():
    web = web_of(lab_of({"scale_in_protected": "refresh"}, duration="100s"))
    assert "failed" not in web["refresh"]
    assert there(web) == [(4, 0), (4, 4)]


def test_it_keeps_to_the_same_bounds():
    # Three of four have to be well, and a new one when it has warmed up for 4 s: it serves 2.5 s
    # after its launch, is seen at the next second, and counts 4 s later.
    tree = lab_of({"min_healthy": "75%", "warmup": "4s"})
    assert web_of(tree)["refresh"]["rollback"]["started_s"] == 3617.0
    assert serving(tree, 3617, 3632) == [4, 3, 3, 4, 4, 4, 4, 4, 3, 3, 4, 4, 4, 4, 4, 4]
    assert web_of(tree)["refresh"]["finished_s"] == 3631.0
    # One comes first where nobody may be missing.
    tree = lab_of({"min_healthy": "100%", "max_healthy": "100%"}, protected=3)
    seen = serving(tree, 3600, 3660)
    assert (min(seen), max(seen)) == (4, 5)
    assert there(web_of(tree)) == [(5, 4), (1, 0)]


def test_no_checkpoint_holds_it_up():
    keys = {"checkpoints": ["25%", "50%", "100%"], "checkpoint_delay": "10m"}
    rollback = web_of(lab_of(keys, duration="3h"))["refresh"]["rollback"]
    assert (rollback["instances"], rollback["replaced"]) == (2, 2)
    assert web_of(lab_of(keys, duration="3h"))["refresh"]["finished_s"] == (
        rollback["started_s"] + 3.0
    )


def test_no_request_is_lost():
    tree = lab_of({"min_healthy": "75%"})
    assert fates(run(tree)["traffic"]["customers"])[1:4] == (0, 0, 0)


def test_what_has_not_booted_goes_at_once():
    """Nothing passes the hook, so both rounds fail, after 14 days each."""
    hook = {"hooks": {"launch": {"duration": "3h", "timeout": "2h"}}}
    tree = lab_of({}, protected=0, duration="29d", web=hook)
    tree["traffic"]["customers"]["rate"] = "1/h"
    fortnight = 14 * 86_400.0
    result = run(tree)
    web = result["fleets"]["web"]
    assert web["refresh"]["finished_s"] == 10.0 + 2 * fortnight
    rollback = {"started_s": 10.0 + fortnight, "instances": 4, "replaced": 4, "failed": True}
    assert web["refresh"]["rollback"] == rollback
    assert "the refresh of fleet web failed: 4 of 4 replaced" in result["flags"]
    assert "the roll-back of fleet web failed: 4 of 4 replaced" in result["flags"]
    # What tries since then is of the first type again.
    first, second = (each["launches"] for each in web["types"])
    assert first - 4 > second > 4


def test_a_roll_back_that_has_not_ended_is_told():
    flags = run(lab_of({}, duration="3612s"))["flags"]
    assert "the refresh of fleet web failed: 2 of 4 replaced" in flags
    assert "the roll-back of fleet web had not ended: 2 of 2 replaced" in flags


def test_what_is_launched_later_is_of_the_type_of_before():
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of({})), rng=7)
    sim.advance("3620s")
    sim.set("fleets.web.count", 6)
    sim.advance("10s")
    assert there(sim.result()["fleets.web"]) == [(8, 6), (2, 0)]
    # And so is what another refresh says nothing of: it is Windows on the first type.
    sim.refresh("web", min_healthy="0%", scale_in_protected="refresh", to={"os": "windows"})
    sim.advance("10s")
    assert [each["os"] for each in sim.result()["fleets.web.types"]] == ["linux"] * 2 + ["windows"]
    again = nph.Simulation.load(sim.save())
    for each in (sim, again):
        each.advance("100s")
    assert sim.result().fingerprint == again.result().fingerprint
    speeds = [make.instance_type.speed for make in again._steering.makes()["web"]]
    assert speeds == [1.0, 2.0, 1.0]


def test_saved_in_the_midst_of_it_goes_on_as_it_would_have():
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of({"min_healthy": "75%"})), rng=7)
    sim.advance("3611s")
    again = nph.Simulation.load(sim.save())
    for each in (sim, again):
        each.advance("589s")
    assert sim.result().fingerprint == again.result().fingerprint
    assert sim.result()["fleets.web.refresh.rollback.replaced"] == 2
