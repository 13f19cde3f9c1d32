"""Several messages in one call: sent, published, put. One test a rule, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import customers, fates, fleet, outcome, run, scenario, work

Tree = dict[str, Any]

FIFO: Tree = {"type": "fifo"}


def calling(lab, step: Tree, *times: float, **keys: Any) -> Tree:
    """A request at each instant, which sends; by default one at 1 s."""
    return scenario(lab.at(*(times or (1,))), work(step), **keys)


def cost(tree: Tree, section: str, name: str) -> Tree:
    return outcome(tree).to_dict()["cost_usd"][section][name]


# --- queues --------------------------------------------------------------------------------------


def test_a_batch_is_so_many_messages(lab):
    step = {"send": {"to": "jobs", "batch": 10}}
    assert run(calling(lab, step, 1, 2, queues={"jobs": {}}))["queues"]["jobs"]["sent"] == 20


def test_each_message_of_a_batch_is_its_own(lab):
    """A FIFO queue that looks for duplicates finds none."""
    step = {"send": {"to": "jobs", "group": "g", "batch": 10}}
    jobs = run(calling(lab, step, 1, 2, queues={"jobs": FIFO}))["queues"]["jobs"]
    assert jobs["sent"] == 20
    assert "deduplicated" not in jobs


def test_a_batch_of_small_messages_is_billed_as_one_request(lab):
    """And by 64 KiB begun of all together: 10 of 10 KiB are two."""
    step = {"send": {"to": "jobs", "batch": 10}}
    assert cost(calling(lab, step, queues={"jobs": {}}), "queues", "jobs")["requests"] == 1
    sized = calling(lab, step, queues={"jobs": {"message_size": "10KiB"}})
    assert cost(sized, "queues", "jobs")["requests"] == 2


def test_a_batch_is_one_call_of_a_fifo_queue(lab):
    """301 calls in a second: 300 get through, ten messages each, and one request fails."""
    step = {"send": {"to": "jobs", "group": "g", "batch": 10}}
    fleets = {"web": fleet(vcpus=1)}
    tree = calling(lab, step, *[1] * 301, queues={"jobs": FIFO}, fleets=fleets)
    assert run(tree)["queues"]["jobs"]["sent"] == 3_000
    assert fates(customers(tree)) == (300, 0, 1, 0, 0)


# --- topics --------------------------------------------------------------------------------------


def test_a_batch_that_is_published_is_billed_as_one_request(lab):
    step = {"publish": {"to": "news", "batch": 10}}
    topics = {"news": {"subscriptions": ["jobs"]}}
    tree = calling(lab, step, 1, 2, queues={"jobs": {}}, topics=topics)
    assert run(tree)["topics"]["news"]["delivered"] == 20
    line = cost(tree, "topics", "news")
    assert (line["published"], line["requests"]) == (20, 2)
    assert line["usd"] == pytest.approx(2 * 0.5 / 1e6, rel=1e-12)
    topics["news"]["message_size"] = "10KiB"
    assert cost(tree, "topics", "news")["requests"] == 4


def test_each_message_of_a_batch_is_published_or_refused_by_itself(lab):
    """Of two batches of ten in a second fifteen are taken: the second request fails."""
    step = {"publish": {"to": "news", "batch": 10}}
    topics = {"news": {"publish_limit": "15/s"}}
    tree = calling(lab, step, 1, 1.5, topics=topics)
    news = run(tree)["topics"]["news"]
    assert (news["published"], news["throttled"]) == (15, 5)
    assert fates(customers(tree)) == (1, 0, 1, 0, 0)


def test_the_messages_of_a_batch_say_something_each(lab):
    """Each is one of several events by itself."""
    event = {"choose": [{"weight": 1, "event": {"a": 1}}, {"weight": 3, "event": {"a": 2}}]}
    step = {"publish": {"to": "news", "batch": 10, "event": event}}
    picked = {"to": "jobs", "filter": {"a": [1]}, "filter_scope": "body"}
    topics = {"news": {"subscriptions": [picked]}}
    times = [1 + i / 10 for i in range(300)]
    tree = calling(lab, step, *times, queues={"jobs": {}}, topics=topics)
    delivered = run(tree)["topics"]["news"]["delivered"]
    # 3,000 at a quarter: 750, with a standard deviation of 23.7.
    assert 632 <= delivered <= 868
    assert delivered % 10


# --- buses ---------------------------------------------------------------------------------------


def test_a_batch_is_one_put_and_throttled_as_a_whole(lab):
    """One put in a second is taken: ten events, and none of the next call."""
    step = {"put": {"to": "bell", "batch": 10, "event": {"a": 1}}}
    tree = calling(lab, step, 1, 1.5, buses={"bell": {"put_limit": "1/s"}})
    bell = run(tree)["buses"]["bell"]
    assert (bell["put"], bell["throttled"]) == (10, 10)
    assert fates(customers(tree)) == (1, 0, 1, 0, 0)


def test_events_are_billed_one_by_one_however_they_come(lab):
    step = {"put": {"to": "bell", "batch": 10, "event": {"a": 1}}}
    assert cost(calling(lab, step, buses={"bell": {}}), "buses", "bell")["usd"] == 10 / 1e6


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "sections"),
    [
        ({"send": {"to": "x", "batch": 3}}, {"queues": {"x": {"message_size": "512KiB"}}}),
        ({"publish": {"to": "x", "batch": 5}}, {"topics": {"x": {"message_size": "256KiB"}}}),
        ({"put": {"to": "x", "batch": 10}}, {"buses": {"x": {"event_size": "110KiB"}}}),
    ],
)
def test_a_batch_is_no_larger_than_a_message_may_be(lab, step, sections):
    (form,) = step
    tree = calling(lab, step, **sections)
    with pytest.raises(ScenarioError, match=f"{form}.batch.*more than a call may hold"):
        nph.Scenario.model_validate(tree)
    step[form]["batch"] -= 1
    nph.Scenario.model_validate(tree)


def test_a_batch_counts_where_messages_lead_to_messages(lab):
    """A service that sends ten to itself now and then must do so less than one time in ten."""
    step = {"send": {"to": "jobs", "batch": 10}}
    steps = [
        {"choose": [{"weight": 1, "steps": [step]}, {"weight": 10, "steps": [{"compute": "1ms"}]}]}
    ]
    keys: Tree = {
        "services": {"worker": {"consumes": {"queue": "jobs"}, "steps": steps}},
        "fleets": {"web": fleet(), "pool": fleet("worker")},
        "queues": {"jobs": {}},
    }
    tree = calling(lab, step, **keys)
    nph.Scenario.model_validate(tree)
    steps[0]["choose"][1]["weight"] = 8
    with pytest.raises(ScenarioError, match="grow without end"):
        nph.Scenario.model_validate(tree)


def test_a_description_says_how_many(lab):
    step = {"send": {"to": "jobs", "batch": 10}}
    tree = calling(lab, step, queues={"jobs": {}})
    assert "send 10 in one call to jobs" in "\n".join(describe(nph.Scenario.model_validate(tree)))
