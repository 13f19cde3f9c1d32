"""The rules between balancers, their targets and their clients, on plain values."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.balancer import GROUPS_MAX, UNWEIGHTED
from nephoscope.scenario.language.balancer_defaults import with_defaults
from nephoscope.scenario.language.balancer_reception import CLIENT_IDLE
from nephoscope.scenario.language.compiled_policy import RoutingPolicy
from nephoscope.scenario.rules.balancer_limits import limit_problems
from nephoscope.scenario.rules.calls import reached_services
from nephoscope.scenario.rules.listeners import listener_problems
from nephoscope.scenario.rules.references import (
    call_target,
    entries,
    steps_in,
    target_fleet,
    written_targets,
)

_TARGETS = "one of targets and groups"


def balancer_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between balancers and what they join."""
    for where, written in entries(document.tree, "load_balancers"):
        yield from limit_problems(document, where, written)
        balancer = with_defaults(written)
        yield from _targets(document, where, balancer)
        yield from _groups(document, where, balancer)
        yield from _zones(document, where, balancer)
        yield from _surges(document, where, balancer)
        yield from _names(document, where, balancer)
        yield from _flows(document, where, balancer)
        yield from _reception(document, where, balancer)
        yield from listener_problems(document, where, balancer)
        if balancer.get("stickiness") is not None:
            yield from _clients(document, where, "stickiness", "cookies")
        if balancer.get("group_stickiness") is not None:
            yield from _group_cookies(document, where, balancer)


def _targets(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    form = _form(balancer.get("routing", "round_robin"))
    seen: dict[str, Where] = {}
    for at, target in written_targets(balancer):
        fleet = target_fleet(target)
        if fleet is not None and fleet in seen:
            place = ".".join(map(str, seen[fleet]))
            message = f"the fleet {fleet} is a target already, in {place}"
            yield document.problem((*where, *at), message, value=fleet)
        elif fleet is not None:
            seen[fleet] = at
        weight = mapping(target).get("weight", 1)
        if form in UNWEIGHTED and _is_number(weight) and weight != 1:
            message = f"{form} has no use for weights: it treats all targets alike"
            allowed = "1, or a routing that honours weights such as weighted_random"
            yield document.problem((*where, *at, "weight"), message, value=weight, allowed=allowed)
    if balancer.get("slow_start") is not None and form not in ("round_robin", None):
        message = f"{form} does not go with slow_start"
        at = (*where, "slow_start")
        yield document.problem(at, message, allowed="slow_start only with round_robin", at_key=True)


def _groups(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    if not balancer.keys() & {"targets", "groups"}:
        yield document.problem((*where, "targets"), "targets is missing", allowed=_TARGETS)
    if "groups" not in balancer:
        return
    at = (*where, "groups")
    if "targets" in balancer:
        message = "targets stand outside of the groups"
        yield document.problem(at, message, allowed=_TARGETS, at_key=True)
    groups = mapping(balancer["groups"])
    if isinstance(balancer["groups"], dict) and not groups:
        yield document.problem(at, "empty", allowed="at least one")
    if isinstance(nodes := balancer.get("nodes"), int) and nodes > 1:
        message = "several nodes do not go with groups"
        yield document.problem((*where, "nodes"), message, value=nodes, allowed="1, or no groups")
    if "application" in mapping(balancer.get("stickiness")):
        message = "cookies of the application do not work with weighted groups"
        allowed = "stickiness by duration, or targets in the place of groups"
        cookie = (*where, "stickiness", "application")
        yield document.problem(cookie, message, allowed=allowed, at_key=True)
    if len(groups) > GROUPS_MAX:
        message = f"{len(groups)} groups are too many"
        yield document.problem(at, message, allowed=f"{GROUPS_MAX} at most", at_key=True)
    weights = [mapping(group).get("weight", 1) for group in groups.values()]
    if weights and all(weight == 0 and not isinstance(weight, bool) for weight in weights):
        message = "no group has a weight"
        yield document.problem(at, message, allowed="more than 0 for one of them", at_key=True)


def _group_cookies(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    if "groups" not in balancer:
        message = "there are no groups to go back to"
        at = (*where, "group_stickiness")
        yield document.problem(at, message, allowed="groups, or stickiness", at_key=True)
    yield from _clients(document, where, "group_stickiness", "cookies")


def _zones(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    if balancer.get("cross_zone", True) is not False:
        return
    at = (*where, "cross_zone")
    for key in ("stickiness", "groups"):
        if balancer.get(key) is not None:
            message = f"{key} does not go with cross_zone: false"
            yield document.problem(at, message, allowed=f"true, or no {key}")
    if isinstance(nodes := balancer.get("nodes"), int) and nodes > 1:
        message = "with cross_zone: false there is a node in each zone"
        yield document.problem((*where, "nodes"), message, value=nodes, allowed="1")
    fleets = {str(path[1]): fleet for path, fleet in entries(document.tree, "fleets")}
    for _, target in written_targets(balancer):
        name = target_fleet(target)
        if name in fleets and "hosts" not in fleets[name]:
            message = f"instances of {name} are in no zone: the fleet has no hosts"
            yield document.problem(at, message, allowed="true, or targets on hosts")


def _surges(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    if balancer.get("surge_queue") is None:
        return
    others = [
        key for key in ("groups", "slow_start", "stickiness") if balancer.get(key) is not None
    ]
    others += ["cross_zone: false"] if balancer.get("cross_zone") is False else []
    others += ["nodes"] if balancer.get("nodes", 1) != 1 else []
    others += ["connections"] if balancer.get("connections") is not None else []
    others += ["capacity.wait"] if "wait" in mapping(balancer.get("capacity")) else []
    for other in others:
        message = f"{other} does not go with a surge queue"
        at = (*where, "surge_queue")
        yield document.problem(at, message, allowed=f"surge_queue or {other}", at_key=True)


def _flows(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    """What is encrypted does not keep to a target by the address of its source."""
    if balancer.get("protocol") != "tls":
        return
    if _form(balancer.get("routing")) == "ip_hash":
        message = "ip_hash keeps to a target by the source, which does not go with tls"
        allowed = "another routing, or protocol: tcp"
        yield document.problem((*where, "routing"), message, allowed=allowed)
    if balancer.get("stickiness") is not None:
        message = "stickiness does not go with tls"
        allowed = "no stickiness, or protocol: tcp"
        yield document.problem((*where, "stickiness"), message, allowed=allowed, at_key=True)


def _reception(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    """What a balancer does with requests before it chooses a target."""
    errors = mapping(balancer.get("errors"))
    kind = balancer.get("type", "application")
    if errors and kind in ("network", "gateway"):
        message = f"a load balancer of type {kind} answers nothing by itself"
        at = (*where, "errors")
        yield document.problem(at, message, allowed="errors with type: application", at_key=True)
    if CLIENT_IDLE in errors and balancer.get("idle_timeout") is None:
        message = "that a client is idle is known after the idle timeout, and there is none"
        at = (*where, "errors", CLIENT_IDLE)
        yield document.problem(at, message, allowed="idle_timeout beside it", at_key=True)
    form = _form(balancer.get("routing", "round_robin"))
    if balancer.get("split_requests") is not None and form not in ("least_connections", None):
        message = f"{form} does not count what is outstanding"
        at = (*where, "split_requests")
        yield document.problem(at, message, allowed="routing: least_connections", at_key=True)
    if balancer.get("connections") is None:
        return
    if balancer.get("requests_per_connection") is not None:
        message = "how many requests a connection carries follows from its clients"
        at = (*where, "requests_per_connection")
        yield document.problem(at, message, allowed="this or connections", at_key=True)
    yield from _clients(document, where, "connections", "connections")


def _names(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    """Answers of the DNS are kept where it has more than one to give."""
    if balancer.get("dns_ttl") is None:
        return
    if balancer.get("nodes", 1) == 1 and balancer.get("cross_zone", True) is not False:
        message = "the DNS has one answer to give: there is one node"
        allowed = "nodes, or cross_zone: false"
        yield document.problem((*where, "dns_ttl"), message, allowed=allowed, at_key=True)
    yield from _clients(document, where, "dns_ttl", "answers of the DNS")


def _clients(document: Document, where: Where, key: str, what: str) -> Iterator[Problem]:
    """They are kept by client: how many there are has to be known."""
    services = reached_services(document.tree)
    programs = {str(path[1]): it for path, it in entries(document.tree, "services")}
    for path, traffic in entries(document.tree, "traffic"):
        arrivals = traffic.get("arrivals")
        closed = isinstance(arrivals, dict) and "closed" in arrivals
        if closed or traffic.get("clients") is not None:
            continue
        if where[1] in _destinations(str(traffic.get("to")), services, programs):
            message = f"{what} are kept by client, and {path[1]} sends here without clients"
            allowed = f"clients for traffic.{path[1]}"
            yield document.problem((*where, key), message, allowed=allowed, at_key=True)


def _destinations(
    first: str, services: dict[str, list[str]], programs: dict[str, Any]
) -> dict[str, None]:
    """Where a request may come that begins at the first."""
    found: dict[str, None] = {}
    left = [first]
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = None
        for service in services.get(name, []):
            for _, step in steps_in(programs.get(service, {}).get("steps"), ()):
                left.append(call_target(step) or name)
    return found


def _form(routing: Any) -> str | None:
    if isinstance(routing, RoutingPolicy):
        return "compiled"
    form = next(iter(routing), None) if isinstance(routing, dict) else routing
    return form if isinstance(form, str) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
