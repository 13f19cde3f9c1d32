"""The limit of a burstable instance that comes down little by little, worked out on its own.

In credits and minutes, in fractions: fifteen steps between all vCPUs and the baseline, each a
fifteenth of the time at full use.
"""

from fractions import Fraction

from nephoscope.catalog import CpuCreditFacts

STEPS = 16


class Lowered:
    """An instance of that type that comes down within so many minutes."""

    def __init__(self, facts: CpuCreditFacts, minutes: Fraction | int) -> None:
        self.baseline = facts.credits_per_hour / 60
        self.beyond = facts.vcpus - self.baseline
        self.step_minutes = Fraction(minutes) / (STEPS - 1)
        self.zone = self.needed(STEPS)

    def needed(self, step: int) -> Fraction:
        """What is spent, beyond what is earned, from that step down to the baseline."""
        below = sum((Fraction(k, STEPS) for k in range(step)), Fraction(0))
        return self.beyond * self.step_minutes * below

    def limit(self, balance: Fraction) -> Fraction:
        """How many vCPUs may be used with so many credits."""
        step = max(k for k in range(STEPS + 1) if k == 0 or balance > self.needed(k))
        return self.baseline + self.beyond * Fraction(step, STEPS)

    def spent(self, balance: Fraction, minutes: Fraction, wanted: Fraction) -> Fraction:
        """Of a balance in so many minutes by who wants more than the baseline."""
        spent = Fraction(0)
        while minutes > 0 and balance > 0:
            use = min(wanted, self.limit(balance))
            lower = max(self.needed(k) for k in range(STEPS + 1) if self.needed(k) < balance)
            lasts = min(minutes, (balance - lower) / (use - self.baseline))
            spent += use * lasts
            balance -= (use - self.baseline) * lasts
            minutes -= lasts
        return spent + self.baseline * minutes
