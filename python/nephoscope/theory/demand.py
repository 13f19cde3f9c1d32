"""What one request asks of the instance that serves it, and of whom it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass

from nephoscope.scenario import Scenario
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.resilience import Retry
from nephoscope.scenario.language.service import Step
from nephoscope.theory.moments import NOTHING, Law, law_of, mixed

# Of a vCPU of the reference, in GHz.
_REFERENCE_GHZ = 3.1

_DEVICES = ("gpu", "disk", "network")


# Kinds of requests, each with its share and its chance of success in one attempt. What a request
# asks for stays the same in every attempt, so that of two kinds one may fail again and again.
Kinds = tuple[tuple[float, float], ...]

SURE: Kinds = ((1.0, 1.0),)
_KINDS_MAX = 64


@dataclass(frozen=True)
class Demand:
    """Of a request, or a message, of one fleet."""

    hold: Law = NOTHING
    """Of a worker, by `compute` and `sleep`; what it waits for calls and devices is not in it."""
    compute: float = 0.0
    """CPU seconds on a vCPU of the fleet, on average."""
    leads: tuple[tuple[str, float], ...] = ()
    """Calls and messages by their destination, on average."""
    called: tuple[str, ...] = ()
    """Whom it waits for."""
    devices: tuple[str, ...] = ()
    """Kinds of steps that take time and are not in `hold`."""
    sleeps: bool = False
    memory: bool = False
    kinds: Kinds = SURE
    """By the chance that no step fails; rejections and timeouts are not in it."""
    sorted_out: bool = False
    """Whether those that fail are others than those that complete, by their work."""

    @property
    def success(self) -> float:
        """The chance of it in one attempt, over all kinds."""
        return sum(share * chance for share, chance in self.kinds)


def speed_of(scenario: Scenario, fleet: Fleet) -> float:
    """Of a vCPU of the fleet: that of its type or, on hosts, that of the host."""
    if fleet.hosts is not None:
        return float(scenario.hosts[fleet.hosts].type.clock) / _REFERENCE_GHZ
    return float(fleet.instance_type.speed)


def demand_of(scenario: Scenario, fleet: Fleet, success: Mapping[str, Kinds]) -> Demand:
    """The demand of a request at a fleet; `success` has the kinds of requests by destination."""
    walk = _Walk(scenario, speed_of(scenario, fleet), success)
    hold, kinds = walk.through(scenario.services[fleet.service].steps, 1.0, outermost=True)
    return Demand(
        hold,
        walk.compute,
        tuple(walk.leads.items()),
        tuple(dict.fromkeys(walk.called)),
        tuple(dict.fromkeys(walk.devices)),
        walk.sleeps,
        walk.memory,
        kinds,
        walk.sorted_out,
    )


def attempts(kinds: Kinds, most: int | None) -> float:
    """How often is tried on average, where after each failure but the last one tries again."""
    return sum(share * _geometric(1.0 - chance, most) for share, chance in kinds)


def in_vain(kinds: Kinds, most: int) -> float:
    """The share of requests of which so many attempts have all failed."""
    return sum(share * float((1.0 - chance) ** most) for share, chance in kinds)


def tries(retry: Retry | None) -> int:
    """Attempts at most."""
    return 1 if retry is None else retry.attempts


def mixed_kinds(parts: list[tuple[float, Kinds]]) -> Kinds:
    """Those of several, each with its share; of very many those alike by their mean."""
    found: dict[float, float] = {}
    for weight, kinds in parts:
        for share, chance in kinds:
            found[chance] = found.get(chance, 0.0) + weight * share
    if len(found) <= _KINDS_MAX:
        return tuple((share, chance) for chance, share in found.items())
    return ((1.0, sum(share * chance for chance, share in found.items())),)


def _geometric(again: float, most: int | None) -> float:
    if again >= 1.0:
        return float(most) if most is not None else 1.0
    return float((1.0 - (again**most if most is not None else 0.0)) / (1.0 - again))


class _Walk:
    """One pass over a program, with the share of the requests that gets to each step."""

    def __init__(self, scenario: Scenario, speed: float, success: Mapping[str, Kinds]) -> None:
        self._scenario = scenario
        self._speed = speed
        self._success = success
        self.compute = 0.0
        self.leads: dict[str, float] = {}
        self.called: list[str] = []
        self.devices: list[str] = []
        self.sleeps = self.memory = self.sorted_out = False

    def through(
        self, steps: tuple[Step, ...], alive: float, *, outermost: bool = False
    ) -> tuple[Law, Kinds]:
        """The time that steps take, and the kinds of requests by what is left behind them.

        `alive` is the share of all requests that comes to the first of them.
        """
        hold, left, kinds = NOTHING, 1.0, SURE
        for step in steps:
            law, kept = self._step(step, alive * left)
            # Of those that have failed before, nothing is asked: the mean is exact, and the rest
            # is not used (`sorted_out`).
            hold = hold.plus(law if left == 1.0 else mixed([(left, law), (1.0 - left, NOTHING)]))
            if law.m1 > 0.0 and left < 1.0:
                self.sorted_out = True
            if kept != SURE:
                kinds = mixed_kinds([(p, tuple((q, s * t) for q, t in kept)) for p, s in kinds])
                left = sum(share * chance for share, chance in kinds)
        if left < 1.0 and not outermost:
            self.sorted_out = True
        return hold, kinds

    def _step(self, step: Step, alive: float) -> tuple[Law, Kinds]:
        files = self._scenario.files
        if step.compute is not None:
            law = law_of(step.compute, files).scaled(1.0 / self._speed)
            self.compute += alive * law.m1
            return law, SURE
        if step.sleep is not None:
            self.sleeps = True
            return law_of(step.sleep, files), SURE
        if step.fail is not None:
            return NOTHING, ((1.0, 1.0 - float(step.fail)),)
        if step.choose is not None:
            return self._choice(step, alive)
        if step.call is not None:
            met, most = self._success.get(step.call.to, SURE), tries(step.call.retry)
            self._lead(step.call.to, alive * attempts(met, most))
            self.called.append(step.call.to)
            return NOTHING, tuple((share, 1.0 - (1.0 - chance) ** most) for share, chance in met)
        for message in (step.send, step.publish, step.put):
            if message is not None:
                self._lead(message.to, alive * message.batch)
        self.devices += [form for form in _DEVICES if step.form == form]
        self.memory |= step.memory is not None
        return NOTHING, SURE

    def _choice(self, step: Step, alive: float) -> tuple[Law, Kinds]:
        branches = [branch for branch in step.choose or () if branch.weight > 0]
        total = sum(branch.weight for branch in branches)
        laws, kinds = [], []
        for branch in branches:
            share = branch.weight / total
            law, kept = self.through(branch.steps, alive * share)
            laws.append((share, law))
            kinds.append((share, kept))
        found = mixed_kinds(kinds)
        # What is left of 1 by rounding is no failure.
        return mixed(laws), SURE if all(chance == 1.0 for _, chance in found) else found

    def _lead(self, to: str, often: float) -> None:
        self.leads[to] = self.leads.get(to, 0.0) + often
