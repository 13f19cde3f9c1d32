"""The rules between actions, accounts and the fleets that they are about, on plain values."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.document import Document
from nephoscope.scenario.life import TRANSITIONS
from nephoscope.scenario.references import action_target, entries, mapping, sequence


def life_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between actions, accounts and fleets."""
    fleets = {str(where[1]): fleet for where, fleet in entries(document.tree, "fleets")}
    for i, action in enumerate(map(mapping, sequence(document.tree.get("actions")))):
        for kind in TRANSITIONS:
            fleet = fleets.get(action_target(action.get(kind)) or "")
            if fleet is not None and (reason := refused(kind, fleet)) is not None:
                message, allowed = reason
                yield document.problem(("actions", i, kind), message, allowed=allowed)
    tenants = list(dict.fromkeys(str(fleet.get("tenant", "main")) for fleet in fleets.values()))
    for name in mapping(document.tree.get("accounts")):
        if name not in tenants:
            yield document.problem(
                ("accounts", name),
                f"no fleet has the tenant {name}",
                value=name,
                allowed=listing(tenants) or None,
                suggestion=nearest(name, tenants),
                at_key=True,
            )


def refused(kind: str, fleet: dict[str, Any]) -> tuple[str, str] | None:
    """Why the provider refuses to do this to an instance of a fleet, and what is allowed."""
    purchase = fleet.get("purchase")
    spot = purchase == "spot" or "spot" in mapping(purchase)
    behaviour = mapping(mapping(purchase).get("spot")).get("behaviour", "terminate")
    if kind in ("stop", "hibernate") and spot and behaviour != kind:
        return f"a spot instance whose behaviour is {behaviour} cannot {kind}", f"behaviour: {kind}"
    if kind == "hibernate" and fleet.get("hibernation") is not True:
        return "its instances cannot hibernate", "a fleet with hibernation: true"
    return None
