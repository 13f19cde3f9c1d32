"""What operators do to queues: redrives and purges at set times. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from nephoscope.report.html.topology import Edge, edges
from semantics.lab import fleet, outcome, run, scenario, work

Tree = dict[str, Any]

LETTERS: Tree = {"dead_letter": {"queue": "lost", "max_receives": 1}, "visibility_timeout": "2s"}


def buried(lab, *actions: Tree, times: tuple[float, ...] = (1, 2, 3), **keys: Any) -> Tree:
    """Messages whose work fails: seen again after 2 s, and moved on that receive."""
    steps = [{"compute": "1ms"}, {"fail": 1.0}]
    service = work(*steps, consumes={"queue": "orders", "wait": "20s"})
    queues = {"orders": dict(LETTERS), "lost": {}} | keys.pop("queues", {})
    return scenario(
        lab.at(*times, to="orders"), service, queues=queues, actions=list(actions), **keys
    )


def told(tree: Tree) -> dict[str, Tree]:
    return run(tree)["queues"]


def test_a_redrive_brings_dead_letters_back_as_new_messages(lab):
    """Three are buried by 5 s; at 10 s they move, fail once more and are dead again by 15 s."""
    tree = buried(lab, {"at": "10s", "redrive": "lost"})
    before = told(tree | {"duration": "9s"})
    assert (before["lost"]["sent"], before["orders"]["sent"]) == (3, 3)
    after = told(tree)
    assert (after["lost"]["redriven"], after["lost"]["deleted"]) == (3, 3)
    assert (after["orders"]["sent"], after["orders"]["arrived"]) == (6, 3)
    assert (after["lost"]["sent"], after["lost"]["visible"]) == (6, 3)


def test_so_many_move_in_a_second(lab):
    """One in each second: at 10, 11 and 12 s."""
    redrive = {"queue": "lost", "rate": "1/s"}
    tree = buried(lab, {"at": "10s", "redrive": redrive})
    moved = [told(tree | {"duration": f"{s}s"})["lost"].get("redriven") for s in (9, 10.5, 11.5)]
    assert moved == [None, 1, 2]


def test_a_redrive_ends_when_nothing_is_visible(lab):
    """At 500 a second all have moved at 10.004 s; what is buried later stays."""
    tree = buried(lab, {"at": "10s", "redrive": "lost"}, times=(1, 2, 3, 20))
    queues = told(tree)
    assert (queues["lost"]["redriven"], queues["lost"]["visible"]) == (3, 4)


def test_a_redrive_to_a_queue_of_its_own(lab):
    """Where somebody else works them: a new age, and no receives."""
    redrive = {"queue": "lost", "to": "again"}
    services = {"mend": work({"compute": "1s"}, consumes={"queue": "again", "wait": "20s"})}
    tree = buried(
        lab, {"at": "10s", "redrive": redrive}, queues={"again": {}}, services=services,
        fleets={"web": fleet(), "menders": fleet("mend")},
    )  # fmt: skip
    queues = told(tree)
    assert (queues["again"]["sent"], queues["again"]["deleted"]) == (3, 3)
    # At 10 s, 10.002 and 10.004 s, one after the other for a second each.
    assert queues["again"]["age_s"]["max"] == pytest.approx(2.996, rel=5e-3)
    assert queues["orders"]["sent"] == 3


def test_one_redrive_at_a_time(lab):
    """The second one, while one a second still move, is refused."""
    slow = {"queue": "lost", "rate": "1/s"}
    tree = buried(lab, {"at": "10s", "redrive": slow}, {"at": "11s", "redrive": "lost"})
    queues = told(tree | {"duration": "11500ms"})
    assert (queues["lost"]["redriven"], queues["lost"]["refused_redrives"]) == (2, 1)


def test_a_fifo_redrive_keeps_the_groups(lab):
    fifo = {"type": "fifo"}
    queues = {"orders": LETTERS | fifo, "lost": dict(fifo)}
    tree = buried(lab, {"at": "20s", "redrive": "lost"}, queues=queues)
    tree["traffic"]["customers"]["group"] = "a"
    assert told(tree)["lost"]["redriven"] == 3
    assert told(tree)["orders"]["arrived"] == 3


def test_a_purge_deletes_everything(lab):
    """Three wait and none is worked; what comes later stays."""
    tree = scenario(
        lab.at(1, 2, 3, 20, to="orders"), queues={"orders": {}},
        actions=[{"at": "10s", "purge": "orders"}],
    )  # fmt: skip
    queue = told(tree)["orders"]
    assert (queue["purged"], queue["deleted"], queue["visible"]) == (3, 3, 1)


def test_work_on_what_was_purged_is_in_vain(lab):
    """In flight from 1 s to 2 s; deleted by the purge at 1.5 s."""
    service = work(consumes={"queue": "orders", "wait": "20s"})
    tree = scenario(
        lab.at(1, 5, to="orders"), service, queues={"orders": {}},
        actions=[{"at": "1500ms", "purge": "orders"}],
    )  # fmt: skip
    queue = told(tree)["orders"]
    assert (queue["purged"], queue["in_vain"], queue["deleted"]) == (1, 1, 2)


def purging(lab, lasts: str, *times: float, worked: bool = False, **keys: Any) -> Tree:
    """A purge at 10 s that lasts; messages are worked from 12 s on for a second each, if at all."""
    service = work(consumes={"queue": "orders", "wait": "20s"}) if worked else None
    fleets = {"web": fleet() | {"boot": "12s", "initially": "pending"}}
    return scenario(
        lab.at(*times, to="orders"), service, queues={"orders": {}}, fleets=fleets,
        actions=[{"at": "10s", "purge": {"queue": "orders", "lasts": lasts}}], **keys,
    )  # fmt: skip


def test_what_is_purged_is_gone_when_the_purge_is_over(lab):
    """Three of before, one of the very instant and one of since, which both stay."""
    tree = purging(lab, "60s", 1, 2, 9.999, 10, 30)
    for cut, there in (("11s", 4), ("69.9s", 5), ("70.1s", 2)):
        queue = told(tree | {"duration": cut})["orders"]
        assert (queue["visible"], queue.get("purged", 0)) == (there, 3 if there == 2 else 0)


def test_what_is_purged_may_be_received_meanwhile(lab):
    """Of five two are worked from 12 s to 14 s; of the others one is in flight, and in vain."""
    tree = purging(lab, "4500ms", 1, 2, 3, 4, 5, worked=True)
    queue = told(tree)["orders"]
    assert (queue["purged"], queue["in_vain"]) == (3, 1)
    assert queue["deleted"] == 5
    assert (told(purging(lab, "0s", 1, 2, 3, 4, 5, worked=True))["orders"]["received"]) == 0


def test_a_purge_lasts_60_s_at_most(lab):
    nph.Scenario.model_validate(purging(lab, "60s", 1))
    with pytest.raises(ScenarioError, match=r"actions\.0\.purge\.lasts(.|\n)*0s to 60s"):
        nph.Scenario.model_validate(purging(lab, "61s", 1))


def test_a_purge_that_lasts_is_described_and_saved(lab):
    tree = purging(lab, "20s", 1, 2, 15)
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "at 10s: purge orders, which lasts 20s" in words
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("15s")
    second = nph.Simulation.load(first.save())
    second.advance("85s")
    assert second.result().fingerprint == outcome(tree).fingerprint


def test_states_are_saved_with_a_redrive_under_way(lab):
    redrive = {"queue": "lost", "rate": "1/s"}
    tree = buried(lab, {"at": "10s", "redrive": redrive}, {"at": "30s", "purge": "lost"})
    whole = outcome(tree)
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("10500ms")
    twin = first.fork()
    second = nph.Simulation.load(first.save())
    for each in (first, second, twin):
        each.advance("89500ms")
        assert each.result().fingerprint == whole.fingerprint


def test_what_is_done_is_described(lab):
    tree = buried(
        lab, {"at": "10s", "redrive": {"queue": "lost", "rate": "9/s"}},
        {"at": "20s", "purge": "orders"},
    )  # fmt: skip
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "at 10s: redrive lost, 9/s" in words
    assert "at 20s: purge orders" in words


def test_a_redrive_is_a_way_in_the_picture(lab):
    tree = buried(lab, {"at": "10s", "redrive": "lost"})
    ways = edges(nph.Scenario.model_validate(tree))
    assert Edge("queues.lost", "queues.orders", "messages") in ways
    assert Edge("queues.orders", "queues.lost", "dead letters") in ways


@pytest.mark.parametrize(
    ("action", "path", "words"),
    [
        ({"redrive": "losst"}, ".redrive", "did you mean lost?"),
        ({"redrive": "web"}, ".redrive", "is a fleet, not a queue"),
        ({"redrive": "orders"}, ".redrive", "is no queue for dead letters"),
        ({"redrive": {"queue": "lost", "to": "lost"}}, ".redrive.to", "another queue"),
        ({"redrive": {"queue": "lost", "to": "row"}}, ".redrive.to", "is not of the same type"),
        ({"redrive": {"queue": "lost", "rate": "501/s"}}, ".redrive.rate", "1/s to 500/s"),
        ({"redrive": {"queue": "lost", "rate": "0.5/s"}}, ".redrive.rate", "no whole number"),
        ({"purge": "ordres"}, ".purge", "did you mean orders?"),
        ({"purge": "orders", "redrive": "lost"}, "", "not one action"),
    ],
)
def test_mistakes_are_told_with_their_place(lab, action, path, words):
    tree = buried(lab, {"at": "10s"} | action, queues={"row": {"type": "fifo"}})
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    found = [it for it in caught.value.problems if it.path == f"actions.0{path}"]
    assert [words in it.render() for it in found][:1] == [True], caught.value.problems


def two_sources(lab, *actions: Tree, **keys: Any) -> Tree:
    """Dead letters of two queues in one: of orders those of 1 and 3 s, of others that of 2 s."""
    steps = [{"compute": "1ms"}, {"fail": 1.0}]
    services = {"fail": work(*steps, consumes={"queue": "others", "wait": "20s"})}
    queues = {"others": dict(LETTERS)} | keys.pop("queues", {})
    fleets = {"web": fleet(), "others-web": fleet("fail")}
    tree = buried(
        lab, *actions, times=(1, 3), queues=queues, services=services, fleets=fleets, **keys
    )  # fmt: skip
    tree["traffic"]["second"] = lab.at(2, to="others")
    return tree


def test_a_redrive_brings_each_message_back_to_its_own_queue(lab):
    """At 10 s they go where they came from, and at 12 s they are there again."""
    tree = two_sources(lab, {"at": "10s", "redrive": "lost"})
    queues = told(tree | {"duration": "11s"})
    assert queues["lost"]["redriven"] == 3
    assert [queues[name]["arrived"] for name in ("orders", "others")] == [2, 1]
    again = told(tree)
    assert (again["lost"]["sent"], again["lost"]["visible"]) == (6, 3)


def test_a_second_redrive_brings_them_back_as_well(lab):
    """What came back and was buried again is from where it was buried."""
    redrives = [{"at": at, "redrive": "lost"} for at in ("10s", "20s")]
    queues = told(two_sources(lab, *redrives))
    assert [queues[name]["arrived"] for name in ("orders", "others")] == [4, 2]
    assert "stopped_redrives" not in queues["lost"]


def test_in_a_row_of_dead_letter_queues_the_last_one_counts(lab):
    """From orders to lost, and from there, received in vain once more, to the end of all."""
    steps = [{"compute": "1ms"}, {"fail": 1.0}]
    services = {"fail": work(*steps, consumes={"queue": "lost", "wait": "20s"})}
    ends = {"queue": "end", "max_receives": 1}
    queues = {
        "lost": {"dead_letter": ends, "visibility_timeout": "2s"},
        "others": {"dead_letter": ends}, "end": {},
    }  # fmt: skip
    tree = buried(
        lab, {"at": "20s", "redrive": "end"}, queues=queues, services=services,
        fleets={"web": fleet(), "others-web": fleet("fail")}, duration="21s",
    )  # fmt: skip
    queues = told(tree)
    assert queues["end"]["redriven"] == 3
    assert (queues["lost"]["arrived"], queues["orders"]["sent"]) == (6, 3)


def test_a_redrive_stops_at_a_message_that_is_nobodys_dead_letter(lab):
    """That of 2.5 s was sent to the queue for dead letters itself; it stays, and what follows."""
    tree = two_sources(lab, {"at": "10s", "redrive": "lost"})
    tree["traffic"]["sent"] = lab.at(2.5, to="lost")
    queues = told(tree | {"duration": "11s"})
    assert (queues["lost"]["redriven"], queues["lost"]["stopped_redrives"]) == (2, 1)
    assert queues["lost"]["visible"] == 2


def test_dead_letters_of_two_queues_may_go_to_one(lab):
    redrive = {"queue": "lost", "to": "others"}
    queues = told(two_sources(lab, {"at": "10s", "redrive": redrive}))
    assert (queues["others"]["arrived"], queues["orders"]["sent"]) == (3, 2)


def test_each_way_back_is_in_the_picture(lab):
    tree = two_sources(lab, {"at": "10s", "redrive": "lost"})
    ways = edges(nph.Scenario.model_validate(tree))
    for name in ("orders", "others"):
        assert Edge("queues.lost", f"queues.{name}", "messages") in ways


def test_a_queue_is_purged_once_in_a_minute(lab):
    purges = [{"at": at, "purge": "orders"} for at in ("70s", "10s", "69s")]
    with pytest.raises(ScenarioError, match="orders is purged at 10s, too"):
        nph.Scenario.model_validate(buried(lab, *purges))
    nph.Scenario.model_validate(buried(lab, *purges[:2]))


# --- changes of attributes -----------------------------------------------------------------------


def changing(lab, *changes: Tree, times: tuple[float, ...], queue: Tree | None = None) -> Tree:
    """Messages of a queue whose attributes change; nobody receives them."""
    source = lab.at(*times, to="orders") | ({"group": "one"} if queue and "type" in queue else {})
    actions = [{"at": it["at"], "change": {"queue": "orders"} | it["change"]} for it in changes]
    return scenario(source, queues={"orders": queue or {}}, actions=actions)


def there(tree: Tree, cut: str) -> tuple[int, int, int]:
    queue = told(tree | {"duration": cut})["orders"]
    return queue["visible"], queue["delayed"], queue["expired"]


def change(at: str, **keys: Any) -> Tree:
    return {"at": at, "change": keys}


def test_a_change_takes_as_long_as_it_is_told(lab):
    """From 40 s on messages are delayed; unless told from 10 s on."""
    late = change("10s", delay="20s", takes="30s")
    tree = changing(lab, late, times=(20, 39, 41))
    assert there(tree, "45s") == (2, 1, 0)
    assert there(tree, "62s") == (3, 0, 0)
    assert there(changing(lab, change("10s", delay="20s"), times=(20, 39, 41)), "45s") == (1, 2, 0)


def test_a_change_that_takes_a_drawn_time_is_over_within_it(lab):
    """A second apart: some of the first minute are not delayed, and those of later are."""
    drawn = {"uniform": {"min": "0s", "max": "60s"}}
    times = tuple(range(1, 91))

    def delayed(seed: int) -> int:
        tree = changing(lab, change("10s", delay="15m", takes=drawn), times=times)
        return run(tree, seed)["queues"]["orders"]["delayed"]

    found = [delayed(seed) for seed in range(40)]
    assert 20 <= min(found) < 40
    assert 60 < max(found) <= 81


def test_a_changed_retention_counts_for_what_is_there(lab):
    """At 70 s that of 1 s is too old already, and those of 20 s and 65 s in their time."""
    tree = changing(lab, change("70s", retention="60s"), times=(1, 20, 65))
    assert [there(tree, cut)[2] for cut in ("69s", "71s", "79s", "81s")] == [0, 1, 1, 2]


def test_a_longer_retention_counts_for_what_is_there(lab):
    tree = changing(
        lab, change("30s", retention="80s"), times=(1, 20), queue={"retention": "60s"}
    )  # fmt: skip
    assert [there(tree, cut)[2] for cut in ("62s", "80s", "82s", "99s")] == [0, 0, 1, 1]


def test_a_changed_delay_is_for_what_a_fifo_queue_delays_already(lab):
    """Sent at 1 s for 60 s; at 10 s that becomes 20 s, of a standard queue for others alone."""
    shorter = change("10s", delay="20s")
    fifo = changing(lab, shorter, times=(1,), queue={"type": "fifo", "delay": "60s"})
    assert [there(fifo, cut)[0] for cut in ("20s", "22s")] == [0, 1]
    standard = changing(lab, shorter, times=(1,), queue={"delay": "60s"})
    assert [there(standard, cut)[0] for cut in ("22s", "60s", "62s")] == [0, 0, 1]


def test_a_changed_visibility_timeout_is_of_receives_to_come(lab):
    """Received at 1 s and hidden for 5 s; at 6 s for 20 s, and so again at 26 s."""
    service = work({"compute": "1ms"}, {"fail": 1.0}, consumes={"queue": "orders", "wait": "20s"})
    tree = scenario(
        lab.at(1, to="orders"), service, queues={"orders": {"visibility_timeout": "5s"}},
        actions=[{"at": "2s", "change": {"queue": "orders", "visibility_timeout": "20s"}}],
    )  # fmt: skip
    found = [told(tree | {"duration": cut})["orders"]["received"] for cut in ("7s", "25s", "27s")]
    assert found == [2, 2, 3]
    assert told(tree | {"duration": "27s", "actions": []})["orders"]["received"] == 6


def test_what_is_asked_for_later_counts(lab):
    """The first would be over at 40 s, the second is at 30 s, and it is for the delay alone."""
    first = change("10s", delay="10s", retention="60s", takes="30s")
    later = change("20s", delay="0s", takes="10s")
    tree = changing(lab, later, first, times=(1, 45), queue={"delay": "1s"})
    assert there(tree, "46s") == (2, 0, 0)
    assert there(tree, "62s") == (1, 0, 1)


def test_changes_are_checked(lab):
    bad = {
        "nothing changes": change("1s"),
        "0s to 15m": change("1s", delay="16m"),
        "60s to 14d": change("1s", retention="59s"),
        "0s to 12h": change("1s", visibility_timeout="13h"),
    }
    for words, it in bad.items():
        with pytest.raises(ScenarioError, match=rf"actions\.0\.change(.|\n)*{words}"):
            nph.Scenario.model_validate(changing(lab, it, times=(1,)))
    unknown = {"at": "1s", "change": {"queue": "nowhere", "delay": "1s"}}
    with pytest.raises(ScenarioError, match=r"actions\.0\.change\.queue(.|\n)*not the name"):
        nph.Scenario.model_validate(changing(lab, times=(1,)) | {"actions": [unknown]})


def test_changes_are_described_and_saved(lab):
    it = change("50s", delay="20s", retention="90s", takes={"exponential": "10s"})
    tree = changing(lab, it, times=tuple(range(1, 95)))
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "at 50s: change orders: delay 20s, retention 1m30s, in exponential time" in words
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("30s")
    second, third = nph.Simulation.load(first.save()), first.fork()
    for each in (first, second, third):
        each.advance("70s")
        assert each.result().fingerprint == outcome(tree).fingerprint


def test_a_queue_that_changes_has_no_formula(lab):
    service = work({"compute": {"exponential": "1s"}}, consumes={"queue": "orders", "wait": "20s"})
    tree = scenario(
        {"to": "orders", "rate": "0.5/s"}, service, queues={"orders": {}},
        actions=[{"at": "2s", "change": {"queue": "orders", "delay": "20s"}}],
    )  # fmt: skip
    words = str(nph.explain(nph.Scenario.model_validate(tree)))
    assert "attributes of its queue change" in words
    assert "attributes of its queue change" not in str(
        nph.explain(nph.Scenario.model_validate(tree | {"actions": []}))
    )
