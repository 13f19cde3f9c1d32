"""Topics that hold back: quotas of publishing, throttled endpoints, sizes. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fates, fleet, outcome, run, scenario, simulation, work
from semantics.test_topics import counts, shouting, told

Tree = dict[str, Any]

QUICK = work({"compute": "1ms"}, concurrency=1)


# --- quotas of publishing ------------------------------------------------------------------------


def test_what_is_published_beyond_the_quota_is_rejected(lab):
    """Two in each second of the clock: of three at 1 s one is too many, at 2 s there is room."""
    topic = {"publish_limit": "2/s"}
    times = (1, 1.2, 1.9, 2)
    tree = shouting(lab.at(*times, to="ready"), "a", topic=topic, queues={"a": {}})
    assert counts(told(tree), "published", "throttled", "delivered") == (3, 1, 3)
    assert fates(run(tree)["traffic"]["customers"]) == (3, 1, 0, 0, 0)


def test_a_topic_without_a_quota_takes_everything(lab):
    tree = shouting(lab.at(*[1] * 20, to="ready"), "a", queues={"a": {}})
    assert told(tree)["published"] == 20
    assert "throttled" not in told(tree)


def test_a_step_whose_message_is_throttled_fails_its_request(lab):
    services = {"tell": work({"publish": "ready"}, {"compute": "1ms"}, concurrency=2)}
    fleets = {"web": fleet(), "desk": fleet("tell")}
    tree = shouting(
        lab.at(1, 1.1, 2, to="desk"), "a", topic={"publish_limit": "1/s"},
        services=services, fleets=fleets, queues={"a": {}},
    )  # fmt: skip
    assert counts(told(tree), "published", "throttled") == (2, 1)
    assert fates(run(tree)["traffic"]["customers"]) == (2, 0, 1, 0, 0)


def test_who_was_throttled_may_try_again(lab):
    """Refused at 1.1 s, taken at 2.1 s."""
    retry = {"attempts": 3, "backoff": {"fixed": "1s"}, "jitter": "none"}
    tree = shouting(
        lab.at(1, 1.1, to="ready", retry=retry), "a", topic={"publish_limit": "1/s"},
        queues={"a": {}},
    )  # fmt: skip
    assert counts(told(tree), "published", "throttled") == (2, 1)
    source = run(tree)["traffic"]["customers"]
    assert (source["completed"], source["retries"]) == (2, 1)


def test_a_fifo_topic_has_a_quota_too(lab):
    topic = {"type": "fifo", "publish_limit": "1/s"}
    source = lab.at(1, 1.5, to="ready", group="g")
    tree = shouting(source, "a", topic=topic, queues={"a": {"type": "fifo"}})
    assert counts(told(tree), "published", "throttled") == (1, 1)


def test_a_bus_tries_again_what_a_topic_throttled(lab):
    """Both events come at 1 s; one is refused and tried again a second later."""
    buses = {"bell": {"rules": {"all": {"pattern": {"a": [{"exists": True}]}, "targets": [
        {"to": "ready", "retry": {"attempts": 3, "jitter": "none"}}]}}}}  # fmt: skip
    source = lab.at(1, 1, to="bell", event={"a": 1})
    tree = shouting(source, "a", topic={"publish_limit": "1/s"}, buses=buses, queues={"a": {}})
    assert counts(told(tree), "published", "throttled") == (2, 1)
    bell = run(tree)["buses"]["bell"]
    assert counts(bell, "delivered", "retried") == (2, 1)


# --- throttled endpoints -------------------------------------------------------------------------


def slow(lab, *times: float, **keys: Any) -> Tree:
    return shouting(lab.at(*times, to="ready"), {"to": "web"} | keys, service=QUICK)


def test_attempts_beyond_the_rate_wait_and_are_not_lost(lab):
    """Five at 1 s, two in each second: at 1, 1, 2, 2 and 3 s."""
    tree = slow(lab, *[1] * 5, max_receives_per_second=2)
    done = [told(tree | {"duration": f"{until}s"})["delivered"] for until in (1.5, 2.5, 3.5)]
    assert done == [2, 4, 5]
    assert counts(told(tree), "published", "delivered", "delayed", "dropped") == (5, 5, 3, 0)
    assert told(tree)["subscriptions"]["0"]["delayed"] == 3


def test_waiting_is_no_attempt(lab):
    """What waits is tried for the first time when its turn comes: nothing is retried."""
    assert told(slow(lab, *[1] * 5, max_receives_per_second=1))["retried"] == 0


def test_retries_are_throttled_as_first_attempts_are(lab):
    """Of two at 1 s the second has its turn at 2 s; a retry 20 s after each has a second alone."""
    broken = work({"compute": "1ms"}, {"fail": 1.0}, concurrency=2)
    retry = {"retries": 1, "min_delay": "20s"}
    hears = {"to": "web", "retry": retry, "max_receives_per_second": 1}
    tree = shouting(lab.at(1, 2, to="ready"), hears, service=broken)
    assert counts(told(tree), "retried", "dropped", "delayed") == (2, 2, 0)
    together = shouting(lab.at(1, 1, to="ready"), hears, service=broken)
    assert counts(told(together), "retried", "dropped", "delayed") == (2, 2, 1)


def test_each_subscription_has_a_rate_of_its_own(lab):
    fleets = {"web": fleet(), "others": fleet()}
    held = {"to": "web", "max_receives_per_second": 1}
    tree = shouting(lab.at(1, 1, 1, to="ready"), held, "others", service=QUICK, fleets=fleets)
    early = told(tree | {"duration": "1500ms"})["subscriptions"]
    assert [early[i]["delivered"] for i in "01"] == [1, 3]


def test_the_rate_of_a_topic_is_that_of_endpoints_without_one(lab):
    """A subscription's own beats it."""
    fleets = {"web": fleet(), "others": fleet()}
    own = {"to": "others", "max_receives_per_second": 2}
    tree = shouting(
        lab.at(1, 1, 1, to="ready"), "web", own, "a", service=QUICK, fleets=fleets,
        topic={"max_receives_per_second": 1}, queues={"a": {}},
    )  # fmt: skip
    early = told(tree | {"duration": "1500ms"})["subscriptions"]
    assert [early[i]["delivered"] for i in "012"] == [1, 2, 3]


def test_what_waits_for_its_turn_is_saved_with_the_state(lab):
    tree = slow(lab, *[1] * 9, max_receives_per_second=2)
    tree["topics"]["ready"]["publish_limit"] = "8/s"
    whole = outcome(tree)
    first = simulation(tree)
    first.advance("2500ms")
    assert first.results()["topics.ready.pending"] == 4
    second = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    second.advance("2500ms")
    again = nph.Simulation.load(second.save())
    again.advance("97500ms")
    assert again.result().fingerprint == whole.fingerprint
    assert counts(told(tree), "throttled", "delivered", "delayed") == (1, 8, 6)


# --- sizes and what they cost --------------------------------------------------------------------


def test_publishing_is_billed_by_64_kib(lab):
    """100 KiB are two requests: three messages at 2 x $0.50 a million."""
    tree = shouting(
        lab.at(1, 2, 3, to="ready"), "a", topic={"message_size": "100KiB"}, queues={"a": {}}
    )
    line = run(tree)["cost_usd"]["topics"]["ready"]
    assert (line["published"], line["requests"]) == (3, 6)
    assert line["usd"] == pytest.approx(6 * 0.5e-6)
    tree["topics"]["ready"]["message_size"] = "64KiB"
    assert run(tree)["cost_usd"]["topics"]["ready"]["requests"] == 3


def test_a_fifo_topic_is_billed_by_the_gb_too(lab):
    """$0.30 a million chunks and $0.017 a GB in; $0.01 a million and $0.001 a GB out."""
    tree = shouting(
        lab.at(1, 2, to="ready", group="g"), "a",
        topic={"type": "fifo", "message_size": "100000B"}, queues={"a": {"type": "fifo"}},
    )  # fmt: skip
    line = run(tree)["cost_usd"]["topics"]["ready"]
    assert line["gb"] == pytest.approx(2e-4)
    usd = 4 * 0.30e-6 + 2e-4 * 0.017 + 2 * 0.01e-6 + 2e-4 * 0.001
    assert line["usd"] == pytest.approx(usd)


def test_filters_of_bodies_are_billed_by_the_gb(lab):
    """Two messages of 1,000 bytes are looked at for one subscription; attributes are free."""
    by_body = {"to": "a", "filter": {"x": [1]}, "filter_scope": "body"}
    by_attributes = {"to": "b", "filter": {"x": ["y"]}}
    tree = shouting(
        lab.at(1, 2, to="ready", event={"x": 2}), by_body, by_attributes,
        topic={"message_size": "1000B"}, queues={"a": {}, "b": {}},
    )  # fmt: skip
    line = run(tree)["cost_usd"]["topics"]["ready"]
    assert line["scanned_gb"] == pytest.approx(2e-6)
    assert line["usd"] == pytest.approx(2 * 0.5e-6 + 2e-6 * 0.09)


def test_puts_and_archives_are_billed_by_size(lab):
    """Of 65 KiB each event is two; three are archived at $0.10 a GB, held and put again."""
    bus = {"event_size": "65KiB", "archive": {}, "rules": {"all": {
        "pattern": {"a": [1]}, "targets": ["a"]}}}  # fmt: skip
    tree = scenario(
        lab.at(1, 2, 3, to="bell", event={"a": 1}), buses={"bell": bus}, queues={"a": {}},
        actions=[{"at": "60s", "replay": "bell"}],
    )  # fmt: skip
    line = run(tree)["cost_usd"]["buses"]["bell"]
    assert (line["put"], line["replayed"], line["requests"]) == (3, 3, 12)
    assert line["archived_gb"] == pytest.approx(3 * 65 * 1024 / 1e9)
    held = (99 + 98 + 97) * 65 * 1024 / 1e9 / (730 * 3600) * 0.023
    assert line["usd"] == pytest.approx(12e-6 + 3 * 65 * 1024 / 1e9 * 0.10 + held)


# --- around it -----------------------------------------------------------------------------------


def test_series_tell_what_is_pending(lab):
    """One of five is taken at 1, 2, 3, ... s; looked at 1.5, 3, 4.5 and 6 s, before what comes."""
    tree = slow(lab, *[1] * 5, max_receives_per_second=1)
    result = outcome(tree | {"duration": "6s", "series": "1500ms"})
    assert result.series("topics.ready.pending")[1].tolist() == [4, 3, 1, 0]


def test_limits_are_described(lab):
    tree = slow(lab, 1, max_receives_per_second=7)
    tree["topics"]["ready"]["publish_limit"] = "9/s"
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert (
        "ready: standard, at most 9/s messages, to web, 3 retries, at most 7 in a second" in words
    )


@pytest.mark.parametrize(
    ("topic", "subscription", "path", "words"),
    [
        ({"publish_limit": "0.5/s"}, "a", ".publish_limit", "no whole number of messages"),
        ({"publish_limit": 5}, "a", ".publish_limit", ""),
        ({"message_size": "2MiB"}, "a", ".message_size", "is out of range"),
        ({"message_size": "300KiB"}, "web", ".subscriptions.0", "of more than 256KiB"),
        ({}, {"to": "a", "max_receives_per_second": 5}, ".subscriptions.0.max_receives_per_second",
         "has no effect"),
        ({}, {"to": "web", "max_receives_per_second": 0},
         ".subscriptions.0.max_receives_per_second", "is out of range"),
        ({"type": "fifo", "max_receives_per_second": 5}, "row", "", "no endpoints of HTTP"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(lab, topic, subscription, path, words):
    source = lab.at(1, to="ready", **({"group": "g"} if "type" in topic else {}))
    queues: Tree = {"a": {}, "row": {"type": "fifo"}}
    tree = shouting(source, subscription, topic=topic, queues=queues)
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    found = [it for it in caught.value.problems if it.path == f"topics.ready{path}"]
    assert [words in it.render() for it in found][:1] == [True], caught.value.problems


def test_only_where_messages_are_refused_is_there_anything_to_try_again(lab):
    source = lab.at(1, to="ready", retry=3)
    tree = shouting(source, "a", queues={"a": {}})
    with pytest.raises(ScenarioError, match="retry has no effect"):
        nph.Scenario.model_validate(tree)
    tree["topics"]["ready"]["publish_limit"] = "5/s"
    nph.Scenario.model_validate(tree)
    tree["traffic"]["customers"]["timeout"] = "1s"
    with pytest.raises(ScenarioError, match="timeout has no effect: ready answers at once"):
        nph.Scenario.model_validate(tree)


# --- groups --------------------------------------------------------------------------------------


def test_a_group_of_a_fifo_topic_has_a_quota(lab):
    """Two of each group in a second, whatever the others do."""
    topic = {"type": "fifo", "group_publish_limit": "2/s"}
    sources = {
        "one": lab.at(1, 1.1, 1.2, 2, to="ready", group="one"),
        "other": lab.at(1, 1.9, to="ready", group="other"),
    }
    tree = shouting(sources, "a", topic=topic, queues={"a": {"type": "fifo"}})
    assert counts(told(tree), "published", "throttled") == (5, 1)
    assert run(tree)["traffic"]["one"]["rejected"] == 1
