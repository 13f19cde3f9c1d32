"""What random balancers do besides choosing: groups, zones, nodes, slow start, cookies, limits."""

from __future__ import annotations

import random
from typing import Any

Tree = dict[str, Any]

WEIGHTS = (0, 1, 1, 3, 95)
TIMES = ("7ms", "50ms", "400ms", "5s")
CAPACITIES = ("2/s", "30/s", {"start": "20/s", "minimum": "1/s"})
COOKIES = ("1s", "1d", {"application": "1s"}, {"application": {"duration": "1s", "renew": True}})
MITIGATED = {"weighted_random": {"anomaly_mitigation": True, "window": "1s"}}


def front_up(tree: Tree, once_in: int) -> None:
    """Adds something to the balancers of one scenario in so many, which its own text decides."""
    rng = random.Random(str(tree))
    if rng.random() * once_in > 1:
        return
    for door in tree["load_balancers"].values():
        if rng.random() < 0.4:
            door["idle_timeout"] = rng.choice(TIMES)
        if rng.random() < 0.25:
            door["capacity"] = rng.choice(CAPACITIES)
        if rng.random() < 0.35:
            door["surge_queue"] = rng.choice((1, 1, 3, 100))
            continue  # it goes with nothing of the rest
        in_zones = [t for t in door["targets"] if "hosts" in tree["fleets"][fleet_of(t)]]
        counted = any(counts(tree["fleets"][fleet_of(target)]) for target in door["targets"])
        if in_zones and not counted and rng.random() < 0.6:
            door |= {"targets": in_zones, "cross_zone": False}
        elif rng.random() < 0.5:
            group(rng, door)
        elif rng.random() < 0.6:
            door["nodes"] = rng.choice((2, 2, 3))
        if door["routing"] == "round_robin" or rng.random() < 0.5:
            door |= {"routing": "round_robin", "slow_start": "30s"}
        elif rng.random() < 0.6:
            door["routing"] = MITIGATED
        if "cross_zone" not in door and rng.random() < 0.5:
            door["stickiness"] = rng.choice(COOKIES[: 2 if "groups" in door else 4])
            name_clients(tree)
    reach_out(random.Random(f"{tree} reached"), tree)
    receive(random.Random(f"{tree} received"), tree)


def reach_out(rng: random.Random, tree: Tree) -> None:
    """Times to connect, and answers of the DNS that clients keep."""
    for door in tree["load_balancers"].values():
        if rng.random() < 0.4:
            door["connect_timeout"] = rng.choice(("400ms", "3s", "10s"))
        named = door.get("nodes", 1) > 1 or door.get("cross_zone") is False
        if named and rng.random() < 0.5:
            door["dns_ttl"] = rng.choice(("1s", "5s"))
            name_clients(tree)


def receive(rng: random.Random, tree: Tree) -> None:
    """What balancers do before they choose: errors, connections, waits, requests in parts."""
    for door in tree["load_balancers"].values():
        if door.get("type") != "network" and rng.random() < 0.25:
            door["errors"] = {"400": 0.1, "500": rng.choice((0.05, 0.5))}
            if "idle_timeout" in door:
                door["errors"]["408"] = 0.2
        if "surge_queue" not in door and rng.random() < 0.25:
            door["connections"] = {"handshake": rng.choice(("0s", "3ms", "2s")), "keep_alive": "1m"}
            name_clients(tree)
        if "surge_queue" not in door and "capacity" in door and rng.random() < 0.6:
            start = door["capacity"]
            start = start if isinstance(start, dict) else {"start": start}
            door["capacity"] = start | {"wait": rng.choice(TIMES)}
        if door["routing"] == "least_connections" and rng.random() < 0.5:
            door["split_requests"] = {"share": rng.choice((0.3, 1.0)), "into": rng.choice((2, 5))}


def listen(tree: Tree, once_in: int) -> None:
    """Makes balancers listeners of the first, whose capacity they share."""
    rng = random.Random(f"{tree} listened")
    doors = tree["load_balancers"]
    whole = next(iter(doors.values()), {})
    if len(doors) < 2 or rng.random() * once_in > 1:
        return
    for door in list(doors.values())[1:]:
        alike = all(door.get(key) == whole.get(key) for key in ("type", "nodes"))
        listens = door.get("type", "application") in ("application", "network")
        if not (alike and listens) or "surge_queue" in door:
            continue
        door.pop("capacity", None)
        idle = whole.get("idle_timeout", door.get("idle_timeout"))
        for each in (whole, door) if idle is not None else ():
            each["idle_timeout"] = idle
        door["listener_of"] = next(iter(doors))
        if "surge_queue" not in whole and rng.random() < 0.5:
            whole["capacity"] = rng.choice((*CAPACITIES, {"start": "5/s", "wait": "400ms"}))


def fleets_behind(door: Tree) -> list[str]:
    """The fleets of all targets, in groups or not."""
    parts = [door, *door.get("groups", {}).values()]
    return [fleet_of(target) for part in parts for target in part.get("targets", ())]


def fleet_of(target: Any) -> str:
    return target if isinstance(target, str) else target["fleet"]


def counts(fleet: Tree) -> bool:
    """Whether its size follows requests, so that it has to stay behind its balancer."""
    rules = [options for policy in fleet.get("scaling", ()) for options in policy.values()]
    return any(rule.get("metric") == "requests_per_target" for rule in rules)


def group(rng: random.Random, door: Tree) -> None:
    """The targets in one group or two."""
    targets = door.pop("targets")
    cut = rng.randint(1, len(targets))
    parts = [part for part in (targets[:cut], targets[cut:]) if part]
    weights = [rng.choice(WEIGHTS) for _ in parts]
    weights[0] += 0 if any(weights) else 1
    door["groups"] = {
        f"group{i}": {"targets": part, "weight": weight}
        for i, (part, weight) in enumerate(zip(parts, weights, strict=True))
    }


def name_clients(tree: Tree) -> None:
    """Every open source has clients that can be told apart."""
    for source in tree["traffic"].values():
        if "closed" not in source["arrivals"]:
            source.setdefault("clients", 5)


def first_target(door: Tree) -> Any:
    """Of a balancer, whether or not it has groups."""
    groups = door.get("groups")
    targets = door["targets"] if groups is None else next(iter(groups.values()))["targets"]
    return targets[0]
