"""Routing policies, and what a balancer does before, as the core takes them."""

from nephoscope import _core
from nephoscope.scenario.language.balancer import LoadBalancer, Routing


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


def reception_spec(spec: _core.balancers.BalancerSpec, balancer: LoadBalancer) -> None:
    """Tells the spec of a balancer what it does before it chooses a target."""
    if balancer.capacity is not None:
        spec.capacity.start = float(balancer.capacity.start)
        spec.capacity.minimum = float(balancer.capacity.minimum or balancer.capacity.start)
        spec.capacity.wait_ns = int(balancer.capacity.wait or 0)
    answers = []
    for code, share in balancer.errors.by_code.items() if balancer.errors is not None else ():
        answer = _core.balancers.OwnAnswerSpec()
        answer.code, answer.share = int(code), share
        answers.append(answer)
    spec.own_answers = answers
    if balancer.connections is not None:
        spec.connections.keep_alive_ns = int(balancer.connections.keep_alive)
        spec.connections.handshake_ns = int(balancer.connections.handshake)
    if balancer.split_requests is not None:
        spec.split.share = balancer.split_requests.share
        spec.split.into = balancer.split_requests.into
