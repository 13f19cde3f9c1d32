"""The rules between scaling policies and the fleets and balancers that they are about."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.document import Document, Where
from nephoscope.scenario.references import (
    entries,
    mapping,
    sequence,
    target_fleet,
    written_targets,
)
from nephoscope.scenario.scaling import HOUR_NS
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
        if policies and "max" not in mapping(fleet.get("count")):
            message = "scaling needs to know how many instances there may be"
            allowed = "count: {min: .., max: ..} beside it"
            yield document.problem((*where, "scaling"), message, allowed=allowed, at_key=True)
        for key in _OF_POLICIES:
            if fleet.get(key) is not None and not policies:
                message = f"{key} without scaling has no effect"
                yield document.problem(
                    (*where, key), message, allowed="scaling beside it", at_key=True
                )
        yield from _predictive(document, where, fleet, policies)
        networked = "network" in _steps(mapping(services.get(str(fleet.get("service")))))
        for i, policy in enumerate(policies):
            at = (*where, "scaling", i)
            yield from _metric(document, at, policy, where[-1] in balanced, networked)


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
    document: Document, where: Where, policy: Any, balanced: bool, networked: bool
) -> Iterator[Problem]:
    for form, options in mapping(policy).items():
        metric = mapping(options).get("metric")
        at = (*where, form, "metric")
        if metric == "requests_per_target" and not balanced:
            message = "requests are counted at a load balancer, and the fleet is no target of any"
            yield document.problem(at, message, value=metric, allowed="cpu, or a load balancer")
        if metric == "network" and not networked:
            message = "its service has no step that uses the network"
            yield document.problem(at, message, value=metric, allowed="a step network, or cpu")


def _steps(value: Any) -> set[str]:
    """Every key within the steps of a service."""
    if isinstance(value, dict):
        return set(map(str, value)).union(*map(_steps, value.values()))
    return set().union(*map(_steps, value)) if isinstance(value, list) else set()
