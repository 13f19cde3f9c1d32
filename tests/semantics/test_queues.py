"""Queues between services: what is sent, received, worked, hidden, seen again. One test a rule.

Every number is worked out by hand; work takes a second unless told, and workers wait for messages
for up to 20 s.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fates, fleet, latency, moments, run, scenario, simulation, work

Tree = dict[str, Any]

CONSERVED = ("deleted", "visible", "delayed", "in_flight", "dead_lettered", "expired")


def consumer(*steps: Tree, queue: str = "orders", wait: str = "20s", **rules: Any) -> Tree:
    keys = {key: rules.pop(key) for key in ("concurrency", "discipline") if key in rules}
    return work(*steps, consumes={"queue": queue, "wait": wait, **rules}, **keys)


def shop(
    traffic: Tree, service: Tree | None = None, queue: Tree | None = None, **keys: Any
) -> Tree:
    """Traffic to the queue `orders`, on which the fleet `web` lives."""
    queues = {"orders": queue or {}} | keys.pop("queues", {})
    return scenario(traffic, service or consumer(), queues=queues, **keys)


def orders(tree: Tree, name: str = "orders") -> Tree:
    queue = run(tree)["queues"][name]
    assert queue["sent"] + queue["duplicated"] == sum(queue[key] for key in CONSERVED)
    return queue


def aged(queue: Tree, *ages: float) -> None:
    """Messages were deleted so long after they had been sent."""
    assert queue["deleted"] == queue["age_s"]["count"] == len(ages)
    found = tuple(queue["age_s"][key] for key in ("mean", "std", "min", "max"))
    assert found == pytest.approx(moments(ages), rel=1e-9, abs=2e-9)


def test_who_waits_for_a_message_works_it_at_once(lab):
    queue = orders(shop(lab.at(1, to="orders")))
    aged(queue, 1.0)
    assert (queue["sent"], queue["received"], queue["timed_out"]) == (1, 1, 0)


def test_the_sender_does_not_wait_for_the_work(lab):
    source = run(shop(lab.at(1, 2, 3, to="orders")))["traffic"]["customers"]
    assert fates(source) == (3, 0, 0, 0, 0)
    assert latency(source) == (0.0, 0.0, 0.0, 0.0)


def test_what_consumers_do_is_their_fleets_account(lab):
    web = run(shop(lab.at(1, 2, 3, to="orders")))["fleets"]["web"]
    assert fates(web) == (3, 0, 0, 0, 0)
    assert web["utilization"] == pytest.approx(0.03)


def test_a_worker_works_one_message_after_the_other(lab):
    aged(orders(shop(lab.at(1, 1, 1, to="orders"))), 1.0, 2.0, 3.0)


def test_every_worker_of_every_instance_polls(lab):
    fleets = {"web": fleet(count=2, vcpus=2)}
    aged(orders(shop(lab.at(1, 1, 1, 1, 1, to="orders"), fleets=fleets)), 1.0, 1.0, 1.0, 1.0, 2.0)


def test_processor_sharing_polls_with_as_many_workers_as_told(lab):
    service = consumer(discipline="ps", concurrency=2)
    aged(orders(shop(lab.at(1, 1, to="orders"), service)), 2.0, 2.0)


def test_depth_is_what_is_there(lab):
    """One message for a second, then two for a second and one for another."""
    depth = orders(shop(lab.at(10, 20, 20, to="orders")))["depth"]
    assert depth == {"mean": pytest.approx(0.04), "min": 0, "max": 2, "final": 0}


def test_depth_counts_from_the_end_of_the_warm_up(lab):
    queue = orders(shop(lab.at(1, 1, 60, to="orders"), warmup="50s"))
    assert (queue["sent"], queue["depth"]["max"]) == (3, 1)
    assert queue["depth"]["mean"] == pytest.approx(1 / 50)
    assert queue["age_s"]["count"] == 1


def test_calls_are_counted_as_they_are_billed(lab):
    """A send, a delete, and polls at 0, 2, 22, 42, 62 and 82, of which four end empty."""
    queue = orders(shop(lab.at(1, to="orders")))
    assert (queue["requests"], queue["empty_receives"]) == (8, 4)


def test_a_short_poll_is_repeated_after_a_round_trip(lab):
    """At 0, 10, ... 100 ms: the message of 95 ms is there then; and at 1.1 s once more."""
    queue = orders(shop(lab.at(0.095, to="orders"), consumer(wait="0s"), duration="1105ms"))
    aged(queue, 1.005)
    assert queue["empty_receives"] == 11


def test_a_batch_is_received_at_once_and_deleted_one_by_one(lab):
    """While the first is worked three others come: polls at 0, 2, 5, 25, 45, 65 and 85."""
    queue = orders(shop(lab.at(1, 1.5, 1.5, 1.5, to="orders"), consumer(batch=10)))
    aged(queue, 1.0, 1.5, 2.5, 3.5)
    assert queue["requests"] == 4 + 4 + 7


def test_delayed_messages_are_not_seen(lab):
    aged(orders(shop(lab.at(1, to="orders"), queue={"delay": "5s"})), 6.0)


def test_what_nobody_consumes_stays_until_it_expires(lab):
    service = consumer(queue="others")
    tree = shop(lab.at(1, 50, to="orders"), service, {"retention": "60s"}, queues={"others": {}})
    queue = orders(tree)
    assert (queue["visible"], queue["expired"], queue["oldest_s"]) == (1, 1, 50.0)


# --- failures ------------------------------------------------------------------------------------


def test_what_fails_is_seen_again_after_the_timeout(lab):
    """Received at 1, 6, 11, ..., 96: every attempt fails after a second."""
    service = consumer({"compute": "1s"}, {"fail": 1.0})
    tree = shop(lab.at(1, to="orders"), service, {"visibility_timeout": "5s"})
    queue = orders(tree)
    assert (queue["received"], queue["timed_out"], queue["in_flight"]) == (20, 19, 1)
    assert run(tree)["fleets"]["web"]["failed"] == 20


def test_dead_letters_leave_on_the_receive_after_the_last_one(lab):
    """Received at 1 and 6; at 11 it goes, to be there at once."""
    service = consumer({"compute": "1s"}, {"fail": 1.0})
    board = {"visibility_timeout": "5s", "dead_letter": {"queue": "lost", "max_receives": 2}}
    tree = shop(lab.at(1, to="orders"), service, board, queues={"lost": {}})
    queue, lost = orders(tree), orders(tree, "lost")
    assert (queue["received"], queue["dead_lettered"]) == (2, 1)
    assert (lost["sent"], lost["visible"], lost["arrived"], lost["oldest_s"]) == (1, 1, 1, 99.0)
    assert lost["depth"]["mean"] == pytest.approx(0.89)


def test_dead_letters_are_worked_by_who_consumes_their_queue(lab):
    service = consumer({"compute": "1s"}, {"fail": 1.0})
    board = {"visibility_timeout": "5s", "dead_letter": {"queue": "lost", "max_receives": 2}}
    tree = shop(
        lab.at(1, to="orders"),
        service,
        board,
        queues={"lost": {}},
        services={"mourn": consumer(queue="lost")},
        fleets={"web": fleet(), "desk": fleet("mourn")},
    )
    aged(orders(tree, "lost"), 11.0)


def test_nothing_is_lost_while_the_barista_is_on_a_break(lab):
    """Down from 1.5 to 10: the first is seen again at 4, and worked from 10; the others follow."""
    faults = [{"at": "1500ms", "fail": "web", "for": "8500ms"}]
    queue = orders(
        shop(lab.at(1, 2, 3, to="orders"), queue={"visibility_timeout": "3s"}, faults=faults)
    )
    aged(queue, 10.0, 10.0, 10.0)
    assert (queue["received"], queue["timed_out"]) == (4, 1)


def test_what_a_dead_instance_held_is_seen_by_the_one_in_its_place(lab):
    faults = [{"at": "1500ms", "kill": "web"}]
    queue = orders(shop(lab.at(1, to="orders"), queue={"visibility_timeout": "3s"}, faults=faults))
    aged(queue, 4.0)


def test_who_hangs_goes_on_and_deletes_what_nobody_else_has(lab):
    """It hangs from 1.5 to 7; the message is seen again at 4, and worked to the end at 7.5."""
    faults = [{"at": "1500ms", "hang": "web", "for": "5500ms"}]
    queue = orders(shop(lab.at(1, to="orders"), queue={"visibility_timeout": "3s"}, faults=faults))
    aged(queue, 6.5)
    assert (queue["received"], queue["timed_out"], queue["in_vain"]) == (1, 1, 0)


def test_who_leaves_finishes_what_it_holds_and_polls_no_more(lab):
    """From 1.5 on nobody is desired: of the batch of two both are done, and the third stays."""
    tree = shop(lab.at(0.5, 1, 1, 3, to="orders"), consumer(batch=10))
    world = simulation(tree)
    world.advance("2s")
    world.set("fleets.web.count", 0)
    world.advance("100s")
    queue = world.results().to_dict()["queues"]["orders"]
    aged(queue, 1.0, 1.5, 2.5)
    assert (queue["visible"], queue["in_flight"]) == (1, 0)


def test_who_joins_polls(lab):
    tree = shop(lab.at(1, 1, 1, 1, to="orders"))
    world = simulation(tree)
    world.advance("1500ms")
    world.set("fleets.web.count", 3)
    world.advance("100s")
    aged(world.results().to_dict()["queues"]["orders"], 1.0, 1.5, 1.5, 2.0)


# --- visibility ----------------------------------------------------------------------------------


def test_who_overruns_the_timeout_runs_on_and_the_first_to_finish_deletes(lab):
    """Received at 1 and, by the other worker, at 3; done at 6, and in vain at 8."""
    fleets = {"web": fleet(vcpus=2)}
    service = consumer({"compute": "5s"})
    queue = orders(
        shop(lab.at(1, to="orders"), service, {"visibility_timeout": "2s"}, fleets=fleets)
    )
    aged(queue, 5.0)
    assert (queue["received"], queue["timed_out"], queue["in_vain"]) == (2, 2, 1)


@pytest.mark.parametrize("vcpus", [1, 2])
@pytest.mark.parametrize(("step", "busy"), [("compute", 4.0), ("sleep", 0.0)])
def test_who_abandons_stops_when_the_timeout_ends(lab, step, busy, vcpus):
    """Worked from 1 to 3 and from 3 to 5, then a dead letter."""
    board = {"visibility_timeout": "2s", "dead_letter": {"queue": "lost", "max_receives": 2}}
    service = consumer({step: "5s"}, on_timeout="abandon", concurrency=vcpus)
    fleets = {"web": fleet(vcpus=vcpus)}
    tree = shop(lab.at(1, to="orders"), service, board, queues={"lost": {}}, fleets=fleets)
    queue, web = orders(tree), run(tree)["fleets"]["web"]
    assert (queue["received"], queue["dead_lettered"], queue["in_vain"]) == (2, 1, 0)
    assert fates(web) == (0, 0, 2, 0, 0)
    assert web["utilization"] == pytest.approx(busy / 100 / vcpus)


def test_what_is_abandoned_leaves_its_worker_to_the_next(lab):
    """The sleep of 5 s is given up at 3; the second message is worked from 3 on, as the first."""
    service = consumer({"sleep": "5s"}, on_timeout="abandon")
    tree = shop(lab.at(1, 2, to="orders"), service, {"visibility_timeout": "2s"}, duration="5s")
    assert (orders(tree)["received"], run(tree)["fleets"]["web"]["failed"]) == (2, 1)


def test_a_heartbeat_begins_the_timeout_anew(lab):
    service = consumer({"compute": "5s"}, heartbeat="1s")
    queue = orders(shop(lab.at(1, to="orders"), service, {"visibility_timeout": "2s"}))
    aged(queue, 5.0)
    assert (queue["received"], queue["timed_out"]) == (1, 0)


def test_a_heartbeat_keeps_the_whole_batch(lab):
    service = consumer({"compute": "2s"}, heartbeat="1s", batch=10, on_timeout="abandon")
    queue = orders(
        shop(lab.at(1, 1.5, 1.5, 1.5, to="orders"), service, {"visibility_timeout": "3s"})
    )
    aged(queue, 2.0, 3.5, 5.5, 7.5)
    assert queue["timed_out"] == 0


# --- FIFO, and steps that send -------------------------------------------------------------------


def test_a_group_of_a_fifo_queue_is_worked_in_order_one_at_a_time(lab):
    fleets = {"web": fleet(count=3)}
    traffic = lab.at(1, 1, 1, to="orders", group="one")
    aged(orders(shop(traffic, queue={"type": "fifo"}, fleets=fleets)), 1.0, 2.0, 3.0)


def test_groups_of_a_fifo_queue_do_not_wait_for_each_other(lab):
    traffic = {
        "mine": lab.at(1, 1, to="orders", group="one"),
        "yours": lab.at(1, to="orders", group="two"),
    }
    tree = shop(traffic, queue={"type": "fifo"}, fleets={"web": fleet(count=2)})
    aged(orders(tree), 1.0, 2.0, 1.0)


def test_a_fifo_queue_takes_300_calls_a_second(lab):
    traffic = lab.at(*[1.0] * 301, to="orders", group="one")
    source = run(shop(traffic, queue={"type": "fifo"}))["traffic"]["customers"]
    assert fates(source) == (300, 1, 0, 0, 0)


def test_a_step_sends_and_goes_on(lab):
    """Sent at 2, seen at 5; meanwhile the answer is there at 3."""
    front = work({"compute": "1s"}, {"send": {"to": "orders", "delay": "3s"}}, {"compute": "1s"})
    tree = shop(
        lab.at(1, to="desk"),
        services={"front": front},
        fleets={"web": fleet(), "desk": fleet("front")},
    )
    aged(orders(tree), 4.0)
    assert latency(run(tree)["traffic"]["customers"])[0] == pytest.approx(2.0)


def test_a_consumer_sends_to_the_next(lab):
    tree = shop(
        lab.at(1, to="orders"),
        consumer({"compute": "1s"}, {"send": "ready"}),
        queues={"ready": {}},
        services={"call-out": consumer({"compute": "2s"}, queue="ready")},
        fleets={"web": fleet(), "counter": fleet("call-out")},
    )
    aged(orders(tree), 1.0)
    aged(orders(tree, "ready"), 2.0)


def test_a_consumer_calls_and_waits(lab):
    tree = shop(
        lab.at(1, to="orders"),
        consumer({"call": "shelf"}),
        services={"fetch": work({"compute": "2s"})},
        fleets={"web": fleet(), "shelf": fleet("fetch")},
    )
    aged(orders(tree), 2.0)


def test_a_call_that_fails_leaves_the_message(lab):
    tree = shop(
        lab.at(1, to="orders"),
        consumer({"call": "shelf"}),
        {"visibility_timeout": "60s"},
        services={"fetch": work({"compute": "2s"}, {"fail": 1.0})},
        fleets={"web": fleet(), "shelf": fleet("fetch")},
    )
    queue = orders(tree)
    assert (queue["received"], queue["deleted"], queue["visible"]) == (2, 0, 0)


def test_every_receive_draws_anew(lab):
    """One half fails: all of 40 are done in the end, after 2 receives each on average."""
    times = [float(second) for second in range(1, 41)]
    service = consumer({"fail": 0.5})
    queue = orders(
        shop(lab.at(*times, to="orders"), service, {"visibility_timeout": "1s"}, duration="200s")
    )
    assert queue["deleted"] == 40
    assert 60 <= queue["received"] <= 110


def test_a_poison_message_is_one_at_every_receive(lab):
    """Which branch is drawn is the message's own: every fourth fails, each time."""
    chosen = [{"weight": 1, "steps": [{"fail": 1.0}]}, {"weight": 3, "steps": [{"fail": 0}]}]
    times = [float(second) for second in range(1, 41)]
    letters = {"dead_letter": {"queue": "lost", "max_receives": 3}, "visibility_timeout": "1s"}
    queue = orders(
        shop(
            lab.at(*times, to="orders"),
            consumer({"choose": chosen}),
            letters,
            queues={"lost": {}},
            duration="200s",
        )
    )
    dead = queue["dead_lettered"]
    assert 2 <= dead <= 22  # of 40 with a chance of 1/4 each: all but once in 5,000 times
    assert (queue["deleted"], queue["received"]) == (40 - dead, 40 + 2 * dead)


def test_work_does_not_depend_on_who_does_it(lab):
    """The same messages, by one worker and by many: vCPU time of the same work."""
    step = {"compute": {"exponential": "100ms"}}
    used = []
    for count in (1, 5):
        tree = shop(
            lab.at(*[1.0] * 50, to="orders"), consumer(step), fleets={"web": fleet(count=count)}
        )
        web = run(tree)["fleets"]["web"]
        assert web["completed"] == 50
        used.append(web["utilization"] * count)
    assert used[0] == pytest.approx(used[1], rel=1e-9)


# --- what follows from it ------------------------------------------------------------------------


def backlogged(lab, **rule: Any) -> Tree:
    """45 messages at 1 s, and one worker, who has received nine of them just before 10 s."""
    looks = {"metric": "backlog_per_instance", "queue": "orders", "warmup": "0s"}
    form = "step" if "steps" in rule else "target_tracking"
    web = fleet() | {
        "count": {"min": 1, "max": 10},
        "metrics": {"period": "10s", "delay": "0s"},
        "scaling": [{form: looks | rule}],
    }
    return shop(lab.at(*[1.0] * 45, to="orders"), fleets={"web": web})


@pytest.mark.parametrize(
    ("rule", "size"),
    [
        ({"target": 10, "out_periods": 1}, 4),  # 36 visible messages, ten for each
        ({"threshold": 20, "steps": [[0, 20, 2], [20, None, 5]]}, 3),  # 16 above
        ({"threshold": 10, "steps": [[0, 20, 2], [20, None, 5]]}, 6),  # 26 above
    ],
)
def test_a_fleet_follows_the_backlog_of_an_instance(lab, rule, size):
    world = simulation(backlogged(lab, **rule))
    world.advance("10s")
    assert world.results()["fleets.web.scaling.desired"] == 1
    world.advance("11s")
    assert world.results()["fleets.web.scaling.desired"] == size


def test_the_backlog_is_seen_a_minute_late_unless_told(lab):
    """That of 10 s at 70 s."""
    tree = backlogged(lab, target=10, out_periods=1)
    del tree["fleets"]["web"]["metrics"]["delay"]
    sizes = {cut: run(tree | {"duration": cut})["fleets"]["web"] for cut in ("69.9s", "70.1s")}
    assert [it["scaling"]["desired"] for it in sizes.values()] == [1, 4]


@pytest.mark.parametrize(("kind", "usd"), [("standard", 0.40), ("fifo", 0.50)])
def test_requests_are_on_the_bill(lab, kind, usd):
    """Eight calls, as above."""
    group = {"group": "one"} if kind == "fifo" else {}
    bill = run(shop(lab.at(1, to="orders", **group), queue={"type": kind}))["cost_usd"]
    line = {"type": kind, "requests": 8, "usd": pytest.approx(8 * usd / 1e6)}
    assert bill["queues"] == {"orders": line}
    assert bill["total"] == pytest.approx(8 * usd / 1e6)


def test_queues_are_told_in_words(lab):
    service = consumer(batch=3, heartbeat="10s", on_timeout="abandon")
    board = {"delay": "5s", "dead_letter": {"queue": "lost", "max_receives": 4}}
    front = work({"send": {"to": "orders", "delay": "1s"}})
    tree = shop(
        lab.at(1, to="desk"),
        service,
        board,
        queues={"lost": {}},
        services={"front": front},
        fleets={"web": fleet(), "desk": fleet("front")},
    )
    text = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "to lost after 4 receives" in text
    assert "messages of orders, 3 at once" in text
    assert "abandoned when their timeout ends" in text
    assert "send to orders, delayed by" in text


def test_a_queue_that_grows_is_no_steady_state(lab):
    service = consumer({"compute": "1s"})
    traffic = {"to": "orders", "rate": "2/s", "arrivals": "constant"}
    assert run(shop(traffic, service, duration="10m"))["steady"] is False
    assert run(shop(traffic | {"rate": "0.5/s"}, service, duration="10m"))["steady"] is True


# --- mistakes ------------------------------------------------------------------------------------

LINE = {"type": "fifo"}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"queue": LINE}, "traffic.customers.group", "group is missing"),
        ({"traffic": {"timeout": "2s"}}, "traffic.customers.timeout", "has no effect"),
        ({"traffic": {"hedge": "2s"}}, "traffic.customers.hedge", "has no effect"),
        ({"traffic": {"on_timeout": "abandon"}}, "traffic.customers.on_timeout", "has no effect"),
        ({"traffic": {"to": "web"}}, "traffic.customers.to", "takes its work from a queue"),
        ({"rules": {"heartbeat": "30s"}}, "services.work.consumes.heartbeat", "comes too late"),
        ({"queue": {"visibility_timeout": "0s"}}, "queues.orders.visibility_timeout", "no time"),
        ({"step": {"send": "orders"}}, "services.work.steps.0.send", "never end"),
        ({"step": {"call": "orders"}}, "services.work.steps.0.call", "is a queue, not"),
        (
            {"step": {"send": {"to": "line", "delay": "1s"}}},
            "services.work.steps.0.send.group",
            "group is missing",
        ),
        (
            {"step": {"send": {"to": "line", "group": "one", "delay": "1s"}}},
            "services.work.steps.0.send.delay",
            "no delay of its own",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(changes, path, words):
    service = consumer(changes.get("step", {"compute": "1s"}), **changes.get("rules", {}))
    traffic = {"to": "orders", "rate": "1/s"} | changes.get("traffic", {})
    tree = shop(traffic, service, changes.get("queue"), queues={"line": LINE})
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    found = [problem for problem in caught.value.problems if problem.path == path]
    assert [words in problem.render() for problem in found][:1] == [True], caught.value.problems


@pytest.mark.parametrize("to", ["orders", "news", "shop"])
def test_users_without_a_thought_would_stop_the_clock(to):
    traffic = {"to": to, "arrivals": {"closed": {"users": 2, "think": "0s"}}}
    others = {"topics": {"news": {"subscriptions": ["orders"]}}, "buses": {"shop": {}}}
    with pytest.raises(ScenarioError, match="takes a message at once"):
        nph.Scenario.model_validate(shop(traffic, **others))


# --- stepping ------------------------------------------------------------------------------------


def test_series_tell_what_is_there(lab):
    tree = shop(lab.at(1, 1, 1, to="orders"), duration="5s", series="500ms")
    result = nph.Scenario.model_validate(tree).run(rng=1)
    # At 0.5, 1.0 (nothing has come yet at its beginning), ... 4.5 and 5.0.
    expected = {
        "depth": [0, 0, 3, 3, 2, 2, 1, 1, 0, 0],
        "in_flight": [0, 0, 1, 1, 1, 1, 1, 1, 0, 0],
        "visible": [0, 0, 2, 2, 1, 1, 0, 0, 0, 0],
    }
    for gauge, values in expected.items():
        assert result.series(f"queues.orders.{gauge}")[1].tolist() == values


def test_a_fork_goes_its_own_way(lab):
    tree = shop(lab.at(1, 1, 1, 1, to="orders"), consumer(batch=2))
    world = simulation(tree)
    world.advance("2500ms")
    twin = world.fork()
    for each in (world, twin):
        each.advance("100s")
    assert world.results().fingerprint == twin.results().fingerprint
    assert world.results().fingerprint == nph.Scenario.model_validate(tree).run(rng=7).fingerprint
