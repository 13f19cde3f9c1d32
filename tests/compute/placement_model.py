"""The rules of placement once more, as plain loops over all hosts and all instances.

`Model` keeps no counts and no index: whatever it needs it looks up among the instances alive. A
launch goes to the least of the hosts that are `legal`, by `preference`. `random_launches` makes
clouds and launches with every rule in play, tight enough that many are refused.
"""

import random
from dataclasses import dataclass, field, replace

from nephoscope import _core, parts

SPREAD_A_ZONE = 7
GiB = 2**30


@dataclass
class Host:
    number: int
    pool: int
    vcpus: int
    memory: int
    accelerators: int
    disks: int
    zone: int
    rack: int
    open: bool = True
    account: int | None = None  # as a dedicated host
    auto_placement: bool = False
    instances: list["Instance"] = field(default_factory=list)

    def left(self, what: str) -> int:
        return getattr(self, what) - sum(getattr(i.request, what) for i in self.instances)


@dataclass(frozen=True)
class Request:
    pool: int = 0
    vcpus: int = 1
    memory: int = 0
    accelerators: int = 0
    disks: int = 0
    account: int = 0
    fleet: int = 0
    host: int | None = None
    avoid: int | None = None
    group: int | None = None
    partition: int | None = None
    zones: tuple[int, ...] | None = None
    tenancy: str = "shared"
    burstable: bool = False

    def keywords(self) -> dict:
        facts = dict(vars(self))
        facts["memory_bytes"] = facts.pop("memory")
        return facts


@dataclass(frozen=True, eq=False)
class Instance:
    request: Request
    host: Host
    partition: int | None


@dataclass
class Group:
    strategy: str
    partitions: int = 0


@dataclass
class Pool:
    policy: str
    words: list[int]  # of its random stream, the next one last

    def below(self, n: int) -> int:
        """Lemire's multiplication: uniform on [0, n)."""
        while True:
            product = (self.words.pop() >> 32) * n
            if product % 2**32 >= (2**32 - n) % n:
                return product >> 32


class Model:
    def __init__(self) -> None:
        self.pools: list[Pool] = []
        self.hosts: list[Host] = []
        self.groups: list[Group] = []

    def place(self, request: Request) -> tuple[Instance | None, str]:
        """The instance, which is on its host then, or why there is none."""
        refusal = self.group_refusal(request)
        if refusal is None and not self.in_zones(request):
            refusal = "zone"
        if refusal is not None:
            return None, refusal
        if request.host is not None and not self.named(request):
            return None, "zone"
        if request.host is not None and not self.admits(self.hosts[request.host], request):
            return None, "tenancy"
        for avoid in (request.avoid, None):
            for partition in self.partitions(request):
                legal = [h for h in self.legal(request, partition) if h.number != avoid]
                if legal:
                    host = self.prefer(request, legal, partition)
                    instance = Instance(request, host, partition)
                    host.instances.append(instance)
                    return instance, "none"
        room = self.legal(request, None, racks=False)
        return None, "rack" if room else "capacity"

    def instances(self, group: int | None = None) -> list[Instance]:
        return [i for h in self.hosts for i in h.instances if group in (None, i.request.group)]

    def in_zones(self, request: Request) -> list[Host]:
        """The hosts of the pool in the zones asked for, and in the cluster's."""
        hosts = [h for h in self.hosts if h.pool == request.pool]
        if request.group is not None and self.groups[request.group].strategy == "cluster":
            zones = {i.host.zone for i in self.instances(request.group)}
            hosts = [h for h in hosts if not zones or h.zone in zones]
        return [h for h in hosts if request.zones is None or h.zone in request.zones]

    def named(self, request: Request) -> bool:
        return any(h.number == request.host for h in self.in_zones(request))

    def group_refusal(self, request: Request) -> str | None:
        if request.group is None:
            return None
        group = self.groups[request.group]
        if request.tenancy == "host":
            return "tenancy"
        if group.strategy == "cluster" and request.burstable:
            return "burstable"
        if request.tenancy == "dedicated" and (group.strategy == "spread" or group.partitions > 2):
            return "tenancy"
        if group.strategy == "spread":
            zones = {h.zone for h in self.in_zones(request)}
            if zones and all(self.is_full(request.group, zone) for zone in zones):
                return "group_limit"
        return None

    def is_full(self, group: int, zone: int) -> bool:
        there = [i for i in self.instances(group) if i.host.zone == zone]
        return len(there) >= SPREAD_A_ZONE

    def partitions(self, request: Request) -> list[int | None]:
        """Those to be tried, in order."""
        if request.group is None or self.groups[request.group].strategy != "partition":
            return [None]
        if request.partition is not None:
            return [request.partition]
        members = [i.partition for i in self.instances(request.group)]
        every = range(self.groups[request.group].partitions)
        return sorted(every, key=lambda p: (members.count(p), p))

    def admits(self, host: Host, request: Request) -> bool:
        """Whether tenancy lets the instance stand beside those on the host."""
        if request.tenancy == "host":
            return host.account == request.account
        if host.account is not None:
            return False
        strangers = [i for i in host.instances if i.request.account != request.account]
        if request.tenancy == "dedicated":
            return not strangers
        return not any(i.request.tenancy == "dedicated" for i in strangers)

    def legal(self, request: Request, partition: int | None, *, racks: bool = True) -> list[Host]:
        """The hosts that no rule forbids; `racks`: those about racks included."""
        hosts = [h for h in self.in_zones(request) if self.has_room(h, request)]
        if request.host is not None:
            hosts = [h for h in hosts if h.number == request.host]
        elif request.tenancy == "host":
            hosts = [h for h in hosts if h.auto_placement]
        if request.group is None:
            return hosts
        members = self.instances(request.group)
        strategy = self.groups[request.group].strategy
        if strategy == "spread":
            full = [h.zone for h in hosts if self.is_full(request.group, h.zone)]
            hosts = [h for h in hosts if h.zone not in full]
        forbidden = set()
        if racks and strategy == "spread":
            forbidden = {i.host.rack for i in members}
        if racks and strategy == "partition":
            forbidden = {i.host.rack for i in members if i.partition != partition}
        return [h for h in hosts if h.rack not in forbidden]

    def has_room(self, host: Host, request: Request) -> bool:
        enough = all(
            host.left(what) >= getattr(request, what)
            for what in ("vcpus", "memory", "accelerators", "disks")
        )
        return host.open and enough and self.admits(host, request)

    def prefer(self, request: Request, legal: list[Host], partition: int | None) -> Host:
        pool = self.pools[request.pool]
        if pool.policy == "spread":
            fleet = [i for i in self.instances() if self.same_fleet(i, request)]
            zones = [i.host.zone for i in fleet]
            best = min((zones.count(h.zone), h.zone) for h in legal)[1]
            legal = [h for h in legal if h.zone == best]
        ranks = {h.number: self.rank(request, h) for h in legal}
        nearest = [h for h in legal if ranks[h.number] == min(ranks.values())]
        if pool.policy == "random":
            nearest.sort(key=lambda h: (h.zone, h.rack, h.number))
            return nearest[pool.below(len(nearest))]
        return min(nearest, key=lambda h: (*self.preference(pool.policy, request, h), h.number))

    def same_fleet(self, instance: Instance, request: Request) -> bool:
        other = instance.request
        return (other.pool, other.fleet) == (request.pool, request.fleet)

    def rank(self, request: Request, host: Host) -> int:
        """Of its rack: the most members of a cluster first; a partition's own racks first."""
        if request.group is None:
            return 0
        there = [i for i in self.instances(request.group) if i.host.rack == host.rack]
        if self.groups[request.group].strategy == "cluster":
            return -len(there)
        return 0 if there else 1

    def preference(self, policy: str, request: Request, host: Host) -> tuple[int, ...]:
        left = (host.left("vcpus"), host.left("memory"))
        if policy == "best_fit":
            return left
        if policy == "worst_fit":
            return (-left[0], -left[1])
        if policy == "spread":
            fleet = [i for i in self.instances() if self.same_fleet(i, request)]
            on_host = sum(i.host is host for i in fleet)
            return (on_host, sum(i.host.rack == host.rack for i in fleet))
        return ()


@dataclass
class Cloud:
    """The part and the model, built alike."""

    part: parts.Placement
    model: Model

    def add_pool(self, policy: str, words: int, seed: int, overcommit: float = 1.0) -> int:
        pool = self.part.add_pool(policy, cpu_overcommit=overcommit, seed=seed, name="draws")
        stream = _core.random_words(seed, 0, "draws", words)[::-1].tolist()
        self.model.pools.append(Pool(policy, stream))
        return pool

    def add_host(self, pool: int, threads: int, overcommit: float, **facts: int) -> None:
        self.part.add_hosts(pool, threads=threads, memory_bytes=facts.pop("memory"), **facts)
        host = Host(
            len(self.model.hosts),
            pool,
            vcpus=round(threads * round(overcommit * 100)) // 100,
            memory=self.part.hosts()["memory_bytes"].tolist()[-1],
            **facts,
        )
        self.model.hosts.append(host)

    def add_group(self, strategy: str, partitions: int = 0) -> None:
        self.part.add_group(strategy, partitions or None)
        self.model.groups.append(Group(strategy, partitions))


def random_cloud(
    rng: random.Random, policy: str, hosts: int, words: int, zones: int, racks: int
) -> Cloud:
    """Two pools of hosts on racks in the zones, numbered in no order; five groups."""
    cloud = Cloud(parts.Placement(), Model())
    seed = rng.randrange(2**32)
    overcommits = [rng.choice([1.0, 1.16, 1.5]), 1.0]
    for overcommit in overcommits:
        cloud.add_pool(policy, words, seed, overcommit)
    for _ in range(hosts):
        rack = rng.randrange(racks)
        pool = int(rack == racks - 1 and racks > 1)
        cloud.add_host(
            pool,
            rng.choice([2, 4, 8, 25]),
            overcommits[pool],
            memory=rng.choice([4, 8, 16]) * GiB,
            accelerators=rng.choice([0, 0, 2]),
            disks=rng.choice([0, 1, 2]),
            zone=rack % zones,
            rack=rack,
        )
    cloud.add_group("cluster")
    for partitions in (2, 3, 7):
        cloud.add_group("partition", partitions)
    cloud.add_group("spread")
    return cloud


def random_request(rng: random.Random, hosts: int) -> Request:
    """One of few shapes, with any account, fleet, tenancy and group."""
    vcpus = rng.choice([1, 1, 2, 4])
    request = Request(
        pool=int(rng.random() < 0.15),
        vcpus=vcpus,
        memory=vcpus * rng.choice([1, 2]) * GiB,
        accelerators=int(rng.random() < 0.1),
        disks=int(rng.random() < 0.1),
        account=rng.randrange(3),
        fleet=rng.randrange(3),
        zones=rng.choice([None, None, None, (0,), (1, 2), (0, 2), (5,)]),
        tenancy=rng.choice(["shared"] * 6 + ["dedicated"] * 2 + ["host"]),
        burstable=rng.random() < 0.1,
    )
    if rng.random() < 0.15:
        request = replace(request, avoid=rng.randrange(hosts))
    if rng.random() < 0.5:
        group = rng.randrange(5)
        named = group in (1, 2, 3) and rng.random() < 0.3
        partition = rng.randrange((2, 3, 7)[group - 1]) if named else None
        request = replace(request, group=group, partition=partition)
    return request
