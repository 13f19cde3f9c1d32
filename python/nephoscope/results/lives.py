"""What became of the instances of a fleet beyond launches, from the engine's numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from nephoscope.results.admissions import admission_tree, refresh_flags, refresh_tree
from nephoscope.results.hosts import REFUSALS

Tree = dict[str, Any]

_COUNTS = ("stops", "starts", "reboots", "hibernations", "interruptions", "stopped")
_PARKED = ("standbys", "returns", "detached", "standby")
_REFUSALS = ("refused_starts", "vcpu_limit_exceeded", "throttled")

# By the number of the reason, where it is not a want of room.
_LIMITS = {
    7: "VcpuLimitExceeded: the account may have no more vCPUs",
    9: "the price of spot is higher than the fleet pays",
    8: "RequestLimitExceeded: the interface lets them in one after another",
}


def life_tree(numbers: Mapping[str, Any]) -> Tree:
    """Actions, interruptions and refusals of the whole run, and how many are stopped now.

    Where anybody is put on standby or detached, how many, how many came back (or were attached
    again), and how many are on standby now; of a spot fleet that rebalances, upon how many
    recommendations, and of one with prices how many launches were refused for one. Nothing where a
    fleet is on demand, without limits, and nobody does anything to it. Beside it whom its instances
    kept out, its refresh and, where it buys both ways, how many are `on_demand` now.
    """
    tree = admission_tree(numbers) | refresh_tree(numbers)
    if "interruptions" in numbers:
        parked = _PARKED if "standby" in numbers else ()
        advised = ("recommendations",) if "recommendations" in numbers else ()
        if "on_demand" in numbers:
            tree["on_demand"] = int(numbers["on_demand"])
        back = ("attached",) if "attached" in numbers else ()
        priced = ("price_too_high",) if "price_too_high" in numbers else ()
        keys = (*_COUNTS, *advised, *_REFUSALS, *priced, *parked, *back)
        tree["life"] = {key: int(numbers[key]) for key in keys}
    return tree


def life_flags(fleet: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know of a fleet's instances."""
    name = fleet["name"]
    if fleet["missing"]:
        code = int(fleet["refusal"])
        reason = _LIMITS.get(code) or f"InsufficientInstanceCapacity: {REFUSALS[code]}"
        found = "" if code in _LIMITS else "that found no room "
        yield f"fleet {name} lacks {fleet['missing']} instances {found}({reason})"
    yield from refresh_flags(fleet)
    if fleet.get("unmet_actions"):
        yield f"actions on fleet {name} lacked {fleet['unmet_actions']} instances to act on"
