"""Quantiles of Student's t distribution with a whole number of degrees of freedom."""

import functools
import math


def probability_within(t: float, degrees: int) -> float:
    """The probability of lying within -t and t.

    By the finite sums in sines and cosines of Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(degrees))
    cosine_squared = math.cos(angle) ** 2
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(3 if odd else 2, degrees - 1, 2):
        term *= cosine_squared * (k - 1) / k
        total += term
    if not odd:
        return math.sin(angle) * total
    return 2.0 / math.pi * (angle + math.sin(angle) * total)


@functools.cache
def t_quantile(confidence: float, degrees: int) -> float:
    """The t within which a deviation lies with this probability: 2.045 for 0.95 and 29."""
    low, high = 0.0, 1.0
    while probability_within(high, degrees) < confidence:
        high *= 2.0
    for _ in range(100):
        middle = (low + high) / 2.0
        if probability_within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return high
