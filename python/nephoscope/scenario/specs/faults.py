"""Faults and health checks, as the core takes them."""

from collections.abc import Callable

from nephoscope import _core
from nephoscope.scenario.language.balancer import HealthCheck
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.faults import Checks, Fault, Maintain, Slow
from nephoscope.scenario.units import Duration

# Of a live migration: providers speak of less than a second, and mostly of far less.
_PAUSE = Distribution(constant=Duration(50_000_000))


def health_spec(check: HealthCheck) -> _core.faults.HealthSpec:
    """How a balancer checks its targets."""
    spec = _core.faults.HealthSpec()
    spec.interval_ns = int(check.interval)
    spec.timeout_ns = int(check.timeout)
    spec.work_ns = int(check.work)
    spec.healthy_threshold = check.healthy_threshold
    spec.unhealthy_threshold = check.unhealthy_threshold
    spec.minimum_healthy = check.minimum_healthy.count
    spec.minimum_share = check.minimum_healthy.share
    in_dns = check.dns_failover.minimum_healthy_targets
    spec.dns_healthy = in_dns.count
    spec.dns_share = in_dns.share
    spec.first_code, spec.last_code = check.success_codes
    spec.sends_to_new, spec.resets = check.sends_to_new, check.resets
    return spec


def fault_spec(
    fault: Fault,
    number: Callable[[str, str], int],
    distribution: Callable[[Distribution], _core.Distribution],
) -> _core.faults.FaultSpec:
    """A fault; `number` tells the index of a fleet, a pool of hosts or a zone."""
    where = fault.where
    spec = _core.faults.FaultSpec()
    spec.kind = _core.faults.FaultKind[fault.kind]
    spec.scope = _core.faults.FaultScope[where.scope]
    spec.index = number(where.scope, where.name)
    if where.index is not None:
        spec.unit = where.index
    spec.count = where.count or 1
    spec.random = fault.every is not None
    if fault.every is not None:
        spec.every = distribution(fault.every)
    spec.at_ns = int(fault.at or 0)
    if isinstance(where, Checks):
        if where.node is not None:
            spec.node = where.node
        spec.code = where.code or 0
    if isinstance(where, Slow):
        spec.factor = where.factor
    if isinstance(where, Maintain):
        spec.notice_ns = int(where.notice)
        spec.by = _core.faults.MoveBy[where.by]
        spec.otherwise = _core.faults.MoveBy[where.otherwise or "stay"]
        if where.by == "migrate":
            spec.pause = distribution(where.pause or _PAUSE)
    spec.ends = fault.lasting is not None
    if fault.lasting is not None:
        spec.lasts = distribution(fault.lasting)
    return spec
