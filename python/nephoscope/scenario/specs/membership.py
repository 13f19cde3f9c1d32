"""Which instances a fleet keeps, as the core takes it."""

from collections.abc import Callable

from nephoscope import _core, catalog
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.membership import LaunchHook, TerminateHook
from nephoscope.scenario.language.scaling import Bounds

_membership = _core.membership


Law = Callable[[Distribution], _core.Distribution]


def membership_spec(fleet: Fleet, law: Law) -> _core.membership.MembershipSpec:
    """The rules of a fleet; one whose size has bounds levels its zones unless told otherwise."""
    spec = _membership.MembershipSpec()
    spec.termination = _membership.TerminationPolicy[fleet.termination_policy]
    usual = "best_effort" if isinstance(fleet.count, Bounds) else "off"
    spec.balance = _membership.ZoneBalance[fleet.zone_balance or usual]
    spec.asks_balancers = fleet.health.check == "load_balancer"
    spec.impaired_ns = int(fleet.health.impaired or 0)
    spec.grace_ns = int(fleet.health.grace or 0)
    spec.launches_first = fleet.replacement == "launch_first"
    spec.protect = fleet.scale_in_protection
    spec.lifetime_ns = int(fleet.max_lifetime or 0)
    if (pool := fleet.warm_pool) is not None:
        spec.pool.active = True
        spec.pool.state = _membership.WarmState[pool.state]
        spec.pool.reuse, spec.pool.min = pool.reuse, pool.min
        spec.pool.prepared = pool.max_prepared or 0
    if fleet.hooks is not None:
        _hook(spec.launch, fleet.hooks.launch, law)
        _hook(spec.terminate, fleet.hooks.terminate, law)
    return spec


def allocation_spec(fleet: Fleet) -> _core.AllocationSpec:
    """In which order launches try the types of a fleet; of one type there is none."""
    spec = _core.AllocationSpec()
    if not fleet.other_types:
        return spec
    told = list(range(len(fleet.makes)))
    spec.on_demand = _by_price(fleet, "on_demand") if fleet.allocation == "lowest_price" else told
    spot = fleet.purchase.spot
    spec.spot = told if spot is None else _by_price(fleet, "spot", spot.discount)
    if spot is not None and spot.pools is not None:
        spec.pools = spot.pools
    return spec


def _by_price(fleet: Fleet, purchase: str, discount: float | None = None) -> list[int]:
    """The numbers of its makes, the cheapest first; of equals the one that comes first."""
    factor = catalog.SPOT_FACTOR if discount is None else 1.0 - discount
    prices = []
    for make in fleet.makes:
        assert make.instance_type.type is not None
        kind = make.instance_type.type
        price = catalog.price(kind, make.os, purchase, make.tenancy, spot_factor=factor)
        prices.append(price.usd_per_hour)
    return sorted(range(len(prices)), key=prices.__getitem__)


def _hook(spec: _core.membership.HookSpec, hook: TerminateHook | None, law: Law) -> None:
    if hook is None:
        return
    spec.active = True
    spec.continues = isinstance(hook, LaunchHook) and hook.default_result == "continue"
    spec.duration = law(hook.duration)
    spec.timeout_ns = int(hook.timeout)
    spec.heartbeat_ns = int(hook.heartbeat or 0)
