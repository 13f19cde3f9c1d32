"""Random buses with random rules and targets, with everything that may happen to them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from properties import strategies as st
from properties.engine import run
from properties.liveliness import look_until_seen
from properties.systems import System
from properties.test_properties import conserves, resumes
from properties.test_queues import MACHINE, happenings, sometimes
from properties.test_topics import DELIVERIES, KINDS, errors, sayings

Tree = dict[str, Any]

SECONDS = 10**9
# The run begins with a year.
SCHEDULES: tuple[Any, ...] = (
    "at(2024-01-01T00:00:05)",
    "at(2024-01-01T00:00:21)",
    "cron(0 0 1 JAN ? *)",
    {"expression": "cron(0 0 1 JAN ? *)", "window": "1m"},
)
TARGETS: tuple[Any, ...] = ("front", "shelves", "board", {"to": "row", "group": "a"}, "news")


@st.composite
def targets(draw) -> Tree:
    one = draw(st.sampled_from(TARGETS))
    target: Tree = {"to": one} if isinstance(one, str) else dict(one)
    if target["to"] in ("front", "shelves"):
        target |= draw(sometimes("timeout", "200ms")) | draw(sometimes("invocation_limit", 2, 9))
    retry = {"attempts": draw(st.sampled_from([0, 1, 2, 6])), "age": "60s"}
    retry |= draw(sometimes("jitter", "none", "equal"))
    return target | {"retry": retry} | draw(sometimes("dead_letter", "lost")) | draw(errors())


@st.composite
def rules(draw) -> Tree:
    kinds = [[draw(st.sampled_from(KINDS))], [{"anything-but": "tea"}], [{"exists": True}]]
    pattern = {"kind": draw(st.sampled_from([*kinds, [{"exists": False}]]))}
    pattern |= draw(sometimes("replay-name", [{"exists": False}], [{"exists": True}]))
    chosen = draw(st.lists(targets(), min_size=1, max_size=3))
    schedule = draw(sometimes("schedule", *SCHEDULES))
    alone = schedule and draw(st.sampled_from([False, True]))
    first = schedule | ({} if alone else {"pattern": pattern}) | draw(sometimes("enabled", False))
    other = {"pattern": {"kind": draw(st.sampled_from(kinds))}, "propagation": "2s"}
    other |= {"at": draw(st.sampled_from(["3s", "14s"]))} | draw(sometimes("schedule", *SCHEDULES))
    return {"targets": chosen} | first | draw(sometimes("changes", [other]))


@st.composite
def replays(draw, bus: Tree) -> Tree:
    replay: Tree = {"bus": "bell", "since": draw(st.sampled_from(["0s", "3s"]))}
    replay |= draw(sometimes("until", "9s"))
    replay |= draw(sometimes("rules", [next(iter(bus["rules"]))]))
    return {"at": draw(st.sampled_from(["11s", "27s", "29s"])), "replay": replay}


@st.composite
def pipes(draw) -> Tree:
    """One from the board, where some rules lead; what it makes of events is put, or asked."""
    targets = ("front", "ends", "news", "echo", {"to": "row", "group": "b"})
    one = draw(st.sampled_from(targets))
    pipe: Tree = {"from": "board"} | ({"to": one} if isinstance(one, str) else one)
    pipe |= draw(sometimes("filter", {"kind": [KINDS[0]]}, [{"kind": [it]} for it in KINDS]))
    pipe |= draw(sometimes("input", {"constant": {"kind": "tea"}}, {"path": "$.kind"}))
    return {"chute": pipe | draw(sometimes("batch", 1, 3)) | draw(sometimes("pollers", 1, 2))}


@st.composite
def ringing(draw) -> System:
    """People, the desk and endpoints put; endpoints fail, and put on another bus."""
    bus: Tree = {"rules": {f"r{i}": draw(rules()) for i in range(draw(st.integers(1, 3)))}}
    bus |= draw(sometimes("latency", "300ms", {"exponential": "500ms"}))
    bus |= draw(sometimes("put_limit", "2/s", "4/s"))
    bus |= draw(sometimes("invocation_limit", "3/s", "20/s"))
    bus |= draw(sometimes("archive", {}, "12s", {"lag": "4s"}))
    bus |= draw(sometimes("duplicates", 0.2))
    bus |= draw(sometimes("event_size", "auto"))
    said = (
        {"to": "bell"}
        | draw(sometimes("batch", 3))
        | {k: v for k, v in draw(sayings()).items() if k == "event"}
    )
    services = {
        "work": {
            "steps": [
                {"compute": {"exponential": "150ms"}},
                {"fail": draw(st.sampled_from([0.2, 0.9]))},
                {"put": "echo"},
            ],
        },
        "shelf": {"steps": [{"compute": {"exponential": "50ms"}}, {"fail": 0.3}]},
        "desk": {"steps": [{"compute": "20ms"}, {"put": said}]},
    }
    others = {"shelves": "shelf", "desks": "desk"}
    fleets = {name: {"service": of, "instance_type": MACHINE} for name, of in others.items()}
    web = {"service": "work", "instance_type": MACHINE, "count": draw(st.integers(0, 3))}
    users = {"closed": {"users": 2, "think": "700ms"}}
    traffic: Tree = {
        "direct": {"to": "bell", "rate": draw(st.sampled_from(["2/s", "12/s"]))},
        "through": {"to": "desks", "rate": "3/s"},
        "users": {"to": "bell", "arrivals": users} | draw(sometimes("retry", 2)),
    }
    for source in traffic.values():
        source.update(draw(sayings()))
    echo = {"rules": {"all": {"pattern": {"kind": [{"exists": True}]}, "targets": ["ends"]}}}
    tree = {
        "nephoscope": 1,
        "name": "ringing",
        "duration": "30s",
        "warmup": draw(st.sampled_from(["0s", "7s"])),
        "queues": {"board": {}, "lost": {}, "ends": {}, "row": {"type": "fifo"}},
        "topics": {"news": {"subscriptions": [draw(st.sampled_from(["shelves", "ends"]))]}},
        "buses": {"bell": bus, "echo": echo},
        "pipes": draw(st.sampled_from([{}, draw(pipes())])),
        "services": services,
        "fleets": {"web": web} | fleets,
        "load_balancers": {"front": {"targets": ["web"]}},
        "traffic": traffic,
        **draw(happenings()),
    }
    if "archive" in bus:
        tree["actions"] = [
            *tree.get("actions", ()),
            *draw(st.lists(replays(bus), min_size=1, max_size=2)),
        ]
        tree["actions"][-1]["replay"] |= draw(sometimes("name", "repair"))
    cuts = tuple(sorted(draw(st.lists(st.integers(0, 30 * SECONDS), max_size=2))))
    return System(tree, (), cuts, draw(st.integers(0, 2**32)))


def test_nothing_that_is_put_is_lost():
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        conserves(system)
        resumes(system)
        results = run(system).results()
        buses = {bus["name"]: bus for bus in results["buses"]}
        for bus in buses.values():
            for i in range(len(bus["delivered"])):
                more = ("scheduled", "replayed_to", "duplicated")
                apart = [bus[key][i] for key in more if key in bus]
                came = bus["published"] + sum(apart)
                assert came == sum(bus[key][i] for key in DELIVERIES)
        for pipe in results.get("pipes", ()):
            for key in ("delivered", "filtered", "failed"):
                seen[f"piped {key}"] += pipe[key] > 0
        bell = buses["bell"]
        queues = {queue["name"]: queue for queue in results["queues"]}
        assert queues["lost"]["arrived"] == sum(bell["dead_lettered"])
        for key in (*DELIVERIES, "retried"):
            seen[key] += sum(bell[key]) > 0
        seen["replayed"] += bell.get("replayed", 0) > 0
        seen["sized"] += bell.get("chunks", 0) > 0
        seen["replaying"] += bell.get("replaying", 0) > 0
        for key in ("delayed", "scheduled", "duplicated", "client_errors"):
            seen[key] += sum(bell.get(key, ())) > 0
        seen["batches"] += sum(bell["calls"][1:]) > 0
        seen["throttled"] += bell["throttled"] > 0
        seen["put on"] += buses["echo"]["published"] > 0
        seen["told"] += results["topics"][0]["published"] > 0

    often = ("delivered", "filtered", "retried", "pending", "throttled", "put on", "told")
    often = (*often, "scheduled", "delayed", "replayed", "duplicated", "client_errors", "batches")
    often = (*often, "sized")
    rare = ("dead_lettered", "dropped", "replaying", "piped delivered", "piped filtered")
    look_until_seen(look, ringing(), 25, seen, often, rare)
