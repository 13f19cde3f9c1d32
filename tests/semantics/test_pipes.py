"""Pipes: from a queue through a filter and an input to a target. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.cautions import warnings
from nephoscope.report.description import describe
from nephoscope.report.html.topology import edges
from semantics.lab import fleet, run, scenario, work

Tree = dict[str, Any]

BROKEN = work({"compute": "1s"}, {"fail": 1.0})
CAKE, TEA = ({"kind": kind, "price": 3} for kind in ("cake", "tea"))
CAKES, TEAS = {"kind": ["cake"]}, {"kind": ["tea"]}
ALL = {"kind": [{"exists": True}]}


def piped(traffic: Tree, pipe: Tree, service: Tree | None = None, **keys: Any) -> Tree:
    """Traffic, and the pipe `chute` from the queue `in`, which has the keys `source`."""
    source = keys.pop("source", {})
    pipes = {"chute": {"from": "in"} | pipe} | keys.pop("pipes", {})
    queues = {"in": source, "out": {}} | keys.pop("queues", {})
    return scenario(traffic, service or work(), pipes=pipes, queues=queues, **keys)


def carried(tree: Tree, name: str = "chute") -> tuple[int, ...]:
    """Received, filtered, delivered, failed; nothing that is received is lost."""
    pipe = run(tree)["pipes"][name]
    assert pipe["received"] == sum(
        pipe[key] for key in ("filtered", "delivered", "failed", "under_way")
    )
    return tuple(pipe[key] for key in ("received", "filtered", "delivered", "failed"))


def sends(lab, *times: float, event: Any = CAKE, **keys: Any) -> Tree:
    return lab.at(*times, to="in", event=event, **keys)


def requests_of(tree: Tree, queue: str) -> int:
    return int(run(tree)["queues"][queue]["requests"])


# --- what goes on --------------------------------------------------------------------------------


def test_a_pipe_hands_on_what_comes_and_deletes_it(lab):
    tree = piped(sends(lab, 1, 2, 3), {"to": "out"})
    queues = run(tree)["queues"]
    assert carried(tree) == (3, 0, 3, 0)
    assert (queues["in"]["deleted"], queues["in"]["in_flight"]) == (3, 0)
    assert (queues["out"]["sent"], queues["out"]["visible"]) == (3, 3)


def test_what_the_filter_does_not_match_is_deleted(lab):
    sources = {"cakes": sends(lab, 1, 2), "teas": sends(lab, 3, event=TEA)}
    tree = piped(sources, {"to": "out", "filter": CAKES})
    assert carried(tree) == (3, 1, 2, 0)
    queues = run(tree)["queues"]
    assert (queues["in"]["deleted"], queues["out"]["sent"]) == (3, 2)


def test_one_of_several_patterns_is_enough(lab):
    sources = {
        "cakes": sends(lab, 1),
        "teas": sends(lab, 2, 3, event=TEA),
        "bread": sends(lab, 4, event={"kind": "bread"}),
    }
    tree = piped(sources, {"to": "out", "filter": [CAKES, TEAS]})
    assert carried(tree) == (4, 1, 3, 0)


def test_a_body_that_is_no_object_goes_on_without_a_filter_alone(lab):
    sources = {"words": sends(lab, 1, event="cake"), "silence": lab.at(2, to="in")}
    assert carried(piped(sources, {"to": "out"})) == (2, 0, 2, 0)
    assert carried(piped(sources, {"to": "out", "filter": ALL})) == (2, 2, 0, 0)


def arrives_as(lab, given: Tree, pattern: Tree, **keys: Any) -> int:
    """How many of a cake and a tea are matched when they come out of a pipe with an input."""
    sources = {"cakes": sends(lab, 1), "teas": sends(lab, 2, event=TEA)}
    later = {"later": {"from": "middle", "to": "out", "filter": pattern}}
    tree = piped(
        sources, {"to": "middle", "input": given} | keys, pipes=later, queues={"middle": {}}
    )
    return carried(tree, "later")[2]


def test_an_input_goes_on_in_the_place_of_the_message(lab):
    assert arrives_as(lab, {"constant": CAKE}, CAKES) == 2
    template = '{"what": <what>, "from": "shop"}'
    made = {"transformer": {"paths": {"what": "$.kind"}, "template": template}}
    assert arrives_as(lab, made, {"what": ["tea"], "from": ["shop"]}) == 1
    assert arrives_as(lab, made, ALL) == 0
    assert arrives_as(lab, {"constant": CAKE}, CAKES, filter=TEAS) == 1


def test_a_part_of_the_message_may_go_on(lab):
    wrapped = {"order": CAKE}
    later = {"later": {"from": "middle", "to": "out", "filter": CAKES}}
    pipe = {"to": "middle", "input": {"path": "$.order"}}
    tree = piped(sends(lab, 1, event=wrapped), pipe, pipes=later, queues={"middle": {}})
    assert carried(tree, "later") == (1, 0, 1, 0)


def test_inputs_that_make_ever_more_are_refused(lab):
    wrap = {"transformer": {"paths": {"all": "$"}, "template": '{"in": <all>}'}}
    tree = piped(sends(lab, 1), {"to": "out", "input": wrap})
    with pytest.raises(ScenarioError, match="ever more events") as caught:
        run(tree)
    assert [problem.path for problem in caught.value.problems] == ["pipes"]


# --- targets -------------------------------------------------------------------------------------


def test_topics_and_buses_take_what_comes_and_spread_it(lab):
    topics = {"news": {"subscriptions": ["out"]}}
    rule = {"pattern": CAKES, "targets": ["out"]}
    for section, taken in ({"topics": topics}, 2), ({"buses": {"bell": {"rules": {"r": rule}}}}, 1):
        to = next(iter(next(iter(section.values()))))
        sources = {"cakes": sends(lab, 1), "teas": sends(lab, 2, event=TEA)}
        tree = piped(sources, {"to": to}, **section)
        assert carried(tree) == (2, 0, 2, 0)
        assert run(tree)["queues"]["out"]["sent"] == taken


@pytest.mark.parametrize("to", ["web", "front"])
def test_an_endpoint_gets_a_request_for_each(lab, to):
    """Two pollers of one message each: the second worker is busy from 1 s, the first too."""
    balancers = {"front": {"targets": ["web"]}}
    tree = piped(
        sends(lab, 1, 1.5), {"to": to}, balancers=balancers, fleets={"web": fleet(vcpus=2)}
    )
    assert carried(tree) == (2, 0, 2, 0)
    found = run(tree)
    assert found["fleets"]["web"]["completed"] == 2
    # Each is deleted when it has been answered.
    assert found["queues"]["in"]["age_s"]["mean"] == pytest.approx(1.0, rel=0.01)


def test_as_many_pollers_ask_at_a_time(lab):
    """Three messages: one poller asks three times, five pollers ask at once."""
    for pollers, longest in (1, 3.0), (5, 1.0):
        pipe = {"to": "web", "pollers": pollers, "batch": 1}
        tree = piped(sends(lab, 1, 1, 1), pipe, fleets={"web": fleet(vcpus=3)})
        age = run(tree)["queues"]["in"]["age_s"]["max"]
        assert age == pytest.approx(longest, rel=0.01)


# --- what is not taken ---------------------------------------------------------------------------


def test_what_fails_comes_again_and_becomes_a_dead_letter(lab):
    """Seen again 5 s after each receive, and buried when it would be received a fourth time."""
    source = {"visibility_timeout": "5s", "dead_letter": {"queue": "lost", "max_receives": 3}}
    tree = piped(sends(lab, 1), {"to": "web"}, BROKEN, source=source, queues={"lost": {}})
    assert carried(tree) == (3, 0, 0, 3)
    queues = run(tree)["queues"]
    assert (queues["in"]["dead_lettered"], queues["lost"]["visible"]) == (1, 1)
    assert run(tree | {"duration": "11.5s"})["pipes"]["chute"]["under_way"] == 1


def test_what_is_answered_too_late_has_failed(lab):
    source = {"visibility_timeout": "12h"}
    late = work({"compute": "7s"})
    assert carried(piped(sends(lab, 1), {"to": "web"}, late, source=source)) == (1, 0, 0, 1)
    patient = {"to": "web", "timeout": "8s"}
    assert carried(piped(sends(lab, 1), patient, late, source=source)) == (1, 0, 1, 0)


def test_a_target_beyond_its_limit_gets_it_later(lab):
    """A put a second: at 1 s one is taken; the others come again at 6 s, then one is left."""
    buses = {"bell": {"put_limit": "1/s", "rules": {"r": {"pattern": ALL, "targets": ["out"]}}}}
    source = {"visibility_timeout": "5s"}
    pipe = {"to": "bell", "batch": 1}
    tree = piped(sends(lab, 1, 1, 1), pipe, source=source, buses=buses)
    assert carried(tree) == (6, 0, 3, 3)
    assert run(tree)["buses"]["bell"]["throttled"] == 3


def test_of_a_batch_what_is_not_taken_is_left(lab):
    """Three entries in one call, of which one is none: that alone comes again, for ever."""
    buses = {"bell": {"entries": "checked", "rules": {}}}
    entry = {"source": "shop", "detail-type": "order", "detail": {}}
    sources = {"good": sends(lab, 1, 2, event=entry), "bad": sends(lab, 3)}
    source = {"delay": "10s", "visibility_timeout": "12h"}
    tree = piped(sources, {"to": "bell", "pollers": 1}, source=source, buses=buses)
    assert carried(tree) == (3, 0, 2, 1)


# --- order ---------------------------------------------------------------------------------------


def test_what_follows_in_the_group_waits_for_what_failed(lab):
    """Three of one group in a batch: the first fails, and the others are not even tried."""
    source = {"type": "fifo", "visibility_timeout": "12h", "delay": "10s"}
    traffic = sends(lab, 1, 1, 1, group="a")
    front = {"front": {"targets": ["web"]}}
    tree = piped(traffic, {"to": "front"}, BROKEN, source=source, balancers=front)
    assert carried(tree) == (3, 0, 0, 3)
    assert run(tree)["load_balancers"]["front"]["requests"] == 1
    # Of three groups each is tried.
    sources = {group: sends(lab, 1, group=group) for group in "abc"}
    tree = piped(sources, {"to": "front"}, BROKEN, source=source, balancers=front)
    assert carried(tree) == (3, 0, 0, 3)
    assert run(tree)["load_balancers"]["front"]["requests"] == 3


def test_messages_of_a_fifo_queue_keep_their_groups(lab):
    """Behind the pipe two workers: those of two groups at once, those of one after each other."""
    consumes = {"consumer": {"consumes": {"queue": "out", "wait": "20s"}, "steps": [work_a_second]}}
    ages = {}
    for groups in ("ab", "aa"):
        sources = {f"s{i}": sends(lab, 1, group=group) for i, group in enumerate(groups)}
        tree = piped(
            sources,
            {"to": "out"},
            source={"type": "fifo"},
            queues={"out": {"type": "fifo"}},
            services=consumes,
            fleets={"web": fleet(), "hands": fleet("consumer", vcpus=2)},
        )
        assert carried(tree) == (2, 0, 2, 0)
        ages[groups] = run(tree)["queues"]["out"]["age_s"]["max"]
    assert ages["ab"] == pytest.approx(1.0, rel=0.01)
    assert ages["aa"] == pytest.approx(2.0, rel=0.01)


work_a_second = {"compute": "1s"}


def test_a_pipe_to_a_fifo_target_may_say_the_group(lab):
    """From a standard queue all go in the group that the pipe tells."""
    consumes = {"consumer": {"consumes": {"queue": "out", "wait": "20s"}, "steps": [work_a_second]}}
    tree = piped(
        sends(lab, 1, 1),
        {"to": "out", "group": "all"},
        queues={"out": {"type": "fifo"}},
        services=consumes,
        fleets={"web": fleet(), "hands": fleet("consumer", vcpus=2)},
    )
    assert run(tree)["queues"]["out"]["age_s"]["max"] == pytest.approx(2.0, rel=0.01)


# --- what it costs -------------------------------------------------------------------------------


def test_what_goes_in_is_billed_by_64_kib_after_the_filter(lab):
    sources = {"cakes": sends(lab, 1, 2), "teas": sends(lab, 3, event=TEA)}
    for size, each in ("0B", 1), ("64KiB", 1), ("65KiB", 2):
        pipe = {"to": "out", "filter": CAKES}
        tree = piped(sources, pipe, source={"message_size": size})
        cost = run(tree)["cost_usd"]
        line = cost["pipes"]["chute"]
        assert line == {"requests": 2 * each, "by_http": 0, "usd": pytest.approx(0.8e-6 * each)}
    without = run(tree | {"pipes": {}})["cost_usd"]
    assert "pipes" not in without
    assert cost["total"] > without["total"] + line["usd"]  # the queue is received from, too


def test_what_goes_out_by_http_is_billed_too(lab):
    line = run(piped(sends(lab, 1, 2), {"to": "web"}))["cost_usd"]["pipes"]["chute"]
    assert line == {"requests": 2, "by_http": 2, "usd": pytest.approx(2 * 0.6e-6)}


def test_its_calls_are_requests_of_the_queue(lab):
    """Each poller asks every 20 s; a message is sent, received and deleted."""
    idle = piped(lab.at(1, to="out"), {"to": "out", "pollers": 3}, duration="90s")
    assert requests_of(idle, "in") == 3 * 5
    busy = piped(sends(lab, 1), {"to": "out", "pollers": 1}, duration="10s")
    assert requests_of(busy, "in") == 1 + 2 + 1  # sent, the poll and the one that waits, deleted


def test_what_is_there_at_once_goes_in_one_call(lab):
    """Ten messages that become visible together are one call of the topic, or ten of one each."""
    topics = {"news": {"subscriptions": ["out"], "message_size": "1KiB"}}
    for batch, calls in (10, 1), (5, 2), (1, 10):
        pipe = {"to": "news", "batch": batch, "pollers": 1}
        tree = piped(sends(lab, *[1] * 10), pipe, source={"delay": "10s"}, topics=topics)
        assert run(tree)["cost_usd"]["topics"]["news"]["requests"] == calls


def test_each_pipe_asks_for_keys_of_encrypted_queues(lab):
    """One receives and two keys for who sends: three of `in` and, with the pipe, two of `out`."""
    secret = {"encryption": {"key_reuse": "24h"}}
    tree = piped(sends(lab, 1), {"to": "out"}, source=secret, queues={"out": secret})
    lines = run(tree)["cost_usd"]["queues"]
    assert [lines[name]["key_requests"] for name in ("in", "out")] == [3, 2]


# --- what is refused -----------------------------------------------------------------------------

RULED = {"transformer": {"template": '"by <aws.events.rule-name>"'}}
FIFO = {"out": {"type": "fifo"}}
CONSUMER = {
    "services": {"eater": {"consumes": "out", "steps": [work_a_second]}},
    "fleets": {"web": fleet(), "eaters": fleet("eater")},
}


@pytest.mark.parametrize(
    ("pipe", "keys", "path", "words"),
    [
        ({"to": "out"}, {"queues": FIFO}, "group", "group is missing"),
        ({"to": "out", "group": "a"}, {}, "group", "group has no effect"),
        ({"to": "web", "group": "a"}, {}, "group", "group has no effect"),
        ({"to": "out", "timeout": "1s"}, {}, "timeout", "answers at once"),
        ({"to": "in"}, {}, "to", "comes back"),
        ({"to": "out", "batch": 11}, {}, "batch", "out of range"),
        ({"to": "out", "pollers": 1001}, {}, "pollers", "out of range"),
        ({"to": "out", "filter": []}, {}, "", "0 patterns"),
        ({"to": "out", "filter": [CAKES] * 6}, {}, "", "6 patterns"),
        ({"to": "out", "filter": {"kind": "cake"}}, {}, "", "filter: kind"),
        ({"to": "out", "input": RULED}, {}, "", "a pipe has no rule"),
        ({"to": "nowhere"}, {}, "to", "'nowhere' is not the name"),
        ({"to": "out", "from": "web"}, {}, "from", "'web' is a fleet, not a queue"),
        ({"to": "eaters"}, CONSUMER, "to", "takes its work from a queue"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(lab, pipe, keys, path, words):
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(piped(sends(lab, 1), pipe, **keys))
    found = {problem.path: problem.message for problem in caught.value.problems}
    place = ".".join(filter(None, ("pipes", "chute", path)))
    assert words in found[place]


def test_a_queue_of_a_pipe_hides_what_is_received(lab):
    with pytest.raises(ScenarioError, match="no time to hand on"):
        run(piped(sends(lab, 1), {"to": "out"}, source={"visibility_timeout": "0s"}))


ROUND = {
    "a pipe": {"pipes": {"back": {"from": "out", "to": "in"}}},
    "a topic": {
        "topics": {"news": {"subscriptions": ["in"]}},
        "pipes": {"back": {"from": "out", "to": "news"}},
    },
    "dead letters": {
        "queues": {"out": {"dead_letter": {"queue": "in", "max_receives": 1}}},
    },
}


@pytest.mark.parametrize("way", ROUND)
def test_what_comes_back_to_its_queue_is_refused(lab, way):
    with pytest.raises(ScenarioError, match="again and again"):
        run(piped(sends(lab, 1), {"to": "out"}, **ROUND[way]))


def test_services_behind_a_pipe_must_come_to_an_end(lab):
    """Each message is a request of the fleet, which sends two more, or one more every other time.

    By a topic as well, and by a second pipe.
    """
    topics = {"news": {"subscriptions": ["web"]}}
    second = {"second": {"from": "out", "to": "web"}}
    for pipe, keys in (
        ({"to": "web"}, {}),
        ({"to": "news"}, {"topics": topics}),
        ({"to": "out"}, {"pipes": second}),
    ):
        endless = work({"send": {"to": "in", "batch": 2}})
        with pytest.raises(ScenarioError, match="never end"):
            run(piped(sends(lab, 1), pipe, endless, **keys))
        branches = [
            {"weight": 1, "steps": [{"send": {"to": "in", "batch": 3}}]},
            {"weight": 1, "steps": [{"compute": "1ms"}]},
        ]
        with pytest.raises(ScenarioError):
            run(piped(sends(lab, 1), pipe, work({"choose": branches}), **keys))


# --- what is told --------------------------------------------------------------------------------


def test_it_is_told_in_words_and_in_the_picture(lab):
    tree = piped(sends(lab, 1), {"to": "web", "filter": CAKES})
    read = nph.Scenario.model_validate(tree)
    assert "chute: in to web, filtered, 10 at once by 5" in "\n".join(describe(read))
    ways = {(edge.source, edge.target) for edge in edges(read)}
    assert {("queues.in", "pipes.chute"), ("pipes.chute", "fleets.web")} <= ways


def test_theory_knows_where_messages_go(lab):
    """Four a second of half a second each on four vCPUs, half of them at most with a filter."""
    source = {"to": "in", "rate": "4/s", "event": CAKE}
    half = work({"compute": "500ms"})
    for filtered, most in ({}, False), ({"filter": CAKES}, True):
        tree = piped(source, {"to": "web"} | filtered, half, fleets={"web": fleet(vcpus=4)})
        explanation = nph.explain(nph.Scenario.model_validate(tree))
        load = next(it for it in explanation.loads if it.fleet == "web")
        assert (load.rate, load.utilization, load.at_most) == (4.0, pytest.approx(0.5), most)
        queue = next(it for it in explanation.queues if it.queue == "in")
        assert (queue.received, queue.overloaded) == (4.0, False)


def test_theory_has_the_most_that_may_come(lab):
    """Half of it fails twice at most: 1.5 requests of each, a quarter are lost, and fewer by a
    filter or where somebody else receives, too."""
    half = work({"compute": "100ms"}, {"fail": 0.5})
    letters = {"dead_letter": {"queue": "lost", "max_receives": 2}}
    two = {"second": {"from": "in", "to": "out"}}
    for pipe, others, most in (({}, {}, False), ({"filter": CAKES}, {}, True), ({}, two, True)):
        source = {"to": "in", "rate": "4/s", "event": CAKE}
        queues = {"lost": {}}
        tree = piped(
            source, {"to": "web"} | pipe, half, source=letters, queues=queues, pipes=others
        )
        explanation = nph.explain(nph.Scenario.model_validate(tree))
        load = next(it for it in explanation.loads if it.fleet == "web")
        lost = next(it for it in explanation.queues if it.queue == "lost")
        assert (load.rate, load.at_most) == (pytest.approx(6.0), most)
        assert (lost.sent, lost.at_most) == (pytest.approx(1.0), most)


def test_a_queue_with_a_pipe_is_not_alone(lab):
    """Nobody consumes where it leads, of which alone a warning tells."""
    read = nph.Scenario.model_validate(piped(sends(lab, 1), {"to": "out"}))
    told = list(warnings(read, nph.explain(read)))
    assert told == ["out: nobody consumes it"]


def test_who_consumes_beside_a_pipe_has_no_formula(lab):
    eater = {"eater": {"consumes": {"queue": "in", "wait": "20s"}, "steps": [work_a_second]}}
    fleets = {"web": fleet(), "eaters": fleet("eater")}
    source = {"to": "in", "rate": "0.2/s"}
    reasons = {}
    for pipes in ({"chute": {"from": "in", "to": "out"}}, {}):
        tree = piped(source, {"to": "out"}, services=eater, fleets=fleets) | {"pipes": pipes}
        answers = nph.explain(nph.Scenario.model_validate(tree)).answers
        answer = next(it for it in answers if it.part == "fleets.eaters")
        reasons[bool(pipes)] = answer.reasons
    assert "a pipe receives from in beside it" in reasons[True]
    assert "a pipe receives from in beside it" not in reasons[False]
