"""How a fleet follows its load, in words."""

from nephoscope.scenario.fleet import Fleet
from nephoscope.scenario.scaling import Policy


def scaling_words(fleet: Fleet) -> str:
    """What changes the size of a fleet; nothing where nothing does."""
    if not fleet.scaling:
        return ""
    return ", scaled by " + " and ".join(_policy(policy) for policy in fleet.scaling)


def _policy(policy: Policy) -> str:
    if policy.scheduled is not None:
        clock = policy.scheduled
        when = f"at {clock.at}" if clock.cron is None else f"on {clock.cron} ({clock.zone})"
        sizes = {"min": clock.min, "desired": clock.desired, "max": clock.max}
        changes = ", ".join(f"{key} {size:,}" for key, size in sizes.items() if size is not None)
        return f"the clock {when}: {changes}"
    if policy.target_tracking is not None:
        rule = policy.target_tracking
        return f"target tracking of {rule.metric} at {rule.target:g}"
    if policy.predictive is not None:
        return f"a forecast of {policy.predictive.metric} for {policy.predictive.target:g}"
    return f"{policy.form} scaling on {policy.options.metric} at {policy.options.threshold:g}"
