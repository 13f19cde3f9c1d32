"""Instance refresh: one test a rule, with traces by hand. It looks at its fleet once a second."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, outcome, run, scenario, work

Tree = dict[str, Any]


def lab_of(count: int, refresh: Tree, *, boot: str = "0s", duration: str = "100s", **keys: Any):
    """So many instances behind a balancer, which all are replaced from 10 s on."""
    web = fleet(count=count) | {"boot": boot, "refresh": {"at": "10s"} | refresh}
    web |= keys.pop("web", {})
    traffic = keys.pop("traffic", {"to": "door", "rate": "5/s", "arrivals": "constant"})
    service = keys.pop("service", work({"compute": "10ms"}))
    balancers = {"door": {"targets": ["web"]} | keys.pop("door", {})}
    return scenario(
        traffic, service, fleets={"web": web}, balancers=balancers, duration=duration, **keys
    )


def serving(tree: Tree, until: int = 60) -> list[int]:
    """Instances at the end of each second, from 10 s on: what is due then comes after."""
    _, values = outcome(tree | {"series": "1s"}).series("fleets.web.instances")
    return [int(value) for value in values[9:until]]


def told(tree: Tree) -> tuple[float | None, float | None, int, int]:
    refresh = run(tree)["fleets"]["web"]["refresh"]
    return tuple(refresh[key] for key in ("started_s", "finished_s", "instances", "replaced"))


# --- how many at once -------------------------------------------------------------------------


def test_it_replaces_as_many_at_once_as_may_be_missing():
    # 90 % of 10 are 9: one at a time, each of which takes 2.5 s to boot, seen 3 s after.
    tree = lab_of(10, {}, boot="2.5s")
    assert told(tree) == (10.0, 40.0, 10, 10)
    assert serving(tree, 16) == [10, 9, 9, 10, 9, 9, 10]
    # 50 %: five at a time.
    tree = lab_of(10, {"min_healthy": "50%"}, boot="2.5s")
    assert told(tree) == (10.0, 16.0, 10, 10)
    assert serving(tree, 16) == [10, 5, 5, 10, 5, 5, 10]
    # None has to be there: all at once.
    tree = lab_of(10, {"min_healthy": "0%"}, boot="2.5s")
    assert told(tree) == (10.0, 13.0, 10, 10)
    assert serving(tree, 13) == [10, 0, 0, 10]


def test_the_least_number_is_rounded_up():
    # 90 % of 15 are 13.5, so 14 have to be there.
    assert min(serving(lab_of(15, {}, boot="2.5s"), 30)) == 14


def test_where_all_have_to_be_well_one_leaves_at_a_time():
    # Nothing is said of more than there are: as the provider does, one leaves first.
    tree = lab_of(3, {"min_healthy": "100%"}, boot="2.5s")
    assert serving(tree, 20) == [3, 2, 2, 3, 2, 2, 3, 2, 2, 3, 3]


def test_with_a_greatest_number_of_100_percent_one_is_launched_first():
    tree = lab_of(3, {"min_healthy": "100%", "max_healthy": "100%"}, boot="2.5s")
    # At 13 s the fourth has come: an old one leaves, and the next is launched.
    assert serving(tree, 20) == [3, 3, 3, 4, 3, 3, 4, 3, 3, 4, 3]
    assert told(tree) == (10.0, 20.0, 3, 3)


def test_a_greatest_number_of_100_percent_alone_launches_none_first():
    tree = lab_of(10, {"min_healthy": "90%", "max_healthy": "100%"}, boot="2.5s")
    assert max(serving(tree)) == 10


def test_more_may_be_there_meanwhile():
    # 9 of 10 have to be, 12 may be: one leaves and three come, then three leave at 13 s.
    tree = lab_of(10, {"min_healthy": "90%", "max_healthy": "120%"}, boot="2.5s")
    seen = serving(tree, 40)
    assert seen[:5] == [10, 9, 9, 12, 9]
    assert (min(seen), max(seen)) == (9, 12)
    assert told(tree)[3] == 10


def test_who_has_served_longest_goes_first():
    tree = lab_of(3, {}, boot="2.5s", duration="12s")
    targets = run(tree)["load_balancers"]["door"]["targets"]
    # Two requests a second for two, from 10 s on; before, five for three.
    assert targets["0"]["requests"] < targets["1"]["requests"]


# --- when a new one counts --------------------------------------------------------------------


def test_a_new_one_counts_when_it_has_warmed_up():
    tree = lab_of(3, {"min_healthy": "60%", "warmup": "4s"}, boot="2.5s")
    # 2 of 3 have to be well: one leaves at 10 s, another serves at 12.5 s, is seen at 13 s and
    # counts at 17 s.
    assert serving(tree, 21) == [3, 2, 2, 3, 3, 3, 3, 3, 2, 2, 3, 3]
    assert told(tree) == (10.0, 31.0, 3, 3)


def test_a_new_one_counts_when_its_balancer_finds_it_well():
    check = {"interval": "20s", "timeout": "1s"}
    tree = lab_of(2, {"min_healthy": "100%", "max_healthy": "100%"}, door={"health_check": check})
    seen = serving(tree, 90)
    # It serves at once, and is checked within 20 s; until then none leaves.
    assert seen[1] == 3
    assert set(seen) == {2, 3}
    result = run(tree)
    assert fates(result["traffic"]["customers"])[1:4] == (0, 0, 0)
    assert result["fleets"]["web"]["refresh"]["replaced"] == 2


def test_who_is_not_well_is_replaced_first_and_at_no_cost():
    down = [{"at": "5s", "fail": {"fleet": "web", "count": 2}}]
    tree = lab_of(4, {"min_healthy": "50%"}, boot="2.5s", faults=down)
    # Two are down: they leave at once, and nobody else until the new ones serve.
    assert serving(tree, 13) == [4, 2, 2, 4]
    assert told(tree) == (10.0, 16.0, 4, 4)


# --- checkpoints ------------------------------------------------------------------------------


def test_it_waits_at_checkpoints():
    keys = {"min_healthy": "0%", "checkpoints": ["25%", "100%"], "checkpoint_delay": "20s"}
    tree = lab_of(4, keys, boot="2.5s")
    # One of four; it serves at 12.5 s, seen at 13 s; then 20 s; then the other three.
    assert serving(tree, 37) == [4, 3, 3] + [4] * 21 + [1, 1, 4, 4]
    assert told(tree) == (10.0, 36.0, 4, 4)


def test_it_ends_at_the_last_checkpoint():
    tree = lab_of(4, {"min_healthy": "0%", "checkpoints": ["50%"]}, boot="2.5s")
    assert told(tree) == (10.0, 13.0, 4, 2)


def test_an_hour_is_waited_unless_told():
    keys = {"min_healthy": "0%", "checkpoints": [0.25, 1.0]}
    assert told(lab_of(4, keys, boot="2.5s", duration="2h")) == (10.0, 3616.0, 4, 4)


# --- what becomes of requests -----------------------------------------------------------------


@pytest.mark.parametrize("routing", ["round_robin", "least_connections", "ip_hash", "random"])
def test_no_request_is_lost(routing: str):
    tree = lab_of(
        3,
        {"min_healthy": "100%", "max_healthy": "100%"},
        boot="2.5s",
        service=work({"compute": {"exponential": "400ms"}}),
        door={"routing": routing},
    )
    customers = run(tree)["traffic"]["customers"]
    assert fates(customers)[1:4] == (0, 0, 0)
    assert told(tree)[3] == 3


def test_who_leaves_has_the_deregistration_delay_for_what_it_holds():
    # A request of 20 s begins at 9.8 s; its target leaves at 10 s, and has 5 s.
    long = {"to": "door", "rate": "0.1/s", "arrivals": "constant"}
    tree = lab_of(
        1,
        {"min_healthy": "100%", "max_healthy": "100%", "at": "10.5s"},
        service=work({"compute": "20s"}),
        traffic=long,
        door={"deregistration_delay": "5s"},
        duration="16.6s",
    )
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    tree["load_balancers"]["door"]["deregistration_delay"] = "30s"
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 0, 0, 1)


def test_without_any_other_target_requests_find_none():
    tree = lab_of(1, {"min_healthy": "0%"}, boot="2s")
    # From 10 s to 12 s there is nobody: ten requests of five a second.
    assert fates(run(tree)["traffic"]["customers"])[1] == 10


# --- beside everything else -------------------------------------------------------------------


def test_a_stopped_instance_is_replaced_too():
    web = {"durations": {"stop": "1s", "pending": "0s", "boot": "0s", "terminate": "0s"}}
    tree = lab_of(
        3,
        {"min_healthy": "0%"},
        web=web,
        actions=[{"at": "2s", "stop": {"fleet": "web", "count": 1}}],
    )
    tree["fleets"]["web"].pop("boot")
    assert told(tree) == (10.0, 11.0, 3, 3)
    assert serving(tree, 12) == [2, 3, 3]


def test_it_follows_the_size_of_the_fleet():
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(4, {}, boot="2.5s")), rng=7)
    sim.advance("14s")
    sim.set("fleets.web.count", 2)
    sim.advance("86s")
    web = sim.result().to_dict()["fleets"]["web"]
    assert web["instances"]["final"] == 2
    assert web["refresh"]["replaced"] == 4
    assert web["refresh"]["finished_s"] is not None


def test_a_refresh_that_has_not_ended_is_told():
    tree = lab_of(10, {}, boot="2.5s", duration="20s")
    assert told(tree) == (10.0, None, 10, 4)
    assert any("refresh of fleet web had not ended" in flag for flag in run(tree)["flags"])


def test_an_empty_fleet_is_renewed_at_once():
    assert told(lab_of(0, {})) == (10.0, 10.0, 0, 0)


# --- who is protected, or new already ---------------------------------------------------------


def guarded(refresh: Tree, *, count: int = 4, protected: int = 2, **keys: Any) -> Tree:
    """Some of a fleet are protected from scaling in, and all are to be replaced."""
    web = {"scale_in_protection": protected} | keys.pop("web", {})
    return lab_of(count, {"min_healthy": "0%"} | refresh, boot="2.5s", web=web, **keys)


def test_protected_ones_are_waited_for_an_hour_then_it_fails():
    tree = guarded({}, duration="2h")
    # Two go at 10 s, and others serve at 12.5 s; from 10 s on only protected ones are left.
    assert serving(tree, 14)[:4] == [4, 2, 2, 4]
    assert told(tree) == (10.0, 3610.0, 4, 2)
    result = run(tree)
    assert result["fleets"]["web"]["refresh"]["failed"] is True
    assert "the refresh of fleet web failed: 2 of 4 replaced" in result["flags"]
    assert run(guarded({}, duration="3610s"))["fleets"]["web"]["refresh"]["finished_s"] is None


def test_the_wait_ends_when_nobody_is_protected_any_more():
    """An operator ends one after the other; who comes in their place is new."""
    ends = [{"at": at, "terminate": {"fleet": "web", "count": 1}} for at in ("100s", "2000s")]
    web = run(guarded({}, duration="2h", actions=ends))["fleets"]["web"]
    assert web["refresh"]["replaced"] == 4
    assert "failed" not in web["refresh"]
    assert 2000.0 < web["refresh"]["finished_s"] < 2010.0


def test_protected_ones_are_left_alone_if_told():
    tree = guarded({"scale_in_protected": "ignore"})
    assert told(tree) == (10.0, 13.0, 2, 2)
    assert run(tree)["fleets"]["web"]["membership"]["protected"] == 2


def test_or_replaced_like_all_others():
    tree = guarded({"scale_in_protected": "refresh"})
    assert told(tree) == (10.0, 13.0, 4, 4)
    assert serving(tree, 13) == [4, 0, 0, 4]


def test_no_more_come_first_than_may_go():
    """Two of four may: no third new one is launched for those that are waited for."""
    tree = guarded({"min_healthy": "100%", "max_healthy": "200%"}, duration="60s")
    assert max(serving(tree, 50)) == 6
    assert serving(tree, 50)[-1] == 4


def test_it_fails_after_fourteen_days():
    fortnight = 14 * 86_400.0
    keys = {"checkpoints": ["50%", "100%"], "checkpoint_delay": "20d"}
    traffic = {"to": "door", "rate": "1/h", "arrivals": "constant"}
    tree = lab_of(2, {"min_healthy": "0%"} | keys, traffic=traffic, duration="15d")
    assert told(tree) == (10.0, 10.0 + fortnight, 2, 1)
    assert run(tree)["fleets"]["web"]["refresh"]["failed"] is True


def test_those_that_match_are_skipped():
    """Half of a fleet is of another type already: only the other half is replaced."""
    half = {"min_healthy": "0%", "checkpoints": ["50%"], "to": {"os": "windows"}}
    tree = lab_of(4, half, boot="2.5s", duration="100s")
    sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    sim.advance("30s")
    sim.refresh("web", min_healthy="0%", skip_matching=True)
    sim.advance("70s")
    web = sim.result().to_dict()["fleets"]["web"]
    assert (web["refresh"]["instances"], web["refresh"]["replaced"]) == (2, 2)
    assert [each["launches"] for each in web["types"]] == [4, 4]


def test_the_same_type_once_more_matches_too():
    half = {"min_healthy": "0%", "checkpoints": ["50%"], "to": {"os": "windows"}}
    tree = lab_of(4, half, boot="2.5s", duration="100s")
    sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    sim.advance("30s")
    sim.refresh("web", min_healthy="0%", to={"os": "windows"}, skip_matching=True)
    sim.advance("70s")
    assert sim.result().to_dict()["fleets"]["web"]["refresh"]["instances"] == 2


def test_unless_told_none_is_skipped():
    tree = lab_of(4, {"min_healthy": "0%"}, boot="2.5s")
    assert told(tree)[2:] == (4, 4)
    assert told(lab_of(4, {"min_healthy": "0%", "skip_matching": True}, boot="2.5s"))[2:] == (0, 0)


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"min_healthy": "101%"}, ".min_healthy"),
        ({"min_healthy": "90.5%"}, ".min_healthy"),
        ({"min_healthy": "most"}, ".min_healthy"),
        ({"max_healthy": "99%"}, ".max_healthy"),
        ({"max_healthy": "200%"}, ""),
        ({"checkpoints": ["50%", "20%"]}, ".checkpoints"),
        ({"checkpoints": ["0%"]}, ".checkpoints.0"),
        ({"checkpoint_delay": "1m"}, ""),
        ({"to": {}}, ".to"),
        ({"scale_in_protected": "never"}, ".scale_in_protected"),
        ({"skip_matching": 1}, ".skip_matching"),
        ({"rollback": 1}, ".rollback"),
        ({"rollback": True}, ""),
    ],
)
def test_what_makes_no_sense_is_refused(keys: Tree, where: str):
    tree = lab_of(2, {"min_healthy": "90%"} | keys)
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(tree)
    assert [problem.path for problem in refused.value.problems] == [f"fleets.web.refresh{where}"]
