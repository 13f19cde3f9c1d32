"""What an account may have, and what all its topics and buses take together. One test a rule.

Every number is worked out by hand.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope import catalog
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from nephoscope.scenario.files.document import Document, from_values
from nephoscope.scenario.rules.provider import provider_problems
from semantics.lab import fates, fleet, outcome, run, scenario, simulation

Tree = dict[str, Any]

ALL: Tree = {"pattern": {"a": [1]}, "targets": ["a"]}


def enforced(region: str = "us-east-1") -> Tree:
    return {"provider": {"region": region, "quotas": "enforced"}}


# --- numbers -------------------------------------------------------------------------------------


def buses(count: int) -> Tree:
    return {"buses": {f"b{i}": {} for i in range(count)}}


def pipes(count: int) -> Tree:
    pipe = {"from": "a", "to": "b"}
    return {"queues": {"a": {}, "b": {}}, "pipes": {f"p{i}": pipe for i in range(count)}}


def rules(count: int) -> Tree:
    return {"queues": {"a": {}}, "buses": {"bell": {"rules": {f"r{i}": ALL for i in range(count)}}}}


def pattern(letters: int) -> Tree:
    """`{"a":["xxx"]}` has ten letters beside those of its text."""
    rule = {"pattern": {"a": ["x" * (letters - 10)]}, "targets": ["a"]}
    return {"queues": {"a": {}}, "buses": {"bell": {"rules": {"r": rule}}}}


def kept_pattern(letters: int) -> Tree:
    text = '{"a":["' + "x" * (letters - 10) + '"]}'
    return {"buses": {"bell": {"archive": {"pattern": text}}}}


def policies(count: int) -> Tree:
    """Two hundred of each topic."""
    ends = [{"endpoint": "email", "filter": {"a": ["b"]}}] * count
    parts = [ends[first : first + 200] for first in range(0, count, 200)]
    return {"topics": {f"t{i}": {"subscriptions": part} for i, part in enumerate(parts)}}


def balancers(kind: str) -> Any:
    def made(count: int) -> Tree:
        one = {"type": kind, "targets": ["web"]}
        # One fleet is in no more than fifty.
        fleets = {"web": fleet(), "desk": fleet()}
        others = one | {"targets": ["desk"]}
        return {
            "fleets": fleets,
            "load_balancers": {f"lb{i}": one if i % 2 else others for i in range(count)},
        }

    return made


def targets(count: int) -> Tree:
    fleets = {"web": fleet(count=600), "more": fleet(count={"min": 1, "max": count - 600})}
    return {"fleets": fleets, "load_balancers": {"door": {"targets": ["web", "more"]}}}


def looked_at(count: int) -> Tree:
    return {"load_balancers": {"door": {"targets": ["web"], "rules": count}}}


def groups(count: int) -> Tree:
    return {"fleets": {"web": fleet()} | {f"f{i}": fleet() for i in range(1, count)}}


def scaled(policy: Tree) -> Any:
    def made(count: int) -> Tree:
        return {"fleets": {"web": fleet(count={"min": 1, "max": 2}) | {
            "scaling": [policy] * count}}}  # fmt: skip

    return made


def steps(count: int) -> Tree:
    changes = [[i, i + 1, 1] for i in range(count - 1)] + [[count - 1, "inf", 1]]
    policy = {"step": {"metric": "requests_per_target", "threshold": 100, "steps": changes}}
    return scaled(policy)(1) | {"load_balancers": {"door": {"targets": ["web"]}}}


def in_groups(count: int) -> Tree:
    """Half of the balancers are Classic ones, of which there are few."""
    kinds = ["application"] * 40 + ["network"] * 11
    return {"load_balancers": {
        f"lb{i}": {"type": kinds[i], "targets": ["web"]} for i in range(count)}}  # fmt: skip


def placed(count: int) -> Tree:
    """As many fleets, too."""
    hosts = {"dock": {"count": 1, "type": "m5.metal"}}
    fleets = {"web": fleet()}
    for i in range(count):
        fleets[f"f{i}"] = fleet() | {
            "hosts": "dock", "placement": {"group": f"g{i}", "strategy": "cluster"}}  # fmt: skip
    return {"hosts": hosts, "fleets": fleets}


TRACKING: Tree = {"target_tracking": {"metric": "cpu", "target": 0.5}}
CASES: dict[str, tuple[Any, int, str]] = {
    "buses": (buses, 100, "buses"),
    "pipes": (pipes, 1000, "pipes"),
    "rules_of_a_bus": (rules, 300, "buses.bell.rules"),
    "letters_of_a_pattern": (pattern, 2048, "buses.bell.rules.r.pattern"),
    "letters_of_the_pattern_of_an_archive": (kept_pattern, 2048, "buses.bell.archive.pattern"),
    "application_balancers": (balancers("application"), 50, "load_balancers"),
    "classic_balancers": (balancers("classic"), 20, "load_balancers"),
    "targets_of_a_balancer": (targets, 1000, "load_balancers.door"),
    "rules_of_a_balancer": (looked_at, 100, "load_balancers.door.rules"),
    "scaling_groups": (groups, 500, "fleets"),
    "policies_of_a_group": (scaled(TRACKING), 50, "fleets.web.scaling"),
    "scheduled_actions_of_a_group": (
        scaled({"scheduled": {"cron": "0 9 * * *", "min": 1}}), 125, "fleets.web.scaling"),
    "steps_of_a_policy": (steps, 20, "fleets.web.scaling.0.step.steps"),
    "target_groups_of_a_group": (in_groups, 50, "fleets.web"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_more_than_the_quota_is_refused_with_its_place(lab, name):
    """As many as the quota are taken; without quotas one more is, where no model forbids it."""
    made, most, path = CASES[name]
    nph.Scenario.model_validate(scenario(lab.at(1), **enforced(), **made(most)))
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(scenario(lab.at(1), **enforced(), **made(most + 1)))
    told = {it.path: it for it in caught.value.problems}
    assert list(told) == [path]
    if name != "rules_of_a_bus":  # of which no bus has more in any account
        assert f"at most {most:,} in us-east-1" in told[path].render()
        nph.Scenario.model_validate(scenario(lab.at(1), **made(most + 1)))


@pytest.mark.parametrize(
    ("made", "most", "path"),
    [
        (lambda count: {"topics": {f"t{i}": {} for i in range(count)}}, 100_000, "topics"),
        (policies, 10_000, "topics.t50.subscriptions"),
        (placed, 500, "fleets.f500.placement.group"),
    ],
    ids=["topics", "filter_policies", "placement_groups"],
)
def test_more_than_a_large_quota_is_refused_with_its_place(made, most, path):
    """What is more than that of fleets, or takes long to read, the rule alone looks at."""

    def found(count: int) -> list[str]:
        problems = provider_problems(from_values(enforced() | made(count)))
        return [it.path for it in problems if it.path != "fleets"]

    assert found(most) == []
    assert found(most + 1) == [path]


class Crowd(list[Tree]):
    """A list that says that it is so long, and takes no room."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count


def crowded(count: int, kind: str = "standard") -> Tree:
    return {"topics": {"t": {"type": kind, "subscriptions": Crowd(count)}}}


def timed(count: int, bare: int = 0) -> Tree:
    """Two buses with so many rules that have schedules, and one that has some later."""
    rule, later = {"schedule": "rate(1 hour)"}, {"changes": [{"schedule": "rate(1 hour)"}]}
    first = {f"r{i}": rule for i in range(count // 2)} | {f"b{i}": {} for i in range(bare)}
    rest = {f"r{i}": rule for i in range(count - count // 2 - 1)} | {"later": later}
    return {"buses": {"bell": {"rules": first}, "gong": {"rules": rest}}}


def too_many(tree: Tree, name: str) -> list[tuple[str, str]]:
    """Where there is too much of it, and what is said; the tree is as a file would have it."""
    problems = provider_problems(Document(enforced() | tree))
    return [(it.path, it.message) for it in problems if name in it.message]


def test_a_topic_has_12_500_000_subscriptions_at_most():
    most = 12_500_000
    assert too_many(crowded(most), "subscriptions") == []
    (found,) = too_many(crowded(most + 1), "subscriptions")
    assert found == (
        "topics.t.subscriptions",
        "12,500,001 subscriptions of a topic are more than the quota",
    )
    assert too_many(crowded(most + 1, "fifo"), "subscriptions") == []


def test_an_account_has_a_million_schedules_at_most(monkeypatch):
    """All buses together; rules without one do not count. Looked for at 200, which is read soon."""
    quotas = catalog.quotas("us-east-1")
    assert quotas["schedules"] == 1_000_000
    monkeypatch.setattr(catalog, "quotas", lambda _: quotas | {"schedules": 200})
    assert too_many(timed(200, bare=2), "schedules") == []
    (found,) = too_many(timed(201), "schedules")
    assert found == ("buses.gong.rules", "201 schedules are more than the quota")


def test_rules_of_a_bus_are_fewer_in_some_regions(lab):
    for region in ("af-south-1", "eu-south-1"):
        nph.Scenario.model_validate(scenario(lab.at(1), **enforced(region), **rules(100)))
        with pytest.raises(ScenarioError, match=f"at most 100 in {region}"):
            nph.Scenario.model_validate(scenario(lab.at(1), **enforced(region), **rules(101)))


def test_every_quota_by_number_is_looked_for():
    rates = {row.name for row in catalog.quota_table() if row.name.endswith("_per_second")}
    numbers = {row.name for row in catalog.quota_table()} - rates
    large = {"topics", "filter_policies", "placement_groups"}
    large |= {"subscriptions_of_a_topic", "schedules"}
    large |= {"listeners_of_a_balancer", "target_groups_of_a_balancer"}  # in test_listeners.py
    assert numbers == (set(CASES) - {"letters_of_the_pattern_of_an_archive"}) | large


# --- buses together ------------------------------------------------------------------------------


def ringing(lab, region: str, one: list[float], two: list[float], **bus: Any) -> Tree:
    """Puts on two buses, both with a queue; `bus` is what the first one has beside that."""
    sources = {
        name: lab.at(*times, to=name, event={"a": 1}) for name, times in (("x", one), ("y", two))
    }
    rule = {"rules": {"all": ALL}}
    return scenario(
        {f"to-{name}": source for name, source in sources.items()},
        queues={"a": {}}, buses={"x": rule | bus, "y": rule}, **enforced(region),
    )  # fmt: skip


def test_all_buses_share_the_quota_of_puts(lab):
    """2,400 in a second of us-east-2, of two buses that have 1,300 each."""
    tree = ringing(lab, "us-east-2", [1] * 1300, [1] * 1300)
    told = run(tree)["buses"]
    assert told["x"]["put"] + told["y"]["put"] == 2400
    assert sum(bus.get("throttled", 0) for bus in told.values()) == 200
    without = run(tree | {"provider": {"region": "us-east-2"}})["buses"]
    assert [without[name]["put"] for name in "xy"] == [1300, 1300]


def test_what_a_bus_refuses_by_itself_takes_nothing_from_the_others(lab):
    """Of 2,500 it takes 100, so 2,300 are left in that second."""
    tree = ringing(lab, "us-east-2", [1] * 2500, [1.1] * 2400, put_limit="100/s")
    told = run(tree)["buses"]
    assert [told[name]["put"] for name in "xy"] == [100, 2300]


def test_all_buses_share_the_quota_of_invocations(lab):
    """750 begin in a second of eu-south-1; the other 250 wait for the next and are not lost."""
    tree = ringing(lab, "eu-south-1", [1] * 500, [1] * 500)
    early = run(tree | {"duration": "1999ms"})["buses"]
    assert sum(early[name]["delivered"] for name in "xy") == 750
    told = run(tree)["buses"]
    assert [told[name]["delivered"] for name in "xy"] == [500, 500]
    assert sum(told[name]["delayed"] for name in "xy") == 250


def test_the_limit_of_a_bus_holds_within_that_of_all(lab):
    """It begins ten in a second, and the other bus has room for all the time."""
    tree = ringing(lab, "eu-south-1", [1] * 30, [1] * 500, invocation_limit="10/s")
    early = run(tree | {"duration": "1999ms"})["buses"]
    assert [early[name]["delivered"] for name in "xy"] == [10, 500]
    assert run(tree)["buses"]["x"]["delayed"] == 20


def test_a_replay_is_not_faster_than_the_quota_of_puts(lab):
    """2,400 in the first second, the other 100 in the next."""
    tree = ringing(lab, "us-east-2", [1] * 2400 + [2] * 100, [], archive={})
    tree["traffic"].pop("to-y")
    tree["actions"] = [{"at": "10s", "replay": "x"}]
    early = run(tree | {"duration": "10999ms"})["buses"]["x"]
    assert (early["replayed"], early["replaying"]) == (2400, 100)
    assert run(tree)["buses"]["x"]["replayed"] == 2500


def test_quotas_are_saved_with_the_state(lab):
    tree = ringing(lab, "eu-south-1", [1] * 500, [1] * 500)
    tree["topics"] = {f"t{i}": {} for i in "uv"}
    tree["traffic"] |= {f"to-t{i}": lab.at(*[1.5] * 200, to=f"t{i}") for i in "uv"}
    whole = outcome(tree).fingerprint
    for cut in ("1s", "1600ms"):
        first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
        first.advance(cut)
        again = nph.Simulation.load(first.save())
        again.advance("100s")
        assert again.result().fingerprint == whole


# --- topics --------------------------------------------------------------------------------------


def test_all_standard_topics_share_the_quota_of_publishing(lab):
    """300 in a second of eu-central-1, of two that have 200 each, without a FIFO topic."""
    sources = {name: lab.at(*[1] * 200, to=name) for name in ("x", "y")}
    sources["z"] = lab.at(*[1] * 200, to="z", group="g")
    topics = {"x": {}, "y": {}, "z": {"type": "fifo"}}
    sources = {f"to-{name}": source for name, source in sources.items()}
    told = run(scenario(sources, topics=topics, **enforced("eu-central-1")))
    assert told["topics"]["x"]["published"] + told["topics"]["y"]["published"] == 300
    assert told["topics"]["z"]["published"] == 200
    assert sum(fates(told["traffic"][f"to-{name}"])[1] for name in "xyz") == 100


def fifo(lab, groups: int, each: int, **topic: Any) -> Tree:
    sources = {f"s{i}": lab.at(*[1] * each, to="row", group=f"g{i}") for i in range(groups)}
    return scenario(sources, topics={"row": {"type": "fifo"} | topic}, **enforced())  # fmt: skip


def test_a_fifo_topic_takes_3000_messages_a_second(lab):
    told = run(fifo(lab, 11, 290))["topics"]["row"]
    assert (told["published"], told["throttled"]) == (3000, 190)


def test_a_fifo_topic_takes_20_mb_a_second(lab):
    """200 of 100 kB."""
    told = run(fifo(lab, 1, 250, message_size="100kB"))["topics"]["row"]
    assert (told["published"], told["throttled"]) == (200, 50)


def test_a_group_of_a_fifo_topic_has_300_messages_a_second(lab):
    told = run(fifo(lab, 2, 301))["topics"]["row"]
    assert (told["published"], told["throttled"]) == (600, 2)


def test_a_limit_that_is_told_goes_before_the_quota_of_a_fifo_topic(lab):
    limits = {"publish_limit": "5000/s", "group_publish_limit": "400/s"}
    told = run(fifo(lab, 1, 401, **limits))["topics"]["row"]
    assert (told["published"], told["throttled"]) == (400, 1)


def test_where_quotas_may_refuse_what_is_published_it_may_be_tried_again(lab):
    tree = scenario(lab.at(1, to="news", retry=3), topics={"news": {}})
    with pytest.raises(ScenarioError, match="retry has no effect"):
        nph.Scenario.model_validate(tree)
    nph.Scenario.model_validate(tree | enforced())


# --- queues --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "most"),
    [("us-east-2", 19_000), ("eu-central-1", 19_000), ("us-east-1", 19_600), ("eu-west-1", 19_600)],
)
def test_high_throughput_has_the_calls_of_its_region(lab, region, most):
    """Of 70 groups with 280 calls each, in one second; quotas need not be enforced."""
    once = lab.at(*[1] * 280, to="row")
    sources = {f"s{i}": once | {"group": f"g{i}"} for i in range(70)}
    queues = {"row": {"type": "fifo", "throughput": "high"}}
    tree = scenario(sources, queues=queues, provider={"region": region})
    assert run(tree)["queues"]["row"]["sent"] == most


# --- around it -----------------------------------------------------------------------------------


def test_the_account_is_described(lab):
    tree = scenario(lab.at(1), provider={"region": "eu-west-1", "quotas": "enforced"})
    assert "  in eu-west-1 with its quotas" in list(describe(nph.Scenario.model_validate(tree)))
    tree["provider"] = {"free_tier": True}
    words = list(describe(nph.Scenario.model_validate(tree)))
    assert "  in us-east-1 without quotas, less what is free in a month" in words
    plain = describe(nph.Scenario.model_validate(scenario(lab.at(1))))
    assert not any("us-east-1" in line for line in plain)


@pytest.mark.parametrize(
    ("provider", "path", "words"),
    [
        ({"region": "eu-west-3"}, "provider.region", "did you mean eu-west-1"),
        ({"quotas": "enforce"}, "provider.quotas", "did you mean enforced"),
        ({"used": {"emails": 1}}, "provider", "used without free_tier has no effect"),
        ({"free_tier": True, "used": {"emails": -1}}, "provider.used.emails", "out of range"),
        ({"free_tier": "yes"}, "provider.free_tier", ""),
        ({"regoin": "us-east-1"}, "provider.regoin", "did you mean region"),
    ],
)
def test_mistakes_are_told_with_their_place(lab, provider, path, words):
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(scenario(lab.at(1), provider=provider))
    (problem,) = caught.value.problems
    assert problem.path == path
    assert words in problem.render()


def test_a_stepped_simulation_has_quotas_too(lab):
    tree = ringing(lab, "eu-south-1", [1] * 500, [1] * 500)
    stepped = simulation(tree)
    stepped.advance("1500ms")
    assert stepped.results()["buses.x.pending"] + stepped.results()["buses.y.pending"] == 250
