"""Which instances a fleet keeps, as the core takes it."""

from nephoscope import _core
from nephoscope.scenario.fleet import Fleet
from nephoscope.scenario.scaling import Bounds

_membership = _core.membership


def membership_spec(fleet: Fleet) -> _core.membership.MembershipSpec:
    """The rules of a fleet; one whose size has bounds levels its zones unless told otherwise."""
    spec = _membership.MembershipSpec()
    spec.termination = _membership.TerminationPolicy[fleet.termination_policy]
    usual = "best_effort" if isinstance(fleet.count, Bounds) else "off"
    spec.balance = _membership.ZoneBalance[fleet.zone_balance or usual]
    spec.asks_balancers = fleet.health.check == "load_balancer"
    spec.grace_ns = int(fleet.health.grace or 0)
    spec.launches_first = fleet.replacement == "launch_first"
    spec.protect = fleet.scale_in_protection
    spec.lifetime_ns = int(fleet.max_lifetime or 0)
    return spec
