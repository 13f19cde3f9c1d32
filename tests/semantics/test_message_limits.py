"""The documented limits of topics and buses: the last that is taken, the first that is refused."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import scenario

Tree = dict[str, Any]

ANY: Tree = {"a": [{"exists": True}]}
FIVE, SIX = ({key: ["x"] for key in keys} for keys in ("abcde", "abcdef"))


def named(count: int, kind: str = "standard") -> Tree:
    return {f"q{i}": {"type": kind} for i in range(count)}


def topic(count: int, **keys: Any) -> Tree:
    """One with so many queues that have subscribed."""
    kind = keys.get("type", "standard")
    policy = keys.pop("policy", {})
    subscriptions = [{"to": name} | policy for name in named(count)]
    return {
        "queues": named(count, kind),
        "topics": {"news": {"subscriptions": subscriptions} | keys},
    }


def bus(*, rules: int = 1, targets: int = 1, **target: Any) -> Tree:
    names = list(named(targets))
    rule = {"pattern": ANY, "targets": [{"to": name} | target for name in names]}
    return {
        "queues": named(targets),
        "buses": {"bell": {"rules": {f"r{i}": rule for i in range(rules)}}},
    }


def constant(letters: int) -> Tree:
    return {"input": {"constant": "x" * letters}}


@pytest.mark.parametrize(
    ("taken", "refused", "words"),
    [
        (topic(100, type="fifo"), topic(101, type="fifo"), "101 subscriptions of a FIFO topic"),
        (topic(200, policy={"filter": {"a": ["b"]}}), topic(201, policy={"filter": {"a": ["b"]}}),
         "too many filter policies"),
        (topic(100, message_size="257KiB"), topic(101, message_size="257KiB"),
         "too many for large messages"),
        (topic(101, message_size="256KiB"), topic(1, message_size="1048577B"), "is out of range"),
        (topic(1, policy={"filter": FIVE}),
         topic(1, policy={"filter": SIX}), "6 keys"),
        (bus(rules=300), bus(rules=301), "301 rules are too many"),
        (bus(targets=5), bus(targets=6), "6 targets are too many"),
        (bus(retry={"attempts": 185, "age": "24h"}), bus(retry={"attempts": 186}), "range"),
        (bus(retry={"age": "60s"}), bus(retry={"age": "59s"}), "range"),
        (bus(retry={"age": "86400s"}), bus(retry={"age": "86401s"}), "range"),
        (bus(**constant(8192)), bus(**constant(8193)), "too long an input"),
    ],
)  # fmt: skip
def test_up_to_the_limit_and_no_further(lab, taken, refused, words):
    nph.Scenario.model_validate(scenario(lab.at(1), **taken))
    with pytest.raises(ScenarioError, match=words):
        nph.Scenario.model_validate(scenario(lab.at(1), **refused))


def test_dead_letters_of_a_bus_go_to_standard_queues_alone(lab):
    """And those of a topic to one of the type of the queue that subscribes."""
    letters: Tree = {"lost": {}, "row": {"type": "fifo"}}
    taken = bus(dead_letter="lost")
    taken["queues"] |= letters
    nph.Scenario.model_validate(scenario(lab.at(1), **taken))
    refused = bus(dead_letter="row")
    refused["queues"] |= letters
    with pytest.raises(ScenarioError, match="row is not of the right type"):
        nph.Scenario.model_validate(scenario(lab.at(1), **refused))
    for kind, right, wrong in (("standard", "lost", "row"), ("fifo", "row", "lost")):
        for name in (right, wrong):
            tree = topic(1, type=kind, policy={"dead_letter": name})
            tree["queues"] |= letters
            tree = scenario(lab.at(1), **tree)
            if name == right:
                nph.Scenario.model_validate(tree)
            else:
                with pytest.raises(ScenarioError, match=f"{wrong} is not of the right type"):
                    nph.Scenario.model_validate(tree)


# --- one by one ------------------------------------------------------------------------------


def refused(tree: Tree, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        nph.Scenario.model_validate(tree)


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ({"retries": 100, "min_delay": "1s"}, {"retries": 101, "min_delay": "1s"}, "out of range"),
        ({"min_delay": "1s"}, {"min_delay": "999ms"}, "out of range"),
        (
            {"retries": 1, "min_delay": "3600s", "max_delay": "3600s"},
            {"retries": 1, "min_delay": "3601s", "max_delay": "3601s"},
            "out of range",
        ),
        (
            {"retries": 60, "min_delay": "60s", "max_delay": "60s"},
            {"retries": 61, "min_delay": "60s", "max_delay": "60s"},
            "waits come to",
        ),
        ({"retries": 3, "immediate": 3}, {"retries": 3, "immediate": 4}, "more than 3 in all"),
    ],
)  # fmt: skip
def test_a_policy_of_retries_has_at_most_100_of_them_within_an_hour(lab, good, bad, words):
    """Waits are 1 s to 3,600 s each, and come to 3,600 s in all."""

    def tree(retry: Tree) -> Tree:
        topics = {"news": {"subscriptions": [{"to": "web", "retry": retry}]}}
        return scenario(lab.at(1), topics=topics)

    nph.Scenario.model_validate(tree(good))
    refused(tree(bad), words)


@pytest.mark.parametrize(("step", "section"), [("send", "q"), ("publish", "t"), ("put", "b")])
def test_a_call_has_ten_entries_at_most(lab, step, section):
    parts: Tree = {"queues": {"q": {}}, "topics": {"t": {}}, "buses": {"b": {}}}
    for batch in (10, 11):
        service: Tree = {"steps": [{step: {"to": section, "batch": batch}}]}
        tree = scenario(lab.at(1), service, **parts)
        if batch == 10:
            nph.Scenario.model_validate(tree)
        else:
            refused(tree, "is out of range")


def test_constant_path_and_transformer_exclude_each_other(lab):
    both = {"constant": "x", "path": "$.detail"}
    refused(scenario(lab.at(1), **bus(input=both)), "constant.*path")


def test_a_fifo_target_needs_a_group(lab):
    """Whether it is one of a bus, or what a source or a step sends, publishes or puts."""
    tree = bus()
    tree["queues"]["q0"] = {"type": "fifo"}
    refused(scenario(lab.at(1), **tree), "group is missing")
    refused(scenario(lab.at(1, to="q0"), queues={"q0": {"type": "fifo"}}), "group is missing")
    refused(scenario(lab.at(1, to="t"), topics={"t": {"type": "fifo"}}), "group is missing")


def test_only_queues_subscribe_to_a_fifo_topic(lab):
    """Neither endpoints of HTTP nor mail, text messages, push or Firehose."""
    sms = {"endpoint": "sms", "usd_per_message": 0.01}
    for end in ("web", {"endpoint": "email"}, sms, {"endpoint": "firehose"}):
        topics = {"t": {"type": "fifo", "subscriptions": [end]}}
        refused(scenario(lab.at(1), topics=topics), "only queues subscribe to a FIFO topic")


def test_a_fifo_queue_does_not_subscribe_to_a_standard_topic(lab):
    tree = topic(1)
    tree["queues"]["q0"] = {"type": "fifo"}
    refused(scenario(lab.at(1), **tree), "the topic is not a FIFO topic")


def test_the_name_of_a_queue_has_80_letters_at_most(lab):
    """Of names in scenarios 64 are taken, which leaves room for `.fifo`."""
    most = 64
    assert most + len(".fifo") <= 80
    nph.Scenario.model_validate(scenario(lab.at(1), queues={"q" * most: {"type": "fifo"}}))
    refused(scenario(lab.at(1), queues={"q" * (most + 1): {}}), "is not allowed here")


def test_a_message_has_ten_attributes_at_most(lab):
    """Whether a source or a step says it, or one of several that it may be."""
    ten, eleven = ({f"a{i}": i for i in range(count)} for count in (10, 11))
    words = "11 attributes are too many"
    parts: Tree = {"queues": {"q": {}}, "topics": {"t": {}}}

    def chosen(attributes: Tree) -> Tree:
        return {"choose": [{"weight": 1, "event": {}, "attributes": attributes}]}

    for step, to in (("send", "q"), ("publish", "t")):
        tell = [{"steps": [{step: {"to": to, "attributes": it}}]} for it in (ten, eleven)]
        nph.Scenario.model_validate(scenario(lab.at(1), tell[0], **parts))
        refused(scenario(lab.at(1), tell[1], **parts), words)
    nph.Scenario.model_validate(scenario(lab.at(1, to="t", attributes=ten), **parts))
    refused(scenario(lab.at(1, to="t", attributes=eleven), **parts), words)
    nph.Scenario.model_validate(scenario(lab.at(1, to="t", event=chosen(ten)), **parts))
    refused(scenario(lab.at(1, to="t", event=chosen(eleven)), **parts), words)
    rows = lab.at(1, to="t")
    rows["arrivals"]["trace"]["attributes"] = dict.fromkeys(eleven, "value")
    refused(scenario(rows, **parts), words)


def test_attributes_count_for_the_size_of_a_message(lab):
    """Their names, types and values: 1 + 6 + 9 bytes beside a body of 12."""
    most: Tree = {"event": {"kind": "x"}, "attributes": {"a": "nine tens"}}
    more = most | {"attributes": {"a": "nine tens."}}
    for section, to, form in (("queues", "q", "send"), ("topics", "t", "publish")):
        parts: Tree = {section: {to: {"message_size": "28B"}}}
        words = f"29 bytes with attributes are more than a message of {to} has"
        nph.Scenario.model_validate(scenario(lab.at(1, to=to, **most), **parts))
        refused(scenario(lab.at(1, to=to, **more), **parts), words)
        steps = [{"steps": [{form: {"to": to, **said}}]} for said in (most, more)]
        nph.Scenario.model_validate(scenario(lab.at(1), steps[0], **parts))
        refused(scenario(lab.at(1), steps[1], **parts), words)
        chosen = {"choose": [{"weight": 1, **said} for said in (most, more)]}
        refused(scenario(lab.at(1, to=to, event=chosen), **parts), words)
        # What is no text has the bytes of its JSON.
        plain = {"attributes": {"n": 12.5, "l": ["a", 1]}}  # 1 + 6 + 4 and 1 + 12 + 7
        refused(scenario(lab.at(1, to=to, **plain), **{section: {to: {"message_size": "30B"}}}),
                "31 bytes")  # fmt: skip


def test_a_mebibyte_is_of_body_and_attributes_together(lab):
    """Where no size of messages is told."""
    body = "x" * (2**20 - 10)
    for letters, good in ((3, True), (4, False)):
        said: Tree = {"event": body, "attributes": {"a": "v" * letters}}
        tree = scenario(lab.at(1, to="q", **said), queues={"q": {}})
        if good:
            nph.Scenario.model_validate(tree)
        else:
            refused(tree, "1,048,577 bytes with attributes are more than")
