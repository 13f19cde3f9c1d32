"""The life of instances, as the core takes it: laws, purchase, actions, limits of accounts."""

from collections.abc import Callable, Mapping
from functools import cache

from nephoscope import _core, catalog
from nephoscope.catalog.operating_systems import LAWS
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.life import LaunchApi, Leaving, Spot, VcpuLimits, family_group
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.units import Duration

# In place of a count: all there are.
ALL = 2**32 - 1

_NO_TIME = Distribution(constant=Duration(0))


@cache
def _usual_laws(system: str) -> Mapping[str, Distribution]:
    """How long an operating system takes: read once, for an experiment has thousands of runs."""
    laws = catalog.operating_system(system).laws
    return {law: Distribution.model_validate(laws[law]) for law in LAWS}


class Lives:
    """The limits of a scenario's accounts by number, and what its fleets are told of them."""

    def __init__(
        self, scenario: Scenario, distribution: Callable[[Distribution], _core.Distribution]
    ) -> None:
        self._scenario = scenario
        self._distribution = distribution
        self._quotas: dict[str, int] = {}
        self._apis: dict[str, LaunchApi] = {}
        for name, account in scenario.accounts.items():
            self._add_quotas(name, account.vcpus)
            self._add_quotas(f"{name}/spot", account.spot_vcpus)
            if account.api is not None:
                self._apis[name] = account.api

    def quotas(self) -> list[_core.life.QuotaSpec]:
        """Every limit of vCPUs."""
        specs = []
        for name, vcpus in self._quotas.items():
            spec = _core.life.QuotaSpec()
            spec.name, spec.vcpus = name, vcpus
            specs.append(spec)
        return specs

    def apis(self) -> list[_core.life.LaunchLimits]:
        """Every interface that limits launches."""
        specs = []
        for api in self._apis.values():
            spec = _core.life.LaunchLimits()
            spec.instances, spec.instances_per_s = api.instances, api.instances_per_s
            spec.requests, spec.requests_per_s = api.requests, api.requests_per_s
            specs.append(spec)
        return specs

    def actions(self) -> list[_core.life.ActionSpec]:
        """What is done to instances, in the order of the file."""
        fleets = list(self._scenario.fleets)
        specs = []
        for action in self._scenario.actions:
            if action.transition is None:
                continue
            kind, which = action.transition
            spec = _core.life.ActionSpec()
            spec.at_ns = int(action.at)
            spec.kind = _core.life.ActionKind[kind]
            spec.fleet = fleets.index(which.fleet)
            if which.count is not None:
                spec.count = which.count
            spec.replaced = isinstance(which, Leaving) and which.replaced
            specs.append(spec)
        return specs

    def fill(self, spec: _core.FleetSpec, fleet: Fleet) -> None:
        """How long transitions of a fleet's instances take, how they are bought and billed."""
        system = catalog.operating_system(fleet.os)
        laws = dict(_usual_laws(fleet.os))
        if fleet.boot is not None:
            laws |= {"pending": _NO_TIME, "boot": fleet.boot}
        if fleet.durations is not None:
            told = {law: getattr(fleet.durations, law) for law in LAWS}
            laws |= {law: value for law, value in told.items() if value is not None}
        spec.pending, spec.boot = (self._distribution(laws[law]) for law in ("pending", "boot"))
        for law in LAWS[2:]:
            setattr(spec.life, law, self._distribution(laws[law]))
        spec.initially = fleet.initially == "running"
        spec.billing.unit_ns = system.billing_unit_s * 10**9
        spec.billing.minimum_ns = system.billing_minimum_s * 10**9
        spec.life.hibernation = fleet.hibernation
        if fleet.volume is not None:
            spec.life.encryption_ns = int(fleet.volume.encryption or 0)
        if (spot := fleet.purchase.spot) is not None:
            spec.life.spot = True
            spec.life.interrupted = spot.interruption is not None
            spec.life.behaviour = _core.lifecycle.Interruption[spot.behaviour]
            spec.life.interruption = self._distribution(spot.interruption or _NO_TIME)
            spec.life.outage = self._distribution(spot.outage or _NO_TIME)
            spec.life.rebalances = spot.rebalance
            spec.life.recommendation = self._distribution(spot.recommendation or _NO_TIME)
            spec.life.prices = _prices(spot, fleet)
            spec.life.on_demand_base = spot.on_demand_base
            spec.life.on_demand_percent = spot.on_demand_share
        self._limits(spec, fleet)

    def _limits(self, spec: _core.FleetSpec, fleet: Fleet) -> None:
        spot = "/spot" if fleet.purchase.spot is not None else ""
        quota = f"{fleet.tenant}{spot}/{family_group(fleet.instance_type.known_as)}"
        if quota in self._quotas:
            spec.life.quota = list(self._quotas).index(quota)
        if fleet.tenant in self._apis:
            spec.life.api = list(self._apis).index(fleet.tenant)

    def _add_quotas(self, name: str, limits: VcpuLimits | None) -> None:
        if limits is not None:
            for group, vcpus in limits:
                if vcpus is not None:
                    self._quotas[f"{name}/{group}"] = vcpus


def _prices(spot: Spot, fleet: Fleet) -> list[_core.life.SpotPrice]:
    specs = []
    for (at, _), paid in zip(spot.prices or (), fleet.paid, strict=True):
        spec = _core.life.SpotPrice()
        spec.from_ns, spec.paid = int(at), paid
        specs.append(spec)
    return specs
