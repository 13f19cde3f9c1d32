"""Routing policies as the core takes them."""

from nephoscope import _core
from nephoscope.scenario.balancer import Routing


def routing_spec(routing: Routing) -> _core.routing.RoutingSpec:
    """A routing policy as the core takes it; of a compiled one, its address in this process."""
    spec = _core.routing.RoutingSpec()
    spec.kind = _core.routing.RoutingKind[routing.form]
    random = routing.weighted_random
    if random is not None and random.anomaly_mitigation:
        spec.kind = _core.routing.RoutingKind.mitigated_random
        if random.window is not None:
            spec.window_ns = int(random.window)
    if routing.power_of_two is not None:
        spec.choices = routing.power_of_two.choices
    policy = routing.compiled
    if policy is not None:
        spec.compiled.address = policy.address
        spec.compiled.words = policy.words
        spec.compiled.state = policy.state
    return spec
