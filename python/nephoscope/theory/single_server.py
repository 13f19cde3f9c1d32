"""One server: M/M/1, M/G/1 by Pollaczek and Khinchine, and GI/M/1.

Sources: Kleinrock, Queueing Systems I (1975), chapters 3, 5 and 6; Takacs, Introduction to the
Theory of Queues (1962), for the second moment of the wait. Rates are per second.
"""

import math

from nephoscope.theory.moments import Law


def mm1_sojourn(rate: float, service: float) -> float:
    """Mean time in an M/M/1, of which the law is exponential."""
    return service / (1.0 - rate * service)


def exponential_quantile(mean: float, p: float) -> float:
    """Of an exponential law."""
    return -mean * math.log1p(-p)


def mg1_wait(rate: float, service: Law) -> float:
    """Mean wait in an M/G/1 (Pollaczek and Khinchine); infinite without a second moment."""
    return rate * service.m2 / (2.0 * (1.0 - rate * service.m1))


def mg1_wait_second(rate: float, service: Law) -> float:
    """Mean square of the wait in an M/G/1 (Takacs)."""
    wait = mg1_wait(rate, service)
    return 2.0 * wait**2 + rate * service.m3 / (3.0 * (1.0 - rate * service.m1))


def mg1_sojourn_variance(rate: float, service: Law) -> float:
    """Variance of the time in an M/G/1: the wait and the service are independent."""
    wait = mg1_wait(rate, service)
    second = mg1_wait_second(rate, service)
    if math.isinf(second):
        return math.inf
    return second - wait**2 + service.m2 - service.m1**2


def round_robin_sigma(n: int, rho: float) -> float:
    """The chance of waiting at each of n servers that take Poisson requests in turn.

    Between two arrivals at one server lie n exponential gaps, so it is an E_n/M/1; sigma is the
    root in (0, 1) of sigma = A(1 - sigma), A the transform of that gap with the service mean as
    the unit of time. The time in the system is exponential with mean 1 / (1 - sigma).
    """

    def excess(sigma: float) -> float:
        return math.exp(-n * math.log1p((1.0 - sigma) / (n * rho))) - sigma

    # The other root is 1, where the difference changes its sign from below.
    low, high = 0.0, rho if n > 1 else 1.0
    if n == 1:
        return rho
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return (low + high) / 2.0


def relaxation(rate: float, service: Law, servers: int = 1) -> float:
    """Seconds in which a queue forgets how it began, by a factor of e or so.

    1/(mu (1 - sqrt(rho))^2) for M/M/1 (Cohen, The Single Server Queue, 1969); for other laws times
    (1 + scv) / 2 or more, as heavy traffic has it (Abate and Whitt, 1987).
    """
    rho = rate * service.m1 / servers
    varied = max(1.0, (1.0 + service.scv) / 2.0)
    return service.m1 * (1.0 + varied / (servers * (1.0 - math.sqrt(rho)) ** 2))
