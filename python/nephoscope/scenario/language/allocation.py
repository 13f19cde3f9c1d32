"""Fleets of several types at a time: what does not go with them."""

from collections.abc import Mapping
from typing import Any

from nephoscope.scenario.language.fields import refusal

# Of a fleet; each is looked at when those before it are known.
FIELDS_OF_TYPES = (
    "tenancy",
    "purchase",
    "allocation",
    "refresh",
    "termination_policy",
    "warm_pool",
)


def refuse_beside_types(field: str, value: Any, known: Mapping[str, Any]) -> None:
    """Refuse a field that several types, or a single one, make no sense of."""
    several = bool(known.get("other_types"))
    if several:
        _of_several(field, value, known)
    else:
        _of_one(field, value)


def _of_one(field: str, value: Any) -> None:
    if field == "allocation" and value is not None:
        raise refusal("a fleet of one type has no allocation", "other_types beside it")
    if field == "termination_policy" and value == "allocation_strategy":
        raise refusal("a fleet of one type has no allocation strategy", "other_types beside it")
    if field == "purchase" and value.spot is not None and value.spot.pools is not None:
        raise refusal("a fleet of one type has one pool", "other_types beside it")


def _of_several(field: str, value: Any, known: Mapping[str, Any]) -> None:
    if field == "tenancy" and value == "host":
        raise refusal("dedicated hosts are of one type", "shared or dedicated, or no other_types")
    if field == "warm_pool" and value is not None:
        raise refusal("a fleet of several types has no warm pool", "one of the two")
    if field == "refresh" and value is not None and (value.to or value.skip_matching):
        raise refusal("instances of several types keep them", "neither to nor skip_matching")
    if field == "purchase" and value.spot is not None:
        if value.spot.prices is not None:
            raise refusal("prices are those of one type", "discount, or no other_types")
        _refuse_custom(known)
    if field == "allocation" and value is not None:
        purchase = known.get("purchase")
        spot = None if purchase is None else purchase.spot
        if spot is not None and not spot.mixed:
            raise refusal("allocation is of instances on demand", "pools of spot, or a mixed group")
        if value == "lowest_price":
            _refuse_custom(known)


def _refuse_custom(known: Mapping[str, Any]) -> None:
    kinds = (known.get("instance_type"), *known["other_types"])
    if any(kind is not None and kind.type is None for kind in kinds):
        raise refusal("a custom type has no price to go by", "types of the catalogue")
