"""Names: unique in the whole scenario, and every reference leads to one of the right kind.

The rules here read plain values, not models, so that they find their mistakes even in a file that
has others; what is not of the right type is passed over, for the models refuse it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from nephoscope.errors import Problem, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where, dotted
from nephoscope.scenario.files.plain_values import mapping, sequence

KINDS = {
    "traffic": "source of traffic",
    "services": "service",
    "fleets": "fleet",
    "load_balancers": "load balancer",
    "hosts": "pool of hosts",
    "queues": "queue",
    "topics": "topic",
    "buses": "bus",
    "pipes": "pipe",
}
_CALLED = ("load_balancers", "fleets")
_ENDPOINTS = (*_CALLED, "queues")
_TARGETS = (*_ENDPOINTS, "topics")
_DESTINATIONS = (*_TARGETS, "buses")
_SEVERAL = (_CALLED, _ENDPOINTS, _TARGETS, _DESTINATIONS)
_ALONE = ("services", "fleets", "load_balancers", "hosts", "queues", "topics", "buses")


class Reference(NamedTuple):
    """A name where another part of the scenario is meant."""

    where: Where
    name: str
    sections: tuple[str, ...]


class WrittenStep(NamedTuple):
    """A step as it is written; `conditional` when it stands inside a `choose`."""

    where: Where
    step: dict[str, Any]


def entries(tree: Any, section: str) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Every named part of a section with its path."""
    for name, value in mapping(mapping(tree).get(section)).items():
        if isinstance(value, dict):
            yield (section, name), mapping(value)


def steps_in(steps: Any, where: Where) -> Iterator[WrittenStep]:
    """All steps of a program, those inside `choose` too."""
    for i, step in enumerate(sequence(steps)):
        yield WrittenStep((*where, i), mapping(step))
        for j, branch in enumerate(sequence(mapping(step).get("choose"))):
            inside = (*where, i, "choose", j, "steps")
            yield from steps_in(mapping(branch).get("steps"), inside)


def call_target(step: dict[str, Any]) -> str | None:
    """Whom a step calls."""
    call = step.get("call")
    name = call.get("to") if isinstance(call, dict) else call
    return name if isinstance(name, str) else None


def named_queue(value: Any, key: str) -> str | None:
    """What a send, a consumer or a dead-letter policy names under `key`, or bare."""
    name = value.get(key) if isinstance(value, dict) else value
    return name if isinstance(name, str) else None


def attempts_at_most(step: dict[str, Any]) -> int:
    """How often a call is made at most: until the last attempt, each of them doubled."""
    call = mapping(step.get("call"))
    retry = call.get("retry")
    attempts = retry.get("attempts") if isinstance(retry, dict) else retry
    known = isinstance(attempts, int) and 1 <= attempts < 10**9
    return (attempts if known and isinstance(attempts, int) else 1) * (2 if "hedge" in call else 1)


def target_fleet(target: Any) -> str | None:
    """The fleet that a balancer's target names."""
    name = target.get("fleet") if isinstance(target, dict) else target
    return name if isinstance(name, str) else None


def written_targets(balancer: dict[str, Any]) -> Iterator[tuple[Where, Any]]:
    """The targets of a balancer as they are written, those in groups too, with their paths."""
    for i, target in enumerate(sequence(balancer.get("targets"))):
        yield ("targets", i), target
    for name, group in mapping(balancer.get("groups")).items():
        for i, target in enumerate(sequence(mapping(group).get("targets"))):
            yield ("groups", name, "targets", i), target


def bus_targets(tree: Any, *, put: bool = False) -> Iterator[tuple[Where, Any]]:
    """The targets of the rules of all buses as they are written, with their paths.

    Of `put` only those that an event which is put may go to: their rules have patterns at some
    time.
    """
    for where, bus in entries(tree, "buses"):
        for name, rule in mapping(bus.get("rules")).items():
            versions = [rule, *sequence(mapping(rule).get("changes"))]
            if put and all(mapping(it).get("pattern") is None for it in versions):
                continue
            for i, target in enumerate(sequence(mapping(rule).get("targets"))):
                yield (*where, "rules", name, "targets", i), target


def action_target(which: Any) -> str | None:
    """The fleet that an action is about."""
    name = which.get("fleet") if isinstance(which, dict) else which
    return name if isinstance(name, str) else None


def references(tree: Any) -> Iterator[Reference]:
    """Every reference of the scenario."""
    for where, fleet in entries(tree, "fleets"):
        if isinstance(name := fleet.get("service"), str):
            yield Reference((*where, "service"), name, ("services",))
        if isinstance(name := fleet.get("hosts"), str):
            yield Reference((*where, "hosts"), name, ("hosts",))
        for i, policy in enumerate(sequence(fleet.get("scaling"))):
            for form, options in mapping(policy).items():
                if isinstance(name := mapping(options).get("queue"), str):
                    yield Reference((*where, "scaling", i, form, "queue"), name, ("queues",))
        for alarm, options in mapping(fleet.get("alarms")).items():
            if isinstance(name := mapping(options).get("queue"), str):
                yield Reference((*where, "alarms", alarm, "queue"), name, ("queues",))
    for where, balancer in entries(tree, "load_balancers"):
        if isinstance(name := balancer.get("listener_of"), str):
            yield Reference((*where, "listener_of"), name, ("load_balancers",))
        for at, target in written_targets(balancer):
            if (name := target_fleet(target)) is not None:
                inner = ("fleet",) if isinstance(target, dict) else ()
                yield Reference((*where, *at, *inner), name, ("fleets",))
    for where, traffic in entries(tree, "traffic"):
        if isinstance(name := traffic.get("to"), str):
            yield Reference((*where, "to"), name, _DESTINATIONS)
    for i, action in enumerate(sequence(mapping(tree).get("actions"))):
        for kind, which in mapping(action).items():
            if kind == "replay":
                yield from _named(("actions", i), mapping(action), kind, "bus", "buses")
            elif kind in ("redrive", "purge", "change"):
                yield from _named(("actions", i), mapping(action), kind, "queue")
                yield from _named(("actions", i, kind), mapping(which), "to", "")
            elif kind != "at" and (name := action_target(which)) is not None:
                inner = ("fleet",) if isinstance(which, dict) else ()
                yield Reference(("actions", i, kind, *inner), name, ("fleets",))
    yield from _struck(tree)
    for where, service in entries(tree, "services"):
        for step_where, step in steps_in(service.get("steps"), (*where, "steps")):
            if (name := call_target(step)) is not None:
                inner = ("to",) if isinstance(step["call"], dict) else ()
                yield Reference((*step_where, "call", *inner), name, _CALLED)
            yield from _named(step_where, step, "send", "to")
            yield from _named(step_where, step, "publish", "to", "topics")
            yield from _named(step_where, step, "put", "to", "buses")
        yield from _named(where, service, "consumes", "queue")
    for where, queue in entries(tree, "queues"):
        yield from _named(where, queue, "dead_letter", "queue")
    for where, topic in entries(tree, "topics"):
        for i, each in enumerate(sequence(topic.get("subscriptions"))):
            at = (*where, "subscriptions", i)
            if (name := named_queue(each, "to")) is not None:
                yield Reference((*at, "to") if isinstance(each, dict) else at, name, _ENDPOINTS)
            yield from _named(at, mapping(each), "dead_letter", "")
    for at, target in bus_targets(tree):
        if (name := named_queue(target, "to")) is not None:
            yield Reference((*at, "to") if isinstance(target, dict) else at, name, _TARGETS)
        yield from _named(at, mapping(target), "dead_letter", "")
    for where, pipe in entries(tree, "pipes"):
        yield from _named(where, pipe, "from", "")
        if isinstance(name := pipe.get("to"), str):
            yield Reference((*where, "to"), name, _DESTINATIONS)


def _named(
    where: Where, part: dict[str, Any], key: str, inside: str, section: str = "queues"
) -> Iterator[Reference]:
    """The queue or the topic that a part names."""
    if (name := named_queue(part.get(key), inside)) is not None:
        inner = (inside,) if isinstance(part[key], dict) else ()
        yield Reference((*where, key, *inner), name, (section,))


def _struck(tree: Any) -> Iterator[Reference]:
    """The fleets and hosts that faults strike."""
    for i, fault in enumerate(sequence(mapping(tree).get("faults"))):
        for kind, struck in mapping(fault).items():
            if isinstance(struck, str) and kind not in ("at", "for", "every"):
                yield Reference(("faults", i, kind), struck, ("fleets",))
            for scope, section in (("fleet", "fleets"), ("host", "hosts"), ("rack", "hosts")):
                if isinstance(name := mapping(struck).get(scope), str):
                    yield Reference(("faults", i, kind, scope), name, (section,))


def name_problems(document: Document) -> Iterator[Problem]:
    """Names that are given twice, and references that lead nowhere or to the wrong kind."""
    named: dict[str, Where] = {}
    for section in KINDS:
        for name in mapping(document.tree.get(section)):
            where = (section, name)
            if name in named:
                message = f"the name is taken by {dotted(named[name])}; names are unique"
                yield document.problem(where, message, value=name, at_key=True)
            else:
                named[name] = where
    # The legal names are asked for by many references, so they are made once for each kind.
    legal: dict[tuple[str, ...], dict[str, None]] = {
        sections: dict.fromkeys([n for s in sections for n in mapping(document.tree.get(s))])
        for sections in (
            *((section,) for section in _ALONE),
            _CALLED,
            _ENDPOINTS,
            _TARGETS,
            _DESTINATIONS,
        )
    }
    for reference in references(document.tree):
        if reference.name in legal[reference.sections]:
            continue
        problem = _reference_problem(document, reference, named, list(legal[reference.sections]))
        yield problem


def _reference_problem(
    document: Document, reference: Reference, named: dict[str, Where], legal: list[str]
) -> Problem:
    name = reference.name
    wanted = " or ".join(f"a {KINDS[section]}" for section in reference.sections)
    if name in named:
        section = str(named[name][0])
        message = f"{shorten(name)} is a {KINDS[section]}, not {wanted}"
    else:
        message = f"{shorten(name)} is not the name of {wanted}"
    return document.problem(
        reference.where,
        message,
        value=name,
        allowed=listing(legal) or f"{wanted}, of which there is none",
        suggestion=nearest(name, legal),
    )
