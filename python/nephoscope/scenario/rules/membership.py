"""The rules between what fleets say of their instances and the rest of a scenario."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.balancer_defaults import with_defaults
from nephoscope.scenario.rules.life import is_spot
from nephoscope.scenario.rules.references import entries, target_fleet, written_targets


def membership_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between rules of membership and what they are about."""
    checked = {
        target_fleet(target)
        for _, balancer in entries(document.tree, "load_balancers")
        for _, target in written_targets(balancer)
        if with_defaults(balancer).get("health_check") is not None
    }
    for where, fleet in entries(document.tree, "fleets"):
        yield from _warm_pool(document, where, fleet)
        yield from _health(document, where, fleet, where[-1] in checked)
        if fleet.get("zone_balance") is not None and fleet.get("hosts") is None:
            message = "zone_balance has no effect: its instances are on no hosts"
            at = (*where, "zone_balance")
            yield document.problem(at, message, allowed="hosts with zones beside it", at_key=True)


def _warm_pool(document: Document, where: Where, fleet: dict[str, Any]) -> Iterator[Problem]:
    pool = fleet.get("warm_pool")
    if pool is None:
        return
    at = (*where, "warm_pool")
    if "max" not in mapping(fleet.get("count")):
        message = "a warm pool needs to know how many instances there may be"
        allowed = "count: {min: .., max: ..} beside it"
        yield document.problem(at, message, allowed=allowed, at_key=True)
    if is_spot(fleet):
        message = "spot instances have no warm pool"
        yield document.problem(at, message, allowed="purchase: on_demand", at_key=True)
    if mapping(pool).get("state") == "hibernated" and fleet.get("hibernation") is not True:
        message = "its instances cannot hibernate"
        yield document.problem((*at, "state"), message, allowed="hibernation: true in the fleet")


def _asks_balancers(fleet: dict[str, Any]) -> bool:
    health = fleet.get("health")
    return (mapping(health).get("check") if isinstance(health, dict) else health) == "load_balancer"


def _health(
    document: Document, where: Where, fleet: dict[str, Any], checked: bool
) -> Iterator[Problem]:
    asks = _asks_balancers(fleet)
    if asks and not checked:
        message = "no load balancer checks its instances"
        allowed = "a load_balancer with health_check that the fleet is a target of"
        yield document.problem((*where, "health"), message, allowed=allowed, at_key=True)
    if fleet.get("replacement") is not None and not asks and fleet.get("max_lifetime") is None:
        message = "replacement has no effect: nothing that serves is replaced"
        allowed = "health: load_balancer or max_lifetime beside it"
        yield document.problem((*where, "replacement"), message, allowed=allowed, at_key=True)
