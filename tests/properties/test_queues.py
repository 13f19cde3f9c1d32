"""Random consumers of random queues, with everything that may happen to both."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from properties import strategies as st
from properties.engine import run
from properties.liveliness import look_until_seen
from properties.systems import Change, System
from properties.test_properties import conserves, resumes

Tree = dict[str, Any]

SECONDS = 10**9
THERE = ("visible", "delayed", "in_flight")
GONE = ("deleted", "dead_lettered", "expired")
OTHERS = {"shelf": "keep", "end": "mourn", "desk": "pass-on"}  # fleets, and their services
PROMPT = {"period": "2s", "delay": "0s"}
MACHINE = {"vcpus": 1, "memory": "1GiB"}


def sometimes(key: str, *values: Any) -> st.SearchStrategy[Tree]:
    """Nothing, half the time, else a key with one of the values."""
    return st.sampled_from([{}] * len(values) + [{key: value} for value in values])


@st.composite
def boards(draw, fifo: bool) -> Tree:
    """The queue that is consumed."""
    board: Tree = {"visibility_timeout": draw(st.sampled_from(["200ms", "1s", "5s"]))}
    board |= {"dead_letter": {"queue": "lost", "max_receives": draw(st.sampled_from([1, 2, 4]))}}
    board |= draw(sometimes("delay", "100ms", "2s")) | draw(sometimes("in_flight", 2))
    if fifo:
        scope = {"by": "content", "scope": "group"}
        board |= {"type": "fifo"} | draw(sometimes("throughput", "unlimited", "high"))
        return board | draw(sometimes("deduplication", "id", scope))
    board |= draw(sometimes("duplicates", 0.2)) | draw(sometimes("disorder", 0.3))
    return board | draw(sometimes("short_poll", 0.5))


@st.composite
def programs(draw, to: Any) -> list[Tree]:
    """What is done with a message: a step of every kind may be among it."""
    chosen = [{"weight": 1, "steps": [{"sleep": "100ms"}]}, {"weight": 2, "steps": [{"fail": 0.5}]}]
    kinds = [
        {"compute": {"exponential": "150ms"}},
        {"sleep": {"exponential": "200ms"}},
        {"fail": 0.3},
        {"call": "shelf"},
        {"call": {"to": "shelf", "timeout": "60ms", "retry": {"attempts": 2}}},
        {"memory": "300MiB"},
        {"network": "1MB"},
        {"disk": {"bytes": "1MB", "ops": 3}},
        {"gpu": "50ms"},
        {"send": to},
        {"choose": chosen},
    ]
    return draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))


@st.composite
def consumers(draw, fifo: bool) -> Tree:
    rules: Tree = {"queue": "orders", "batch": draw(st.sampled_from([1, 2, 10]))}
    rules |= draw(sometimes("wait", "500ms", "20s")) | draw(sometimes("heartbeat", "150ms"))
    rules |= draw(sometimes("on_timeout", "abandon"))
    next_board = {"to": "next", "group": "ready"} if fifo else "next"
    service = {"consumes": rules, "steps": draw(programs(next_board))}
    manner = [{}, {"concurrency": 2}, {"concurrency": 5}, {"concurrency": 3, "discipline": "ps"}]
    return service | draw(st.sampled_from(manner))


@st.composite
def happenings(draw) -> Tree:
    """Faults and actions."""
    faults = []
    for kind in draw(st.lists(st.sampled_from(["fail", "kill", "hang", "slow"]), max_size=3)):
        where = {"fleet": "web", "factor": 3.0} if kind == "slow" else "web"
        lasting = {} if kind == "kill" else {"for": f"{draw(st.integers(1, 6))}s"}
        faults.append({"at": f"{draw(st.integers(1, 25))}s", kind: where} | lasting)
    actions = [
        {"at": f"{draw(st.integers(1, 25))}s", kind: {"fleet": "web", "count": 1}}
        for kind in draw(st.lists(st.sampled_from(["stop", "reboot", "terminate"]), max_size=2))
    ]
    return {"faults": faults, "actions": actions}


@st.composite
def tidying(draw) -> list[Tree]:
    """Redrives of the dead letters, and a purge."""
    slow = {"queue": "lost", "rate": draw(st.sampled_from(["1/s", "20/s"]))}
    kinds: list[Tree] = [{"redrive": "lost"}, {"redrive": slow}, {"purge": "orders"}]
    kinds.append({"redrive": {"queue": "lost", "to": "next"}})
    kinds.append({"purge": {"queue": "lost", "lasts": "3s"}})
    other = draw(sometimes("delay", "0s", "1s")) | draw(sometimes("takes", {"exponential": "2s"}))
    kinds.append({"change": {"queue": "orders", "visibility_timeout": "500ms"} | other})
    chosen = draw(st.lists(st.sampled_from(range(len(kinds))), unique=True, max_size=2))
    return [{"at": f"{draw(st.integers(5, 29))}s"} | kinds[i] for i in chosen]


@st.composite
def pipes(draw, fifo: bool) -> Tree:
    """One, from a queue that nobody else consumes or that somebody does."""
    pipe: Tree = {"from": draw(st.sampled_from(["orders", "next", "lost"]))}
    pipe |= draw(st.sampled_from([{"to": "shelf"}, {"to": "kept"}]))
    if pipe["to"] == "shelf":
        pipe |= draw(sometimes("timeout", "60ms"))
    elif fifo:
        pipe |= draw(sometimes("group", "one"))
    pipe |= draw(sometimes("batch", 1, 3)) | draw(sometimes("pollers", 1, 2))
    return {"chute": pipe}


@st.composite
def boarded(draw) -> System:
    fifo = draw(st.sampled_from([False, False, True]))
    kind = {"type": "fifo"} if fifo else {}
    own = {"group": "mine"} if fifo else {}
    web: Tree = {"service": "work", "instance_type": MACHINE | {"vcpus": draw(st.integers(1, 2))}}
    web |= {"boot": draw(st.sampled_from(["0s", "1s"])), "count": draw(st.integers(1, 4))}
    scaled = draw(st.integers(0, 3)) == 0
    if scaled:
        rule = {"metric": "backlog_per_instance", "queue": "orders", "target": 3}
        web |= {"count": {"min": 0, "desired": web["count"], "max": 6}, "metrics": PROMPT}
        web["scaling"] = [{"target_tracking": rule | {"out_periods": 1, "in_periods": 2}}]
    letters = {"queue": "lost", "batch": 3, "wait": "1s"}
    # Nobody receives what is there; but so each dead letter goes back to where it came from.
    letters_of_next = draw(sometimes("dead_letter", "lost"))
    own_batch = own | draw(sometimes("batch", 2, 10))
    front = {
        "send": {"to": "orders"} | own_batch | ({} if fifo else draw(sometimes("delay", "700ms")))
    }
    others = {name: {"service": OTHERS[name], "instance_type": MACHINE} for name in OTHERS}
    others["end"] = others["end"] | draw(sometimes("count", 0))
    rate = draw(st.sampled_from(["2/s", "8/s", "30/s"]))
    users = {"closed": {"users": 3, "think": "500ms"}}
    source: Tree = {"to": "orders"} | own
    traffic: Tree = {
        "direct": source | {"rate": rate} | draw(sometimes("retry", {"attempts": 3})),
        "through": {"to": "desk", "rate": "3/s"},
    }
    traffic |= draw(sometimes("users", source | {"arrivals": users}))
    traffic |= draw(sometimes("nobody", {"to": "lost", "rate": "1/s"} | own))
    tree = {
        "nephoscope": 1,
        "name": "boarded",
        "duration": "30s",
        "warmup": draw(st.sampled_from(["0s", "7s"])),
        "series": draw(st.sampled_from(["none", "1s"])),
        "queues": {
            "orders": draw(boards(fifo)),
            "lost": kind,
            "next": kind | letters_of_next,
            "kept": kind,
        },
        "pipes": draw(st.sampled_from([{}, draw(pipes(fifo))])),
        "services": {
            "work": draw(consumers(fifo)),
            "keep": {"steps": [{"compute": {"exponential": "50ms"}}, {"fail": 0.2}]},
            "mourn": {"consumes": letters, "steps": [{"compute": "100ms"}]},
            "pass-on": {"steps": [{"compute": "20ms"}, front]},
        },
        "fleets": {"web": web} | others,
        "load_balancers": {},
        "traffic": traffic,
        **draw(happenings()),
    }
    tree["actions"] = [*tree["actions"], *draw(tidying())]
    sizes = [
        Change(at * SECONDS, "fleets.web.count", draw(st.integers(0, 4)))
        for at in draw(st.sampled_from([(), (4,), (9, 20)]))
    ]
    cuts = tuple(sorted(draw(st.lists(st.integers(0, 30 * SECONDS), max_size=2))))
    return System(tree, () if scaled else tuple(sizes), cuts, draw(st.integers(0, 2**32)))


def look(system: System, seen: Counter[str]) -> None:
    conserves(system)
    resumes(system)
    results = run(system).results()
    queues = {queue["name"]: queue for queue in results["queues"]}
    for queue in queues.values():
        kept = sum(queue[key] for key in (*THERE, *GONE))
        assert queue["sent"] + queue["duplicated"] == kept, queue["name"]
        assert queue["depth_min"] <= queue["depth_mean"] <= queue["depth_max"]
        assert queue["age"].count <= queue["deleted"]
    assert queues["lost"]["arrived"] == queues["orders"]["dead_lettered"]
    home = system.tree["queues"]["next"].get("dead_letter") == "lost"
    seen["sent home"] += home and queues["lost"]["redriven"] > 0
    seen["stopped"] += queues["lost"].get("stopped_redrives", 0) > 0
    web = results["fleets"][0]
    assert web["requests"] <= queues["orders"]["received"]
    for key in ("timed_out", "in_vain", "dead_lettered", "duplicated", "throttled"):
        seen[key] += queues["orders"][key] > 0
    seen["deduplicated"] += queues["orders"]["deduplicated"] > 0
    for pipe in results.get("pipes", ()):
        carried = ("filtered", "delivered", "failed", "under_way")
        assert pipe["received"] == sum(pipe[key] for key in carried)
        for key in ("delivered", "failed", "under_way"):
            seen[f"a pipe's {key}"] += pipe[key] > 0
    seen["sent on"] += queues["next"]["sent"] > 0
    seen["redriven"] += queues["lost"]["redriven"] > 0
    seen["purged"] += queues["orders"]["purged"] > 0
    seen["mourned"] += queues["lost"]["deleted"] > 0
    seen["scaled"] += web.get("scaling", {}).get("outward", [0])[0] > 0


def look_at(count: int) -> None:
    seen: Counter[str] = Counter()
    often = ("timed_out", "dead_lettered", "mourned")
    rare = ("in_vain", "duplicated", "sent on", "scaled", "redriven", "purged", "sent home")
    rare += ("a pipe's delivered", "a pipe's failed", "a pipe's under_way")
    look_until_seen(lambda system: look(system, seen), boarded(), count, seen, often, rare)


def test_nothing_that_is_sent_is_lost():
    look_at(40)


@pytest.mark.slow
def test_nothing_that_is_sent_is_lost_by_many_more():
    look_at(300)
