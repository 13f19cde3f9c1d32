"""Hosts, and what fleets say of them, as the core takes them: names become numbers."""

from nephoscope import _core, catalog
from nephoscope.scenario.language.fleet import Fleet, PlacementGroup
from nephoscope.scenario.language.hosts import Hosts
from nephoscope.scenario.language.local_disks import of_host, taken
from nephoscope.scenario.scenario import Scenario


class Places:
    """The numbers of a scenario's hosts, zones, tenants and placement groups."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        fleets = scenario.fleets.values()
        zones = (zone for hosts in scenario.hosts.values() for zone in hosts.all_zones)
        self._hosts = {name: index for index, name in enumerate(scenario.hosts)}
        self._zones = {zone: index for index, zone in enumerate(dict.fromkeys(zones))}
        owners = (hosts.tenant for hosts in scenario.hosts.values() if hosts.tenant is not None)
        tenants = dict.fromkeys([*(fleet.tenant for fleet in fleets), *owners])
        self._tenants = {tenant: index for index, tenant in enumerate(tenants)}
        groups: dict[str, PlacementGroup] = {}
        for fleet in fleets:
            if fleet.placement is not None:
                groups.setdefault(fleet.placement.group, fleet.placement)
        self._groups = groups

    def number(self, scope: str, name: str) -> int:
        """Of a zone or, by any other scope, of a pool of hosts."""
        return self._zones[name] if scope == "zone" else self._hosts[name]

    def pools(self) -> list[_core.hosts.HostPoolSpec]:
        """Every pool of hosts."""
        return [self._pool(name, hosts) for name, hosts in self._scenario.hosts.items()]

    def groups(self) -> list[_core.hosts.GroupSpec]:
        """Every placement group, in the order of their numbers."""
        specs = []
        for name, group in self._groups.items():
            spec = _core.hosts.GroupSpec()
            spec.name = name
            spec.strategy = _core.placement.GroupStrategy[group.strategy]
            spec.partitions = group.partitions or 0
            specs.append(spec)
        return specs

    def fill(self, spec: _core.FleetSpec, fleet: Fleet) -> None:
        """Where the instances of a fleet go, and what they may take there."""
        spec.vcpus_are_cores = fleet.instance_type.vcpus_are_cores
        spec.memory = int(fleet.instance_type.memory)
        spec.accelerators = fleet.instance_type.gpu.count
        spec.disks = fleet.instance_type.disk.count
        if fleet.hosts is not None:
            spec.disks = taken(fleet.instance_type, self._scenario.hosts[fleet.hosts])
        spec.network = _rate(fleet.network)
        spec.flow_limit = int(fleet.flow_limit or 0)
        spec.counts_lives = fleet.elastic_address is not None or (
            fleet.volume is not None and fleet.volume.usd_per_gib_month is not None
        )
        spec.disk_bytes = _rate(fleet.disk_bandwidth)
        iops = fleet.disk_iops
        spec.disk_ops = _rate(catalog.BurstFacts(iops, iops, 0))
        if fleet.volume is not None and fleet.volume.snapshot is not None:
            spec.fresh.bytes = int(fleet.volume.fresh_bytes)
            spec.fresh.rate = int(fleet.volume.snapshot.bandwidth)
            spec.fresh.loaded = int(fleet.volume.snapshot.initialization or 0)
        spec.accelerator_speed = fleet.instance_type.gpu.speed
        spec.account = self._tenants[fleet.tenant]
        spec.tenancy = _core.placement.Tenancy[fleet.tenancy]
        if fleet.hosts is not None:
            spec.hosts = self._hosts[fleet.hosts]
        if fleet.zones is not None:
            spec.zones = sum(1 << self._zones[zone] for zone in dict.fromkeys(fleet.zones))
        if fleet.placement is not None:
            spec.group = list(self._groups).index(fleet.placement.group)
        if fleet.weight is not None:
            spec.weight = fleet.weight
        if fleet.reservation is not None:
            spec.reservation = fleet.reservation
        if fleet.cap is not None:
            spec.quota_ns = fleet.cap.quota_ns
            spec.period_ns = int(fleet.cap.period)
        if fleet.interference is not None:
            spec.interference.pressure = fleet.interference.pressure
            spec.interference.sensitivity = fleet.interference.sensitivity
        if fleet.instance_type.burstable:
            _burst(spec, fleet)

    def _pool(self, name: str, hosts: Hosts) -> _core.hosts.HostPoolSpec:
        facts = _core.hosts.HostPoolFacts()
        facts.scheduler.kind = _core.hosts.SchedulerKind[hosts.scheduler]
        facts.scheduler.core_scheduling = hosts.core_scheduling
        facts.count = hosts.count
        facts.memory = int(hosts.type.memory)
        facts.accelerators = hosts.type.gpu
        facts.disks = of_host(hosts)
        facts.cpu_overcommit = hosts.cpu_overcommit
        facts.place = _core.placement.PlacePolicy[hosts.place]
        facts.zones = [self._zones[zone] for zone in hosts.all_zones]
        facts.racks = hosts.racks
        if hosts.tenant is not None:
            facts.account = self._tenants[hosts.tenant]
        facts.sockets = hosts.type.sockets
        facts.host.cores = hosts.type.sockets * hosts.type.cores
        facts.host.threads_per_core = hosts.type.threads_per_core
        facts.host.smt_gain = hosts.smt_gain
        facts.host.speed = hosts.type.speed
        spec = _core.hosts.HostPoolSpec()
        spec.name = name
        spec.facts = facts
        spec.network = int(hosts.type.network or 0)
        return spec


def _rate(facts: catalog.BurstFacts) -> _core.devices.BurstRate:
    """In bytes or operations a second; the burst is what a full bucket holds."""
    rate = _core.devices.BurstRate()
    rate.baseline, rate.peak, rate.burst = facts.baseline, facts.peak, facts.burst
    return rate


def _burst(spec: _core.FleetSpec, fleet: Fleet) -> None:
    """How an instance of a burstable type earns CPU credits."""
    kind = fleet.instance_type.type
    assert kind is not None
    facts = catalog.cpu_credits(kind)
    spec.burst.burstable = True
    spec.burst.unlimited = fleet.credit_mode == "unlimited"
    spec.burst.credits.vcpus = facts.vcpus
    spec.burst.credits.millicredits_per_hour = facts.millicredits_per_hour
    spec.burst.credits.launch_credits = facts.launch_credits
    spec.burst.credits.kept_ns = facts.kept_ns
    if fleet.cpu_credits is not None:
        spec.burst.credits.lowered_over_ns = int(fleet.cpu_credits.lowered_over or 0)
