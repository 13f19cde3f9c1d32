"""Ways to break topics, what is published, and who has subscribed."""

from __future__ import annotations

from typing import Any

from scenario.breaking import Case

_STEP = "services.page.steps.0"
_USERS = "traffic.users"


def _topic(where: str, words: str, *subscriptions: Any, **topic: Any) -> Case:
    """A topic `news` with this mistake."""
    return "topics", {"news": {"subscriptions": list(subscriptions)} | topic}, where, words


def _first(words: str, key: str = "", **keys: Any) -> Case:
    """The mistake is in the first subscription."""
    where = f"topics.news.subscriptions.0{key}"
    return _topic(where, words, {"to": "front"} | keys)


def _retry(words: str, key: str = "", **keys: Any) -> Case:
    return _first(words, f".retry{key}", retry=keys)


def _event(words: str, event: Any) -> Case:
    return f"{_USERS}.event", event, None, words


def _bus(where: str, words: str, **bus: Any) -> Case:
    return "buses", {"bell": bus}, f"buses.bell{where}", words


def _to(**target: Any) -> dict[str, Any]:
    return {"all": {"pattern": {"a": ["b"]}, "targets": [{"to": "web"} | target]}}


_HOURLY = {"schedule": "hourly", "targets": ["web"]}

TOPICS: list[Case] = [
    _topic("topics.news.type", "did you mean fifo?", type="lifo"),
    _topic("topics.news", "only a FIFO topic has deduplication", deduplication="group"),
    _topic("topics.news", "a FIFO topic has no endpoints", type="fifo", retry=3),
    _topic("topics.news.subscriptions.0", "only queues subscribe", "front", type="fifo"),
    _topic("topics.news.subscriptions.0", "is not the name of a load balancer", "nowhere"),
    _topic("topics.news.subscriptions.0", "is a service, not", "page"),
    _topic("topics.news.subscriptions", "front subscribes twice", "front", {"to": "front"}),
    _topic("topics.news.subscriptions.0", "neither to nor endpoint", {"retry": 3}),
    _topic("topics.news.subscriptions.0", "both to and", {"to": "front", "endpoint": "sms"}),
    _topic("topics.news.subscriptions.0.endpoint", "email", {"endpoint": "mail"}),
    _topic("topics.news.subscriptions.0", "timeout has no", {"endpoint": "sms", "timeout": "1s"}),
    _topic("topics.news.subscriptions.0", "raw_del", {"endpoint": "sms", "raw_delivery": True}),
    _topic("topics.news", "only queues subscribe", {"endpoint": "email"}, type="fifo"),
    _topic("topics.news.subscriptions.0", "usd_per_message is missing", {"endpoint": "sms"}),
    _topic(
        "topics.news.subscriptions.0",
        "gets no text messages",
        {"endpoint": "email", "usd_per_message": 0.01},
    ),
    _topic(
        "topics.news.subscriptions.0.usd_per_message",
        "range",
        {"endpoint": "sms", "usd_per_message": -0.01},
    ),
    _topic("topics.news", "no duplicates", type="fifo", duplicates=0.5),
    _topic("topics.news", "only a FIFO topic has groups", group_publish_limit="3/s"),
    _topic("topics.news.group_publish_limit", "no whole", type="fifo", group_publish_limit="1e6/s"),
    _first("are more than 1", client_errors=0.6, server_errors=0.6),
    _first("is not between", ".client_errors", client_errors=1.5),
    ("topics", {"web": {}}, "topics.web", "the name is taken"),
    ("topics", ["news"], None, "mapping"),
    _first("no operator", changes=[{"at": "1s", "filter": {"a": [{"prefixx": "b"}]}}]),
    _first("one at 1s behind one at 1s", changes=[{"at": "1s"}, {"at": "1s"}]),
    _first("at: missing", ".changes.0", changes=[{}]),
    _first("no longer valid", ".confirmed_after", confirmed_after="3d"),
    _first("is not a duration", ".confirmed_after", confirmed_after="later"),
    _first("no operator", filter={"a": [{"prefixx": "b"}]}),
    _first("attributes are not nested", filter={"a": {"b": ["c"]}}),
    _first("filter: a: ", filter={"a": "b"}),
    _first("did you mean body?", ".filter_scope", filter_scope="boby"),
    _first("is out of range", ".timeout", timeout="0s"),
    _first("is a fleet, not a queue", ".dead_letter", dead_letter="web"),
    _retry("is out of range", ".retries", retries=101),
    _retry("is out of range", ".min_delay", min_delay="500ms"),
    _retry("are more than 3 in all", immediate=2, post_backoff=2),
    _retry("is less than min_delay", min_delay="10s", max_delay="5s"),
    _retry("the waits come to", retries=100, min_delay="60s"),
    _retry("did you mean linear?", ".backoff", backoff="linaer"),
    (_STEP, {"publish": "front"}, f"{_STEP}.publish", "is a load balancer, not a topic"),
    (_STEP, {"publish": {"event": {}}}, f"{_STEP}.publish", "to: missing"),
    (_STEP, {"send": {"to": "front", "event": 5}}, f"{_STEP}.send", "is no event"),
    _event("is no event", 5),
    _event("is no event", [1]),
    _event("is no choice", {"choose": {}}),
    _event("choose.0.weight", {"choose": [{"event": {}}]}),
    _event("choose.1.weight", {"choose": [{"weight": 1}, {"weight": -1}]}),
    _event("choose.0.evnt: no such key", {"choose": [{"weight": 1, "evnt": {}}]}),
    _event("every weight is 0", {"choose": [{"weight": 0, "event": {}}]}),
    (f"{_USERS}.attributes", {"a": True}, None, "is no attribute"),
    (f"{_USERS}.attributes", {"a": {"type": "Text", "value": 1}}, None, "is no type"),
    (f"{_USERS}.attributes", [1], None, "mapping"),
    ("buses", {"front": {}}, "buses.front", "the name is taken"),
    _bus(".archive.retention", "is out of range", archive={"retention": "0s"}),
    _bus(".archive", "pattern: a: ", archive={"pattern": {"a": 1}}),
    _bus(".put_limit", "put_limit", put_limit=5),
    _bus(".put_limit", "no whole number of puts", put_limit="90/m"),
    _bus(".invocation_limit", "no whole number of invocations", invocation_limit="0.5/s"),
    _bus(".latency", "latency", latency="fast"),
    _bus(".archive.lag", "is out of range", archive={"lag": "-1s"}),
    _bus(".duplicates", "is not between", duplicates=2),
    _bus(".rules.all.targets.0", "are more than 1", rules=_to(client_errors=0.9, server_errors=1)),
    _bus(".rules.all.targets.0.invocation_limit", "range", rules=_to(invocation_limit=0)),
    (_STEP, {"put": {"to": "front", "batch": 11}}, f"{_STEP}.put.batch", "is out of range"),
    _bus(".rules.all", "neither pattern nor schedule", rules={"all": {"targets": ["web"]}}),
    _bus(".rules.all.schedule", "is no schedule", rules={"all": _HOURLY}),
    _bus(".rules.all", "targets: missing", rules={"all": {"pattern": {"a": ["b"]}}}),
    (_STEP, {"put": "front"}, f"{_STEP}.put", "is a load balancer, not a bus"),
    (_STEP, {"put": {"to": "front", "attributes": {}}}, f"{_STEP}.put", "no key 'attributes'"),
]
