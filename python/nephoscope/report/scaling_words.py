"""How a fleet follows its load, in words."""

from nephoscope.scenario.language.fields import INSTANCES_MAX
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.scaling import Looking, Policy


def scaling_words(fleet: Fleet) -> str:
    """What changes the size of a fleet; nothing where nothing does."""
    if not fleet.scaling:
        return ""
    return ", scaled by " + " and ".join(_policy(policy) for policy in fleet.scaling)


def membership_words(fleet: Fleet) -> str:
    """Which instances it keeps, where it says so."""
    parts = []
    if fleet.termination_policy != "default":
        parts.append(f"termination policy {fleet.termination_policy}")
    if fleet.zone_balance is not None:
        parts.append(f"zone balance {fleet.zone_balance}")
    if fleet.health.check == "load_balancer":
        grace = "" if fleet.health.grace is None else f" after {fleet.health.grace}"
        parts.append(f"replaced if unhealthy to a load balancer{grace}")
    if fleet.scale_in_protection:
        count = fleet.scale_in_protection
        parts.append(f"{'all' if count == INSTANCES_MAX else f'{count:,}'} protected from scale-in")
    if fleet.max_lifetime is not None:
        parts.append(f"replaced after {fleet.max_lifetime}")
    if (pool := fleet.warm_pool) is not None:
        parts.append(f"with a warm pool, {pool.state}")
    if fleet.hooks is not None:
        hooks = {"launch": fleet.hooks.launch, "terminate": fleet.hooks.terminate}
        named = " and ".join(name for name, hook in hooks.items() if hook is not None)
        parts.append(f"with hooks at {named}")
    if fleet.refresh is not None and fleet.refresh.alarms:
        parts.append(f"refreshed unless {' or '.join(fleet.refresh.alarms)} is on")
    return "".join(f", {part}" for part in parts)


def _policy(policy: Policy) -> str:
    if policy.scheduled is not None:
        clock = policy.scheduled
        when = f"at {clock.at}" if clock.cron is None else f"on {clock.cron} ({clock.zone})"
        sizes = {"min": clock.min, "desired": clock.desired, "max": clock.max}
        changes = ", ".join(f"{key} {size:,}" for key, size in sizes.items() if size is not None)
        return f"the clock {when}: {changes}"
    if policy.target_tracking is not None:
        rule = policy.target_tracking
        return f"target tracking of {_metric(rule)} at {rule.target:g}"
    if policy.predictive is not None:
        ahead = policy.predictive
        only = ", not acted on" if ahead.mode == "forecast_only" else ""
        return f"a forecast of {ahead.metric} for {ahead.target:g}{only}"
    return f"{policy.form} scaling on {_metric(policy.options)} at {policy.options.threshold:g}"


def _metric(rule: Looking) -> str:
    return rule.metric if rule.queue is None else f"{rule.metric} of {rule.queue}"
