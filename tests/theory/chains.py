"""Exact solutions of Markov chains that have no closed form.

Small systems are solved whole: a fleet of a few servers under a routing policy, M/M/1 in the course
of time, a queue fed by a modulated Poisson process.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve

State = tuple[int, ...]
Choice = Callable[[State], Sequence[float]]


def shortest_queue(state: State) -> Sequence[float]:
    """The state is sorted, and servers with equal queues are alike: the first is the shortest."""
    return [1.0] + [0.0] * (len(state) - 1)


def uniform_choice(state: State) -> Sequence[float]:
    return [1 / len(state)] * len(state)


def idle_queue(state: State) -> Sequence[float]:
    """A random idle server, else any server."""
    return shortest_queue(state) if state[0] == 0 else uniform_choice(state)


def power_of(d: int) -> Choice:
    """The shortest of d servers drawn without replacement."""

    def choice(state: State) -> Sequence[float]:
        n = len(state)
        return [math.comb(n - 1 - i, d - 1) / math.comb(n, d) for i in range(n)]

    return choice


def power_with_replacement(d: int) -> Choice:
    """The shortest of d servers drawn with replacement."""

    def choice(state: State) -> Sequence[float]:
        n = len(state)
        return [((n - i) / n) ** d - ((n - 1 - i) / n) ** d for i in range(n)]

    return choice


def routed_sojourn(servers: int, rho: float, choice: Choice, cap: int) -> float:
    """Mean sojourn at equal exponential servers behind a policy that sees the queue lengths.

    States are sorted queue lengths up to `cap`; an arrival that would pass the cap is lost, so the
    cap must be so high that this has no weight.
    """
    states = list(itertools.combinations_with_replacement(range(cap + 1), servers))
    index = {state: i for i, state in enumerate(states)}
    rows: list[int] = []
    columns: list[int] = []
    rates: list[float] = []

    def move(source: int, target: State, rate: float) -> None:
        rows.append(index[tuple(sorted(target))])
        columns.append(source)
        rates.append(rate)

    for source, state in enumerate(states):
        out = 0.0
        for i, weight in enumerate(choice(state)):
            if weight > 0 and state[i] < cap:
                move(source, (*state[:i], state[i] + 1, *state[i + 1 :]), servers * rho * weight)
                out += servers * rho * weight
            if state[i] > 0:
                move(source, (*state[:i], state[i] - 1, *state[i + 1 :]), 1.0)
                out += 1.0
        rows.append(source)
        columns.append(source)
        rates.append(-out)
    size = len(states)
    generator = sparse.coo_matrix((rates, (rows, columns)), shape=(size, size)).tocsr()
    # One balance equation is redundant: fix the weight of the empty state and normalise after.
    tail = spsolve(generator[1:, 1:].tocsc(), -generator[1:, 0].toarray().ravel())
    law = np.concatenate([[1.0], tail])
    law /= law.sum()
    number = np.array([sum(state) for state in states]) @ law
    return float(number / (servers * rho))


def transient_mm1(rho: float, times: Sequence[float]) -> list[tuple[float, float]]:
    """(E[N(t)], P(N(t) = 0)) of M/M/1 from empty, by uniformisation."""
    rate = rho + 1
    answers = []
    for t in times:
        jumps = int(rate * t + 12 * math.sqrt(rate * t) + 40)
        law = np.zeros(jumps + 2)
        law[0] = 1.0
        weights = stats.poisson.pmf(np.arange(jumps + 1), rate * t)
        mixed = np.zeros_like(law)
        for weight in weights:
            mixed += weight * law
            step = np.zeros_like(law)
            step[1:] += law[:-1] * rho / rate
            step[:-1] += law[1:] / rate
            step[0] += law[0] / rate
            law = step
        answers.append((float(np.arange(len(mixed)) @ mixed), float(mixed[0])))
    return answers


def transient_mm1_variance(rho: float, t: float) -> float:
    """Var N(t) of M/M/1 from empty."""
    size = int(200 + 6 * (1 + rho) * math.sqrt(t) + 60 / (1 - rho))
    generator = sparse.diags(
        [
            np.full(size - 1, 1.0),
            np.concatenate([[-rho], np.full(size - 1, -1 - rho)]),
            np.full(size - 1, rho),
        ],
        [1, 0, -1],
    ).tocsc()
    start = np.zeros(size)
    start[0] = 1.0
    law = sparse.linalg.expm_multiply(generator * t, start)
    n = np.arange(size)
    return float(n**2 @ law - (n @ law) ** 2)


def mmpp_m1_number(rates: Sequence[float], switch: Sequence[float]) -> float:
    """E[N] of a queue with service rate 1 fed by a cyclic MMPP, by the rate matrix of its QBD."""
    size = len(rates)
    modulator = np.zeros((size, size))
    for i, s in enumerate(switch):
        modulator[i, i] -= s
        modulator[i, (i + 1) % size] += s
    up, down = np.diag(np.asarray(rates, float)), np.eye(size)
    local = modulator - up - down
    # Logarithmic reduction (Latouche and Ramaswami) for G, then R.
    inverse = np.linalg.inv(-local)
    high, low = inverse @ up, inverse @ down
    g, drift = low.copy(), high.copy()
    for _ in range(64):
        square = high @ low + low @ high
        inverse = np.linalg.inv(np.eye(size) - square)
        high, low = inverse @ high @ high, inverse @ low @ low
        g += drift @ low
        drift = drift @ high
    r = up @ np.linalg.inv(-(local + up @ g))
    boundary = modulator - up + r @ down
    tail = np.linalg.inv(np.eye(size) - r)
    system = np.vstack([boundary.T, tail.sum(axis=1)])
    right = np.append(np.zeros(size), 1.0)
    empty = np.linalg.lstsq(system, right, rcond=None)[0]
    return float((empty @ r @ tail @ tail).sum())


def mmpp_mean_rate(rates: Sequence[float], switch: Sequence[float]) -> float:
    stays = 1 / np.asarray(switch, float)
    return float(np.asarray(rates) @ stays / stays.sum())
