"""Clients, their retry budgets and circuit breakers, as the core takes them."""

from nephoscope import _core
from nephoscope.scenario.language.arrivals import Clients
from nephoscope.scenario.language.resilience import WINDOW, Budget, CircuitBreaker


def budget_spec(budget: Budget | None) -> _core.resilience.BudgetSpec:
    """A budget as the core takes it; without one there is no limit."""
    spec = _core.resilience.BudgetSpec()
    if budget is not None:
        spec.limited = True
        spec.share, spec.reserve = budget.share, budget.reserve
        spec.per_second = float(budget.rate or 0)
    return spec


def breaker_spec(breaker: CircuitBreaker) -> _core.resilience.BreakerSpec:
    """A circuit breaker as the core takes it."""
    spec = _core.resilience.BreakerSpec()
    spec.failures = breaker.failures or 0
    if breaker.failure_rate is not None:
        spec.failure_rate = breaker.failure_rate
        spec.window = breaker.window or WINDOW
    spec.open_ns = int(breaker.open)
    spec.probes = breaker.probes
    return spec


def client_spec(clients: Clients | None) -> _core.ClientSpec:
    """How many clients a source has, and how often each comes."""
    spec = _core.ClientSpec()
    if clients is not None:
        spec.count = clients.count
        spec.zipf = clients.popularity.zipf or 0.0
    return spec
