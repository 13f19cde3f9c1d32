"""Random scenarios on the core: built through the public models, stepped on `_core.World`."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np

from nephoscope import _core
from nephoscope.errors import SpecError
from nephoscope.scenario import Scenario
from nephoscope.scenario.compile import compile_scenario
from nephoscope.scenario.language.balancer import Routing
from nephoscope.scenario.specs.routing import routing_spec
from nephoscope.scenario.units import Rate
from properties.systems import Change, System

ANY_HOST = 2**32 - 1

Results = dict[str, Any]


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, through dicts, lists, arrays and histograms."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b)


def by_name(accounts: list[Results]) -> dict[str, Results]:
    return {account["name"]: account for account in accounts}


def run(system: System, cuts: tuple[int, ...] = (), checked: bool = False) -> _core.World:
    """A world run to its end with the system's interventions, cut where told."""
    session = Session(system)
    for instant in sorted({*cuts, system.duration_ns}):
        session.to(instant, checked)
    return session.world


class Session:
    """A world in the course of its run, with the interventions still to come."""

    def __init__(self, system: System) -> None:
        self.spec = compiled(system)
        self.world = _core.World(self.spec)
        self.left = list(system.changes)
        tree = system.tree
        self._fleets, self._sources = list(tree["fleets"]), list(tree["traffic"])
        self._balancers = list(tree["load_balancers"])

    def to(self, instant_ns: int, checked: bool = False) -> None:
        """Advance, with every intervention on the way at its instant."""
        while self.left and self.left[0].at_ns <= instant_ns:
            change = self.left.pop(0)
            self._advance(change.at_ns, checked)
            self._apply(change)
        self._advance(instant_ns, checked)

    def fork(self) -> Session:
        twin = copy.copy(self)
        twin.world, twin.left = self.world.copy(), list(self.left)
        return twin

    def _migrate(self, fleet: str, place: int, pause_ns: int) -> None:
        """If it is there, on hosts, and may be paused or need not."""
        instances = np.flatnonzero(self.world.state()["fleet"] == self._fleets.index(fleet))
        if place >= len(instances):
            return
        instance = int(instances[place])
        for pause in dict.fromkeys((pause_ns, 0)):
            with contextlib.suppress(SpecError):
                self.world.migrate(instance, ANY_HOST, pause)
                return

    def _named(self, balancer: str) -> _core.balancers.BalancerSpec:
        return self.spec.balancers[self._balancers.index(balancer)]

    def _advance(self, instant_ns: int, checked: bool) -> None:
        if checked:
            self.world.advance_checked(instant_ns)
        else:
            self.world.advance(instant_ns)

    def _apply(self, change: Change) -> None:
        kind, name, *rest = change.path.split(".")
        if kind == "act":
            action = _core.life.ActionKind[name]
            self.world.act(action, self._fleets.index(rest[0]), change.value)
        elif kind == "migrate":
            self._migrate(name, int(rest[0]), change.value)
        elif kind == "fleets":
            self.world.set_count(self._fleets.index(name), change.value)
        elif kind == "traffic":
            self.world.set_rate(self._sources.index(name), float(Rate.parse(change.value)))
        elif rest[0] == "routing":
            routing = Routing.model_validate(change.value)
            self.world.set_routing(self._balancers.index(name), routing_spec(routing))
        elif rest[0] == "groups":
            groups = [group.name for group in self._named(name).groups]
            index = groups.index(rest[1])
            self.world.set_group_weight(self._balancers.index(name), index, change.value)
        else:
            fleet = self._fleets.index(rest[1])
            self.world.set_weight(self._balancers.index(name), fleet, change.value)
        self.world.check()


def compiled(system: System) -> _core.WorldSpec:
    spec = compile_scenario(Scenario.model_validate(system.tree), seed=system.seed)
    balancers = spec.balancers
    for balancer in balancers:
        balancer.slow_start_ns //= 10  # so that it comes to its end in so short a run
    spec.balancers = balancers
    spec.fleets = [_kept_busy(fleet, system) for fleet in spec.fleets]
    return spec


def _kept_busy(fleet: _core.FleetSpec, system: System) -> _core.FleetSpec:
    """With prices of spot, fresh volumes and cores for vCPUs: what scenarios have of real types."""
    life, fresh, seed = fleet.life, fleet.fresh, system.seed
    if life.spot and seed % 4 and not fleet.allocation.on_demand:  # of one type at a time
        prices = [_core.life.SpotPrice() for _ in range(4)]
        for place, price in enumerate(prices):
            price.from_ns = place * system.duration_ns // 5
            price.paid = (seed >> place) % 2 == 0
        life.prices = prices
    life.encryption_ns = seed % 3 * (system.duration_ns // 1000 * 25)
    if seed % 2:
        fresh.bytes, fresh.rate, fresh.loaded = 3_000_000, 5_000_000, seed % 3 * 100_000
    fleet.life, fleet.fresh, fleet.vcpus_are_cores = life, fresh, seed % 5 == 0
    return fleet
