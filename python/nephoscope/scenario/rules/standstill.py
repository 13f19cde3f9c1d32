"""Users who think for no time and are answered in no time would make time stand still."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.rules.calls import reached_services
from nephoscope.scenario.rules.life import is_spot, limits, other_instances, vcpu_group
from nephoscope.scenario.rules.placing import Room, zones_of
from nephoscope.scenario.rules.references import (
    action_target,
    call_target,
    entries,
    target_fleet,
    written_targets,
)
from nephoscope.scenario.units import Duration


def standstill_problems(document: Document) -> Iterator[Problem]:
    """Closed traffic that could go round for ever within one instant."""
    world = _Written(document.tree)
    for where, traffic in entries(document.tree, "traffic"):
        closed = mapping(mapping(traffic.get("arrivals")).get("closed"))
        to = traffic.get("to")
        if not (_is_zero(closed.get("think")) and isinstance(to, str) and to in world.services):
            continue
        if any(to in mapping(document.tree.get(key)) for key in ("queues", "topics", "buses")):
            reason = f"{to} takes a message at once"
        elif world.may_refuse(to):
            reason = f"{to} can reject a user, who comes back within the same instant"
        elif "circuit_breaker" in traffic:
            reason = "an open circuit breaker answers at once"
        elif not world.takes_time(to):
            reason = f"an answer of {to} takes no time either"
        else:
            continue
        at = (*where, "arrivals", "closed", "think")
        message = f"no time to think, and {reason}: time would stand still"
        yield document.problem(at, message, allowed="more than 0s here")


class _Written:
    """What is behind each destination, in plain values."""

    def __init__(self, tree: Any) -> None:
        self.services = reached_services(tree)
        self._programs = {str(where[1]): service for where, service in entries(tree, "services")}
        self._fleets = {str(where[1]): fleet for where, fleet in entries(tree, "fleets")}
        self._balancers = {str(w[1]): b for w, b in entries(tree, "load_balancers")}
        self._accounts = {str(where[1]): account for where, account in entries(tree, "accounts")}
        self._hosts = {str(where[1]): hosts for where, hosts in entries(tree, "hosts")}
        self._room: dict[str, Room] = {}
        done = [it for key in ("actions", "faults") for it in sequence(mapping(tree).get(key))]
        self._done = [which for it in done for which in mapping(it).values()]
        self._acted_on = {action_target(which) for which in self._done}
        # A service is taken to take no time while it is looked at, so that a cycle comes to an end.
        self._takes_time: dict[str, bool] = {}

    def may_refuse(self, destination: str) -> bool:
        """Whether all instances behind it may be full, or there are none, for a while."""
        if destination in self._fleets:
            names = [destination]
        else:
            targets = [target for _, target in written_targets(self._balancers[destination])]
            names = [name for name in map(target_fleet, targets) if name in self._fleets]
            if "groups" in self._balancers[destination]:  # one that has none is chosen all the same
                return any(self._fleet_may_refuse(name) for name in names)
        return all(self._fleet_may_refuse(name) for name in names)

    def _fleet_may_refuse(self, name: str) -> bool:
        fleet = self._fleets[name]
        program = self._programs.get(str(fleet.get("service")), {})
        spot = mapping(mapping(fleet.get("purchase")).get("spot"))
        interrupted = "interruption" in spot or "prices" in spot
        gone = interrupted or name in self._acted_on or fleet.get("count", 1) == 0
        renewed = "refresh" in fleet
        late = fleet.get("initially") == "pending" or self._is_limited(fleet)
        hosts = str(fleet.get("hosts"))
        homeless = hosts in self._hosts and self._may_have_no_host(name, hosts)
        choosy = bool({"backlog", "rate_limit", "shed"} & program.keys())
        return gone or late or homeless or renewed or choosy

    def _may_have_no_host(self, name: str, hosts: str) -> bool:
        """Whether its hosts may be full, or a fault strikes some of them."""
        if hosts not in self._room:
            there = {n: it for n, it in self._fleets.items() if it.get("hosts") == hosts}
            self._room[hosts] = Room(self._hosts[hosts], there)
        zones = zones_of(self._hosts[hosts])
        struck = map(mapping, self._done)
        return not self._room[hosts].is_sure(name) or any(
            hosts in (it.get("host"), it.get("rack")) or it.get("zone") in zones for it in struck
        )

    def _is_limited(self, fleet: dict[str, Any]) -> bool:
        """Whether its account may have no vCPUs for its instances."""
        account = self._accounts.get(str(fleet.get("tenant", "main")), {})
        limited = limits(account.get("spot_vcpus" if is_spot(fleet) else "vcpus"))
        return any(vcpu_group(make) in limited for make in (fleet, *other_instances(fleet)))

    def takes_time(self, destination: str) -> bool:
        """Whether an answer takes time at least now and then."""
        return any(self._service_takes_time(name) for name in self.services.get(destination, []))

    def _service_takes_time(self, name: str) -> bool:
        if name not in self._takes_time:
            self._takes_time[name] = False
            steps = self._programs.get(name, {}).get("steps")
            self._takes_time[name] = self._steps_take_time(steps)
        return self._takes_time[name]

    def _steps_take_time(self, steps: Any) -> bool:
        for step in map(mapping, sequence(steps)):
            if step.get("fail") in (1, "100%"):
                return False
            if "memory" in step:  # there may be too little, at once
                return False
            if any(key in step and not _is_zero(step[key]) for key in ("compute", "sleep")):
                return True
            if "network" in step or "disk" in step or ("gpu" in step and _runs(step["gpu"])):
                return True
            if "circuit_breaker" in mapping(step.get("call")):  # it answers at once when open
                return False
            target = call_target(step)
            if target in self.services and self.may_refuse(target):
                return False
            if target in self.services and self.takes_time(target):
                return True
            branches = [b for b in map(mapping, sequence(step.get("choose"))) if b.get("weight")]
            if any(self._steps_take_time(branch.get("steps")) for branch in branches):
                return True
        return False


def _runs(gpu: Any) -> bool:
    return not _is_zero(mapping(gpu).get("work", gpu))


def _is_zero(law: Any) -> bool:
    """Whether a distribution, as it is written, gives nothing but 0."""
    if isinstance(law, dict):
        uniform, sample = mapping(law.get("uniform")), mapping(law.get("empirical"))
        values = sequence(sample.get("values"))
        return (
            _is_zero(law.get("constant"))
            or _is_zero(uniform.get("max"))
            or (bool(values) and all(map(_is_zero, values)))
        )
    try:
        return Duration.parse(law) == 0
    except UnitError:
        return False
