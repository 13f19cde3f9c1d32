"""Closed forms of queueing theory, with the service mean as the unit of time unless said.

Every function stands on its own: the theory suite needs no data file to know what to expect. Where
the reference data is present, `test_formulas` compares each function with it to the last digit
given there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

FALSE_ALARM = 1e-6


# --- acceptance constants ---------------------------------------------------------------------


def z_critical(alpha: float = FALSE_ALARM) -> float:
    """Two-sided normal critical value."""
    return float(stats.norm.isf(alpha / 2))


def t_critical(degrees: int, alpha: float = FALSE_ALARM) -> float:
    """Two-sided Student critical value."""
    return float(stats.t.isf(alpha / 2, degrees))


def ks_critical(alpha: float = FALSE_ALARM) -> float:
    """Critical D * sqrt(n) of the Kolmogorov distribution."""
    return float(stats.kstwobign.isf(alpha))


def chi2_critical(degrees: int, alpha: float = FALSE_ALARM) -> float:
    """Upper critical point of a chi-square variable."""
    return float(stats.chi2.isf(alpha, degrees))


def power_se(relative: float) -> float:
    """SE/mean at which a relative error is seen with 99.9 % power."""
    return relative / (z_critical() + float(stats.norm.isf(1e-3)))


def coverage_range(trials: int, nominal: float, alpha: float = FALSE_ALARM) -> tuple[int, int]:
    """Least and greatest number of intervals that may cover the truth."""
    low, high = stats.binom.ppf([alpha / 2, 1 - alpha / 2], trials, nominal)
    return int(low), int(high)


# --- service laws -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Law:
    """A service law by its first three moments."""

    m1: float
    m2: float
    m3: float

    @property
    def scv(self) -> float:
        return self.m2 / self.m1**2 - 1


def h2_phases(scv: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """(probabilities, means) of the two-phase hyperexponential of mean 1 with balanced means."""
    p = (1 + math.sqrt((scv - 1) / (scv + 1))) / 2
    return (p, 1 - p), (1 / (2 * p), 1 / (2 * (1 - p)))


def law(name: str, parameter: float | None = None) -> Law:
    """The moments of a named law of mean 1."""
    if name in ("exp", "exponential"):
        return Law(1, 2, 6)
    if name in ("det", "constant"):
        return Law(1, 1, 1)
    if name == "uniform":
        return Law(1, 4 / 3, 2)
    assert parameter is not None, name
    if name == "erlang":
        k = parameter
        return Law(1, (k + 1) / k, (k + 1) * (k + 2) / k**2)
    if name == "h2":
        ps, ms = h2_phases(parameter)
        moments = [
            math.factorial(r) * sum(p * m**r for p, m in zip(ps, ms, strict=True))
            for r in (1, 2, 3)
        ]
        return Law(*moments)
    if name == "lognormal":
        s2 = math.log1p(parameter)
        return Law(*(math.exp(-r * s2 / 2 + r * r * s2 / 2) for r in (1, 2, 3)))
    if name == "weibull":
        scale = 1 / math.gamma(1 + 1 / parameter)
        return Law(*(scale**r * math.gamma(1 + r / parameter) for r in (1, 2, 3)))
    if name == "gamma":
        shape = 1 / parameter
        return Law(1, (shape + 1) / shape, (shape + 1) * (shape + 2) / shape**2)
    raise ValueError(name)


# --- M/M/1, M/M/c, loss -----------------------------------------------------------------------


def solve_increasing(function: Callable[[float], float], value: float) -> float:
    """Where an increasing function of x >= 0 takes the value."""
    if function(0.0) >= value:
        return 0.0
    high = 1.0
    while function(high) < value:
        high *= 2
    return float(optimize.brentq(lambda x: function(x) - value, 0.0, high, xtol=1e-14, rtol=1e-15))


def mm1_sojourn_quantile(rho: float, p: float) -> float:
    return -math.log1p(-p) / (1 - rho)


def mm1_wait_quantile(rho: float, p: float) -> float:
    return max(0.0, math.log(rho / (1 - p)) / (1 - rho))


def mm1_asymptotic_variance(rho: float) -> float:
    """lim t Var(time average of the number in system)."""
    return 2 * rho * (1 + rho) / (1 - rho) ** 4


def mm1_tail_asymptotic_variance(rho: float, n: int) -> float:
    """lim t Var(share of the time with n or more in system).

    Of a birth-death process it is twice the sum over states j of the square of the sum up to j of
    (f - mean of f) pi, over the rate of births and pi_j (Whitt, Operations Research 40, 1992).
    """
    tail = rho**n
    below = math.fsum((tail * (1 - rho ** (j + 1))) ** 2 / rho**j for j in range(n))
    above = (1 - tail) ** 2 * rho ** (n + 2) / (1 - rho)
    return 2 * (below + above) / (rho * (1 - rho))


def erlang_b(servers: int, load: float) -> float:
    """Blocking probability, by the stable recursion."""
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c."""
    blocking = erlang_b(servers, load)
    return blocking / (1 - load / servers * (1 - blocking))


def mmc_sojourn(servers: int, load: float) -> float:
    return 1 + erlang_c(servers, load) / (servers - load)


def mmc_wait_quantile(servers: int, load: float, p: float) -> float:
    return max(0.0, math.log(erlang_c(servers, load) / (1 - p)) / (servers - load))


def mmc_sojourn_tail(servers: int, load: float, t: float) -> float:
    """P(T > t): the wait is 0 or exponential with rate c - load, then an exponential of mean 1."""
    waits, rate = erlang_c(servers, load), servers - load
    if math.isclose(rate, 1.0):
        both = (1 + t) * math.exp(-t)
    else:
        both = (rate * math.exp(-t) - math.exp(-rate * t)) / (rate - 1)
    return (1 - waits) * math.exp(-t) + waits * both


def mmc_sojourn_quantile(servers: int, load: float, p: float) -> float:
    return solve_increasing(lambda t: 1 - mmc_sojourn_tail(servers, load, t), p)


def mmc_number(servers: int, load: float, size: int) -> np.ndarray:
    """Stationary law of the number in system of M/M/c, cut at `size` states."""
    ratios = load / np.minimum(np.arange(1, size), servers)
    weights = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    law_ = np.exp(weights - weights.max())
    return law_ / law_.sum()


@dataclass(frozen=True)
class Finite:
    loss: float
    sojourn: float
    throughput: float


def mmck(servers: int, capacity: int, load: float) -> Finite:
    """M/M/c with at most `capacity` requests in the system."""
    law_ = mmc_number(servers, load, capacity + 1)
    through = load * (1 - law_[-1])
    return Finite(float(law_[-1]), float(np.arange(capacity + 1) @ law_ / through), float(through))


# --- M/G/1 and M/D/c --------------------------------------------------------------------------


def mg1_wait(rho: float, service: Law) -> float:
    """Pollaczek-Khinchine mean wait."""
    return rho * service.m2 / (2 * (1 - rho))


def mg1_wait_second(rho: float, service: Law) -> float:
    """Takacs: E[W^2] = 2 E[W]^2 + rho m3 / (3 (1 - rho))."""
    return 2 * mg1_wait(rho, service) ** 2 + rho * service.m3 / (3 * (1 - rho))


def mdc_number(servers: int, load: float) -> np.ndarray:
    """Stationary law of the number in system of M/D/c: N(t+1) = (N(t) - c)+ + Poisson(load).

    Power iteration by squaring would lose digits; the truncated linear system is solved instead.
    """
    size = servers + int(40 / (1 - load / servers)) + 10 * int(math.sqrt(load)) + 40
    step = np.zeros((size, size))
    for n in range(size):
        start = max(n - servers, 0)
        step[n, start:] = stats.poisson.pmf(np.arange(size - start), load)
        step[n, -1] += 1 - step[n].sum()
    system = step.T - np.eye(size)
    system[-1] = 1
    right = np.zeros(size)
    right[-1] = 1
    return np.linalg.solve(system, right)


def mdc_wait(servers: int, load: float) -> tuple[float, float]:
    """(mean wait, probability of waiting)."""
    law_ = mdc_number(servers, load)
    queue = np.maximum(np.arange(len(law_)) - servers, 0)
    return float(queue @ law_ / load), float(law_[servers:].sum())


def mdc_wait_cdf(servers: int, load: float) -> Callable[[float], float]:
    """P(W <= x), by Franx's sum of positive terms."""
    law_ = mdc_number(servers, load)
    queue = np.cumsum(law_)[servers:]

    def cdf(x: float) -> float:
        k = math.floor(x) + 1
        j = np.arange(k * servers)
        below = k * servers - 1 - j
        inside = np.where(below < len(queue), queue[np.minimum(below, len(queue) - 1)], 1.0)
        return float(stats.poisson.pmf(j, load * (k - x)) @ inside)

    return cdf


def hyperexponential_wait_tail(
    rate: float, probabilities: Sequence[float], means: Sequence[float]
) -> Callable[[float], float]:
    """P(W > t) of M/H_k/1, by partial fractions of the Pollaczek-Khinchine transform."""
    p, mu = np.asarray(probabilities), 1 / np.asarray(means)
    rho = rate * float(np.sum(p / mu))
    product = np.poly(-mu)
    denominator = product.copy()
    for i in range(len(mu)):
        denominator[1:] -= rate * p[i] * np.poly(-np.delete(mu, i))
    roots = np.roots(denominator)
    residues = np.polyval(product, roots) / np.polyval(np.polyder(denominator), roots)
    weights = (1 - rho) * residues / -roots

    return lambda t: float(np.real(np.sum(weights * np.exp(roots * t))))


# --- processor sharing ------------------------------------------------------------------------


def mm1ps_variance(rho: float) -> float:
    """Variance of the sojourn in M/M/1-PS."""
    return (2 + rho) / ((2 - rho) * (1 - rho) ** 2)


# --- GI/M/1 and round robin -------------------------------------------------------------------


def gim1_sigma(transform: Callable[[float], float]) -> float:
    """The root in (0, 1) of sigma = A*(1 - sigma), A* the transform of the time between arrivals.

    The chance of waiting; the sojourn is exponential with rate 1 - sigma.
    """
    return float(
        optimize.brentq(lambda s: transform(1 - s) - s, 0.0, 1 - 1e-9, xtol=1e-15, rtol=1e-14)
    )


def ekm1_sigma(k: int, rho: float) -> float:
    """Erlang-k arrivals at rate rho: what round robin makes of a Poisson stream for k servers."""
    return gim1_sigma(lambda s: (1 + s / (k * rho)) ** -k)


def dm1_sigma(rho: float) -> float:
    return gim1_sigma(lambda s: math.exp(-s / rho))


# --- bounds for GI/G/1 ------------------------------------------------------------------------


def kingman(ca2: float, cs2: float, rho: float) -> float:
    return (ca2 / rho**2 + cs2) * rho / (2 * (1 - rho))


def daley(ca2: float, cs2: float, rho: float) -> float:
    return ((2 - rho) * ca2 + rho * cs2) / (2 * (1 - rho))


def marchal(ca2: float, cs2: float, rho: float) -> float:
    """Lower bound; nothing is below 0."""
    return max(0.0, (rho**2 * cs2 + rho * (rho - 2)) / (2 * rho * (1 - rho)))


# --- power of d, n -> infinity ----------------------------------------------------------------


def power_of_d_tail(d: int, rho: float, i: int) -> float:
    """Fraction of servers with at least i requests."""
    return float(rho ** ((d**i - 1) // (d - 1)))


def power_of_d_sojourn(d: int, rho: float) -> float:
    total, i = 0.0, 1
    while True:
        exponent = (d**i - d) // (d - 1)
        if exponent * -math.log(rho) > 60:
            return total
        total += rho**exponent
        i += 1


# --- impatience -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Impatience:
    abandon: float
    wait: float
    queue: float


def erlang_a(servers: int, load: float, theta: float) -> Impatience:
    """M/M/c whose waiting requests leave at rate theta each, by its birth-death chain."""
    size = servers + int(20 * max(1, load) + 60 / min(theta, 1)) + 200
    deaths = np.minimum(np.arange(1, size), servers)
    deaths = deaths + theta * np.maximum(np.arange(1, size) - servers, 0)
    weights = np.concatenate([[0.0], np.cumsum(np.log(load / deaths))])
    law_ = np.exp(weights - weights.max())
    law_ /= law_.sum()
    queue = float(np.maximum(np.arange(size) - servers, 0) @ law_)
    return Impatience(theta * queue / load, float(law_[servers:].sum()), queue)


def constant_patience(
    servers: int, load: float, patience: Sequence[float], weights: Sequence[float]
) -> tuple[float, float]:
    """(P(abandon), P(virtual wait > 0)) of M/M/c whose requests wait at most tau_i, w.p. w_i.

    The virtual wait has density load pi_(c-1) exp(load * integral of the tail of patience - c x),
    piecewise exponential here.
    """
    taus, w = np.asarray(patience, float), np.asarray(weights, float)
    order = np.argsort(taus)
    taus, w = taus[order], w[order] / w.sum()
    left = np.concatenate([[0.0], taus])
    width = np.append(np.diff(left), np.inf)
    staying = np.maximum(1 - np.concatenate([[0.0], np.cumsum(w)]), 0.0)
    staying[-1] = 0.0
    slope = load * staying - servers
    height = np.concatenate([[0.0], np.cumsum(slope[:-1] * width[:-1])])
    with np.errstate(over="ignore", invalid="ignore"):
        pieces = np.where(
            np.abs(slope) < 1e-12,
            np.where(np.isinf(width), 0.0, width),
            np.expm1(slope * width) / np.where(slope == 0, 1, slope),
        )
    areas = load * np.exp(height) * pieces
    j = np.arange(servers)
    below = np.exp(
        [math.lgamma(servers) - math.lgamma(i + 1) - (servers - 1 - i) * math.log(load) for i in j]
    )
    total = below.sum() + areas.sum()
    return float(areas @ (1 - staying) / total), float(areas.sum() / total)


def token_bucket_reject(rate: float, depth: int) -> float:
    """P(reject) of Poisson requests at a bucket refilled at 1/s."""
    f = sum(
        (-rate * (depth - 1 - k)) ** k / math.factorial(k) * math.exp(rate * (depth - 1 - k))
        for k in range(depth)
    )
    return 1 - f / (1 + rate * f)


# --- networks ---------------------------------------------------------------------------------


def hypoexponential_tail(rates: Sequence[float], t: float) -> float:
    """P(sum of independent exponentials of distinct rates > t)."""
    total = 0.0
    for i, r in enumerate(rates):
        weight = math.prod(q / (q - r) for j, q in enumerate(rates) if j != i)
        total += weight * math.exp(-r * t)
    return total


def tandem_quantile(rate: float, mus: Sequence[float], p: float) -> float:
    rates = [mu - rate for mu in mus]
    return solve_increasing(lambda t: 1 - hypoexponential_tail(rates, t), p)


@dataclass(frozen=True)
class Closed:
    throughput: float
    response: float
    queues: tuple[float, ...]


def mva(demands: Sequence[float], think: float, customers: int) -> Closed:
    """Mean value analysis of a closed network of single-server stations."""
    d = np.asarray(demands)
    queues = np.zeros(len(d))
    through = response = 0.0
    for n in range(1, customers + 1):
        residence = d * (1 + queues)
        response = float(residence.sum())
        through = n / (think + response)
        queues = through * residence
    return Closed(through, response, tuple(float(q) for q in queues))


def mt_exp_inf_mean(mean: float, swing: float, period: float, t: float) -> float:
    """Mean number of M_t/M/inf under the rate mean (1 + swing sin(2 pi t / period))."""
    w = 2 * math.pi / period
    return mean * (1 + swing * (math.sin(w * t) - w * math.cos(w * t)) / (1 + w * w))


def poisson_tail(mean: float, n: int) -> float:
    """P(N >= n)."""
    return float(stats.poisson.sf(n - 1, mean))


def poisson_quantile(mean: float, p: float) -> int:
    return int(stats.poisson.ppf(p, mean))


def batch_mm1_number(rho: float, m1: float, m2: float) -> float:
    """M^X/M/1 with batch moments m1, m2."""
    return rho * (1 + m2 / m1) / (2 * (1 - rho))


# --- hashing ----------------------------------------------------------------------------------


def fullest_bin_law(balls: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """(k, P(max = k)) for equal balls thrown uniformly: bins are Poisson, given their sum."""
    mean = balls / bins
    top = int(mean + 12 * math.sqrt(mean) + 25)
    ks = np.arange(math.ceil(mean), min(top, balls) + 1)
    pmf = stats.poisson.pmf(np.arange(balls + 1), mean)
    size = 1 << (2 * balls + 1).bit_length()
    total = stats.poisson.pmf(balls, balls)
    cdf = []
    for k in ks:
        power, base, left = None, np.where(np.arange(balls + 1) <= k, pmf, 0.0), bins
        while left:
            spectrum = np.fft.rfft(base, size)
            if left & 1:
                power = (
                    base
                    if power is None
                    else np.fft.irfft(np.fft.rfft(power, size) * spectrum, size)[: balls + 1]
                )
            left >>= 1
            if left:
                base = np.fft.irfft(spectrum * spectrum, size)[: balls + 1]
        cdf.append(power[balls] / total)
    return ks, np.diff(np.concatenate([[0.0], cdf]))


def fullest_bin(balls: int, bins: int) -> tuple[float, float]:
    """Mean and variance of the number on the fullest of equally likely bins."""
    ks, law_ = fullest_bin_law(balls, bins)
    mean = float(ks @ law_)
    return mean, float(ks**2 @ law_ - mean**2)
