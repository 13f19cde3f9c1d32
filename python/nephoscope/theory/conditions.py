"""Conditions of the formulas, each with the words for what stands against it."""

from collections.abc import Iterator

from nephoscope.scenario import Scenario
from nephoscope.scenario.language.balancer import LoadBalancer
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.theory.answer import NEGLIGIBLE, Fit
from nephoscope.theory.demand import Demand
from nephoscope.theory.moments import NS


def fleet_reasons(scenario: Scenario, name: str) -> Iterator[str]:
    """Why the instances of a fleet are not the same all the time, or not alone."""
    fleet = scenario.fleets[name]
    if fleet.hosts is not None:
        yield f"it shares the hosts {fleet.hosts}: what it gets depends on its neighbours"
    if fleet.cap is not None:
        yield "a cap holds it back, period by period"
    if fleet.interference is not None:
        yield "neighbours slow it down (interference)"
    yield from _changing(fleet)
    for fault in scenario.faults:
        # What names no fleet befalls hosts, and who is on hosts has a reason already.
        if fault.where.fleet == name:
            yield f"a fault of the scenario strikes it ({fault.kind.replace('_', ' ')})"
            break
    done = [action.transition for action in scenario.actions]
    if any(it is not None and it[1].fleet == name for it in done):
        yield "an operator stops or starts its instances (actions)"
    service = scenario.services[fleet.service]
    if service.rate_limit is not None or service.shed is not None:
        yield "it turns requests away by admission control"


def _changing(fleet: Fleet) -> Iterator[str]:
    if fleet.other_types:
        yield "its instances are of several types"
    if fleet.scaling:
        yield "scaling changes the number of its instances"
    if fleet.instance_type.burstable and fleet.credit_mode == "standard":
        yield "it is burstable: its speed depends on the CPU credits that are left"
    if fleet.refresh is not None:
        yield "a refresh replaces its instances"
    if fleet.max_lifetime is not None:
        yield "its instances are replaced when they are old"
    if fleet.interrupted:
        yield "its instances are on spot, and interrupted"
    if fleet.initially != "running":
        yield "it has not booted when the clock starts"


def program_reasons(demand: Demand) -> Iterator[str]:
    """Why the time of a request at an instance is not one draw from one law."""
    if demand.called:
        yield f"its requests wait for calls to {', '.join(demand.called)}"
    if demand.devices:
        yield f"its requests use devices ({', '.join(demand.devices)})"
    if demand.memory:
        yield "its requests hold memory, which may run out"
    if demand.sorted_out:
        yield "requests fail before their work is done, or by its kind"
    if not demand.hold.independent:
        yield "its work is replayed from a file: one request tells of the next"
    if demand.hold.m1 == 0.0:
        yield "its requests take no time"


def balancer_reasons(balancer: LoadBalancer) -> Iterator[str]:
    """Why a balancer does more than choose."""
    if balancer.groups is not None and len(balancer.groups) > 1:
        yield "its balancer has several target groups"
    for key, words in (
        ("slow_start", "its balancer starts targets slowly"),
        ("stickiness", "its balancer sends clients back to their targets"),
        ("capacity", "its balancer has a capacity of its own"),
        ("connections", "its balancer looks at connections"),
        ("errors", "its balancer answers some requests by itself"),
        ("split_requests", "its balancer counts some requests as several"),
        ("surge_queue", "its balancer keeps requests in a surge queue"),
    ):
        if getattr(balancer, key) is not None:
            yield words
    if not balancer.cross_zone:
        yield "each zone of its balancer chooses by itself"
    if balancer.nodes > 1:
        yield "its balancer has several nodes, each of which sees its own requests"
    if balancer.routing.mitigates:
        yield "its balancer gives less to targets that fail (anomaly mitigation)"
    if balancer.health_check is not None and balancer.health_check.work:
        yield "health checks take part of its time"
    weights = {float(target.weight) for target in balancer.all_targets}
    if len(weights) > 1 and balancer.routing.weighted_random is None:
        yield "its balancer weighs its targets"


def arrival_reasons(traffic: Traffic, name: str) -> Iterator[str]:
    """Why requests are not a Poisson process that nothing changes."""
    if traffic.arrivals.form != "poisson":
        yield f"arrivals of {name} are not Poisson but {_form(traffic)}"
    if traffic.hedge is not None:
        yield f"{name} sends some requests twice (hedge)"


def _form(traffic: Traffic) -> str:
    named = {"closed": "of closed users beside others", "mmpp": "an MMPP", "profile": "a profile"}
    form = traffic.arrivals.form
    return named.get(form, "at constant gaps" if form == "constant" else "a trace")


def patience_reasons(
    traffic: Traffic, name: str, fit: Fit, success: float, balancer: LoadBalancer | None
) -> Iterator[str]:
    """Why those who leave, or try again, may change what is served or measured."""
    limits = [(key, getattr(traffic, key)) for key in ("timeout", "deadline")]
    for key, limit in limits:
        if limit is not None and (share := fit.beyond(float(limit) / NS)) > NEGLIGIBLE:
            yield f"the {key} of {name}, {limit}, may cut off up to {100 * share:.2g} % of them"
    if fit.loss > 0.0 or success < 1.0:
        if traffic.retry is not None and traffic.retry.attempts > 1:
            yield f"{name} tries again what is rejected or fails"
        if traffic.circuit_breaker is not None:
            yield f"{name} has a circuit breaker, and something to open it"
    if balancer is None:
        return
    idle, check = balancer.idle_timeout, balancer.health_check
    if idle is not None and fit.beyond(float(idle) / NS) > NEGLIGIBLE:
        yield f"the idle timeout of its balancer, {idle}, may cut answers off"
    if check is not None and fit.beyond(float(check.timeout) / NS) > NEGLIGIBLE:
        yield f"health checks wait in line too, and may fail after {check.timeout}"
