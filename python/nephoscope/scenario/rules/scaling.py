"""The rules between scaling policies and the fleets and balancers that they are about."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.language.scaling import HOUR_NS
from nephoscope.scenario.rules.references import entries, target_fleet, written_targets
from nephoscope.scenario.units import Duration

_OF_POLICIES = ("metrics", "cooldown", "instance_warmup")


def scaling_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between policies and what they look at."""
    balanced = {
        target_fleet(target)
        for _, balancer in entries(document.tree, "load_balancers")
        for _, target in written_targets(balancer)
    }
    services = dict(mapping(document.tree.get("services")))
    for where, fleet in entries(document.tree, "fleets"):
        policies = sequence(fleet.get("scaling"))
        alarms = mapping(fleet.get("alarms"))
        if "max" not in mapping(fleet.get("count")):
            for key in (key for key, told in (("scaling", policies), ("alarms", alarms)) if told):
                message = f"{key} needs to know how many instances there may be"
                allowed = "count: {min: .., max: ..} beside it"
                yield document.problem((*where, key), message, allowed=allowed, at_key=True)
        for key in _OF_POLICIES:
            measured = key == "metrics" and alarms
            if fleet.get(key) is not None and not policies and not measured:
                message = f"{key} without scaling has no effect"
                yield document.problem(
                    (*where, key), message, allowed="scaling beside it", at_key=True
                )
        yield from _named_alarms(document, where, fleet, alarms)
        yield from _predictive(document, where, fleet, policies)
        ways = _ways(services.get(str(fleet.get("service"))))
        for i, policy in enumerate(policies):
            at = (*where, "scaling", i)
            yield from _metric(document, at, policy, where[-1] in balanced, ways)
        yield from _metric(document, (*where, "alarms"), alarms, where[-1] in balanced, ways)


def _named_alarms(
    document: Document, where: Where, fleet: dict[str, Any], alarms: dict[str, Any]
) -> Iterator[Problem]:
    """A refresh looks at alarms of its own fleet."""
    for i, name in enumerate(sequence(mapping(fleet.get("refresh")).get("alarms"))):
        if isinstance(name, str) and name not in alarms:
            at = (*where, "refresh", "alarms", i)
            message = f"no {name!r} among the alarms of the fleet"
            allowed = listing(list(alarms)) or "alarms of the fleet beside the refresh"
            meant = nearest(name, list(alarms))
            yield document.problem(at, message, value=name, allowed=allowed, suggestion=meant)


def _predictive(
    document: Document, where: Where, fleet: dict[str, Any], policies: list[Any]
) -> Iterator[Problem]:
    looking = [i for i, policy in enumerate(policies) if "predictive" in mapping(policy)]
    for i in looking[1:]:
        message = f"the fleet looks ahead already, in place {looking[0]}"
        yield document.problem((*where, "scaling", i, "predictive"), message, allowed="one of them")
    period = mapping(fleet.get("metrics")).get("period", "1m")
    try:
        fits = HOUR_NS % int(Duration.parse(period)) == 0
    except (UnitError, ZeroDivisionError):  # the models tell it
        return
    if looking and not fits:
        message = f"an hour is no multiple of {period}"
        at = (*where, "metrics", "period")
        yield document.problem(at, message, allowed="a period such as 1m, with predictive")


def _metric(
    document: Document, where: Where, policy: Any, balanced: bool, ways: set[str]
) -> Iterator[Problem]:
    for form, options in mapping(policy).items():
        metric = mapping(options).get("metric")
        at = (*where, form, "metric")
        if metric == "requests_per_target" and not balanced:
            message = "requests are counted at a load balancer, and the fleet is no target of any"
            yield document.problem(at, message, value=metric, allowed="cpu, or a load balancer")
        if isinstance(metric, str) and metric.startswith("network") and metric not in ways:
            to = {"network_in": " to receive", "network_out": " to send"}.get(metric, "")
            message = f"its service has no step that uses the network{to}"
            yield document.problem(at, message, value=metric, allowed="a step network, or cpu")


def _ways(value: Any) -> set[str]:
    """The metrics of the network that the steps of a service have."""
    if isinstance(value, list):
        return set().union(*map(_ways, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_ways, value.values()))
    if "network" in value:
        found |= {"network", f"network_{mapping(value['network']).get('direction', 'out')}"}
    return found
