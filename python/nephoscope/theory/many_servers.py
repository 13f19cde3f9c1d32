"""Several servers and one line: M/M/c, M/M/c/K, the formulas of Erlang, M/G/c nearly.

Sources: Erlang (1917), by the recursions in Cooper, Introduction to Queueing Theory (1981);
Kleinrock, Queueing Systems I (1975), chapter 3. `load` is the rate times the mean service, in
Erlang; times are in units of the mean service.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


def erlang_b(servers: int, load: float) -> float:
    """Share of requests that find all servers busy and are lost, whatever the law of the work."""
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def erlang_c(servers: int, load: float) -> float:
    """Share of requests that wait in an M/M/c."""
    blocking = erlang_b(servers, load)
    return blocking / (1.0 - load / servers * (1.0 - blocking))


def mmc_wait(servers: int, load: float) -> float:
    """Mean wait in an M/M/c."""
    return erlang_c(servers, load) / (servers - load)


def mmc_sojourn(servers: int, load: float) -> float:
    """Mean time in an M/M/c."""
    return 1.0 + mmc_wait(servers, load)


def mmc_sojourn_tail(servers: int, load: float) -> Callable[[float], float]:
    """P(T > t): a wait that is 0 or exponential with rate c - load, then the service."""
    waits, rate = erlang_c(servers, load), servers - load

    def tail(t: float) -> float:
        if math.isclose(rate, 1.0, rel_tol=1e-9):
            both = (1.0 + t) * math.exp(-t)
        else:
            both = (rate * math.exp(-t) - math.exp(-rate * t)) / (rate - 1.0)
        return (1.0 - waits) * math.exp(-t) + waits * both

    return tail


def mmc_sojourn_quantile(servers: int, load: float, p: float) -> float:
    """The time within which a share p of the requests is served."""
    tail = mmc_sojourn_tail(servers, load)
    return solved(lambda t: 1.0 - tail(t), p)


def solved(increasing: Callable[[float], float], value: float) -> float:
    """Where an increasing function of x >= 0 takes the value, by halving to the last digit."""
    low, high = 0.0, 1.0
    while increasing(high) < value:
        low, high = high, 2.0 * high
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if increasing(middle) < value else (low, middle)
    return (low + high) / 2.0


def mgc_wait(servers: int, load: float, scv: float) -> float:
    """Mean wait in an M/G/c, nearly: that of M/M/c times (1 + scv) / 2.

    Lee and Longton (1959). Exact for one server and for exponential work; else an approximation
    without a bound, good in heavy traffic and for a scv near 1.
    """
    return mmc_wait(servers, load) * (1.0 + scv) / 2.0


@dataclass(frozen=True)
class Finite:
    """A system that holds only so many."""

    loss: float
    sojourn: float
    """Of those that are let in."""
    busy: float
    """Mean number of busy servers."""


def mmck(servers: int, capacity: int, load: float) -> Finite:
    """M/M/c with at most `capacity` requests in the system, waiting or served."""
    number = _stationary(load / np.minimum(np.arange(1, capacity + 1), servers))
    through = load * (1.0 - float(number[-1]))
    mean = float(np.arange(capacity + 1) @ number)
    return Finite(float(number[-1]), mean / through, through)


@dataclass(frozen=True)
class Repair:
    """Users who think, and the servers that they come to."""

    throughput: float
    response: float


def machine_repair(users: int, think: float, servers: int) -> Repair:
    """Closed users at one station: M/M/c//N, the machine repair model.

    Palm (1947); for any law of thinking, and under processor sharing for any law of the work, since
    only their means count (BCMP, 1975). `think` is in units of the mean service.
    """
    states = np.arange(1, users + 1)
    served = np.minimum(states, servers)
    if think == 0.0:
        return Repair(float(min(users, servers)), users / min(users, servers))
    number = _stationary((users - states + 1) / think / served)
    through = float(np.minimum(np.arange(users + 1), servers) @ number)
    return Repair(through, float(np.arange(users + 1) @ number) / through)


def _stationary(ratios: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The stationary law of a birth and death process from birth over death, state by state."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)
