"""Values are set by their path; a path that leads nowhere is refused with the nearest one."""

import pytest

from nephoscope import Scenario
from nephoscope.errors import ScenarioError
from scenario.breaking import GOOD

SCENARIO = Scenario(**GOOD)


STEPS = "services.page.steps"
LATE_CALL = f"{STEPS}.3.choose.1.steps.0.call"


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("duration", "20m", "20m"),
        ("name", "other", "other"),
        ("fleets.web.count", 7, 7),
        ("fleets.db.instance_type.vcpus", 9, 9),
        ("fleets.web.instance_type", "c5.large", "c5.large"),
        ("load_balancers.front.routing", "ip_hash", {"ip_hash": {}}),
        ("load_balancers.proxy.targets.0.weight", 5, 5.0),
        ("load_balancers.front.targets.0.weight", 5, 5.0),
        ("load_balancers.front.targets.0", "db", {"fleet": "db"}),
        (f"{STEPS}.0.compute.exponential", "3ms", "3ms"),
        (f"{STEPS}.0.compute", "3ms", {"constant": "3ms"}),
        (f"{STEPS}.3.choose.1.weight", 9, 9.0),
        (f"{LATE_CALL}.timeout", "1s", "1s"),
        ("traffic.users.clients", 50, {"count": 50}),
        ("traffic.users.clients.popularity.zipf", 2, 2.0),
        ("traffic.users.rate", "60/m", "1/s"),
        ("traffic.clerks.timeout", "9s", "9s"),
    ],
)
def test_values_are_set_by_their_path(path, value, shown):
    part = SCENARIO.replace({path: value}).model_dump(exclude_unset=True)
    for key in path.split("."):
        part = part[int(key) if isinstance(part, tuple | list) else key]
    assert part == shown
    assert Scenario(**GOOD) == SCENARIO


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("durations", "duration"),
        ("fleet.web.count", "fleets.web.count"),
        ("fleets.wep.count", "fleets.web.count"),
        ("fleets.web.counts", "fleets.web.count"),
        ("traffic.users.clients.popularty.zipf", "traffic.users.clients.popularity.zipf"),
        ("services.page.steps.9.compute", None),
        ("services.page.steps.first.compute", None),
        ("services.page.steps.-1.compute", None),
        ("seed.x", None),
        ("traffic.users.rate.x", None),
        ("", None),
        (".", None),
        ("fleets..count", None),
        ("fleets.new", None),
        ("nephoscope.x.y", None),
    ],
)
def test_paths_that_lead_nowhere(path, nearest):
    with pytest.raises(ScenarioError) as caught:
        SCENARIO.replace({path: 5})
    (problem,) = caught.value.problems
    assert problem.suggestion == nearest
    assert path in problem.path


def test_wrong_values_are_refused_with_the_path():
    with pytest.raises(ScenarioError) as caught:
        SCENARIO.replace({"fleets.web.count": -1, "traffic.users.to": "nobody", "seed": "x"})
    assert {p.path for p in caught.value.problems} == {
        "fleets.web.count",
        "traffic.users.to",
        "seed",
    }


def test_every_unknown_path_is_reported():
    with pytest.raises(ScenarioError) as caught:
        SCENARIO.replace({"fleets.wep.count": 1, "durations": "1h"})
    assert len(caught.value.problems) == 2


def test_what_later_versions_bring_is_refused_by_name():
    with pytest.raises(ScenarioError, match="parallel: not built yet"):
        SCENARIO.replace({"services.page.steps.0.parallel": [[]]})


def test_a_type_of_the_catalogue_is_replaced_as_a_whole():
    named = SCENARIO.replace({"fleets.web.instance_type": "m5.large"})
    assert named.fleets["web"].instance_type.vcpus == 2
    other = named.replace({"fleets.web.instance_type": "c5.xlarge"})
    assert other.fleets["web"].instance_type.vcpus == 4
    other = named.replace({"fleets.web.instance_type.type": "c5.xlarge"})
    assert other.fleets["web"].instance_type.type == "c5.xlarge"
    other = named.replace({"fleets.web.instance_type": {"vcpus": 3}})
    assert other.fleets["web"].instance_type.type is None
    with pytest.raises(ScenarioError, match=r"m5\.large brings its own vcpus") as caught:
        named.replace({"fleets.web.instance_type.vcpus": 4})
    (problem,) = caught.value.problems
    assert problem.path == "fleets.web.instance_type"
    assert problem.allowed.startswith("m5.large alone")


def test_none_takes_a_key_away():
    assert SCENARIO.replace({"fleets.web.count": None}).fleets["web"].count == 1


def test_lines_of_what_was_not_replaced_stay_known(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(
        "nephoscope: 1\nduration: 1m\nwarmup: 30s\n"
        "services: {page: {steps: [{compute: 1ms}]}}\nfleets: {web: {service: page}}\n"
        "traffic: {users: {to: web, rate: 1/s}}\n"
    )
    scenario = Scenario.load(file)
    with pytest.raises(ScenarioError) as caught:
        scenario.replace({"duration": "10s"})
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("warmup", 3)
    with pytest.raises(ScenarioError) as caught:
        scenario.replace({"duration": "10"})
    assert caught.value.problems[0].line is None


def test_none_removes_a_key():
    timed = SCENARIO.replace({"traffic.clerks.timeout": "9s"})
    bare = timed.replace({"traffic.clerks.timeout": None})
    assert timed.traffic["clerks"].timeout is not None
    assert bare.traffic["clerks"].timeout is None
    assert "timeout" not in bare.to_dict()["traffic"]["clerks"]


def test_none_of_what_is_not_there_changes_nothing():
    assert "retry" not in SCENARIO.to_dict()["traffic"]["clerks"]
    assert SCENARIO.replace({"traffic.clerks.retry.budget": None}).to_dict() == SCENARIO.to_dict()
    with pytest.raises(ScenarioError, match=r"did you mean traffic\.clerks\.retry\.budget"):
        SCENARIO.replace({"traffic.clerks.retry.budgt": None})


def test_none_removes_no_element_and_nothing_that_is_needed():
    with pytest.raises(ScenarioError, match="is not a mapping"):
        SCENARIO.replace({f"{STEPS}.0": None})
    with pytest.raises(ScenarioError, match="missing"):
        SCENARIO.replace({"traffic.clerks.to": None})
