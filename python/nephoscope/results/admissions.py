"""Whom services did not let in, and how fleets were renewed, from the engine's numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

Tree = dict[str, Any]


def admission_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a fleet whose service has a rate limit or sheds load: both are part of the rejected."""
    if "requests_throttled" not in numbers:
        return {}
    return {key: int(numbers[f"requests_{key}"]) for key in ("throttled", "shed")}


def refresh_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a fleet with a refresh: when it began and ended, if it did, and how far it got."""
    if "refresh" not in numbers:
        return {}
    refresh = numbers["refresh"]
    told: Tree = {key: int(refresh[key]) for key in ("instances", "replaced")}
    if "failed" in refresh:
        told["failed"] = True
    return {"refresh": {f"{at}_s": _instant(refresh, at) for at in ("started", "finished")} | told}


def _instant(refresh: Mapping[str, Any], at: str) -> float | None:
    ns = int(refresh[f"{at}_ns"])
    return ns / 1e9 if ns >= 0 else None


def refresh_flags(fleet: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know of a refresh."""
    refresh = fleet.get("refresh")
    if refresh is not None and "failed" in refresh:
        done, all_ = refresh["replaced"], refresh["instances"]
        yield f"the refresh of fleet {fleet['name']} failed: {done} of {all_} replaced"
    if refresh is not None and refresh["started_ns"] >= 0 and refresh["finished_ns"] < 0:
        done, all_ = refresh["replaced"], refresh["instances"]
        yield f"the refresh of fleet {fleet['name']} had not ended: {done} of {all_} replaced"
