"""Ways to break queues, what is sent to them, and who lives on them."""

from __future__ import annotations

from typing import Any

from scenario.breaking import Case

_STEP = "services.page.steps.0"
_CONSUMES = "services.query.consumes"
_WEB = "fleets.web.scaling"


def _queue(key: str, value: Any, words: str, **others: Any) -> Case:
    """A queue `a`, and others, with this mistake."""
    return "queues", {"a": {key: value} | others.pop("a", {})} | others, f"queues.a.{key}", words


def _send(words: str, **keys: Any) -> Case:
    return _STEP, {"send": {"to": "front"} | keys}, f"{_STEP}.send", words


QUEUES: list[Case] = [
    _queue("visibility_timeout", "13h", "is out of range"),
    _queue("visibility_timeout", 30, "visibility_timeout"),
    _queue("delay", "16m", "is out of range"),
    _queue("retention", "59s", "is out of range"),
    _queue("wait", "21s", "is out of range"),
    _queue("type", "lifo", "did you mean fifo?"),
    _queue("in_flight", 0, "is out of range"),
    _queue("duplicates", 2.0, "is not between 0 and 1"),
    _queue("max_receives", 3, "no key 'max_receives' here"),
    _queue("dead_letter", "b", "is not the name of a queue"),
    _queue("dead_letter", "a", "cannot be its own"),
    _queue("dead_letter", "front", "is a load balancer, not a queue"),
    _queue("dead_letter", "b", "not of the same type", b={"type": "fifo"}),
    _queue("dead_letter", {"queue": "b", "max_receives": 0}, "is out of range", b={}),
    _queue("dead_letter", {"max_receives": 2}, "queue: missing"),
    ("queues", {"a": {"type": "fifo", "duplicates": 0.1}}, "queues.a", "no duplicates"),
    ("queues", {"a": {"deduplication": "content"}}, "queues.a", "only a FIFO queue has"),
    ("queues", {"a": {"throughput": "high"}}, "queues.a", "only a FIFO queue has"),
    ("queues", {"web": {}}, "queues.web", "the name is taken"),
    ("queues", ["a"], None, "mapping"),
    ("traffic.users.group", "one", None, "only messages have a group"),
    _send("is a load balancer, not a queue"),
    _send("is out of range", delay="16m"),
    _send("only messages have a group", group="one"),
    (_STEP, {"send": {}}, f"{_STEP}.send", "to: missing"),
    (_CONSUMES, "web", None, "is a fleet, not a queue"),
    (_CONSUMES, "nowhere", None, "is not the name of a queue"),
    (_CONSUMES, {"batch": 2}, None, "queue: missing"),
    (_CONSUMES, {"queue": "nowhere", "batch": 11}, f"{_CONSUMES}.batch", "is out of range"),
    (_CONSUMES, {"queue": "nowhere", "wait": "21s"}, f"{_CONSUMES}.wait", "is out of range"),
    (_CONSUMES, {"queue": "nowhere", "heartbeat": "0s"}, f"{_CONSUMES}.heartbeat", "out of range"),
    (_CONSUMES, {"queue": "nowhere", "on_timeout": "stop"}, f"{_CONSUMES}.on_timeout", "finish"),
    (_CONSUMES, "nowhere", "services.query", "so many workers as it is told"),
    (_CONSUMES, "nowhere", "load_balancers.proxy.targets.0", "takes its work from a queue"),
    ("services.page.consumes", "nowhere", "services.page", "backlog has no effect"),
    (
        _WEB,
        [{"target_tracking": {"metric": "backlog_per_instance", "queue": "nowhere", "target": 5}}],
        f"{_WEB}.0.target_tracking.queue",
        "is not the name of a queue",
    ),
    (
        _WEB,
        [{"target_tracking": {"metric": "cpu", "queue": "nowhere", "target": 0.5}}],
        f"{_WEB}.0.target_tracking",
        "cpu has no queue",
    ),
    (
        _WEB,
        [{"predictive": {"metric": "backlog_per_instance", "target": 5}}],
        f"{_WEB}.0.predictive",
        "cannot be foretold",
    ),
]
