"""Environments of Gymnasium: an agent decides how many instances fleets have.

An episode is a run of a scenario, from the end of its warm-up to its end. At the beginning of each
step the agent sets the counts of some fleets, then time goes on. The reward is what the step cost,
in dollars and negative:

    - (bill + usd_per_lost x requests lost + usd_per_second x seconds that answers took)

each being the difference between the results after the step and before it. Lost are requests that
were rejected, failed or timed out. What a price of 0 leaves out is free.

`Environment` is one world; `VectorEnvironment` steps many at once, a thread each, for the
interpreter is not held while a world runs. Needs the extra `rl`.
"""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nephoscope.errors import Problem, ScenarioError
from nephoscope.experiment.runs import processors
from nephoscope.extras import need
from nephoscope.nearest import listing, nearest
from nephoscope.results import Result
from nephoscope.scenario import Scenario
from nephoscope.simulation import Simulation, span_ns

if TYPE_CHECKING:
    import gymnasium
    from gymnasium import spaces, vector
else:
    gymnasium = need("gymnasium", "rl")
    spaces, vector = gymnasium.spaces, gymnasium.vector

Observation = npt.NDArray[np.float32]
Actions = npt.NDArray[np.int64]
Info = dict[str, Any]

# No observation is higher: a space without an end is of no use to those that learn.
OBSERVED_MAX = 1e9

_OF_FLEET = ("running", "busy_workers", "waiting")
_OF_TRAFFIC = ("in_flight", "offered_per_s")
_LOST = ("rejected", "failed", "timed_out")
_SEED_MAX = 2**63


class Environment(gymnasium.Env[Observation, Actions]):
    """One world in which an agent scales fleets.

    `counts` has for each fleet that is scaled the least and the greatest number of instances, such
    as `{"web": (1, 20)}`. An action has for each of them a whole number from 0: what is added to
    the least. An observation has, in the order of `observed`, of each fleet the running instances,
    busy workers and waiting requests, of each source of traffic the requests in flight and the rate
    of the last step (per second), and the share of the episode that has gone. `step` is how long a
    step is. Each episode has random numbers of its own, by the seed given to `reset`.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - so it is in the base class

    def __init__(
        self,
        scenario: Scenario,
        counts: Mapping[str, tuple[int, int]],
        step: str | float | timedelta,
        *,
        usd_per_lost: float = 0.01,
        usd_per_second: float = 0.0,
    ) -> None:
        self._scenario = scenario
        self._counts = {name: _bounds(scenario, name, it) for name, it in counts.items()}
        if not self._counts:
            raise _refused("counts", "no fleet to be scaled", "such as {'web': (1, 20)}")
        self._step_s = span_ns(step, "step") / 1e9
        if self._step_s <= 0.0:
            raise _refused("step", "a step takes no time", "a duration above 0")
        for name, price in (("usd_per_lost", usd_per_lost), ("usd_per_second", usd_per_second)):
            if not 0.0 <= price < math.inf:
                raise _refused(name, f"{price!r} is no price", "a number from 0")
        self._prices = (usd_per_lost, usd_per_second)
        self.observed: tuple[str, ...] = (
            *(f"fleets.{name}.{key}" for name in scenario.fleets for key in _OF_FLEET),
            *(f"traffic.{name}.{key}" for name in scenario.traffic for key in _OF_TRAFFIC),
            "elapsed",
        )
        """What the numbers of an observation are."""
        self.action_space = spaces.MultiDiscrete(
            [greatest - least + 1 for least, greatest in self._counts.values()]
        )
        self.observation_space = spaces.Box(
            0.0, np.float32(OBSERVED_MAX), (len(self.observed),), np.float32
        )
        self._simulation: Simulation | None = None
        self._totals = np.zeros(3)
        self._offered: npt.NDArray[np.int64] = np.zeros(len(scenario.traffic), np.int64)

    @property
    def simulation(self) -> Simulation:
        """The world of the episode, to be looked at."""
        if self._simulation is None:
            raise RuntimeError("no episode has begun: reset() comes first")
        return self._simulation

    def reset(
        self, *, seed: int | None = None, options: Info | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode, at the end of the warm-up; there are no options."""
        super().reset(seed=seed, options=options)
        simulation = Simulation(self._scenario, rng=int(self.np_random.integers(_SEED_MAX)))
        self._simulation = simulation
        simulation.advance(simulation.result().warmup_s)
        result = simulation.result()
        self._totals = self._totals_of(result)
        self._offered = self._offered_of(result)
        self._begin_s = simulation.now
        return self._observation(np.zeros(len(self._offered))), {}

    def step(self, action: Actions) -> tuple[Observation, float, bool, bool, Info]:
        """Set the counts, and let time go on by a step; an episode is truncated at its end.

        The information has what the reward is of: `cost_usd`, `lost` and `answer_s` of the step.
        """
        simulation = self.simulation
        if simulation.finished:
            raise RuntimeError("the episode has ended: reset() begins another")
        chosen = np.asarray(action)
        if not self.action_space.contains(chosen):
            raise ValueError(f"{action!r} is no action of {self.action_space}")
        for (name, (least, _)), number in zip(self._counts.items(), chosen, strict=True):
            simulation.set(f"fleets.{name}.count", least + int(number))
        before_s = simulation.now
        simulation.advance(self._step_s)
        result = simulation.result()
        totals, offered = self._totals_of(result), self._offered_of(result)
        cost, lost, answer_s = totals - self._totals
        rates = (offered - self._offered) / (simulation.now - before_s)
        self._totals, self._offered = totals, offered
        usd_per_lost, usd_per_second = self._prices
        reward = -float(cost + usd_per_lost * lost + usd_per_second * answer_s)
        info = {"cost_usd": float(cost), "lost": int(lost), "answer_s": float(answer_s)}
        return self._observation(rates), reward, False, simulation.finished, info

    def _observation(self, rates: npt.NDArray[np.float64]) -> Observation:
        simulation = self.simulation
        state = simulation.state()
        values: list[float] = []
        for fleet in range(len(self._scenario.fleets)):
            members = state["fleet"] == fleet
            values += [float(state[key][members].sum()) for key in _OF_FLEET]
        for in_flight, rate in zip(state["in_flight"], rates, strict=True):
            values += [float(in_flight), float(rate)]
        end_s = int(self._scenario.duration) / 1e9
        values.append((simulation.now - self._begin_s) / max(end_s - self._begin_s, 1e-9))
        return np.clip(np.array(values, np.float32), 0.0, np.float32(OBSERVED_MAX))

    def _totals_of(self, result: Result) -> npt.NDArray[np.float64]:
        """The bill, the requests lost and the seconds that answers took, up to now."""
        tree = result.to_dict()
        cost = float(tree.get("cost_usd", {}).get("total", 0.0))
        lost = sum(account[key] for account in tree["traffic"].values() for key in _LOST)
        took_ns = sum(result.histogram(f"traffic.{name}").sum for name in tree["traffic"])
        return np.array([cost, lost, took_ns / 1e9])

    def _offered_of(self, result: Result) -> npt.NDArray[np.int64]:
        names = self._scenario.traffic
        return np.array([result[f"traffic.{name}.offered"] for name in names], np.int64)


class VectorEnvironment(vector.VectorEnv[Observation, Actions, npt.NDArray[Any]]):
    """Many worlds of one scenario, stepped at once; arguments as of `Environment`.

    A world whose episode has ended begins another in the step after, whatever its action is
    (`AutoresetMode.NEXT_STEP`). `reset(seed=S)` gives the worlds the seeds S, S + 1, ..; results do
    not depend on the number of threads.
    """

    metadata = {"autoreset_mode": vector.AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int,
        scenario: Scenario,
        counts: Mapping[str, tuple[int, int]],
        step: str | float | timedelta,
        *,
        threads: int | None = None,
        **prices: float,
    ) -> None:
        if num_envs < 1:
            raise ValueError("at least one world")
        self.num_envs = num_envs
        self.worlds = [Environment(scenario, counts, step, **prices) for _ in range(num_envs)]
        self.observed = self.worlds[0].observed
        self.single_action_space = self.worlds[0].action_space
        self.single_observation_space = self.worlds[0].observation_space
        batch = vector.utils.batch_space
        self.action_space = batch(self.single_action_space, num_envs)
        self.observation_space = batch(self.single_observation_space, num_envs)
        self._pool = ThreadPoolExecutor(threads or processors(), "nephoscope")
        self._ended = np.zeros(num_envs, bool)

    def reset(
        self, *, seed: int | None = None, options: Info | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode in every world."""
        seeds = [None if seed is None else seed + i for i in range(self.num_envs)]
        found = self._pool.map(
            lambda world, own: world.reset(seed=own, options=options), self.worlds, seeds
        )
        self._ended[:] = False
        return np.stack([observation for observation, _ in found]), {}

    def step(
        self, actions: Actions
    ) -> tuple[Observation, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], Info]:
        """Step every world; of those that begin anew the reward is 0."""

        def step(i: int) -> tuple[Observation, float, bool, Info]:
            if self._ended[i]:
                observation, _ = self.worlds[i].reset()
                return observation, 0.0, False, {"cost_usd": 0.0, "lost": 0, "answer_s": 0.0}
            observation, reward, _, truncated, info = self.worlds[i].step(actions[i])
            return observation, reward, truncated, info

        if len(actions) != self.num_envs:
            raise ValueError(f"{len(actions)} actions for {self.num_envs} worlds")
        # All before any world is stepped: they are to stay in step.
        for action, ended in zip(actions, self._ended, strict=True):
            if not ended and not self.single_action_space.contains(np.asarray(action)):
                raise ValueError(f"{action!r} is no action of {self.single_action_space}")
        found = list(self._pool.map(step, range(self.num_envs)))
        observations, rewards, truncated, told = zip(*found, strict=True)
        self._ended = np.array(truncated)
        infos = {key: np.array([info[key] for info in told]) for key in told[0]}
        terminated = np.zeros(self.num_envs, bool)
        return np.stack(observations), np.array(rewards), terminated, self._ended.copy(), infos

    def close_extras(self, **_: Any) -> None:
        """Let the threads go."""
        self._pool.shutdown()


def _bounds(scenario: Scenario, name: str, bounds: tuple[int, int]) -> tuple[int, int]:
    """The least and the greatest count of a fleet, as whole numbers that a simulation takes."""
    path = f"counts.{name}"
    if name not in scenario.fleets:
        known = list(scenario.fleets)
        word = nearest(name, known)
        problem = Problem(path, "no such fleet", allowed=listing(known), suggestion=word)
        raise ScenarioError([problem])
    try:
        least, greatest = (int(it) for it in bounds)
    except (TypeError, ValueError):
        raise _refused(path, f"{bounds!r} are no bounds", "two whole numbers") from None
    if not 0 <= least < greatest:
        raise _refused(path, f"{least} to {greatest} is no range", "the lesser number first")
    # Without a warm-up, for one of `auto` would have to be found.
    trial = Simulation(scenario.replace({"warmup": "0s"}))
    for count in (least, greatest):
        trial.set(f"fleets.{name}.count", count)
    return least, greatest


def _refused(path: str, message: str, allowed: str) -> ScenarioError:
    return ScenarioError([Problem(path, message, allowed=allowed)])
