"""Token buckets and CPU credits, alone: in closed form, so that time left alone costs nothing.

Times are integer nanoseconds; an instant that never comes is None.
"""

from fractions import Fraction

from nephoscope import _core, catalog
from nephoscope.catalog.cpu_credits import LAUNCHES_WITH_CREDITS, MODES, CpuCreditFacts
from nephoscope.errors import Problem, ScenarioError

_NEVER = 2**63 - 1
_FEMTO = 10**15


def instant(time_ns: int) -> int | None:
    """What the core says of a time: never is None."""
    return None if time_ns == _NEVER else time_ns


class TokenBucket:
    """A token bucket: refilled at a rate, spent in lumps or at a rate, exact at every nanosecond.

    Refilled, a full bucket discards; spent at a rate, an empty one gives what comes in. A request
    for a lump that is not there is refused (`RequestLimitExceeded`, where the bucket is that of an
    interface of the provider). From published rules: b(t) = min(B, b0 + r (t - t0)).

    >>> from nephoscope import parts
    >>> calls = parts.TokenBucket(capacity=1000, refill=2)  # instances that RunInstances launches
    >>> calls.take(1000), calls.take(1)
    (True, False)
    >>> calls.able_at(10)
    5000000000
    """

    def __init__(
        self,
        capacity: int,
        refill: float | Fraction,
        *,
        initial: int | None = None,
        interval_ns: int = 0,
        at_ns: int = 0,
    ) -> None:
        """`capacity` and `initial` (full by default) are whole tokens, `refill` tokens a second.

        Rates count to the nearest millionth of a token a second. With `interval_ns` tokens come in
        steps, refill x interval at every multiple of it, and are taken in lumps only.
        """
        first = capacity if initial is None else initial
        rate = _millionths("refill", refill)
        self._core = _core.buckets.TokenBucket(capacity, rate, first, interval_ns, at_ns)

    def advance(self, until_ns: int) -> None:
        """Let time pass until an instant, not before `now_ns`."""
        self._core.advance(until_ns)

    def take(self, tokens: int) -> bool:
        """Take so many tokens now, or none and False where there are fewer."""
        return self._core.take(tokens)

    def spend(self, rate: float | Fraction) -> None:
        """From now on so many tokens a second leave, as long as there are any."""
        self._core.set_spend(_millionths("rate", rate))

    def refill(self, rate: float | Fraction) -> None:
        """From now on so many tokens a second come in."""
        self._core.set_refill(_millionths("rate", rate))

    @property
    def now_ns(self) -> int:
        """The present instant."""
        return self._core.now_ns

    @property
    def level(self) -> Fraction:
        """Tokens now, exactly."""
        return Fraction(self._core.account()["level"], _FEMTO)

    def empty_at(self) -> int | None:
        """The first nanosecond, from now on, at which the bucket is empty at these rates."""
        return instant(self._core.empty_at())

    def full_at(self) -> int | None:
        """The first nanosecond, from now on, at which it is full at these rates."""
        return instant(self._core.full_at())

    def able_at(self, tokens: int) -> int | None:
        """The first nanosecond, from now on, at which it has so many tokens at these rates."""
        return instant(self._core.able_at(tokens))

    def account(self) -> dict[str, int]:
        """Femtotokens (1e-15): `level`, and so far `refilled`, `spent`, `discarded`, `unmet`.

        initial + refilled = level + spent + discarded, exactly.
        """
        return self._core.account()


class CpuCredits:
    """The CPU credits of a burstable instance (t2, t3, t3a, t4g), exact to the last unit.

    One credit is one vCPU at full use for a minute. The rules are the provider's: the balance is at
    most 24 hours of earning; launch credits of T2 in standard mode are spent first and lost at a
    stop; T2 loses its balance at a stop, the others after 7 days; in standard mode an empty balance
    holds use to the baseline (at once, or over `lowered_over_ns`); in unlimited mode it goes on as
    a surplus, which is paid back by earning and billed beyond 24 hours of earning (at the end of
    the hour of the clock), at a stop, at the end, and at the switch to standard.

    >>> from nephoscope import parts
    >>> credits = parts.CpuCredits("t3.micro", "standard")
    >>> credits.start()
    >>> round(credits.limit, 9)  # nothing earned yet: the baseline of 2 vCPUs at 10 %
    0.2
    >>> credits.advance(24 * 3600 * 10**9)
    >>> credits.balance
    288.0
    >>> credits.use(2)
    >>> (credits.exhausted_at() - credits.now_ns) / 60e9
    160.0
    """

    #: Units of `account` in one credit.
    UNITS_PER_CREDIT: int = _core.buckets.units_per_credit()

    def __init__(
        self,
        kind: str | CpuCreditFacts,
        mode: str | None = None,
        *,
        tenancy: str = "default",
        lowered_over_ns: int = 0,
        at_ns: int = 0,
    ) -> None:
        """An instance that is not launched yet; `mode` is `standard` or `unlimited`.

        By default T2 is standard and the others unlimited; on a Dedicated Host (`tenancy="host"`)
        instances are standard only. In standard mode at full use the limit comes down to the
        baseline over `lowered_over_ns`, in fifteen equal times, and is there when the balance is
        empty; the provider says "gradually" and publishes no interval.
        """
        self.facts = catalog.cpu_credits(kind) if isinstance(kind, str) else kind
        on_host = tenancy == "host"
        chosen = mode or ("standard" if on_host else self.facts.default_mode)
        if on_host and chosen == "unlimited":
            message = "unlimited is not offered on a Dedicated Host"
            raise ScenarioError([Problem("mode", message, allowed="standard")])
        self._on_host = on_host
        self._core = _core.buckets.CpuCredits(
            self.facts.vcpus,
            self.facts.millicredits_per_hour,
            self.facts.launch_credits,
            self.facts.kept_ns,
            lowered_over_ns,
            _mode(chosen),
            at_ns,
        )

    def advance(self, until_ns: int) -> None:
        """Let time pass until an instant, not before `now_ns`."""
        self._core.advance(until_ns)

    def start(self, *, launch_credits: bool = True) -> None:
        """Launch now, or start again; T2 in standard mode gets launch credits unless told not."""
        self._core.start(launch_credits)

    def stop(self) -> None:
        """Stop now: the surplus is billed, launch credits are lost, and of T2 the balance, too."""
        self._core.stop()

    def terminate(self) -> None:
        """End now: the surplus is billed, everything else is lost."""
        self._core.terminate()

    def switch(self, mode: str) -> None:
        """Change to `standard` (the surplus is billed) or `unlimited` (launch credits are lost)."""
        if self._on_host and mode == "unlimited":
            message = "unlimited is not offered on a Dedicated Host"
            raise ScenarioError([Problem("mode", message, allowed="standard")])
        self._core.set_mode(_mode(mode))

    def use(self, vcpus: float) -> None:
        """From now on so many vCPUs are used, to the nearest 2**-36."""
        self._core.set_usage(vcpus)

    @property
    def now_ns(self) -> int:
        """The present instant."""
        return self._core.now_ns

    @property
    def mode(self) -> str:
        """`standard` or `unlimited`."""
        return self._core.mode.name

    @property
    def running(self) -> bool:
        """Whether it has been started and neither stopped nor ended."""
        return self._core.running

    @property
    def limit(self) -> float:
        """How many vCPUs may be used now: all, or the baseline where standard has no credits.

        Between them where it is lowered gradually and little is left.
        """
        return self._core.limit

    @property
    def balance(self) -> float:
        """Credits earned and not spent; `CPUCreditBalance` is this and `launch_credits`."""
        return self._credits("balance")

    @property
    def launch_credits(self) -> float:
        """What is left of the launch credits."""
        return self._credits("launch")

    @property
    def surplus(self) -> float:
        """Credits spent before they are earned: `CPUSurplusCreditBalance`."""
        return self._credits("surplus")

    @property
    def billed(self) -> float:
        """Surplus credits charged so far: the sum of `CPUSurplusCreditsCharged`."""
        return self._credits("billed")

    def billed_usd(self, *, windows: bool = False) -> float:
        """What they cost, US dollars."""
        return self.billed / 60 * self.facts.surplus_usd_per_vcpu_hour(windows=windows)

    def exhausted_at(self) -> int | None:
        """The first nanosecond at which standard mode has no credits and use is over the baseline.

        From now on, at this use; whoever runs the instance holds it to `limit` from then on.
        """
        return instant(self._core.exhausted_at())

    def limit_changes_at(self) -> int | None:
        """The first nanosecond, after now, at which `limit` is another at this use."""
        return instant(self._core.limit_changes_at())

    def full_at(self) -> int | None:
        """The first nanosecond, from now on, at which the balance is at its maximum at this use."""
        return instant(self._core.full_at())

    def reaches(self, balance: float | Fraction) -> int | None:
        """The first nanosecond with a balance of so many credits, to the nearest thousandth."""
        return instant(self._core.reaches(round(balance * 1000)))

    def account(self) -> dict[str, int]:
        """Everything in units (`UNITS_PER_CREDIT`), exactly.

        Now: `balance`, `launch`, `surplus`. So far: `earned`, `granted` (launch credits), `spent`,
        `uncovered` (use of an empty balance in standard mode), `discarded` (above the maximum),
        `lost`, `overflow` (used beyond the largest surplus), `closing` (surplus charged by a stop,
        the end or a switch) and `billed` of these two. They add up: earned + granted + surplus +
        overflow + closing = spent + balance + launch + discarded + lost.
        """
        self._core.check()
        return self._core.account()

    def _credits(self, name: str) -> float:
        return self._core.account()[name] / self.UNITS_PER_CREDIT


class LaunchCreditLimit:
    """How often an account's T2 instances get launch credits: 100 times in any 24 hours."""

    def __init__(self, launches: int = LAUNCHES_WITH_CREDITS) -> None:
        """`launches` in any 24 hours, of one account in one Region."""
        self._core = _core.buckets.LaunchCreditLimit(launches)

    def grant(self, at_ns: int) -> bool:
        """Whether a launch now gets launch credits; it counts if so."""
        return self._core.grant(at_ns)


def _mode(word: str) -> _core.buckets.CreditMode:
    if word not in MODES:
        raise ScenarioError([Problem("mode", f"{word} is no mode", allowed=" or ".join(MODES))])
    return _core.buckets.CreditMode[word]


def _millionths(name: str, rate: float | Fraction) -> int:
    if not 0 <= rate <= _NEVER // 10**6:
        raise ScenarioError([Problem(name, f"{rate} is no rate", allowed="0 to 9.2e12 a second")])
    return round(rate * 10**6)
