"""What can be set while a world runs, checked as strictly as a scenario file."""

import copy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ValidationError

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.compile import make_spec
from nephoscope.scenario.language.balancer import UNWEIGHTED, Routing, Target, TargetGroup
from nephoscope.scenario.language.compiled_policy import RoutingPolicy
from nephoscope.scenario.language.fields import INSTANCES_MAX
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.life import Which
from nephoscope.scenario.language.refresh import NewInstances, Refresh
from nephoscope.scenario.language.scaling import Bounds
from nephoscope.scenario.language.traffic import RATED, Traffic
from nephoscope.scenario.rules.life import refused
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.specs.life import ALL
from nephoscope.scenario.specs.routing import routing_spec
from nephoscope.scenario.specs.service import refresh_spec

_ANY_HOST = 0xFFFFFFFF

_FORMS = (
    "traffic.NAME.rate",
    "fleets.NAME.count",
    "load_balancers.NAME.routing",
    "load_balancers.NAME.targets.FLEET.weight",
    "load_balancers.NAME.groups.GROUP.weight",
)


@dataclass
class Steering:
    """The values that can be changed, as they are now; kept to refuse what does not fit them."""

    scenario: Scenario
    counts: dict[str, int]
    routings: dict[str, Any]  # in the words of a file
    weights: dict[str, dict[str, float]]  # by balancer and fleet
    groups: dict[str, dict[str, int]]  # by balancer and group
    # Refreshes that changed a fleet's instances: its name, to what, and which make they were of.
    renewals: list[list[Any]]
    policies: dict[str, RoutingPolicy] = field(default_factory=dict)
    """Compiled ones, by balancer, that were set: what is in use must stay where it is."""

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """The values that a scenario begins with."""
        balancers = scenario.load_balancers
        return cls(
            scenario,
            {name: fleet.first for name, fleet in scenario.fleets.items()},
            {name: balancer.routing.form for name, balancer in balancers.items()},
            {n: {t.fleet: t.weight for t in b.all_targets} for n, b in balancers.items()},
            {n: {g: of.weight for g, of in (b.groups or {}).items()} for n, b in balancers.items()},
            [],
        )

    def to_dict(self) -> dict[str, Any]:
        """The values as plain data, but for compiled policies."""
        changing = ("counts", "routings", "weights", "groups", "renewals")
        return {key: getattr(self, key) for key in changing}

    @classmethod
    def from_dict(
        cls, scenario: Scenario, values: dict[str, Any], policies: dict[str, RoutingPolicy]
    ) -> Self:
        """The same from plain data, and the compiled policies."""
        return cls(scenario, **values, policies=policies)

    def copy(self) -> Self:
        """An independent copy; the scenario itself never changes."""
        return self.from_dict(self.scenario, copy.deepcopy(self.to_dict()), dict(self.policies))

    def fill(self, spec: _core.WorldSpec) -> None:
        """Put the compiled policies that were set into the spec of a world to be restored."""
        balancers = spec.balancers
        for at, name in enumerate(self.scenario.load_balancers):
            if name in self.policies:
                balancers[at].routing = routing_spec(Routing(compiled=self.policies[name]))
        spec.balancers = balancers

    def set(self, world: _core.World, path: str, value: Any) -> None:
        """Set one value in the world; raises ScenarioError where the path or the value is wrong."""
        match path.split("."):
            case ["traffic", name, "rate"]:
                index = self._index(path, "traffic", name)
                world.set_rate(index, self._rate(path, name, value))
            case ["fleets", name, "count"]:
                index = self._index(path, "fleets", name)
                world.set_count(index, self._count(path, name, value))
            case ["load_balancers", name, "routing"]:
                index = self._index(path, "load_balancers", name)
                world.set_routing(index, self._routing(path, name, value))
            case ["load_balancers", name, "targets", fleet, "weight"]:
                index = self._index(path, "load_balancers", name)
                weight = self._weight(path, name, fleet, value)
                world.set_weight(index, self._index(path, "fleets", fleet), weight)
            case ["load_balancers", name, "groups", group, "weight"]:
                index = self._index(path, "load_balancers", name)
                share = self._group_weight(path, name, group, value)
                world.set_group_weight(index, list(self.groups[name]).index(group), share)
            case _:
                raise _refused(path, "cannot be set while a simulation runs", listing(_FORMS))

    def act(
        self, world: _core.World, kind: str, fleet: str, count: int | None, replaced: bool = False
    ) -> int:
        """Do something to instances; raises ScenarioError where the provider refuses it."""
        path = f"fleets.{fleet}"
        index = self._index(path, "fleets", fleet)
        which: Which = read_part(kind, Which, {"fleet": fleet, "count": count})
        reason = refused(kind, self.scenario.to_dict()["fleets"][fleet])
        if reason is not None:
            raise _refused(path, *reason)
        asked = ALL if which.count is None else which.count
        return world.act(_core.life.ActionKind[kind], index, asked, replaced)

    def refresh(self, world: _core.World, name: str, options: dict[str, Any]) -> None:
        """Begin a refresh; raises ScenarioError where its options, or its time, are wrong."""
        path = f"fleets.{name}.refresh"
        index = self._index(path, "fleets", name)
        known = [key for key in Refresh.model_fields if key != "at"]
        for key in sorted(options.keys() - {"at", *known}):
            raise _refused(f"{path}.{key}", "unknown option", listing(known), nearest(key, known))
        if "at" in options:
            raise _refused(f"{path}.at", "it begins now", "the other options")
        refresh: Refresh = read_part(path, Refresh, {"at": "0s", **options})
        fleet = self.scenario.fleets[name]
        for i, alarm in enumerate(refresh.alarms):
            if alarm not in fleet.alarms:
                message = f"no {alarm!r} among the alarms of the fleet"
                known = list(fleet.alarms)
                allowed = listing(known) or None
                raise _refused(f"{path}.alarms.{i}", message, allowed, nearest(alarm, known))
        if fleet.other_types and (refresh.to is not None or refresh.skip_matching):
            message = "instances of several types keep them"
            raise _refused(path, message, "neither to nor skip_matching")
        spec = refresh_spec(refresh, fleet)
        if refresh.to is None:
            world.begin_refresh(index, spec)
            return
        numbers = world.results()["fleets"][index]
        before = numbers.get("refresh", {})
        if before and before["finished_ns"] < 0:
            raise _refused(path, "another is to come or under way already", "one after another")
        present = numbers.get("make", 0)
        made = self.makes()[name][present]
        fleet = _renewed(path, made, refresh.to)
        if refresh.skip_matching and fleet == made:
            spec.make = present
            world.begin_refresh(index, spec)
            return
        spec.make = world.add_make(index, make_spec(self.scenario, name, fleet))
        world.begin_refresh(index, spec)
        self.renewals.append([name, options["to"], present])

    def makes(self) -> dict[str, list[Fleet]]:
        """All that the instances of each fleet have been or may be, in their order."""
        makes = {name: list(fleet.makes) for name, fleet in self.scenario.fleets.items()}
        for name, to, of in self.renewals:
            makes[name].append(makes[name][of].renewed(NewInstances.model_validate(to)))
        return makes

    def added_makes(self) -> list[tuple[int, _core.FleetSpec]]:
        """Those that a world of the scenario does not have by itself, by fleet."""
        added = []
        found = {name: len(fleet.makes) for name, fleet in self.scenario.fleets.items()}
        makes = self.makes()
        for name, *_ in self.renewals:
            spec = make_spec(self.scenario, name, makes[name][found[name]])
            added.append((list(self.scenario.fleets).index(name), spec))
            found[name] += 1
        return added

    def migrate(self, world: _core.World, instance: Any, host: Any, pause_ns: int) -> bool:
        """Move an instance; raises ScenarioError where it or the host is not there."""
        _require_index("instance", instance)
        if host is not None:
            _require_index("host", host)
        return bool(world.migrate(instance, _ANY_HOST if host is None else host, pause_ns))

    def protect(self, world: _core.World, instance: Any, on: bool) -> bool:
        """Have scale-ins spare an instance; raises ScenarioError where it is not there."""
        _require_index("instance", instance)
        return bool(world.protect(instance, on))

    def _index(self, path: str, section: str, name: str) -> int:
        names = list(getattr(self.scenario, section))
        if name not in names:
            message = f"no {name!r} in {section}"
            raise _refused(path, message, listing(names) or None, nearest(name, names))
        return names.index(name)

    def _rate(self, path: str, name: str, value: Any) -> float:
        form = self.scenario.traffic[name].arrivals.form
        if form not in RATED:
            raise _refused(path, f"{form} arrivals have no rate to set", listing(sorted(RATED)))
        traffic = read_part(path, Traffic, {"to": "any", "rate": value}, "rate")
        return float(traffic.rate)

    def _count(self, path: str, name: str, value: Any) -> int:
        if isinstance(value, dict):
            raise _refused(path, "the bounds stay while a simulation runs", "a whole number")
        count: int = read_part(path, Fleet, {"service": "any", "count": value}, "count").count
        bounds = self.scenario.fleets[name].count
        if isinstance(bounds, Bounds) and not bounds.min <= count <= bounds.max:
            allowed = f"{bounds.min} to {bounds.max}"
            raise _refused(path, f"{count} is out of its bounds", allowed)
        others = sum(self.counts.values()) - self.counts[name]
        if others + count > INSTANCES_MAX:
            allowed = f"at most {INSTANCES_MAX} in all fleets together"
            raise _refused(path, f"{others + count} instances are too many", allowed)
        self.counts[name] = count
        return count

    def _routing(self, path: str, name: str, value: Any) -> _core.routing.RoutingSpec:
        routing: Routing = read_part(path, Routing, value)
        if self.scenario.load_balancers[name].slow_start and routing.form != "round_robin":
            message = f"{routing.form} does not go with slow_start"
            raise _refused(path, message, "round_robin")
        first = self.scenario.load_balancers[name].routing
        if (routing.mitigates or first.mitigates) and routing != first:
            message = "anomaly_mitigation stays as it is in the whole run"
            raise _refused(path, message, "the routing of the scenario")
        self._refuse_weights(path, routing.form, self.weights[name])
        self.routings[name] = routing.form
        self.policies.pop(name, None)
        if routing.compiled is not None:
            self.policies[name] = routing.compiled
        return routing_spec(routing)

    def _weight(self, path: str, name: str, fleet: str, value: Any) -> float:
        if fleet not in self.weights[name]:
            known = list(self.weights[name])
            message = f"{fleet!r} is not a target of {name}"
            raise _refused(path, message, listing(known), nearest(fleet, known))
        target = read_part(path, Target, {"fleet": fleet, "weight": value}, "weight")
        weight = float(target.weight)
        self._refuse_weights(path, self.routings[name], {fleet: weight})
        self.weights[name][fleet] = weight
        return weight

    def _group_weight(self, path: str, name: str, group: str, value: Any) -> int:
        known = self.groups[name]
        if group not in known:
            message = f"{group!r} is not a group of {name}"
            raise _refused(path, message, listing(known) or None, nearest(group, known))
        of = read_part(path, TargetGroup, {"targets": ["any"], "weight": value}, "weight")
        known[group] = int(of.weight)
        return known[group]

    def _refuse_weights(self, path: str, routing: str, weights: dict[str, float]) -> None:
        if routing in UNWEIGHTED and any(weight != 1 for weight in weights.values()):
            message = f"{routing} has no use for weights: it treats all targets alike"
            raise _refused(path, message, "weights of 1, or a routing that honours weights")


def _renewed(path: str, fleet: Fleet, to: NewInstances) -> Fleet:
    """The fleet of other instances; raises ScenarioError where its rules do not allow them."""
    try:
        return fleet.renewed(to)
    except ValidationError as error:
        context = error.errors(include_url=False)[0].get("ctx", {})
        message = str(context.get("message", error))
        raise _refused(f"{path}.to", message, context.get("allowed")) from None


def read_part(path: str, model: type[BaseModel], value: Any, field: str | None = None) -> Any:
    """The value as a model of the language reads it; raises ScenarioError with this path."""
    try:
        read = model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        context = details.get("ctx", {})
        message = str(context.get("message", details["msg"]))
        raise _refused(path, message, context.get("allowed"), context.get("suggestion")) from None
    if field is not None and getattr(read, field) is None:
        raise _refused(path, "no value given", None)
    return read


def _require_index(name: str, index: Any) -> None:
    whole = isinstance(index, int | np.integer) and not isinstance(index, bool)
    if not whole or not 0 <= index < _ANY_HOST:
        raise _refused(name, f"{shorten(index)} is no index", "a whole number, from 0")


def _refused(
    path: str, message: str, allowed: str | None, suggestion: str | None = None
) -> ScenarioError:
    return ScenarioError([Problem(path, message, allowed=allowed, suggestion=suggestion)])
