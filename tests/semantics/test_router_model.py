"""Every choice of the router against a model of a few lines, through random changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from nephoscope import _core

NOBODY = 2**32 - 1
WEIGHTS = {"equal": (1.0,), "two": (1.0, 3.0), "three": (0.5, 2.0, 5.0)}


class Model:
    """What is known of every target: present or not, its weight, what it has outstanding."""

    def __init__(self, policy: str, weights: tuple[float, ...], seed: int) -> None:
        spec = _core.routing.RoutingSpec()
        spec.kind = _core.routing.RoutingKind[policy]
        self.router = _core.balancers.Router(spec, list(weights), seed=seed)
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


class Estimates:
    """The stated rule of least response time.

    A target's own estimate is a mean with weight 1/8 for the newest answer. Until it has answered
    8 requests the common mean of all such first answers stands for it, as it was when the target
    came, or was last sent a request or answered one.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.answers: dict[int, int] = {}
        self.own: dict[int, float] = {}
        self.common, self.learned = 1.0, 0
        self.shown: dict[int, float] = {}

    def show(self, slot: int) -> None:
        trusted = self.answers.get(slot, 0) >= 8
        estimate = self.own[slot] if trusted else self.common
        self.shown[slot] = estimate * self.model.score(slot)

    def settle(self) -> None:
        """Those who came since something last changed."""
        for slot in range(len(self.model.present)):
            if slot not in self.shown:
                self.show(slot)

    def answered(self, slot: int, response: int) -> None:
        self.settle()
        if not self.model.present[slot]:
            return  # nobody asks it any more, and its answers teach nothing
        if slot in self.own:
            self.own[slot] += (response - self.own[slot]) / 8
        if self.answers.get(slot, 0) < 8:
            self.learned += 1
            self.common += (response - self.common) / self.learned
            self.answers[slot] = self.answers.get(slot, 0) + 1
            self.own.setdefault(slot, self.common)
        self.show(slot)

    def before(self, model: Model):
        self.settle()
        scores = {slot: self.shown[slot] for slot, here in enumerate(model.present) if here}

        def check(slot: int) -> None:
            if scores:
                # Scores are compared in single precision.
                assert scores[slot] <= min(scores.values()) * (1 + 1e-6)
                self.show(slot)

        return check


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("seed", range(5))
def test_least_response_time_takes_the_least_estimate(weights, seed):
    model = Model("least_response_time", WEIGHTS[weights], seed)
    estimates = Estimates(model)
    history(model, 3000, estimates.before, estimates.answered)


@pytest.mark.parametrize(
    "policy",
    ["least_connections", "least_response_time", "join_idle_queue", "power_of_two", "random"],
)
@pytest.mark.parametrize("targets", [3, 40, 1000])
def test_ties_are_broken_evenly(policy, targets):
    """Every one of equal targets is as likely to be the first choice."""
    spec = _core.routing.RoutingSpec()
    spec.kind = _core.routing.RoutingKind[policy]
    chosen = []
    for seed in range(4000):
        router = _core.balancers.Router(spec, [1.0], seed=seed)
        router.add(targets)
        chosen.append(int(router.route(np.zeros(1, np.uint64))[0]))
    groups = min(targets, 20)
    counts = np.bincount(np.array(chosen) * groups // targets, minlength=groups)
    shares = np.bincount(np.arange(targets) * groups // targets, minlength=groups)
    assert stats.chisquare(counts, 4000 * shares / targets).pvalue > 1e-6


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
