"""Every choice of the router against a model of a few lines, through thousands of random changes."""

from __future__ import annotations

import numpy as np
import pytest
from nephoscope import _core

NOBODY = 2**32 - 1
WEIGHTS = {"equal": (1.0,), "two": (1.0, 3.0), "three": (0.5, 2.0, 5.0)}


class Model:
    """What is known of every target: present or not, its weight, what it has outstanding."""

    def __init__(self, policy: str, weights: tuple[float, ...], seed: int) -> None:
        spec = _core.RoutingSpec()
        spec.kind = _core.RoutingKind[policy]
        self.router = _core.Router(spec, list(weights), seed=seed)
        self.weights = weights
        self.of_class: list[int] = []
        self.present: list[bool] = []
        self.outstanding: list[int] = []
        self.draws = np.random.default_rng([seed, len(weights)])

    def add(self) -> None:
        of_class = int(self.draws.integers(len(self.weights)))
        self.router.add(1, of_class)
        self.of_class.append(of_class)
        self.present.append(True)
        self.outstanding.append(0)

    def remove(self) -> None:
        here = [slot for slot, present in enumerate(self.present) if present]
        if here:
            slot = int(self.draws.choice(here))
            self.router.remove(slot)
            self.present[slot] = False

    def route(self) -> int:
        slot = int(self.router.route(self.draws.integers(2**63, size=1, dtype=np.uint64))[0])
        if any(self.present):
            assert slot != NOBODY
            assert self.present[slot]
            self.outstanding[slot] += 1
        else:
            assert slot == NOBODY
        return slot

    def answer(self) -> tuple[int, int] | None:
        busy = [slot for slot, n in enumerate(self.outstanding) if n > 0]
        if not busy:
            return None
        slot, response = int(self.draws.choice(busy)), int(self.draws.integers(1, 10**9))
        self.router.answered([slot], [response])
        self.outstanding[slot] -= 1
        return slot, response

    def score(self, slot: int) -> float:
        return (self.outstanding[slot] + 1) / self.weights[self.of_class[slot]]

    def scores(self) -> dict[int, float]:
        return {slot: self.score(slot) for slot, here in enumerate(self.present) if here}


def history(model: Model, steps: int, before, answered) -> None:
    """Random joins, leaves, requests and answers; more requests in some spells than in others."""
    for _ in range(5):
        model.add()
    for step in range(steps):
        busy = 0.55 if (step // 200) % 2 else 0.4
        what = model.draws.random()
        if what < 0.04:
            model.add()
        elif what < 0.08:
            model.remove()
        elif what < 0.08 + busy:
            check = before(model)
            check(model.route())
        else:
            answer = model.answer()
            if answer is not None:
                answered(*answer)
        assert model.router.size == sum(model.present)
        assert model.router.outstanding.tolist() == model.outstanding


def nothing(*_) -> None:
    pass


def least(scores: dict[int, float]):
    """The choice has the least score."""

    def check(slot: int) -> None:
        if scores:
            assert scores[slot] <= min(scores.values()) * (1 + 1e-12)

    return check


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("seed", range(8))
def test_least_connections_takes_the_least(weights, seed):
    model = Model("least_connections", WEIGHTS[weights], seed)
    history(model, 3000, lambda m: least(m.scores()), nothing)


@pytest.mark.parametrize("seed", range(8))
def test_join_idle_queue_takes_an_idle_one_if_there_is_one(seed):
    def before(model: Model):
        idle = {s for s, here in enumerate(model.present) if here and model.outstanding[s] == 0}

        def check(slot: int) -> None:
            assert not idle or slot in idle

        return check

    history(Model("join_idle_queue", (1.0,), seed), 3000, before, nothing)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("seed", range(5))
def test_least_response_time_takes_the_least_estimate(weights, seed):
    """The stated estimate: a mean with weight 1/8 for the newest; unknown counts as the mean."""
    model = Model("least_response_time", WEIGHTS[weights], seed)
    estimates: dict[int, float] = {}

    def answered(slot: int, response: int) -> None:
        # A target that has left is not asked any more, and its answers teach nothing.
        if model.present[slot]:
            old = estimates.get(slot, float(response))
            estimates[slot] = old + (response - old) / 8

    def before(model: Model):
        known = {s: estimates[s] * x for s, x in model.scores().items() if s in estimates}
        unknown = {s for s, here in enumerate(model.present) if here and s not in estimates}

        def check(slot: int) -> None:
            if slot in known:
                assert known[slot] <= min(known.values()) * (1 + 1e-9)
            elif slot != NOBODY:
                assert slot in unknown

        return check

    history(model, 3000, before, answered)


@pytest.mark.parametrize("seed", range(8))
def test_round_robin_serves_everyone_before_anyone_again(seed):
    """Between two turns of one target every other that was there all the time had one."""
    model = Model("round_robin", (1.0,), seed)
    since: dict[int, set[int]] = {}

    def before(model: Model):
        here = {slot for slot, present in enumerate(model.present) if present}

        def check(slot: int) -> None:
            if slot in since:
                passed_over = (since[slot] & here) - {slot}
                assert not passed_over
            for waiting in since.values():
                waiting.discard(slot)
            since[slot] = here - {slot}

        return check

    history(model, 3000, before, nothing)


@pytest.mark.parametrize("policy", ["random", "power_of_two", "ip_hash", "weighted_random"])
@pytest.mark.parametrize("seed", range(4))
def test_the_others_take_one_that_is_there(policy, seed):
    weights = (1.0,) if policy in ("random", "power_of_two") else (1.0, 3.0)
    history(Model(policy, weights, seed), 3000, lambda _: nothing, nothing)
