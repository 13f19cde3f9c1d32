"""Who is sent what topics and buses deliver: errors, copies, envelopes, those outside. One test a
rule, with every number worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fates, fleet, outcome, run, work
from semantics.test_buses import ALL, CAKE, puts, ringing, rule
from semantics.test_topics import counts, shouting

Tree = dict[str, Any]

QUEUES: Tree = {"a": {}, "lost": {}}
MANY = 4_000


def ready(tree: Tree) -> Tree:
    return run(tree)["topics"]["ready"]


def many(lab, to: str, **keys: Any) -> Tree:
    return lab.at(*(1 + i / 100 for i in range(MANY)), to=to, **keys)


def is_binomial(count: int, n: int, p: float) -> bool:
    """Within five standard deviations: false for one seed in a million."""
    return abs(count - n * p) <= 5 * math.sqrt(n * p * (1 - p))


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["a", "web"])
def test_errors_of_the_client_are_not_tried_again(lab, to):
    """Straight to the dead letters, whatever the policy says."""
    gone = {"to": to, "client_errors": "100%", "dead_letter": "lost"}
    tree = shouting(lab.at(1, 2, to="ready"), gone, queues=QUEUES)
    assert counts(ready(tree), "delivered", "retried", "dead_lettered", "pending") == (0, 0, 2, 0)
    assert ready(tree)["client_errors"] == 2
    assert run(tree)["queues"]["lost"]["visible"] == 2
    assert fates(run(tree)["fleets"]["web"]) == (0, 0, 0, 0, 0)


def test_errors_of_the_client_without_a_queue_for_dead_letters_are_dropped(lab):
    tree = shouting(lab.at(1, 2, to="ready"), {"to": "a", "client_errors": 1}, queues=QUEUES)
    assert counts(ready(tree), "dead_lettered", "dropped") == (0, 2)


def test_errors_of_the_server_are_tried_again(lab):
    """To a queue at once three times, then 1 s and 1 s later, and so on; by HTTP after 20 s."""
    down = {"server_errors": "100%"}
    queue = shouting(lab.at(1, to="ready"), {"to": "a"} | down, queues=QUEUES, duration="3500ms")
    assert counts(ready(queue), "retried", "pending") == (5, 1)
    http = shouting(lab.at(1, to="ready"), {"to": "web"} | down, duration="41500ms")
    assert counts(ready(http), "retried", "pending", "client_errors") == (2, 1, 0)
    assert counts(ready(http | {"duration": "62s"}), "retried", "dropped") == (3, 1)


def test_each_attempt_has_its_own_errors(lab):
    """Of all the share that errs for good goes at once; what is in vain gets there later."""
    both = {"to": "a", "client_errors": 0.1, "server_errors": 0.3}
    topic = ready(shouting(many(lab, "ready"), both, queues=QUEUES))
    # A message is lost if its first attempt that is not in vain errs: 0.1 / 0.7.
    assert is_binomial(topic["dropped"], MANY, 1 / 7)
    assert topic["delivered"] + topic["dropped"] == MANY
    assert is_binomial(topic["retried"], round(topic["retried"] + MANY), 0.3)


def test_the_target_of_a_bus_errs_too(lab):
    """An error of the client ends it; one of the server is tried for as long as events live."""
    gone = {"to": "a", "client_errors": 1, "dead_letter": "lost"}
    down = {"to": "a", "server_errors": 1, "retry": {"attempts": 3, "jitter": "none"}}
    rules = {"gone": rule(gone), "down": rule(down)}
    tree = ringing(puts(lab, 1), queues=QUEUES, **rules)
    found = run(tree)["buses"]["bell"]["rules"]
    assert counts(found["gone"], "retried", "dead_lettered", "client_errors") == (0, 1, 1)
    assert counts(found["down"], "retried", "dropped", "client_errors") == (3, 1, 0)


def test_order_holds_behind_an_attempt_in_vain(lab):
    """A FIFO topic's queue gets what a group says in its order, however often it is tried."""
    fifo: Tree = {"type": "fifo"}
    tree = shouting(
        lab.at(*range(1, 31), to="ready", group="g"), {"to": "a", "server_errors": 0.8},
        topic=fifo, queues={"a": fifo}, duration="2000s",
    )  # fmt: skip
    topic = ready(tree)
    assert counts(topic, "delivered", "pending") == (30, 0)
    assert topic["retried"] > 30


# --- those outside -------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["email", "sms", "mobile_push"])
def test_mail_text_and_push_are_tried_fifty_times_within_hours(lab, endpoint):
    """After 10, 10; 10 to 600 in ten steps of one ratio; 38 times 600 s."""
    waits = [10, 10, *(10 * 60 ** (i / 9) for i in range(10)), *[600] * 38]
    price = {"usd_per_message": 0.01} if endpoint == "sms" else {}
    down = {"endpoint": endpoint, "server_errors": 1} | price
    end = 1 + sum(waits)
    assert 6 * 3600 < end < 7 * 3600
    tree = shouting(lab.at(1, to="ready"), down)
    assert counts(ready(tree | {"duration": f"{end - 1:.3f}s"}), "retried", "pending") == (49, 1)
    assert counts(ready(tree | {"duration": f"{end + 1:.3f}s"}), "retried", "dropped") == (50, 1)
    early = tree | {"duration": f"{1 + sum(waits[:5]) + 0.5:.3f}s"}
    assert ready(early)["retried"] == 5


def test_firehose_is_tried_as_queues_are(lab):
    down = {"endpoint": "firehose", "server_errors": 1}
    tree = shouting(lab.at(1, to="ready"), down, duration="3500ms")
    assert counts(ready(tree), "retried", "pending") == (5, 1)


def test_whoever_is_outside_takes_what_gets_there(lab):
    tree = shouting(
        lab.at(1, 2, to="ready", attributes={"kind": "cake"}),
        {"endpoint": "email"}, {"endpoint": "email"},
        {"endpoint": "mobile_push", "filter": {"kind": ["tea"]}},
    )  # fmt: skip
    assert counts(ready(tree), "delivered", "filtered", "pending") == (4, 2, 0)


def test_deliveries_outside_are_billed_by_their_kind(lab):
    """2 USD for 100,000 mails, 0.50 for a million pushes, 0.19 to Firehose."""
    usd = {"email": 2 / 1e5, "mobile_push": 0.5 / 1e6, "firehose": 0.19 / 1e6}
    for endpoint, each in usd.items():
        tree = shouting(lab.at(*range(1, 11), to="ready"), {"endpoint": endpoint})
        line = outcome(tree).to_dict()["cost_usd"]["topics"]["ready"]
        assert line[endpoint] == 10
        assert line["usd"] == pytest.approx(10 * (0.5 / 1e6 + each), rel=1e-12)


def test_a_text_message_costs_what_its_country_asks_for(lab):
    """Ten each at $0.00645 and at $0.10; who is filtered out costs nothing."""
    near, far = ({"endpoint": "sms", "usd_per_message": usd} for usd in (0.00645, 0.10))
    none = far | {"filter": {"kind": ["tea"]}}
    tree = shouting(lab.at(*range(1, 11), to="ready"), near, far, none)
    line = outcome(tree).to_dict()["cost_usd"]["topics"]["ready"]
    assert line["sms"] == 20
    assert line["usd"] == pytest.approx(10 * (0.5 / 1e6 + 0.00645 + 0.10), rel=1e-12)
    assert "sms, $0.1 a message" in "\n".join(describe(nph.Scenario.model_validate(tree)))


# --- copies --------------------------------------------------------------------------------------


def test_topics_deliver_at_least_once(lab):
    tree = shouting(lab.at(1, 2, to="ready"), "a", "web", topic={"duplicates": 1}, queues=QUEUES)
    topic = ready(tree)
    assert counts(topic, "published", "delivered", "duplicated") == (2, 8, 4)
    assert run(tree)["queues"]["a"]["sent"] == 4
    assert fates(run(tree)["fleets"]["web"]) == (4, 0, 0, 0, 0)


def test_buses_deliver_at_least_once(lab):
    tree = ringing(puts(lab, 1, 2), all=rule("a"), bus={"duplicates": "100%"}, queues=QUEUES)
    bell = run(tree)["buses"]["bell"]
    assert counts(bell, "put", "matched", "delivered", "duplicated") == (2, 2, 4, 2)


def test_each_who_gets_a_message_may_get_it_twice_or_not(lab):
    topic = {"duplicates": 0.25}
    tree = shouting(many(lab, "ready"), "a", "lost", topic=topic, queues=QUEUES)
    told = ready(tree)
    twice = [told["subscriptions"][i]["duplicated"] for i in "01"]
    assert all(is_binomial(count, MANY, 0.25) for count in twice)
    assert twice[0] != twice[1]
    assert told["delivered"] == 2 * MANY + sum(twice)


def test_a_fifo_queue_drops_the_copy(lab):
    """A bus may deliver twice, and what looks for duplicates within five minutes finds them."""
    queues: Tree = {"a": {"type": "fifo"}}
    to = {"to": "a", "group": "g"}
    tree = ringing(puts(lab, 1, 2), all=rule(to), bus={"duplicates": 1}, queues=queues)
    assert run(tree)["buses"]["bell"]["delivered"] == 4
    assert counts(run(tree)["queues"]["a"], "sent", "deduplicated") == (2, 2)


# --- envelopes -----------------------------------------------------------------------------------


def forwarding(lab, **subscription: Any) -> Tree:
    """What a topic delivers is passed on, as it came, to a bus that looks for cakes."""
    passes = {"consumes": {"queue": "a", "wait": "20s"}, "steps": [{"put": "bell"}]}
    rules = {
        "cakes": {"pattern": {"detail": {"kind": ["cake"]}}, "targets": ["lost"]},
        "envelopes": {"pattern": {"Type": ["Notification"]}, "targets": ["kept"]},
        "attributes": {
            "pattern": {"MessageAttributes": {"of": {"Value": ["cake"]}}},
            "targets": ["named"],
        },
    }
    return shouting(
        lab.at(1, to="ready", event=CAKE, attributes={"of": "cake"}),
        {"to": "a"} | subscription,
        services={"passer": passes}, fleets={"web": fleet(), "passers": fleet("passer")},
        queues={"a": {}, "lost": {}, "kept": {}, "named": {}}, buses={"bell": {"rules": rules}},
    )  # fmt: skip


def passed(tree: Tree) -> list[int]:
    return [run(tree)["queues"][name]["sent"] for name in ("lost", "kept", "named")]


def test_raw_delivery_passes_on_what_was_published(lab):
    assert passed(forwarding(lab)) == [1, 0, 0]
    assert passed(forwarding(lab, raw_delivery=True)) == [1, 0, 0]


def test_without_raw_delivery_the_envelope_is_passed_on(lab):
    """Patterns that look for the message do not find it: it is a text within."""
    assert passed(forwarding(lab, raw_delivery=False)) == [0, 1, 1]


def test_an_envelope_is_none_to_filters(lab):
    """The topic itself filters by what was published."""
    enveloped = {"raw_delivery": False, "filter": {"of": ["cake"]}}
    assert passed(forwarding(lab, **enveloped)) == [0, 1, 1]
    assert passed(forwarding(lab, **enveloped | {"filter": {"of": ["tea"]}})) == [0, 0, 0]


# --- destinations of buses by HTTP ---------------------------------------------------------------

QUICK = work({"compute": "1ms"}, concurrency=1000)


def rung(lab, count: int, **target: Any) -> Tree:
    """So many events at 1 s, to one endpoint that takes a second for each."""
    patient = work({"sleep": "1s"}, concurrency=1000)
    to = {"to": "web"} | target
    return ringing(puts(lab, *[1] * count), patient, all=rule(to, pattern=ALL))


def test_a_destination_is_called_300_times_in_a_second(lab):
    """More wait for their turn: 300 at 1 s, 300 at 2 s, 50 at 3 s."""
    tree = rung(lab, 650)
    done = [run(tree | {"duration": f"{until}s"})["buses"]["bell"]["delivered"]
            for until in (2.5, 3.5, 4.5)]  # fmt: skip
    assert done == [300, 600, 650]
    assert counts(run(tree)["buses"]["bell"], "delayed", "retried") == (350, 0)


def test_a_destination_may_have_another_limit(lab):
    bell = run(rung(lab, 650, invocation_limit=1000))["buses"]["bell"]
    assert counts(bell, "delivered", "delayed") == (650, 0)


def test_both_limits_of_a_bus_and_of_a_destination_hold(lab):
    """Ten in a second from the bus, four of them at the endpoint."""
    tree = rung(lab, 12, invocation_limit=4)
    tree["buses"]["bell"]["invocation_limit"] = "10/s"
    done = [run(tree | {"duration": f"{until}s"})["buses"]["bell"]["delivered"]
            for until in (2.5, 3.5, 4.5)]  # fmt: skip
    assert done == [4, 8, 12]


@pytest.mark.parametrize("key", ["timeout", "invocation_limit"])
def test_what_only_endpoints_by_http_have_is_refused_elsewhere(lab, key):
    to = {"to": "a", key: 5 if key == "invocation_limit" else "5s"}
    with pytest.raises(ScenarioError, match=f"{key} has no effect"):
        nph.Scenario.model_validate(ringing(puts(lab, 1), all=rule(to), queues=QUEUES))


def test_large_messages_go_to_queues_and_firehose_alone(lab):
    topic = {"message_size": "512KiB"}
    traffic = lab.at(1, to="ready")
    nph.Scenario.model_validate(
        shouting(traffic, "a", {"endpoint": "firehose"}, topic=topic, queues=QUEUES)
    )
    with pytest.raises(ScenarioError, match="queues and firehose alone"):
        nph.Scenario.model_validate(shouting(traffic, {"endpoint": "email"}, topic=topic))


def test_a_description_says_all_of_it(lab):
    topic = {"duplicates": 0.25}
    mail = {"endpoint": "email", "client_errors": 0.5}
    sealed = {"to": "a", "raw_delivery": False, "server_errors": 0.125}
    tree = shouting(lab.at(1, to="ready"), mail, sealed, topic=topic, queues=QUEUES)
    text = "\n".join(describe(nph.Scenario.model_validate(tree)))
    for words in (
        "0.25 of deliveries twice", "email, 0.5 of attempts refused for good",
        "a, in an envelope, 0.125 of attempts in vain",
    ):  # fmt: skip
        assert words in text
