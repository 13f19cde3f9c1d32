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
    """Of a fleet with a refresh: when it began and ended, if it did, and how far it got.

    Of one that failed by an alarm also which, and of one that was rolled back how far that got, and
    when it began.
    """
    if "refresh" not in numbers:
        return {}
    refresh = numbers["refresh"]
    told: Tree = {f"{at}_s": _instant(refresh, at) for at in ("started", "finished")}
    told |= _done(refresh)
    if "alarm" in refresh:
        told["alarm"] = str(refresh["alarm"])
    if (back := refresh.get("rollback")) is not None:
        told["rollback"] = {"started_s": _instant(back, "started")} | _done(back)
    return {"refresh": told}


def _done(numbers: Mapping[str, Any]) -> Tree:
    counts: Tree = {key: int(numbers[key]) for key in ("instances", "replaced")}
    return counts | ({"failed": True} if "failed" in numbers else {})


def _instant(refresh: Mapping[str, Any], at: str) -> float | None:
    ns = int(refresh[f"{at}_ns"])
    return ns / 1e9 if ns >= 0 else None


def refresh_flags(fleet: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know of a refresh."""
    refresh = fleet.get("refresh")
    if refresh is None or refresh["started_ns"] < 0:
        return
    words = f"the refresh of fleet {fleet['name']}"
    if "failed" in refresh:
        by = f", the alarm {refresh['alarm']} was on" if "alarm" in refresh else ""
        yield f"{words} failed: {_share_done(refresh)} replaced{by}"
    if (back := refresh.get("rollback")) is not None:
        words = f"the roll-back of fleet {fleet['name']}"
        if "failed" in back:
            yield f"{words} failed: {_share_done(back)} replaced"
    if refresh["finished_ns"] < 0:
        yield f"{words} had not ended: {_share_done(back or refresh)} replaced"


def _share_done(numbers: Mapping[str, Any]) -> str:
    return f"{numbers['replaced']} of {numbers['instances']}"
