"""Topics: what is published is pushed, filtered, tried again, given up. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fates, fleet, latency, outcome, run, scenario, simulation, work

Tree = dict[str, Any]

DELIVERIES = ("delivered", "filtered", "dead_lettered", "dropped", "pending")
BROKEN = work({"compute": "1s"}, {"fail": 1.0})


def shouting(
    traffic: Tree, *subscriptions: Any, service: Tree | None = None, topic: Tree | None = None,
    **keys: Any,
) -> Tree:  # fmt: skip
    """Traffic to the topic `ready`; the fleet `web` does the work of its endpoint."""
    topics = {"ready": {"subscriptions": list(subscriptions)} | (topic or {})}
    return scenario(traffic, service or work(), topics=topics, **keys)


def told(tree: Tree, name: str = "ready") -> Tree:
    """The figures of the topic, of which nothing is lost."""
    topic = run(tree)["topics"][name]
    for part in topic["subscriptions"].values():
        assert topic["published"] == sum(part[key] for key in DELIVERIES)
    for key in DELIVERIES:
        assert topic[key] == sum(part[key] for part in topic["subscriptions"].values())
    return topic


def counts(topic: Tree, *keys: str) -> tuple[int, ...]:
    return tuple(topic[key] for key in keys)


# --- pushing -------------------------------------------------------------------------------------


def test_all_who_have_subscribed_get_what_is_published(lab):
    queues: Tree = {"a": {}, "b": {}}
    tree = shouting(lab.at(1, 2, 3, to="ready"), "a", "b", "web", queues=queues)
    topic = told(tree)
    assert counts(topic, "published", "delivered", "pending") == (3, 9, 0)
    assert [run(tree)["queues"][name]["sent"] for name in "ab"] == [3, 3]
    assert fates(run(tree)["fleets"]["web"]) == (3, 0, 0, 0, 0)


def test_nobody_has_subscribed_and_nothing_is_kept(lab):
    topic = told(shouting(lab.at(1, 2, to="ready")))
    assert counts(topic, "published", *DELIVERIES) == (2, 0, 0, 0, 0, 0)


def test_who_publishes_does_not_wait(lab):
    source = run(shouting(lab.at(1, 2, 3, to="ready"), "web"))["traffic"]["customers"]
    assert fates(source) == (3, 0, 0, 0, 0)
    assert latency(source) == (0.0, 0.0, 0.0, 0.0)


def test_a_step_publishes_and_its_request_goes_on(lab):
    services = {"tell": work({"compute": "1s"}, {"publish": "ready"}, {"compute": "1s"})}
    fleets = {"web": fleet(), "desk": fleet("tell")}
    tree = shouting(lab.at(1, to="desk"), "web", services=services, fleets=fleets)
    assert latency(run(tree)["traffic"]["customers"])[0] == pytest.approx(2.0, rel=4e-3)
    assert counts(told(tree), "published", "delivered") == (1, 1)
    assert fates(run(tree)["fleets"]["web"]) == (1, 0, 0, 0, 0)


def test_a_queue_gets_it_at_once_and_its_consumer_works_it(lab):
    consumer = work(consumes={"queue": "orders", "wait": "20s"})
    tree = shouting(lab.at(1, 5, to="ready"), "orders", service=consumer, queues={"orders": {}})
    age = run(tree)["queues"]["orders"]["age_s"]
    assert (age["count"], age["min"], age["max"]) == (2, pytest.approx(1.0), pytest.approx(1.0))


def test_an_endpoint_behind_a_balancer_is_its_client(lab):
    balancers = {"front": {"targets": ["web"], "routing": "round_robin"}}
    fleets = {"web": fleet(count=2)}
    tree = shouting(lab.at(1, 1, to="ready"), "front", balancers=balancers, fleets=fleets)
    front = run(tree)["load_balancers"]["front"]
    assert [front["targets"][i]["completed"] for i in ("0", "1")] == [1, 1]
    assert latency(front)[2:] == (pytest.approx(1.0), pytest.approx(1.0))


def test_what_is_under_way_is_pending(lab):
    topic = told(shouting(lab.at(1, 1, 1, to="ready"), "web", duration="2500ms"))
    assert counts(topic, "delivered", "pending") == (1, 2)


# --- retries -------------------------------------------------------------------------------------


def test_an_endpoint_that_fails_is_tried_three_times_more_every_20_s(lab):
    """Sent at 1, 22, 43 and 64, each for a second; dropped at 65."""
    tree = shouting(lab.at(1, to="ready"), "web", service=BROKEN)
    assert counts(told(tree), "retried", "dropped", "delivered") == (3, 1, 0)
    assert run(tree)["fleets"]["web"]["failed"] == 4
    early = told(tree | {"duration": "64900ms"})
    assert counts(early, "retried", "dropped", "pending") == (3, 0, 1)
    earlier = told(tree | {"duration": "64s"})
    assert counts(earlier, "retried", "pending") == (2, 1)


def test_where_nobody_listens_it_is_tried_again(lab):
    """Refused at 1, 21 and 41; the fleet's first instance serves from 55 on, and gets it at 61."""
    fleets = {"web": fleet(count=0) | {"boot": "30s"}}
    tree = shouting(lab.at(1, to="ready"), "web", fleets=fleets)
    steps = simulation(tree)
    steps.advance("25s")
    steps.set("fleets.web.count", 1)
    steps.advance("70s")
    topic = steps.results().to_dict()["topics"]["ready"]
    assert counts(topic, "delivered", "retried", "pending") == (1, 3, 0)


def test_an_endpoint_has_15_s_for_its_answer(lab):
    """16 s of work are too long: 1, 36, 71 and 106, to be dropped at 121."""
    slow = work({"sleep": "16s"}, concurrency=10)
    tree = shouting(lab.at(1, to="ready"), "web", service=slow, duration="200s")
    assert counts(told(tree), "retried", "dropped") == (3, 1)
    assert run(tree)["fleets"]["web"]["timed_out"] == 4
    assert counts(told(tree | {"duration": "120s"}), "dropped", "pending") == (0, 1)
    patient = shouting(
        lab.at(1, to="ready"), {"to": "web", "timeout": "17s"}, service=slow, duration="200s"
    )
    assert counts(told(patient), "delivered", "retried") == (1, 0)


def test_phases_come_one_after_the_other(lab):
    """At once twice, 2 s, then 2, 6 and 10 s, then 10 s: the eighth attempt is at 1 + 30 + 7."""
    retry = {"retries": 7, "immediate": 2, "pre_backoff": 1, "post_backoff": 1}
    retry |= {"min_delay": "2s", "max_delay": "10s"}
    tree = shouting(lab.at(1, to="ready"), {"to": "web", "retry": retry}, service=BROKEN)
    made = [
        told(tree | {"duration": f"{until}ms"})["retried"]
        for until in (1900, 2100, 3100, 6100, 9100, 16100, 27100, 38100)
    ]
    assert made == [0, 1, 2, 3, 4, 5, 6, 7]
    assert counts(told(tree), "retried", "dropped") == (7, 1)


def test_the_policy_of_the_subscription_beats_that_of_the_topic(lab):
    ends = ["web", {"to": "shop", "retry": 0}]
    fleets = {"web": fleet(), "shop": fleet()}
    tree = shouting(lab.at(1, to="ready"), *ends, service=BROKEN, topic={"retry": 1}, fleets=fleets)
    parts = told(tree)["subscriptions"]
    assert [parts[i]["retried"] for i in ("0", "1")] == [1, 0]


def test_jitter_shortens_waits_and_belongs_to_the_message(lab):
    retry = {"retries": 1, "min_delay": "20s", "jitter": "full"}
    tree = shouting(lab.at(1, to="ready"), {"to": "web", "retry": retry}, service=BROKEN)
    moments = [
        next(t for t in range(2, 40) if told(tree | {"duration": f"{t}s"}, "ready")["retried"])
        for _ in range(2)
    ]
    assert moments[0] == moments[1] < 22
    equal = shouting(
        lab.at(1, to="ready"), {"to": "web", "retry": retry | {"jitter": "equal"}}, service=BROKEN
    )
    assert told(equal | {"duration": "11900ms"})["retried"] == 0
    assert told(equal | {"duration": "22100ms"})["retried"] == 1


def test_each_attempt_fails_anew_and_works_the_same(lab):
    """The work of a message belongs to it; whether it fails, to the attempt."""
    service = work({"compute": {"exponential": "1s"}}, {"fail": 0.5})
    tree = shouting(lab.at(*range(1, 41), to="ready"), "web", service=service, duration="2000s")
    web = run(tree)["fleets"]["web"]
    topic = told(tree)
    assert counts(topic, "delivered", "pending")[1] == 0
    assert 30 <= topic["delivered"] <= 40
    assert topic["retried"] == web["failed"] - topic["dropped"] > 20


def test_dead_letters_belong_to_the_subscription(lab):
    ends = [{"to": "web", "dead_letter": "lost", "retry": 1}, {"to": "shop", "retry": 1}]
    fleets = {"web": fleet(), "shop": fleet()}
    tree = shouting(
        lab.at(1, to="ready"), *ends, service=BROKEN, fleets=fleets, queues={"lost": {}}
    )
    parts = told(tree)["subscriptions"]
    assert counts(parts["0"], "dead_lettered", "dropped") == (1, 0)
    assert counts(parts["1"], "dead_lettered", "dropped") == (0, 1)
    lost = run(tree)["queues"]["lost"]
    assert (lost["sent"], lost["arrived"], lost["visible"]) == (1, 1, 1)
    assert lost["oldest_s"] == pytest.approx(100.0 - 23.0)


def test_what_dies_under_way_is_tried_again(lab):
    """Killed at 1.5; the fleet replaces what it lost at once, and gets the message at 21.5."""
    tree = shouting(lab.at(1, to="ready"), "web", faults=[{"at": "1500ms", "kill": "web"}])
    assert counts(told(tree), "delivered", "retried") == (1, 1)


# --- filters -------------------------------------------------------------------------------------


def test_attributes_are_filtered(lab):
    ends = [{"to": "web", "filter": {"kind": ["cake"]}}, "shop"]
    sources = {
        "cakes": lab.at(1, 2, to="ready", attributes={"kind": "cake"}),
        "teas": lab.at(3, to="ready", attributes={"kind": "tea"}),
        "silence": lab.at(4, to="ready"),
    }
    tree = shouting(sources, *ends, fleets={"web": fleet(), "shop": fleet()})
    parts = told(tree)["subscriptions"]
    assert counts(parts["0"], "delivered", "filtered") == (2, 2)
    assert counts(parts["1"], "delivered", "filtered") == (4, 0)


def test_a_missing_attribute_fails_every_rule_but_exists_false(lab):
    policies = [[None, {"anything-but": "x"}], [{"exists": False}]]
    names = ("web", "shop")
    ends = [{"to": to, "filter": {"a": it}} for to, it in zip(names, policies, strict=True)]
    tree = shouting(lab.at(1, to="ready"), *ends, fleets={name: fleet() for name in names})
    parts = told(tree)["subscriptions"]
    assert [parts[i]["delivered"] for i in ("0", "1")] == [0, 1]


def test_bodies_are_filtered_by_what_is_in_them(lab):
    policy = {"order": {"total": [{"numeric": [">=", 100]}]}}
    ends = [{"to": "web", "filter": policy, "filter_scope": "body"}]
    sources = {
        "large": lab.at(1, to="ready", event={"order": {"total": 120}}),
        "small": lab.at(2, to="ready", event={"order": {"total": 99}}),
        "words": lab.at(3, to="ready", event="a text"),
        "nothing": lab.at(4, to="ready"),
    }
    assert counts(told(shouting(sources, *ends)), "delivered", "filtered") == (1, 3)


def test_a_choice_is_drawn_for_each_request(lab):
    said = [{"weight": 3, "event": {"x": 1}}, {"weight": 1, "event": {"x": 2}}]
    ends = [{"to": f"q{i}", "filter": {"x": [i]}, "filter_scope": "body"} for i in (1, 2)]
    source = lab.at(*[i / 10 for i in range(1, 801)], to="ready", event={"choose": said})
    tree = shouting(source, *ends, queues={"q1": {}, "q2": {}})
    parts = told(tree)["subscriptions"]
    assert parts["0"]["delivered"] + parts["1"]["delivered"] == 800
    assert parts["0"]["delivered"] == pytest.approx(600, abs=61)  # five times its deviation
    again = outcome(tree, 7).fingerprint
    assert again == outcome(tree, 7).fingerprint != outcome(tree, 8).fingerprint


def test_weight_0_is_never_said(lab):
    said = [{"weight": 1, "event": {"x": 1}}, {"weight": 0, "event": {"x": 2}}]
    end = {"to": "q", "filter": {"x": [2]}, "filter_scope": "body"}
    source = lab.at(*range(1, 60), to="ready", event={"choose": said})
    assert counts(told(shouting(source, end, queues={"q": {}})), "delivered", "filtered") == (0, 59)


def test_a_request_says_what_its_source_does_wherever_it_leads(lab):
    """By a call, a queue and its consumer to a step that publishes."""
    services = {
        "desk": work({"call": "backs"}),
        "back": work({"send": "orders"}),
        "make": work({"publish": "ready"}, consumes={"queue": "orders", "wait": "20s"}),
    }
    fleets = {"web": fleet()} | {f"{name}s": fleet(name) for name in services}
    sources = {
        name: lab.at(1, 2, to="desks", attributes={"who": name}) for name in ("ann", "bob", "eve")
    }
    end = {"to": "web", "filter": {"who": ["ann", "eve"]}}
    tree = shouting(sources, end, services=services, fleets=fleets, queues={"orders": {}})
    assert counts(told(tree), "published", "delivered", "filtered") == (6, 4, 2)


def test_a_step_that_says_something_is_heard_by_all_that_follows(lab):
    """What was sent says `new`, whatever the source says; the answer of the call does not."""
    services = {
        "desk": work({"send": {"to": "orders", "attributes": {"who": "new"}}}, {"publish": "old"}),
        "make": work({"publish": "ready"}, consumes={"queue": "orders", "wait": "20s"}),
    }
    fleets = {"web": fleet()} | {f"{name}s": fleet(name) for name in services}
    ends = [{"to": "q", "filter": {"who": ["new"]}}]
    topics = {"old": {"subscriptions": ends}, "ready": {"subscriptions": ends}}
    source = lab.at(1, 2, to="desks", attributes={"who": "ann"})
    tree = shouting(
        source, services=services, fleets=fleets, queues={"orders": {}, "q": {}}
    ) | {"topics": topics}  # fmt: skip
    assert counts(told(tree, "ready"), "delivered", "filtered") == (2, 0)
    assert counts(told(tree, "old"), "delivered", "filtered") == (0, 2)


def test_an_endpoint_passes_on_what_it_was_told(lab):
    services = {"relay": work({"publish": "next"})}
    fleets = {"web": fleet(), "relays": fleet("relay")}
    topics = {
        "ready": {"subscriptions": ["relays"]},
        "next": {"subscriptions": [{"to": "web", "filter": {"n": [1]}}]},
    }
    said = [{"weight": 1, "attributes": {"n": 1}}, {"weight": 1, "attributes": {"n": 2}}]
    source = lab.at(*range(1, 41), to="ready", event={"choose": said})
    tree = shouting(source, services=services, fleets=fleets) | {"topics": topics}
    direct = shouting(source, {"to": "web", "filter": {"n": [1]}})
    assert told(tree, "next")["delivered"] == told(direct)["delivered"]
    assert 8 < told(direct)["delivered"] < 32


def test_a_message_says_the_same_however_often_it_is_worked(lab):
    """Each of ten is received five times, at 2, 12, 22, 32 and 42 s from the first message on."""
    said = [{"weight": 1, "attributes": {"n": n}} for n in (1, 2)]
    publish = {"publish": {"to": "ready", "event": {"choose": said}}}
    service = work(publish, {"fail": 1.0}, consumes={"queue": "orders", "wait": "20s"})
    queues: Tree = {"orders": {"visibility_timeout": "10s"}, "q1": {}, "q2": {}}
    ends = [{"to": f"q{n}", "filter": {"n": [n]}} for n in (1, 2)]
    source = lab.at(*[2.0] * 10, to="orders")
    topic = told(shouting(source, *ends, service=service, queues=queues, duration="50s"))
    heard = [topic["subscriptions"][i]["delivered"] for i in ("0", "1")]
    assert topic["published"] == sum(heard) == 50
    assert all(count % 5 == 0 and count for count in heard)


# --- FIFO topics ---------------------------------------------------------------------------------


def in_order(lab, *times: float, queue: Tree | None = None, **keys: Any) -> Tree:
    queues = {"orders": {"type": "fifo"} | (queue or {})}
    source = lab.at(*times, to="ready", group="one")
    return shouting(source, "orders", topic={"type": "fifo"}, queues=queues, **keys)


def test_a_fifo_topic_delivers_to_fifo_queues_in_order(lab):
    """Two workers, one group: one message at a time."""
    consumer = work(consumes={"queue": "orders", "wait": "20s"})
    tree = in_order(lab, 1, 1, 1, service=consumer, fleets={"web": fleet(count=2)})
    assert counts(told(tree), "published", "delivered") == (3, 3)
    age = run(tree)["queues"]["orders"]["age_s"]
    assert (age["min"], age["mean"], age["max"]) == pytest.approx((1.0, 2.0, 3.0))


def test_a_throttled_queue_is_tried_again_and_order_kept(lab):
    """300 calls a second: the 301st is refused with its three retries, and comes a second later.

    What follows it in its group waits for it.
    """
    tree = in_order(lab, *[1.0] * 302, 1.5)
    early = told(tree | {"duration": "1900ms"})
    assert counts(early, "delivered", "retried", "pending") == (300, 3, 3)
    topic = told(tree)
    assert counts(topic, "delivered", "retried", "pending", "dropped") == (303, 4, 0, 0)
    assert run(tree)["queues"]["orders"]["throttled"] == 4


def test_a_repetition_within_five_minutes_is_taken_and_dropped(lab):
    """The desk fails after it has published; its client tries again, and it is the same message."""
    services = {"desk": work({"publish": {"to": "ready", "group": "one"}}, {"fail": 1.0})}
    fleets = {"web": fleet(), "desks": fleet("desk")}
    source = lab.at(1, to="desks", retry={"attempts": 3, "backoff": {"fixed": "1s"}})
    keys: Tree = {"services": services, "fleets": fleets, "queues": {"orders": {"type": "fifo"}}}
    tree = shouting(source, "orders", topic={"type": "fifo"}, **keys)
    topic = told(tree)
    assert (topic["published"], topic["deduplicated"], topic["delivered"]) == (1, 2, 1)
    late = lab.at(1, to="desks", retry={"attempts": 2, "backoff": {"fixed": "5m"}})
    tree = shouting(late, "orders", topic={"type": "fifo"}, **keys, duration="400s")
    assert told(tree)["published"] == 2


def test_a_standard_queue_may_subscribe_to_a_fifo_topic(lab):
    tree = in_order(lab, 1, 2, queue={"type": "standard"})
    assert counts(told(tree), "delivered") == (2,)


def test_deduplication_within_a_group(lab):
    """Each group has its own window: the same step, another group, is another message."""
    steps = [{"publish": {"to": "ready", "group": name}} for name in ("one", "two")]
    tree = shouting(
        lab.at(1, to="desks"),
        "orders",
        topic={"type": "fifo", "deduplication": "group"},
        services={"desk": work(*steps)},
        fleets={"web": fleet(), "desks": fleet("desk")},
        queues={"orders": {"type": "fifo"}},
    )
    assert counts(told(tree), "published", "delivered") == (2, 2)


def test_what_a_filter_keeps_back_leaves_no_gap_in_the_order(lab):
    """Of a group at 1, 1 and 1 the second is filtered; the others are worked one by one."""
    said = [{"n": n} for n in (1, 2, 3)]
    sources = {f"s{i}": lab.at(1, to="ready", group="g", event=it) for i, it in enumerate(said)}
    end = {"to": "orders", "filter": {"n": [1, 3]}, "filter_scope": "body"}
    queues = {"orders": {"type": "fifo"}}
    consumer = work(consumes={"queue": "orders", "wait": "20s"})
    tree = shouting(
        sources, end, service=consumer, topic={"type": "fifo"}, queues=queues,
        fleets={"web": fleet(count=2)},
    )  # fmt: skip
    assert counts(told(tree), "published", "delivered", "filtered") == (3, 2, 1)
    age = run(tree)["queues"]["orders"]["age_s"]
    assert (age["count"], age["min"], age["max"]) == (2, pytest.approx(1.0), pytest.approx(2.0))


def test_a_standard_topic_passes_groups_on_to_standard_queues(lab):
    """Where they make a fair queue. 15 workers take 15 of 45 messages of one group at 1, for 10 s.

    The one of another group, of 2, goes before those that wait at 11, and the last of the first
    group at 31; without groups that one comes last, at 31.
    """
    consumer = work({"sleep": "10s"}, consumes={"queue": "orders", "wait": "20s"})

    def oldest(**other: Any) -> float:
        sources = {
            "loud": lab.at(*[1] * 45, to="ready", group="loud"),
            "quiet": lab.at(2, to="ready", **other),
        }
        tree = shouting(
            sources, "orders", service=consumer, queues={"orders": {}},
            fleets={"web": fleet(count=15)},
        )  # fmt: skip
        age = run(tree)["queues"]["orders"]["age_s"]
        assert age["count"] == 46
        return age["max"]

    assert oldest(group="quiet") == pytest.approx(40.0)
    assert oldest(group="loud") == pytest.approx(39.0)


# --- latency -------------------------------------------------------------------------------------


def test_latency_is_from_the_publish_to_the_first_attempt(lab):
    tree = shouting(
        lab.at(1, to="ready"), "a", "web", {"endpoint": "email"},
        topic={"latency": "500ms"}, queues={"a": {}},
    )  # fmt: skip
    early = told(tree | {"duration": "1499ms"})
    assert counts(early, "delivered", "pending") == (0, 3)
    later = told(tree | {"duration": "2400ms"})
    assert counts(later, "delivered", "pending", "retried") == (2, 1, 0)
    assert counts(told(tree), "delivered", "retried") == (3, 0)
    assert "constant latency" in "\n".join(describe(nph.Scenario.model_validate(tree)))


def test_latency_is_drawn_for_each_who_gets_it(lab):
    """A hundred messages, an exponential of 1 s each: who is sooner differs."""
    law = {"latency": {"exponential": "1s"}}
    source = lab.at(*[1] * 100, to="ready")
    tree = shouting(source, "a", "b", topic=law, queues={"a": {}, "b": {}}, duration="2s")
    early = told(tree)["subscriptions"]
    found = [early[i]["delivered"] for i in "01"]
    assert all(45 <= it <= 80 for it in found)  # 63.2 of them within the first second
    assert told(tree | {"duration": "100s"})["delivered"] == 200


def test_latency_keeps_the_order_of_a_group(lab):
    """The second would be there at 2.5 s, but its group waits for the first until 4 s."""
    law = {"replay": {"file": str(lab.column([3, 0.5])), "column": "value"}}

    def there(kind: str, cut: str) -> int:
        queues = {"orders": {"type": kind}}
        source = lab.at(1, 2, to="ready", group="one")
        topic = {"type": kind, "latency": law}
        return told(
            shouting(source, "orders", topic=topic, queues=queues, duration=cut)
        )["delivered"]  # fmt: skip

    assert [there("standard", cut) for cut in ("2400ms", "2600ms", "4100ms")] == [0, 1, 2]
    assert [there("fifo", cut) for cut in ("2600ms", "3900ms", "4100ms")] == [0, 0, 2]


def test_who_waits_for_its_group_has_its_own_latency_too(lab):
    """At 2 s and at 2.5 s, and not both at once."""
    queues = {"orders": {"type": "fifo"}}
    source = lab.at(1, 1.5, to="ready", group="one")
    topic = {"type": "fifo", "latency": "1s"}
    tree = shouting(source, "orders", topic=topic, queues=queues)
    cuts = ("1900ms", "2100ms", "2400ms", "2600ms")
    assert [told(tree | {"duration": cut})["delivered"] for cut in cuts] == [0, 1, 1, 2]


# --- around it -----------------------------------------------------------------------------------


def test_what_it_costs(lab):
    """Three messages at $0.50, three deliveries by HTTP at $0.60 a million; to a queue, nothing."""
    tree = shouting(lab.at(1, 2, 3, to="ready"), "web", "orders", queues={"orders": {}})
    line = run(tree)["cost_usd"]["topics"]["ready"]
    assert line == {
        "type": "standard", "published": 3, "by_http": 3, "usd": pytest.approx(3.3e-6),
    }  # fmt: skip
    fifo = run(in_order(lab, 1, 2))["cost_usd"]["topics"]["ready"]
    assert fifo["usd"] == pytest.approx(2 * 0.31e-6)


def test_topics_are_described(lab):
    policy = {"to": "web", "filter": {"a": ["b"]}, "retry": 5, "dead_letter": "lost"}
    tree = shouting(lab.at(1, to="ready", event={"a": 1}), policy, "lost", queues={"lost": {}})
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "ready: standard, to web, filtered by attributes, 5 retries, else to lost; lost" in words
    assert "with its own event" in words


def test_messages_that_lead_to_messages_must_die_out(lab):
    service = work({"compute": "1s"}, {"publish": "ready"})
    with pytest.raises(ScenarioError, match="never end: work -> work"):
        run(shouting(lab.at(1, to="ready"), "web", service=service))
    rare = [{"weight": 9, "steps": [{"sleep": "1s"}]}, {"weight": 1, "steps": service["steps"]}]
    few = work({"choose": rare})
    tree = shouting(lab.at(1, to="ready"), {"to": "web", "retry": 0}, service=few)
    assert told(tree)["published"] >= 1
    often = [{"weight": 2, "steps": [{"sleep": "1s"}]}, {"weight": 1, "steps": service["steps"]}]
    with pytest.raises(ScenarioError, match="grow without end"):
        run(shouting(lab.at(1, to="ready"), "web", service=work({"choose": often})))


def test_a_sticky_balancer_takes_topics_for_strangers(lab):
    """Cookies are of the source's clients; deliveries have none and go round."""
    balancers = {"front": {"targets": ["web"], "routing": "round_robin", "stickiness": "1h"}}
    sources = {
        "people": lab.at(1, 3, 5, 7, to="front", clients=1),
        "news": lab.at(10, 11, 12, 13, to="ready"),
    }
    fleets = {"web": fleet(count=2)}
    tree = shouting(sources, "front", balancers=balancers, fleets=fleets)
    targets = run(tree)["load_balancers"]["front"]["targets"]
    assert sorted(targets[i]["completed"] for i in ("0", "1")) == [2, 6]


def test_states_are_saved_with_what_is_pending(lab):
    service = work({"compute": "1s"}, {"fail": 0.5})
    said = [{"weight": 1, "attributes": {"n": n}} for n in (1, 2)]
    end = {"to": "web", "filter": {"n": [1]}, "dead_letter": "lost"}
    source = lab.at(*range(1, 30), to="ready", event={"choose": said})
    tree = shouting(source, end, service=service, queues={"lost": {}}, duration="300s")
    scenario_ = nph.Scenario.model_validate(tree)
    whole = scenario_.run(rng=7)
    first = nph.Simulation(scenario_, rng=7)
    first.advance("25s")
    assert first.result()["topics.ready.pending"] > 0
    second = nph.Simulation.load(first.save())
    second.advance("275s")
    assert second.result().fingerprint == whole.fingerprint
