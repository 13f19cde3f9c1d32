"""What a caller does beyond its first attempt, in words."""

from collections.abc import Iterator

from nephoscope.scenario.language.resilience import Backoff, CircuitBreaker, Retry
from nephoscope.scenario.language.service import Call
from nephoscope.scenario.language.traffic import Traffic


def resilience_words(caller: Traffic | Call) -> Iterator[str]:
    """The parts of a line that `nephoscope check` prints."""
    if caller.retry is not None:
        yield _retry(caller.retry)
    if caller.deadline is not None:
        yield f"deadline {caller.deadline}"
    if caller.hedge is not None:
        yield f"hedged after {caller.hedge.after}"
    if caller.circuit_breaker is not None:
        yield _breaker(caller.circuit_breaker)


def _retry(retry: Retry) -> str:
    jitter = "" if retry.jitter == "none" else f" with {retry.jitter} jitter"
    words = f"up to {retry.attempts:,} attempts {_backoff(retry.backoff)}{jitter}"
    if retry.budget is not None:
        words += f" on a budget of {100 * retry.budget.share:g} %"
    return words


def _backoff(backoff: Backoff) -> str:
    if backoff.exponential is not None:
        cap = backoff.exponential.cap
        limit = f" up to {cap}" if cap is not None else ""
        return f"after {backoff.exponential.base}, doubled{limit}"
    assert backoff.fixed is not None
    if backoff.fixed.constant is None:
        return f"after waits drawn from a law ({backoff.fixed.form})"
    return f"after {backoff.fixed.constant}" if backoff.fixed.constant else "at once"


def _breaker(breaker: CircuitBreaker) -> str:
    rules = []
    if breaker.failures is not None:
        rules.append(f"{breaker.failures:,} failures in a row")
    if breaker.failure_rate is not None:
        rules.append(f"{100 * breaker.failure_rate:g} % of failures")
    return f"circuit breaker open for {breaker.open} after {' or '.join(rules)}"
