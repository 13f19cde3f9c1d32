"""The rules between actions, accounts and the fleets that they are about, on plain values."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.language.life import TRANSITIONS, VcpuLimits, family_group
from nephoscope.scenario.rules.references import action_target, entries


def life_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between actions, accounts and fleets."""
    fleets = {str(where[1]): fleet for where, fleet in entries(document.tree, "fleets")}
    for where, fleet in entries(document.tree, "fleets"):
        yield from _durations(document, where, fleet)
    for i, action in enumerate(map(mapping, sequence(document.tree.get("actions")))):
        for kind in TRANSITIONS:
            target = fleets.get(action_target(action.get(kind)) or "")
            if target is not None and (reason := refused(kind, target)) is not None:
                message, allowed = reason
                yield document.problem(("actions", i, kind), message, allowed=allowed)
    tenants: dict[str, list[str]] = {}
    for fleet in fleets.values():
        groups = tenants.setdefault(str(fleet.get("tenant", "main")), [])
        makes = (fleet, *other_instances(fleet), *new_instances(fleet))
        groups += map(vcpu_group, makes)
    yield from _mixed(document, fleets)
    for name, account in mapping(document.tree.get("accounts")).items():
        if name in tenants:
            yield from _vcpus(document, name, mapping(account), tenants[name])
        else:
            yield document.problem(
                ("accounts", name),
                f"no fleet has the tenant {name}",
                value=name,
                allowed=listing(tenants) or None,
                suggestion=nearest(name, tenants),
                at_key=True,
            )


def _durations(document: Document, where: Where, fleet: dict[str, Any]) -> Iterator[Problem]:
    """Durations of what the instances of a fleet cannot do."""
    for law in ("hibernate", "resume"):
        if law in mapping(fleet.get("durations")) and fleet.get("hibernation") is not True:
            message = f"{law} has no effect: its instances cannot hibernate"
            at = (*where, "durations", law)
            allowed = "hibernation: true beside durations"
            yield document.problem(at, message, allowed=allowed, at_key=True)


def _mixed(document: Document, fleets: dict[str, Any]) -> Iterator[Problem]:
    """Limits of vCPUs are of one way of buying, and such a fleet has two."""
    accounts = mapping(document.tree.get("accounts"))
    for name, fleet in fleets.items():
        spot = mapping(mapping(fleet.get("purchase")).get("spot"))
        account = mapping(accounts.get(str(fleet.get("tenant", "main"))))
        if not (spot.get("on_demand_base") or spot.get("on_demand_share")):
            continue
        for key in ("vcpus", "spot_vcpus"):
            if account.get(key) is not None:
                message = f"its account limits {key}, and it buys on spot and on demand"
                at = ("fleets", name, "purchase", "spot")
                yield document.problem(at, message, allowed="either, or no limit of vCPUs")


def _vcpus(
    document: Document, tenant: str, account: dict[str, Any], groups: list[str]
) -> Iterator[Problem]:
    """Limits of groups of families that no fleet of the account is of."""
    for group in limits(account.get("vcpus")):
        if group in VcpuLimits.model_fields and group not in groups:
            inner = (group,) if isinstance(account["vcpus"], dict) else ()
            message = f"no fleet of {tenant} is of the group {group}"
            allowed = listing(dict.fromkeys(groups))
            yield document.problem(("accounts", tenant, "vcpus", *inner), message, allowed=allowed)


def limits(written: Any) -> dict[str, Any]:
    """The limits of an account by group, of which a bare number is one."""
    if isinstance(written, dict):
        return mapping(written)
    return {} if written is None else {"standard": written}


def vcpu_group(fleet: dict[str, Any]) -> str:
    """The group of families among which the vCPUs of a fleet count."""
    return family_group(type_name(fleet.get("instance_type")))


def type_name(written: Any) -> str | None:
    """What an instance type is called, of the catalogue or not, as far as that is written."""
    known = mapping(written)
    name = known.get("type", known.get("name")) if known else written
    return name if isinstance(name, str) else None


def other_instances(fleet: dict[str, Any]) -> list[dict[str, Any]]:
    """The fleet as it is of each type but the first."""
    return [fleet | {"instance_type": kind} for kind in sequence(fleet.get("other_types"))]


def new_instances(fleet: dict[str, Any]) -> list[dict[str, Any]]:
    """The fleet as a refresh makes it, if one changes the type of its instances."""
    to = mapping(fleet.get("refresh")).get("to")
    kind = to.get("instance_type") if isinstance(to, dict) else to
    return [] if kind is None else [fleet | {"instance_type": kind}]


def is_spot(fleet: dict[str, Any]) -> bool:
    """Whether its instances are bought on spot."""
    purchase = fleet.get("purchase")
    return purchase == "spot" or "spot" in mapping(purchase)


def refused(kind: str, fleet: dict[str, Any]) -> tuple[str, str] | None:
    """Why the provider refuses to do this to an instance of a fleet, and what is allowed."""
    spot = is_spot(fleet)
    behaviour = mapping(mapping(fleet.get("purchase")).get("spot")).get("behaviour", "terminate")
    if kind in ("stop", "hibernate") and spot and behaviour != kind:
        return f"a spot instance whose behaviour is {behaviour} cannot {kind}", f"behaviour: {kind}"
    if kind == "hibernate" and fleet.get("hibernation") is not True:
        return "its instances cannot hibernate", "a fleet with hibernation: true"
    return None
