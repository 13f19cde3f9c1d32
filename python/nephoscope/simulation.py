"""A simulation that is driven step by step: advanced, looked at, changed, copied, saved."""

import hashlib
import json
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError, StateError, UnitError, shorten
from nephoscope.results import Result
from nephoscope.run import advance, result_of, warmup_of
from nephoscope.scenario import Scenario
from nephoscope.scenario.compile import compile_scenario
from nephoscope.scenario.language.compiled_policy import RoutingPolicy
from nephoscope.scenario.saved_policies import brought, named
from nephoscope.scenario.steering import Steering
from nephoscope.scenario.units import DURATION_MAX_NS, Duration

_MAGIC = b"nephoscope simulation 4\n"
_DIGEST_SIZE = 16
_LENGTH_SIZE = 8
_SPAN_MAX_S = DURATION_MAX_NS / 1e9


class Simulation:
    """One run of a scenario that stops where it is told to.

    Advancing in many steps or in one makes no difference to the result. A `fork` goes its own way
    from here on: whatever is set in one is unknown to the other, and both see the same arrivals.
    """

    def __init__(self, scenario: Scenario, rng: int | None = None) -> None:
        seed = scenario.seed if rng is None else int(rng)
        spec = compile_scenario(scenario, seed=seed, warmup_ns=warmup_of(scenario, seed))
        self._scenario = scenario
        self._spec = spec
        self._world = _core.World(spec)
        self._steering = Steering.of(scenario)
        self._wall_s = 0.0

    @property
    def scenario(self) -> Scenario:
        """What it began with; `set` does not change it."""
        return self._scenario

    @property
    def replication(self) -> int:
        """Of the seed: whose streams what is drawn next comes from."""
        return int(self._spec.replication)

    @property
    def now(self) -> float:
        """Simulated time in seconds."""
        return self._world.now_ns / 1e9

    @property
    def finished(self) -> bool:
        """Whether the end of the scenario is reached."""
        return bool(self._world.now_ns >= self._spec.duration_ns)

    def advance(self, by: str | float | timedelta | None = None) -> None:
        """Let time go on by a duration (`"10m"`, or seconds), at most to the end; None: to the end.

        Events at the very instant that is reached have not happened yet.
        """
        end_ns = self._spec.duration_ns
        until_ns = end_ns if by is None else min(self._world.now_ns + span_ns(by), end_ns)
        start = time.perf_counter()
        advance(self._world, until_ns)
        self._wall_s += time.perf_counter() - start

    def set(self, path: str, value: Any) -> None:
        """Change from now on a rate, a count, a routing or a weight.

        `traffic.NAME.rate`, `fleets.NAME.count`, `load_balancers.NAME.routing`,
        `load_balancers.NAME.targets.FLEET.weight` and `load_balancers.NAME.groups.GROUP.weight`,
        each with a value as the scenario file has it.
        """
        self._steering.set(self._world, path, value)

    def stop(self, fleet: str, count: int | None = None) -> int:
        """Stop instances of a fleet, now; by default all that serve.

        This and its like take those that have served longest, and return how many there were. How
        long it takes and what becomes of requests is as with `actions` in a scenario file. Raises
        ScenarioError where the provider refuses it.
        """
        return self._steering.act(self._world, "stop", fleet, count)

    def start(self, fleet: str, count: int | None = None) -> int:
        """Start stopped instances of a fleet, those first that have been stopped longest."""
        return self._steering.act(self._world, "start", fleet, count)

    def reboot(self, fleet: str, count: int | None = None) -> int:
        """Reboot instances of a fleet: on their hosts, and without a new minimum on the bill."""
        return self._steering.act(self._world, "reboot", fleet, count)

    def hibernate(self, fleet: str, count: int | None = None) -> int:
        """Stop instances of a fleet with their memory saved; the fleet has `hibernation: true`."""
        return self._steering.act(self._world, "hibernate", fleet, count)

    def terminate(self, fleet: str, count: int | None = None) -> int:
        """Terminate instances of a fleet; others are launched in their place."""
        return self._steering.act(self._world, "terminate", fleet, count)

    def standby(self, fleet: str, count: int | None = None, *, replaced: bool = False) -> int:
        """Take instances of a fleet out of service, to come back.

        They run on and are billed. The fleet's size falls by as many, at most to its least, unless
        others are to be launched in their place.
        """
        return self._steering.act(self._world, "standby", fleet, count, replaced)

    def in_service(self, fleet: str, count: int | None = None) -> int:
        """Let instances serve again that are on standby and have finished what they held."""
        return self._steering.act(self._world, "in_service", fleet, count)

    def detach(self, fleet: str, count: int | None = None, *, replaced: bool = False) -> int:
        """Take instances out of a fleet, for good; they run on, and are billed."""
        return self._steering.act(self._world, "detach", fleet, count, replaced)

    def attach(self, fleet: str, count: int | None = None) -> int:
        """Take instances that were detached back into their fleet, whose size grows by as many.

        They have to have finished what they held; they serve at once.
        """
        return self._steering.act(self._world, "attach", fleet, count)

    def refresh(self, fleet: str, **options: Any) -> None:
        """Replace all instances of a fleet, from now on.

        Options as in a scenario file but `at`: `min_healthy`, `max_healthy`, `warmup`,
        `checkpoints`, `checkpoint_delay`, `scale_in_protected`, `standby`, `skip_matching`, and
        `to` for another type or system. One that is to come, or under way, has to be over before
        the next.
        """
        self._steering.refresh(self._world, fleet, options)

    def migrate(self, instance: int, host: int | None = None, pause: str | float = 0.0) -> bool:
        """Let an instance go on on another host of its pool and zone, now and as it is.

        `instance` is its place in `state()`, `host` that of the host in its pool; None: placement
        chooses, as for a launch. Whether it went: there may be no room, or it is gone. For the
        `pause` it runs nowhere, which takes an instance that shares its host's CPU, or a scenario
        with maintenance `by: migrate`.
        """
        return self._steering.migrate(self._world, instance, host, span_ns(pause, "pause"))

    def protect(self, instance: int, on: bool = True) -> bool:
        """Have scale-ins spare an instance, or, with `on=False`, let them take it again.

        `instance` is its place in `state()`. Who protects all but those that are to go, and lowers
        the size of the fleet, has decided who goes, as a termination policy of one's own does.
        Whether it serves: of others nothing is protected, and who leaves service is so no more.
        """
        return self._steering.protect(self._world, instance, on)

    def state(self) -> dict[str, Any]:
        """What an observer may look at, as arrays.

        By instance in the order of launch: `fleet` (an index into `fleets`), `busy_workers`,
        `waiting`, `running`; one that has started again or rebooted counts as another. By source
        of traffic: `next_arrival_ns`, `in_flight`. By queue: messages that are `visible`, `delayed`
        or `received` and not deleted yet.
        """
        names = {key: list(getattr(self._scenario, key)) for key in ("fleets", "queues", "traffic")}
        return {"now_s": self.now, **self._world.state(), **names}

    def result(self) -> Result:
        """The numbers up to now."""
        seed = self._spec.seed
        makes = self._steering.makes()
        replication = self._spec.replication
        return result_of(self._world, self._scenario, seed, replication, self._wall_s, makes)

    def fork(self, replication: int | None = None) -> Self:
        """An independent simulation in the same state.

        With `replication` its random numbers are other ones from here on: what is drawn later (gaps
        between arrivals, work, sleeps, choices, faults, ..) comes from the streams of that
        replication, in which nothing that was drawn so far is. What has been drawn already is part
        of the state: the next arrival, and the work of the steps that requests are at.
        """
        twin = type(self).__new__(type(self))
        changing = {"_steering": self._steering.copy()}
        if replication is None:
            vars(twin).update(vars(self) | changing | {"_world": self._world.copy()})
            return twin
        before = self._spec
        spec = compile_scenario(
            self._scenario,
            seed=before.seed,
            replication=replication,
            warmup_ns=before.warmup_ns,
        )
        self._steering.fill(spec)
        makes = self._steering.added_makes()
        world = _core.World.restore(spec, self._world.save(), makes)
        vars(twin).update(vars(self) | changing | {"_spec": spec, "_world": world})
        return twin

    def save(self) -> bytes:
        """The scenario and the state as bytes.

        Data files of the scenario are not in them, nor is the code of compiled policies: `load`
        has to be given those by their names.
        """
        policies = self._steering.policies
        header = {
            "scenario": named(self._scenario.to_dict()),
            "policies": {balancer: policy.name for balancer, policy in policies.items()},
            "directory": str(self._scenario.directory),
            "seed": self._spec.seed,
            "replication": self._spec.replication,
            "warmup_ns": self._spec.warmup_ns,
            "wall_s": self._wall_s,
            "steering": self._steering.to_dict(),
        }
        text = json.dumps(header).encode()
        body = len(text).to_bytes(_LENGTH_SIZE, "little") + text + self._world.save()
        return _MAGIC + hashlib.blake2b(body, digest_size=_DIGEST_SIZE).digest() + body

    @classmethod
    def load(cls, data: bytes, policies: Iterable[RoutingPolicy] = ()) -> Self:
        """The simulation that `save` gave the bytes of; it goes on to the same bit.

        Compiled policies that it has are those of the same names in `policies`.
        """
        header, state = _unpack(data)
        tree, later = brought(header["scenario"], header["policies"], policies)
        scenario = Scenario.from_dict(tree, directory=Path(header["directory"]))
        spec = compile_scenario(
            scenario,
            seed=header["seed"],
            replication=header["replication"],
            warmup_ns=header["warmup_ns"],
        )
        simulation = cls.__new__(cls)
        steering = Steering.from_dict(scenario, header["steering"], later)
        steering.fill(spec)
        vars(simulation).update(
            _scenario=scenario,
            _spec=spec,
            _world=_core.World.restore(spec, state, steering.added_makes()),
            _steering=steering,
            _wall_s=header["wall_s"],
        )
        return simulation

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).load, (self.save(),)

    def __repr__(self) -> str:
        span = Duration(self._spec.duration_ns)
        return f"Simulation({self._scenario.name!r}, now={Duration(self._world.now_ns)}, of={span})"


def span_ns(by: Any, of: str = "advance") -> int:
    """A duration in nanoseconds; ScenarioError where it is none, with `of` as its path."""
    if isinstance(by, timedelta):
        ns = by // timedelta(microseconds=1) * 1000
    elif isinstance(by, str):
        try:
            ns = int(Duration.parse(by))
        except UnitError as error:
            raise _refused(of, error.message, error.allowed) from None
    else:
        number = isinstance(by, int | float | np.integer | np.floating)
        # Not-a-number is not less than anything.
        if isinstance(by, bool) or not number or not abs(by) < _SPAN_MAX_S:
            raise _refused(of, f"{shorten(by)} is not a duration", "10m, or seconds")
        ns = round(float(by) * 1e9)
    if ns < 0:
        raise _refused(of, f"{shorten(by)} is negative", "time goes on only")
    return ns


def _refused(path: str, message: str, allowed: str | None) -> ScenarioError:
    return ScenarioError([Problem(path, message, allowed=allowed)])


def _unpack(data: bytes) -> tuple[dict[str, Any], bytes]:
    digest_end = len(_MAGIC) + _DIGEST_SIZE
    body = data[digest_end:]
    digest = hashlib.blake2b(body, digest_size=_DIGEST_SIZE).digest()
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : digest_end] != digest:
        raise StateError("not a saved simulation of this version, or not all of it")
    length = int.from_bytes(body[:_LENGTH_SIZE], "little")
    header: dict[str, Any] = json.loads(body[_LENGTH_SIZE : _LENGTH_SIZE + length])
    return header, body[_LENGTH_SIZE + length :]
