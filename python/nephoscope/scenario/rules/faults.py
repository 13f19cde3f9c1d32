"""The rules between faults and what they strike, on plain values."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.language.balancer_defaults import with_defaults
from nephoscope.scenario.language.faults import KINDS
from nephoscope.scenario.rules.placing import zones_of
from nephoscope.scenario.rules.references import entries


def fault_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between faults, hosts and balancers."""
    hosts = {str(where[1]): pool for where, pool in entries(document.tree, "hosts")}
    zones = list(dict.fromkeys(z for pool in hosts.values() for z in zones_of(pool)))
    checked = any(
        with_defaults(b).get("health_check") for _, b in entries(document.tree, "load_balancers")
    )
    counts = [b.get("nodes", 1) for _, b in entries(document.tree, "load_balancers")]
    nodes = [1, *(count for count in counts if isinstance(count, int))]
    for i, fault in enumerate(map(mapping, sequence(document.tree.get("faults")))):
        for kind in KINDS:
            at = ("faults", i, kind)
            where = mapping(fault.get(kind))
            yield from _place(document, at, where, hosts, zones)
            if kind == "lose_health_checks" and kind in fault and not checked:
                message = "no load balancer has a health check to lose"
                yield document.problem(at, message, allowed="a load balancer with health_check")
            node = where.get("node")
            if kind == "lose_health_checks" and isinstance(node, int) and node >= max(nodes):
                most = max(nodes)
                message = "no load balancer has such a node" if most > 1 else "none has nodes"
                allowed = f"0 to {most - 1}" if most > 1 else "a load balancer with nodes"
                yield document.problem((*at, "node"), message, value=node, allowed=allowed)


def _place(
    document: Document, at: Where, where: dict[str, Any], hosts: dict[str, Any], zones: list[str]
) -> Iterator[Problem]:
    zone = where.get("zone")
    if isinstance(zone, str) and zone not in zones:
        message = f"{shorten(zone)} is no zone of any hosts"
        allowed = listing(zones) or "a scenario with hosts"
        hint = nearest(zone, zones)
        yield document.problem((*at, "zone"), message, value=zone, allowed=allowed, suggestion=hint)
    index = where.get("index")
    for scope in ("host", "rack"):
        pool = hosts.get(str(where.get(scope)))
        if pool is None or not isinstance(index, int):
            continue
        racks = pool.get("racks", 1)
        count = pool.get("count", 1)
        if scope == "rack" and isinstance(racks, int):
            count = racks * len(zones_of(pool))
        if isinstance(count, int) and index >= count:
            message = f"there are {count} of them"
            allowed = f"0 to {count - 1}" if count > 1 else "0"
            yield document.problem((*at, "index"), message, value=index, allowed=allowed)
