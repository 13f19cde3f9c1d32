"""The rules between buses, those who put and their targets."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.language.bus import replay_name
from nephoscope.scenario.rules.references import bus_targets, entries, named_queue
from nephoscope.scenario.units import Duration

# Of those who wait for answers.
_PATIENCE = ("timeout", "on_timeout", "hedge", "group")


def bus_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong around buses."""
    types = {
        str(where[1]): part.get("type", "standard")
        for section in ("queues", "topics")
        for where, part in entries(document.tree, section)
    }
    queues = mapping(mapping(document.tree).get("queues"))
    buses = mapping(mapping(document.tree).get("buses"))
    for where, target in bus_targets(document.tree):
        yield from _target(document, where, target, types, queues)
    yield from _replays(document, buses)
    for where, traffic in entries(document.tree, "traffic"):
        if isinstance(to := traffic.get("to"), str) and to in buses:
            for key in (key for key in _PATIENCE if traffic.get(key) not in (None, "finish")):
                message = f"{key} has no effect: {to} answers at once"
                yield document.problem((*where, key), message, at_key=True)


def _replays(document: Document, buses: dict[str, Any]) -> Iterator[Problem]:
    """Replays of what is archived, of a time that has passed, to rules that are there."""
    yield from _names(document)
    for i, action in enumerate(sequence(document.tree.get("actions"))):
        replay = mapping(action).get("replay")
        name = named_queue(replay, "bus")
        if name is None or name not in buses:
            continue
        where: Where = ("actions", i, "replay")
        bus = mapping(buses[name])
        if bus.get("archive") is None:
            at = (*where, "bus") if isinstance(replay, dict) else where
            allowed = listing([n for n, it in buses.items() if "archive" in mapping(it)]) or None
            yield document.problem(at, f"{name} has no archive", value=name, allowed=allowed)
        rules = mapping(bus.get("rules"))
        for j, rule in enumerate(sequence(mapping(replay).get("rules"))):
            if isinstance(rule, str) and rule not in rules:
                message = f"{shorten(rule)} is no rule of {name}"
                allowed, hint = listing(rules) or None, nearest(rule, rules)
                at = (*where, "rules", j)
                yield document.problem(at, message, value=rule, allowed=allowed, suggestion=hint)
        yield from _time(document, where, mapping(replay), mapping(action).get("at"))


def _names(document: Document) -> Iterator[Problem]:
    """Replays are told by their names."""
    places = [
        (i, mapping(replay).get("name"))
        for i, action in enumerate(map(mapping, sequence(document.tree.get("actions"))))
        if (replay := action.get("replay")) is not None
    ]
    made = {replay_name(count) for count, (_, name) in enumerate(places) if name is None}
    for i, name in places:
        if not isinstance(name, str):
            continue
        if name in made:
            message, allowed = f"another replay is called {shorten(name)}", "another name"
            where = ("actions", i, "replay", "name")
            yield document.problem(where, message, value=name, allowed=allowed)
        made.add(name)


def _time(document: Document, where: Where, replay: dict[str, Any], at: Any) -> Iterator[Problem]:
    try:
        begins = Duration.parse(at)
        since = Duration.parse(replay.get("since", "0s"))
        until = Duration.parse(replay.get("until", at))
    except UnitError:
        return
    if until > begins:
        message = f"{until} is later than the replay at {begins}"
        yield document.problem((*where, "until"), message, allowed=f"at most {begins}")
    if since >= until:
        message = f"{since} is not before {until}"
        yield document.problem((*where, "since"), message, allowed=f"less than {until}")


def _target(
    document: Document, where: Where, target: Any, types: dict[str, Any], queues: dict[str, Any]
) -> Iterator[Problem]:
    to = named_queue(target, "to")
    options = mapping(target)
    if to is None:
        return
    if types.get(to) == "fifo" and "group" not in options:
        message = f"group is missing: {to} is of type fifo"
        allowed = "the name of a message group"
        yield document.problem((*where, "group"), message, allowed=allowed)
    if to not in types and "group" in options:
        message = "only messages have a group"
        yield document.problem((*where, "group"), message, at_key=True)
    if to not in types and options.get("other_account"):
        message = f"other_account has no effect: {to} is an endpoint of HTTP"
        where_told = (*where, "other_account")
        yield document.problem(where_told, message, allowed="of a queue or a topic", at_key=True)
    for key in (key for key in ("timeout", "invocation_limit") if key in options and to in types):
        message = f"{key} has no effect: {to} answers at once"
        yield document.problem((*where, key), message, at_key=True)
    letters = options.get("dead_letter")
    if isinstance(letters, str) and letters in queues and types.get(letters) == "fifo":
        message = f"{letters} is not of the right type"
        at = (*where, "dead_letter")
        yield document.problem(at, message, value=letters, allowed="a standard queue")
