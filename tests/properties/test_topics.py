"""Random topics with random endpoints, with everything that may happen to them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from properties import strategies as st
from properties.engine import run
from properties.liveliness import look_until_seen
from properties.systems import System
from properties.test_properties import conserves, resumes
from properties.test_queues import MACHINE, happenings, sometimes

Tree = dict[str, Any]

SECONDS = 10**9
DELIVERIES = ("delivered", "filtered", "dead_lettered", "dropped", "pending")
EVERYTHING = (*DELIVERIES, "unconfirmed")
KINDS = ("cake", "tea", "bread")
LATENCIES = sometimes("latency", "300ms", {"exponential": "800ms"})


@st.composite
def sayings(draw) -> Tree:
    """An event, one of several, or nothing."""
    one = draw(st.sampled_from(KINDS))
    weights = draw(st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any))
    choice = [
        {"weight": weight, "event": {"kind": kind}, "attributes": {"kind": kind}}
        for weight, kind in zip(weights, KINDS, strict=True)
    ]
    said = [{}, {"attributes": {"kind": one}}, {"event": {"kind": one}}, {"event": "words"}]
    return draw(
        st.sampled_from([*said, {"event": {"choose": choice}}, {"event": {"choose": choice}}])
    )


@st.composite
def policies(draw) -> Tree:
    rules = [["cake"], [{"anything-but": "tea"}], [{"exists": False}], [{"prefix": "b"}, "tea"]]
    filtered = {"filter": {"kind": draw(st.sampled_from(rules))}}
    filtered |= draw(sometimes("filter_scope", "body"))
    change = {"at": draw(st.sampled_from(["2s", "11s"]))} | draw(sometimes("propagation", "3s"))
    change |= draw(sometimes("filter", {"kind": draw(st.sampled_from(rules))}))
    changing = {"changes": [change]} | draw(st.sampled_from([{}, filtered]))
    late = draw(sometimes("confirmed_after", "4s")) | draw(sometimes("subscribed_at", "1500ms"))
    return draw(st.sampled_from([{}, filtered, filtered, changing | late]))


@st.composite
def errors(draw) -> Tree:
    return draw(sometimes("client_errors", 0.1)) | draw(sometimes("server_errors", 0.3))


@st.composite
def endpoints(draw, to: str) -> Tree:
    """A subscription by HTTP."""
    phases = {"retries": 4, "immediate": 1, "pre_backoff": 1, "min_delay": "1s", "max_delay": "4s"}
    phases |= draw(sometimes("jitter", "full", "equal")) | draw(sometimes("backoff", "exponential"))
    one: Tree = {"to": to} | draw(policies()) | draw(sometimes("timeout", "300ms"))
    one |= draw(st.sampled_from([{}, {"dead_letter": "lost"}, {}]))
    one |= draw(sometimes("max_receives_per_second", 1, 5)) | draw(errors())
    one |= draw(sometimes("raw_delivery", False))
    return one | draw(st.sampled_from([{}] + [{"retry": it} for it in (0, 0, 1, phases)]))


@st.composite
def programs(draw, to: Any) -> list[Tree]:
    kinds = [
        {"compute": {"exponential": "150ms"}},
        {"sleep": {"exponential": "200ms"}},
        {"fail": 0.4},
        {"call": {"to": "shelf", "timeout": "60ms", "retry": {"attempts": 2}}},
        {"publish": to},
        {
            "choose": [
                {"weight": 1, "steps": [{"publish": to}]},
                {"weight": 2, "steps": [{"fail": 0.5}]},
            ]
        },
    ]
    return draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))


OUTSIDE: list[Tree] = [{"endpoint": "sms", "usd_per_message": 0.01}, {"endpoint": "firehose"}]


@st.composite
def shouted(draw) -> System:
    """People, the desk and a queue's consumers publish; endpoints hear, and publish in turn."""
    fifo = draw(st.sampled_from([False, False, True]))
    kind = {"type": "fifo"} if fifo else {}
    own = {"group": draw(st.sampled_from(["a", "b"]))} if fifo else {}
    balancer = {"targets": ["web"]} | draw(sometimes("surge_queue", 2))
    balancer |= draw(sometimes("routing", "least_connections", "ip_hash"))
    service = {"steps": draw(programs({"to": "last"} | draw(sayings())))}
    service |= draw(sometimes("backlog", 0, 2)) | draw(sometimes("concurrency", 2))
    web: Tree = {"service": "work", "instance_type": MACHINE, "boot": "1s"}
    web |= {"count": draw(st.integers(0, 3))}
    board = {"to": "orders"} | draw(policies()) | draw(sometimes("dead_letter", "lost"))
    board |= draw(sometimes("raw_delivery", False))
    more = {"to": "more"} | draw(policies()) | draw(errors())
    news: Tree = {"subscriptions": [board, more]} | kind
    news |= draw(sometimes("publish_limit", "5/s")) | draw(LATENCIES)
    if fifo:
        news |= draw(sometimes("group_publish_limit", "4/s"))
    else:
        mail = draw(st.sampled_from(OUTSIDE)) | draw(errors())
        ends = [draw(endpoints("front")), draw(endpoints("shelves")), mail]
        news["subscriptions"] += draw(st.sampled_from([ends, ends[:1], ends[1:]]))
        news |= draw(sometimes("duplicates", 0.2))
    busy = {"rate": draw(st.sampled_from(["400/s"]))} if fifo and draw(st.integers(0, 1)) else {}
    traffic = {
        "direct": {"to": "news", "rate": draw(st.sampled_from(["2/s", "20/s"]))} | busy | own,
        "through": {"to": "desks", "rate": "5/s"} | draw(sometimes("retry", 3)),
        "users": {"to": "news", "arrivals": {"closed": {"users": 3, "think": "500ms"}}} | own,
    }
    for source in traffic.values():
        source.update(draw(sayings()))
    said = {"to": "news"} | own | draw(sayings()) | draw(sometimes("batch", 3, 10))
    consumer = {"consumes": {"queue": "orders", "wait": "5s"}, "steps": [{"publish": "last"}]}
    services = {
        "work": service,
        "shelf": {"steps": [{"compute": {"exponential": "50ms"}}, {"fail": 0.3}]},
        "desk": {"steps": [{"compute": "20ms"}, {"publish": said}, {"fail": 0.2}]},
        "relay": consumer,
    }
    others = {"shelves": "shelf", "desks": "desk", "relays": "relay"}
    fleets = {name: {"service": of, "instance_type": MACHINE} for name, of in others.items()}
    for program in services.values():
        for step in program["steps"]:
            if "call" in step:
                step["call"]["to"] = "shelves"
    tree = {
        "nephoscope": 1,
        "name": "shouted",
        "duration": "30s",
        "warmup": draw(st.sampled_from(["0s", "7s"])),
        "queues": {"orders": kind, "more": kind, "lost": kind, "ends": {}},
        "topics": {"news": news, "last": {"subscriptions": [{"to": "ends"} | draw(policies())]}},
        "services": services,
        "fleets": {"web": web} | fleets,
        "load_balancers": {"front": balancer},
        "traffic": traffic,
        **draw(happenings()),
    }
    cuts = tuple(sorted(draw(st.lists(st.integers(0, 30 * SECONDS), max_size=2))))
    return System(tree, (), cuts, draw(st.integers(0, 2**32)))


def test_nothing_that_is_published_is_lost():
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        conserves(system)
        resumes(system)
        results = run(system).results()
        topics = {topic["name"]: topic for topic in results["topics"]}
        for topic in topics.values():
            for i in range(len(topic["delivered"])):
                came = topic["published"] + topic.get("duplicated", [0] * 5)[i]
                assert came == sum(topic.get(key, [0] * 5)[i] for key in EVERYTHING)
        queues = {queue["name"]: queue for queue in results["queues"]}
        news = topics["news"]
        assert queues["orders"]["sent"] + queues["orders"]["deduplicated"] == news["delivered"][0]
        assert queues["more"]["sent"] + queues["more"]["deduplicated"] == news["delivered"][1]
        assert queues["lost"]["arrived"] == sum(news["dead_lettered"])
        for key in (*DELIVERIES, "retried"):
            seen[key] += sum(news[key]) > 0
        seen["deduplicated"] += news["deduplicated"] > 0
        seen["throttled"] += news["throttled"] > 0
        for key in ("delayed", "duplicated", "client_errors", "unconfirmed"):
            seen[key] += sum(news.get(key, ())) > 0
        seen["batches"] += sum(news["calls"][1:]) > 0
        seen["passed on"] += topics["last"]["published"] > 0

    often = ("delivered", "filtered", "retried", "pending", "passed on", "throttled")
    often = (*often, "duplicated", "client_errors", "batches")
    rare = ("dead_lettered", "dropped", "deduplicated", "delayed", "unconfirmed")
    look_until_seen(look, shouted(), 30, seen, often, rare)
