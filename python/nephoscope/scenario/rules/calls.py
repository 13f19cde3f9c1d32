"""Calls and messages between services must come to an end.

A service may call or send its way back to itself only through `choose`, and then so rarely that a
request causes less than one of itself on average; otherwise one request would keep the world busy
for ever.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.rules.references import (
    attempts_at_most,
    bus_targets,
    call_target,
    entries,
    named_queue,
    steps_in,
    target_fleet,
    written_targets,
)
from nephoscope.scenario.units import parse_share

# The average takes the eigenvalues of the cyclic part; one so large was not written by a person.
_CYCLIC_MAX = 200

# Of deliveries by HTTP, unless told, and more than anybody may ask for.
_RETRIES, _RETRIES_MAX = 3, 1000
# The same of buses.
_ATTEMPTS = 185


def call_problems(document: Document) -> Iterator[Problem]:
    """Calls that never end."""
    programs = {str(where[1]): service for where, service in entries(document.tree, "services")}
    reached = reached_services(document.tree)
    ending = _ending(programs, reached)
    endless = [name for name in programs if name not in ending]
    if endless:
        yield from _cycles(document, programs, reached, set(endless))
    else:
        yield from _growing(document, programs, reached)


def reached_services(tree: Any) -> dict[str, list[str]]:
    """The services behind each destination; a balancer, a queue or a topic may lead to several."""
    fleets = {str(where[1]): fleet.get("service") for where, fleet in entries(tree, "fleets")}
    reached = {name: [service] for name, service in fleets.items() if isinstance(service, str)}
    for where, balancer in entries(tree, "load_balancers"):
        services: list[str] = []
        for _, target in written_targets(balancer):
            services += reached.get(target_fleet(target) or "", [])
        reached.setdefault(str(where[1]), []).extend(dict.fromkeys(services))
    found: dict[str, list[str]] = {}
    pipes = piped(tree)
    while True:  # pipes lead from queues to whatever there is, so what is found may lead on
        direct = _consumed(tree, found | reached) | reached
        following = _subscribed(tree, direct) | direct
        known = {name: set(services) for name, services in found.items()}
        if not pipes or known == {name: set(it) for name, it in following.items()}:
            return following
        found = following


def piped(tree: Any) -> dict[str, list[str]]:
    """Of each queue the targets of its pipes."""
    targets: dict[str, list[str]] = defaultdict(list)
    for _, pipe in entries(tree, "pipes"):
        if isinstance(source := pipe.get("from"), str) and isinstance(pipe.get("to"), str):
            targets[source].append(pipe["to"])
    return targets


def _subscriptions(tree: Any) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """Of each topic and bus where messages go, and how often at most; whatever filters say."""
    queues = mapping(mapping(tree).get("queues"))
    for where, topic in entries(tree, "topics"):
        ends: list[tuple[str, float]] = []
        copies = _copies(topic)
        for each in sequence(topic.get("subscriptions")):
            to = named_queue(each, "to") or ""
            policy = mapping(each).get("retry", topic.get("retry", _RETRIES))
            retries = policy.get("retries", _RETRIES) if isinstance(policy, dict) else policy
            known = isinstance(retries, int) and 0 <= retries < _RETRIES_MAX and to not in queues
            ends.append((to, copies * (1.0 + (retries if known else 0))))
            if isinstance(letters := mapping(each).get("dead_letter"), str):
                ends.append((letters, copies))
        yield str(where[1]), ends
    by_http = [str(w[1]) for part in ("fleets", "load_balancers") for w, _ in entries(tree, part)]
    buses: dict[str, list[tuple[str, float]]] = {
        str(where[1]): [] for where, _ in entries(tree, "buses")
    }
    twice = {str(where[1]): _copies(bus) for where, bus in entries(tree, "buses")}
    for at, target in bus_targets(tree, put=True):
        to = named_queue(target, "to") or ""
        policy = mapping(target).get("retry", _ATTEMPTS)
        attempts = policy.get("attempts", _ATTEMPTS) if isinstance(policy, dict) else policy
        known = isinstance(attempts, int) and 0 <= attempts <= _ATTEMPTS and to in by_http
        copies = twice[str(at[1])]
        buses[str(at[1])].append((to, copies * (1.0 + (attempts if known else 0))))
        if isinstance(letters := mapping(target).get("dead_letter"), str):
            buses[str(at[1])].append((letters, copies))
    yield from buses.items()


def _copies(pusher: Any) -> float:
    """How often a topic or a bus delivers each message on average."""
    try:
        return 1.0 + parse_share(mapping(pusher).get("duplicates", 0.0))
    except UnitError:
        return 2.0


def _subscribed(tree: Any, reached: dict[str, list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, ends in _subscriptions(tree):  # topics first: buses may lead to them
        services = (s for to, _ in ends for s in found.get(to, reached.get(to, [])))
        found[name] = list(dict.fromkeys(services))
    return found


def _visits(tree: Any, reached: dict[str, list[str]]) -> dict[str, dict[str, float]]:
    """How often each service behind a destination is visited, for one request or message there.

    One of those behind a balancer or a queue; by a topic, all who have subscribed; by pipes, at
    most all of their targets.
    """
    visits = {
        name: dict.fromkeys(services, 1.0 / len(services)) if services else {}
        for name, services in reached.items()
    }
    pipes = piped(tree)
    for _ in range(1 + len(pipes)):  # one may lead to the next
        for name, ends in _subscriptions(tree):
            visits[name] = {}
            for to, times in ends:
                for service, share in visits.get(to, {}).items():
                    visits[name][service] = visits[name].get(service, 0.0) + times * share
        for queue, targets in pipes.items():
            for service in visits.get(queue, {}):
                all_of_them = sum(visits.get(to, {}).get(service, 0.0) for to in targets)
                visits[queue][service] = max(visits[queue][service], all_of_them)
    return visits


def _consumed(tree: Any, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """The services that work the messages of each queue, or those that it gives up.

    By its pipes too, as far as what is behind their targets has been found.
    """
    queues = {str(where[1]): queue for where, queue in entries(tree, "queues")}
    consumers: dict[str, list[str]] = {name: [] for name in queues}
    for where, service in entries(tree, "services"):
        consumers.get(named_queue(service.get("consumes"), "queue") or "", []).append(str(where[1]))
    for queue, targets in piped(tree).items():
        for to in targets:
            consumers.get(queue, []).extend(found.get(to, ()))
    reached = {}
    for first in queues:
        trail: dict[str, None] = {}
        name = first
        while name in queues and name not in trail:
            trail[name] = None
            name = named_queue(queues[name].get("dead_letter"), "queue") or ""
        reached[first] = list(dict.fromkeys(s for queue in trail for s in consumers[queue]))
    return reached


def _target(step: dict[str, Any]) -> str:
    """Whom a step calls, or where it sends a message; nothing if it does neither."""
    messages = (named_queue(step.get(form), "to") for form in ("send", "publish", "put"))
    return call_target(step) or next(filter(None, messages), "")


def _ending(programs: dict[str, Any], reached: dict[str, list[str]]) -> set[str]:
    """The services that come to an end: the least set that holds all whose calls lead into it.

    Each time the last service behind a destination joins, its callers are looked at again.
    """
    ending: set[str] = set()
    callers: dict[str, list[str]] = defaultdict(list)
    leads_to: dict[str, list[str]] = defaultdict(list)
    waiting = {name: len(set(_known(reached, name, programs))) for name in reached}
    for destination in reached:
        for service in set(_known(reached, destination, programs)):
            leads_to[service].append(destination)
    for name, program in programs.items():
        for _, step in steps_in(program.get("steps"), ()):
            callers[_target(step)].append(name)
    queue = list(programs)
    while queue:
        name = queue.pop()
        if name in ending or not _ends(programs[name].get("steps"), waiting):
            continue
        ending.add(name)
        for destination in leads_to[name]:
            waiting[destination] -= 1
            if not waiting[destination]:
                queue += callers[destination]
    return ending


def _ends(steps: Any, waiting: dict[str, int]) -> bool:
    for step in map(mapping, sequence(steps)):
        if waiting.get(_target(step), 0):
            return False
        branches = [b for b in map(mapping, sequence(step.get("choose"))) if b.get("weight")]
        if branches and not any(_ends(branch.get("steps"), waiting) for branch in branches):
            return False
    return True


def _known(reached: dict[str, list[str]], target: str, programs: dict[str, Any]) -> list[str]:
    return [service for service in reached.get(target, []) if service in programs]


def _cycles(
    document: Document, programs: dict[str, Any], reached: dict[str, list[str]], endless: set[str]
) -> Iterator[Problem]:
    """Each cycle once, at the call that closes it."""
    seen: set[str] = set()
    for start in programs:
        trail: dict[str, Where] = {}
        service: str | None = start if start in endless else None
        while service is not None and service not in seen and service not in trail:
            following = _endless_call(programs[service], service, reached, endless)
            assert following is not None
            trail[service], next_service = following
            if next_service in trail:
                names = list(trail)
                names = [*names[names.index(next_service) :], next_service]
                message = f"calls that never end: {' -> '.join(names)}"
                allowed = "a cycle of calls only inside choose, beside a branch that ends"
                yield document.problem(trail[service], message, allowed=allowed)
            service = next_service
        seen.update(trail)


def _endless_call(
    program: Any, name: str, reached: dict[str, list[str]], endless: set[str]
) -> tuple[Where, str] | None:
    for where, step in steps_in(program.get("steps"), ("services", name, "steps")):
        for service in reached.get(_target(step), []):
            if service in endless:
                form = next(form for form in ("call", "send", "publish", "put") if form in step)
                return (*where, form), service
    return None


def _growing(
    document: Document, programs: dict[str, Any], reached: dict[str, list[str]]
) -> Iterator[Problem]:
    """Cycles through `choose` that cause at least one new request for each on average."""
    index = {name: i for i, name in enumerate(_cyclic(programs, reached))}
    if not 0 < len(index) <= _CYCLIC_MAX:
        return
    calls = np.zeros((len(index), len(index)))
    visits = _visits(document.tree, reached)
    for name, row in index.items():
        _add_calls(programs[name].get("steps"), 1.0, calls[row], index, visits)
    growth = max(abs(np.linalg.eigvals(calls)))
    if growth >= 1.0 - 1e-9:
        first = next(iter(index))
        message = f"calls that grow without end: each request causes {growth:.3g} of its own kind"
        allowed = "less than 1 on average: a smaller weight of the branch that calls back"
        yield document.problem(("services", first, "steps"), message, allowed=allowed)


def _cyclic(programs: dict[str, Any], reached: dict[str, list[str]]) -> list[str]:
    """The services on or between cycles: what is left when leaves are taken off again and again."""
    called = {
        name: {
            service
            for _, step in steps_in(program.get("steps"), ())
            for service in _known(reached, _target(step), programs)
        }
        for name, program in programs.items()
    }
    callers: dict[str, set[str]] = defaultdict(set)
    for name, services in called.items():
        for service in services:
            callers[service].add(name)
    left = dict.fromkeys(programs)
    for forward, backward in ((called, callers), (callers, called)):
        degree = {name: len(forward[name]) for name in programs}
        leaves = [name for name in programs if not degree[name]]
        while leaves:
            leaf = leaves.pop()
            left.pop(leaf, None)
            for name in backward[leaf]:
                degree[name] -= 1
                if not degree[name]:
                    leaves.append(name)
    return list(left)


def _add_calls(
    steps: Any,
    weight: float,
    row: Any,
    index: dict[str, int],
    visits: dict[str, dict[str, float]],
) -> None:
    for step in map(mapping, sequence(steps)):
        for service, times in visits.get(_target(step), {}).items():
            if service in index:
                row[index[service]] += weight * attempts_at_most(step) * _batch(step) * times
        branches = list(map(mapping, sequence(step.get("choose"))))
        weights = [_weight(branch) for branch in branches]
        for branch, share in zip(branches, weights, strict=True):
            if share > 0:
                inside = weight * share / sum(weights)
                _add_calls(branch.get("steps"), inside, row, index, visits)


def _batch(step: dict[str, Any]) -> int:
    """How many messages a step sends."""
    for form in ("send", "publish", "put"):
        batch = mapping(step.get(form)).get("batch")
        if isinstance(batch, int) and 1 <= batch <= 10:
            return batch
    return 1


def _weight(branch: dict[str, Any]) -> float:
    weight = branch.get("weight")
    legal = isinstance(weight, int | float) and not isinstance(weight, bool) and 0 < weight < 1e9
    return float(weight) if legal and weight is not None else 0.0
