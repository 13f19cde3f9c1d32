"""The rules between fleets, the hosts they are on and the groups they are in.

Like all rules between keys they read plain values, so that one mistake never hides another.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from nephoscope import catalog
from nephoscope.errors import Problem, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.language.fleet import Cap, Fleet
from nephoscope.scenario.language.hosts import Hosts, HostType
from nephoscope.scenario.language.instance_type import InstanceType
from nephoscope.scenario.language.local_disks import of_host, taken
from nephoscope.scenario.rules.life import new_instances, other_instances, type_name
from nephoscope.scenario.rules.references import entries

ZONES_MAX = 64

_WITHOUT_RESERVATIONS = ("fair", "credit")

# Families of which a dedicated host may have several sizes; of some the small ones by themselves.
MIXING = ("a1", "c5", "c5n", "m5", "m5n", "r5", "r5n", "t3")
_SPLIT = ("c5n", "m5n", "r5n")
_SMALL = ("large", "xlarge", "2xlarge")

# What is said of sharing hosts.
_OF_HOSTS = ("weight", "reservation", "zones", "placement", "interference")


def placing_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between fleets and hosts."""
    groups: dict[str, tuple[Where, dict[str, Any]]] = {}
    for where, fleet in entries(document.tree, "fleets"):
        if "hosts" in fleet:
            yield from _on_hosts(document, where, fleet)
        else:
            yield from _without_hosts(document, where, fleet)
        yield from _group(document, where, mapping(fleet.get("placement")), groups)
        for renewed in new_instances(fleet):
            at = (*where, "refresh", "to", "instance_type")
            yield from _machine(document, at, renewed)
            yield from _reserved(document, at, renewed)
        for i, other in enumerate(other_instances(fleet)):
            yield from _machine(document, (*where, "other_types", i), other)
            yield from _reserved(document, (*where, "other_types", i), other)
    for where, hosts in entries(document.tree, "hosts"):
        if "tenant" in hosts:
            yield from _sizes(document, str(where[-1]))
    zones = {z for _, hosts in entries(document.tree, "hosts") for z in zones_of(hosts)}
    if len(zones) > ZONES_MAX:
        message = f"{len(zones)} zones are too many"
        yield document.problem(("hosts",), message, allowed=f"at most {ZONES_MAX} in all")


def _without_hosts(document: Document, where: Where, fleet: dict[str, Any]) -> Iterator[Problem]:
    if fleet.get("tenancy") == "host":
        message = "tenancy host without hosts: there are none to be dedicated"
        yield document.problem((*where, "tenancy"), message, allowed="hosts with a tenant")
    for key in _OF_HOSTS:
        if key in fleet:
            message = f"{key} without hosts has no effect: there are no other tenants"
            allowed = f"{key} beside hosts"
            yield document.problem((*where, key), message, allowed=allowed, at_key=True)
    yield from _machine(document, (*where, "instance_type"), fleet)


def _machine(document: Document, at: Where, fleet: dict[str, Any]) -> Iterator[Problem]:
    """What instances of one's own measure may not say, on hosts and without."""
    written = mapping(fleet.get("instance_type"))
    if "hosts" in fleet and written.get("speed", 1) != 1:
        message = "on hosts a vCPU is as fast as a thread of the host"
        yield document.problem(
            (*at, "speed"), message, allowed="a clock of the hosts' type", at_key=True
        )
    disks = mapping(written.get("disk")).get("count", 0)
    if "hosts" not in fleet and _is_number(disks) and disks > 0:
        message = "local disks without hosts have no effect: nobody else could take them"
        count = (*at, "disk", "count")
        yield document.problem(count, message, allowed="0, or hosts with disks", at_key=True)
    hosts = mapping(mapping(document.tree.get("hosts")).get(str(fleet.get("hosts"))))
    scheduler = hosts.get("scheduler", "fluid")
    kind = fleet.get("instance_type")
    if scheduler != "fluid" and _is_burstable(kind):
        message = f"the scheduler {scheduler} has no CPU credits"
        yield document.problem(at, message, allowed="hosts of the scheduler fluid", at_key=True)
    elif scheduler != "fluid" and _threads_per_core(hosts) > 1 and _has_cores(kind):
        message = f"a vCPU of {type_name(kind)} is a core, and {scheduler} shares out threads"
        allowed = "hosts of the scheduler fluid, or of one thread per core"
        yield document.problem(at, message, allowed=allowed, at_key=True)


def _threads_per_core(hosts: dict[str, Any]) -> int:
    """Of hosts as they are written, as far as that makes sense."""
    try:
        return HostType.model_validate(hosts.get("type")).threads_per_core
    except ValidationError:  # the models tell it
        return 1


def _on_hosts(document: Document, where: Where, fleet: dict[str, Any]) -> Iterator[Problem]:
    yield from _machine(document, (*where, "instance_type"), fleet)
    yield from _reserved(document, (*where, "reservation"), fleet)
    hosts = mapping(mapping(document.tree.get("hosts")).get(str(fleet["hosts"])))
    if hosts:
        yield from _whose(document, where, fleet, hosts)
    yield from _under_scheduler(document, where, fleet, hosts.get("scheduler", "fluid"))
    known = zones_of(hosts)
    for i, zone in enumerate(sequence(fleet.get("zones"))):
        if hosts and isinstance(zone, str) and zone not in known:
            message = f"{shorten(zone)} is no zone of {fleet['hosts']}"
            at = (*where, "zones", i)
            hint = nearest(zone, known)
            yield document.problem(at, message, value=zone, allowed=listing(known), suggestion=hint)


def _reserved(document: Document, at: Where, fleet: dict[str, Any]) -> Iterator[Problem]:
    vcpus, reservation = _vcpus(fleet.get("instance_type")), fleet.get("reservation", 0)
    if vcpus is not None and _is_number(reservation) and reservation > vcpus:
        message = f"{reservation:g} vCPUs cannot be reserved for an instance of {vcpus}"
        yield document.problem(at, message, allowed=f"at most {vcpus}")


def _whose(
    document: Document, where: Where, fleet: dict[str, Any], hosts: dict[str, Any]
) -> Iterator[Problem]:
    """Dedicated hosts take the fleets of their tenant with tenancy host, and no others."""
    of_host, tenant = fleet.get("tenancy") == "host", fleet.get("tenant", "main")
    if of_host and "tenant" not in hosts:
        message = f"tenancy host needs dedicated hosts, and {fleet['hosts']} are nobody's"
        at = (*where, "tenancy")
        yield document.problem(at, message, allowed=f"tenant: {tenant} of these hosts")
    elif "tenant" in hosts and (not of_host or hosts["tenant"] != tenant):
        message = f"{fleet['hosts']} are dedicated to {hosts['tenant']}"
        allowed = f"tenant: {hosts['tenant']} and tenancy: host"
        yield document.problem((*where, "hosts"), message, allowed=allowed)


def _sizes(document: Document, pool: str) -> Iterator[Problem]:
    """A dedicated host is of one size, or of the sizes of a family that mixes them."""
    first: tuple[str, str] | None = None
    for where, fleet in entries(document.tree, "fleets"):
        makes = [(where, fleet), *(((*where, "refresh", "to"), it) for it in new_instances(fleet))]
        for at, make in makes:
            kind = type_name(make.get("instance_type"))
            if fleet.get("hosts") != pool or kind is None or "." not in kind:
                continue
            family, _, size = kind.partition(".")
            if first is None:
                first = family, size
            if not _mix(first, (family, size)):
                message = f"{kind} and {'.'.join(first)} do not share dedicated hosts"
                allowed = f"one size, or sizes of one family of {listing(MIXING)}"
                if family == first[0] and family in _SPLIT:
                    allowed = f"{', '.join(_SMALL)} of {family}, or larger ones"
                yield document.problem((*at, "instance_type"), message, value=kind, allowed=allowed)


def _mix(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a dedicated host may have both, each a family and a size."""
    (family, size), (other_family, other_size) = one, other
    if one == other:
        return True
    together = family not in _SPLIT or (size in _SMALL) == (other_size in _SMALL)
    return family == other_family and family in MIXING and together


def _under_scheduler(
    document: Document, where: Where, fleet: dict[str, Any], scheduler: Any
) -> Iterator[Problem]:
    """What not every scheduler has: each takes what its original takes."""
    if "reservation" in fleet and scheduler in _WITHOUT_RESERVATIONS:
        message = f"the scheduler {scheduler} has no reservations"
        at = (*where, "reservation")
        yield document.problem(at, message, allowed="hosts of another scheduler", at_key=True)
    weight = fleet.get("weight", 256)
    if scheduler == "credit" and _is_number(weight) and not _whole_weight(weight):
        message = f"{weight:g} is no weight of the scheduler credit"
        yield document.problem((*where, "weight"), message, allowed="1 to 65535, whole")
    if scheduler == "fair" and _is_number(weight) and 0 < weight < 1 / 16:
        message = f"{weight:g} is too little for the scheduler fair"
        yield document.problem((*where, "weight"), message, allowed="1/16 or more")
    if scheduler == "credit" and "cap" in fleet and not _whole_percent(fleet["cap"]):
        message = "a cap of the scheduler credit is a whole percentage of a vCPU"
        yield document.problem((*where, "cap"), message, allowed="0.25, 1 or 1.5, for example")


def _group(
    document: Document,
    where: Where,
    placement: dict[str, Any],
    groups: dict[str, tuple[Where, dict[str, Any]]],
) -> Iterator[Problem]:
    """A group that several fleets name is one group, with one strategy."""
    name = placement.get("group")
    if not isinstance(name, str):
        return
    first, facts = groups.setdefault(name, (where, placement))
    if facts != placement:
        message = f"the group {name} is another one in fleets.{first[-1]}"
        yield document.problem((*where, "placement"), message, allowed="the same strategy there")


class Room:
    """A pool of hosts with all that is to be on it, as far as the models accept it."""

    def __init__(self, hosts: dict[str, Any], fleets: dict[str, dict[str, Any]]) -> None:
        try:
            pool = Hosts.model_validate(hosts)
            self._fleets = {name: Fleet.model_validate(it) for name, it in fleets.items()}
        except ValidationError:  # the models tell it
            self._fleets = {}
            return
        kind = pool.type
        vcpus = kind.threads * round(pool.cpu_overcommit * 1e6) // 10**6
        self._hosts = pool.count
        self._pool = pool
        self._of_a_host = (vcpus, int(kind.memory), kind.gpu, of_host(pool))
        needs = [(it.most, self._needs(it)) for it in self._fleets.values()]
        self._wanted = [sum(count * need[i] for count, need in needs) for i in range(4)]
        self._plain = not any(
            it.zones or it.placement or it.reservation or it.tenancy == "dedicated"
            for it in self._fleets.values()
        )

    def is_sure(self, name: str) -> bool:
        """Whether an instance of a fleet finds a host, wherever those of other fleets are."""
        fleet = self._fleets.get(name)
        if fleet is None:
            return True
        full = 0  # hosts on which the others may leave too little
        needs = self._needs(fleet)
        for need, room, wanted in zip(needs, self._of_a_host, self._wanted, strict=True):
            if need > room:
                return False
            if need > 0:
                full += (wanted - fleet.most * need) // (room - need + 1)
        return self._plain and full < self._hosts

    def _needs(self, fleet: Fleet) -> tuple[int, int, int, int]:
        kinds = [make.instance_type for make in fleet.makes]
        return (
            max(_threads(kind, self._pool) for kind in kinds),
            max(int(kind.memory) for kind in kinds),
            max(kind.gpu.count for kind in kinds),
            max(taken(kind, self._pool) for kind in kinds),
        )


def _threads(kind: InstanceType, hosts: Hosts) -> int:
    """Of a host, that an instance takes."""
    return kind.vcpus * (hosts.type.threads_per_core if kind.vcpus_are_cores else 1)


def zones_of(hosts: dict[str, Any]) -> list[str]:
    """As written; by default there is one, a."""
    written = [hosts["zone"]] if "zone" in hosts else sequence(hosts.get("zones"))
    return [zone for zone in written if isinstance(zone, str)] or ["a"]


def _vcpus(written: Any) -> int | None:
    """Of an instance type as it is written; None if that cannot be told."""
    known = mapping(written)
    name = known.get("type") if known else written
    if isinstance(name, str):
        return next((it.vcpus for it in catalog.types() if it.name == name), None)
    vcpus = known.get("vcpus", 1)
    return vcpus if isinstance(vcpus, int) else None


def _whole_weight(weight: float) -> bool:
    return 1 <= weight <= 65_535 and float(weight).is_integer()


def _whole_percent(written: Any) -> bool:
    """Whether a cap that the models accept is one; what they refuse is theirs to tell."""
    try:
        cap = Cap.model_validate(written)
    except ValidationError:
        return True
    return 100 * cap.quota_ns % int(cap.period) == 0


def _is_burstable(written: Any) -> bool:
    name = written.get("type") if isinstance(written, dict) else written
    return isinstance(name, str) and name in {it.name for it in catalog.burstable_types()}


def _has_cores(written: Any) -> bool:
    name = type_name(written)
    return name is not None and catalog.vcpus_are_cores(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
