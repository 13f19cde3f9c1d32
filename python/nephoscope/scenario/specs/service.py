"""Admission control and instance refreshes, as the core takes them."""

from nephoscope import _core
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.refresh import Refresh
from nephoscope.scenario.language.service import Service
from nephoscope.scenario.specs.scaling import alarm_numbers


def admission_rules(service: Service) -> _core.service.AdmissionRules:
    """Whom an instance lets in; without rules everybody."""
    rules = _core.service.AdmissionRules()
    if (limit := service.rate_limit) is not None:
        rules.burst, rules.refill = limit.burst, limit.millionths
        rules.limits_checks = limit.health_checks
    if (shed := service.shed) is not None:
        rules.queue_delay_ns = -1 if shed.queue_delay is None else int(shed.queue_delay)
        rules.in_flight = -1 if shed.in_flight is None else shed.in_flight
        rules.sheds_checks = shed.health_checks
    return rules


def refresh_spec(refresh: Refresh, fleet: Fleet) -> _core.service.RefreshSpec:
    """A refresh of a fleet, with its bounds in percent."""
    spec = _core.service.RefreshSpec()
    spec.at_ns = int(refresh.at)
    spec.min_healthy = refresh.min_healthy
    if refresh.max_healthy is not None:
        spec.max_healthy = refresh.max_healthy
    spec.warmup_ns = int(refresh.warmup)
    spec.checkpoints = list(refresh.checkpoints)
    if refresh.checkpoint_delay is not None:
        spec.checkpoint_delay_ns = int(refresh.checkpoint_delay)
    spec.protected_ones = _core.service.ProtectedOnes[refresh.scale_in_protected]
    spec.standby_ones = _core.service.StandbyOnes[refresh.standby]
    spec.skip_matching = refresh.skip_matching
    spec.rollback = refresh.rollback
    spec.alarms = alarm_numbers(fleet, refresh.alarms)
    return spec
