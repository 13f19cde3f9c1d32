"""Random lives of instances: spot, hibernation, limits of accounts, and what operators do."""

from __future__ import annotations

from typing import Any

from properties import strategies as st

Tree = dict[str, Any]

SHORT = st.sampled_from(["0s", "300ms", "2s", {"exponential": "1s"}])
# Taken with the notice at once, within a run, and with a notice that comes within a run.
TAKEN = st.sampled_from(["3s", {"exponential": "4s"}, {"uniform": {"min": "120s", "max": "140s"}}])
TRANSITIONS = ("start", "reboot", "terminate", "standby", "in_service", "detach")


@st.composite
def lives(draw) -> Tree:
    """How the instances of a fleet are bought and how long their transitions take."""
    laws = ("restart", "resume", "reboot", "stop", "hibernate", "terminate")
    keys: Tree = draw(st.sampled_from([{}, {"hibernation": True}]))
    freezes = ("resume", "hibernate")
    used = [law for law in laws if "hibernation" in keys or law not in freezes]
    keys["durations"] = {law: draw(SHORT) for law in used}
    keys |= draw(st.sampled_from([*[{}] * 5, {"tenant": "limited"}]))
    if draw(st.integers(0, 5)) != 0:
        return keys
    spot: Tree = {"interruption": draw(TAKEN)}
    behaviours = ["terminate", "stop", *(["hibernate"] if "hibernation" in keys else [])]
    behaviour = draw(st.sampled_from(behaviours))
    mixed = {"on_demand_base": 1, "on_demand_share": "50%"}
    spot |= draw(st.sampled_from([{}, {} if "tenant" in keys else mixed]))
    if behaviour != "terminate":
        spot |= {"behaviour": behaviour, "outage": draw(SHORT)}
    elif draw(st.booleans()):
        spot |= {"rebalance": True, **draw(st.sampled_from([{}, {"recommendation": "3s"}]))}
    return keys | {"purchase": {"spot": spot}}


@st.composite
def accounts(draw, fleets: Tree) -> Tree:
    """Limits of the tenant that is limited, if there is one."""
    if not any(fleet.get("tenant") == "limited" for fleet in fleets.values()):
        return {}
    api = {"instances": 2, "instances_per_s": 1, "requests": 1, "requests_per_s": 1}
    limits: Tree = {"api": draw(st.sampled_from([api, {}]))}
    kinds = {
        ("spot_vcpus" if "purchase" in f else "vcpus")
        for f in fleets.values()
        if f.get("tenant") == "limited"
    }
    for kind in sorted(kinds):
        limits |= draw(st.sampled_from([{}, {kind: 3}, {kind: 6}]))
    return {"accounts": {"limited": limits}}


def legal(fleet: Tree) -> list[str]:
    """What may be done to the instances of a fleet."""
    spot = fleet.get("purchase", {}).get("spot")
    behaviour = None if spot is None else spot.get("behaviour", "terminate")
    stops = ["stop", "stop"] if behaviour in (None, "stop") else []
    freezes = fleet.get("hibernation") and behaviour in (None, "hibernate")
    return [*TRANSITIONS, *stops, *(["hibernate", "hibernate"] if freezes else [])]


@st.composite
def acts(draw, fleets: Tree) -> tuple[str, int]:
    """Something that is done from outside."""
    name = draw(st.sampled_from(sorted(fleets)))
    return f"act.{draw(st.sampled_from(legal(fleets[name])))}.{name}", draw(st.integers(1, 3))


@st.composite
def operations(draw, fleets: Tree, duration: int) -> list[Tree]:
    """The actions of a scenario; what is stopped is mostly started again."""
    made = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        name = draw(st.sampled_from(sorted(fleets)))
        kind = draw(st.sampled_from(legal(fleets[name])))
        which = draw(st.sampled_from([name, {"fleet": name, "count": 1}]))
        at = draw(st.integers(0, duration * 1000 - 1))
        made.append({"at": f"{at}ms", kind: which})
        if kind in ("stop", "hibernate") and draw(st.integers(0, 3)) != 0:
            made.append({"at": f"{(at + duration * 1000) // 2}ms", "start": name})
    return made
