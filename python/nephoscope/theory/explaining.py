"""Which theory has an answer for each part of a scenario, and which answer."""

from dataclasses import dataclass

from nephoscope.scenario import Scenario
from nephoscope.scenario.language.balancer import LoadBalancer, Routing
from nephoscope.scenario.language.service import all_steps
from nephoscope.theory.answer import Answer, Figure, Fit, Load, QueueLoad
from nephoscope.theory.closed_stations import closed_fit
from nephoscope.theory.conditions import (
    arrival_reasons,
    balancer_reasons,
    fleet_reasons,
    patience_reasons,
    program_reasons,
)
from nephoscope.theory.farms import farm_fit
from nephoscope.theory.figures import latencies, run_notes
from nephoscope.theory.flows import Flows, flows_of
from nephoscope.theory.loads import account_limits, fleet_loads, queue_loads
from nephoscope.theory.moments import law_of
from nephoscope.theory.queue_stations import queue_answer
from nephoscope.theory.stations import Station, fit_of, station_of

# A chain of queues that is longer is not followed to its beginning.
_TRAIL_MAX = 50


@dataclass(frozen=True)
class Explanation:
    """Of a scenario: what its parts carry, and what theory says of them."""

    loads: tuple[Load, ...]
    queues: tuple[QueueLoad, ...]
    answers: tuple[Answer, ...]
    """One for each fleet, in the order of the scenario."""
    flows: Flows
    """The rates that all of it is made from."""

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)


def explain(scenario: Scenario) -> Explanation:
    """All that can be said of a scenario without running it."""
    flows = flows_of(scenario)
    return Explanation(
        tuple(fleet_loads(scenario, flows)),
        tuple(queue_loads(scenario, flows)),
        tuple(_answer(scenario, flows, name) for name in scenario.fleets),
        flows,
    )


def _answer(
    scenario: Scenario, flows: Flows, name: str, trail: frozenset[str] = frozenset()
) -> Answer:
    """The model of a fleet, or every reason against one that is known.

    `trail` are the fleets that are looked at already, for the sake of those behind them.
    """
    part = f"fleets.{name}"
    fleet = scenario.fleets[name]
    ends = flows.feeders[name]
    service = scenario.services[fleet.service]
    if fleet.first == 0 or not ends or not sum(rate for _, rate in ends):
        return Answer(part, reasons=("nothing comes to it",))
    reasons = [*fleet_reasons(scenario, name), *program_reasons(flows.demands[name])]
    if account_limits(scenario, name):
        reasons.append("the limits of its account may refuse instances")
    station = station_of(fleet, service, flows.demands[name])
    if isinstance(station, str):
        reasons.append(station)
    if service.consumes is not None:
        trail |= {name}
        before = {path.partition(".")[2] for path, _ in flows.feeders[service.consumes.queue]}
        known = frozenset(
            it
            for it in before & scenario.fleets.keys() - trail
            if len(trail) < _TRAIL_MAX and _sends_poisson(scenario, flows, it, trail)
        )
        return queue_answer(scenario, flows, name, station, reasons, known)
    way = _way_in(scenario, flows, ends)
    if isinstance(way, str):
        return Answer(part, reasons=(*reasons, way))
    reasons += [] if way.balancer is None else balancer_reasons(way.balancer)
    closed = [it for it in way.traffic if scenario.traffic[it].arrivals.form == "closed"]
    if closed and len(way.traffic) == 1:
        traffic = scenario.traffic[closed[0]]
        reasons += [r for r in arrival_reasons(traffic, closed[0]) if "Poisson" not in r]
    else:
        reasons += [r for it in way.traffic for r in arrival_reasons(scenario.traffic[it], it)]
    if reasons or isinstance(station, str):
        return Answer(part, reasons=tuple(reasons))
    if closed:
        return _closed_answer(scenario, flows, name, station, way)
    rate = sum(rate for _, rate in ends)
    if way.balancer is None or way.targets == 1:
        fit = fit_of(station, rate)
    else:
        fit = farm_fit(station, rate, fleet.first, way.targets, way.balancer.routing)
    if isinstance(fit, str):
        return Answer(part, reasons=(fit,))
    return _told(scenario, flows, name, fit, way, rate)


def _sends_poisson(scenario: Scenario, flows: Flows, name: str, trail: frozenset[str]) -> bool:
    """Whether a fleet sends a message whenever a request leaves it, and these are Poisson."""
    last = scenario.services[scenario.fleets[name].service].steps[-1].send
    if (
        last is None
        or last.delay is not None
        or last.batch > 1
        or len(flows.demands[name].leads) != 1
    ):
        return False
    steps = scenario.services[scenario.fleets[name].service].steps
    if any(step.send is not None for step in all_steps(steps[:-1])):
        return False
    return _answer(scenario, flows, name, trail).poisson_out


@dataclass(frozen=True)
class _Way:
    """How requests come to a fleet: from traffic alone, or by one balancer."""

    traffic: tuple[str, ...]
    balancer: LoadBalancer | None
    targets: int
    """Instances that the balancer chooses from."""


def _way_in(scenario: Scenario, flows: Flows, ends: list[tuple[str, float]]) -> _Way | str:
    paths = [path for path, _ in ends]
    if len(paths) == 1 and paths[0].startswith("load_balancers."):
        name = paths[0].partition(".")[2]
        balancer = scenario.load_balancers[name]
        if balancer.listener_of is not None:
            capacity = scenario.load_balancers[balancer.listener_of].capacity
            balancer = balancer.model_copy(update={"capacity": capacity})
        targets = sum(scenario.fleets[it.fleet].first for it in balancer.all_targets)
        behind = [path for path, _ in flows.feeders[name]]
        if others := [path for path in behind if not path.startswith("traffic.")]:
            return _others(others)
        return _Way(tuple(path.partition(".")[2] for path in behind), balancer, targets)
    others = [path for path in paths if not path.startswith("traffic.")]
    if others and all(path.startswith("load_balancers.") for path in others):
        return "its requests come by several ways, of which each chooses for itself"
    if others:
        return _others(others)
    return _Way(tuple(path.partition(".")[2] for path in paths), None, 1)


def _others(paths: list[str]) -> str:
    names = ", ".join(path.partition(".")[2] for path in paths)
    return f"its requests come from {names}, and not as a Poisson process from outside"


def _closed_answer(
    scenario: Scenario, flows: Flows, name: str, station: Station, way: _Way
) -> Answer:
    part, (source,) = f"fleets.{name}", way.traffic
    traffic = scenario.traffic[source]
    closed = traffic.arrivals.closed
    assert closed is not None
    stations = 1 if way.balancer is None else way.targets
    routing = Routing.model_validate("random") if way.balancer is None else way.balancer.routing
    if stations > 1 and (routing.random is None or stations != scenario.fleets[name].first):
        words = routing.form.replace("_", " ")
        return Answer(part, reasons=(f"users are closed, under {words} over several instances",))
    if closed.give_up is not None and flows.demands[name].success < 1.0:
        return Answer(part, reasons=(f"users of {source} leave after failures (give_up)",))
    think = law_of(closed.think, scenario.files).m1
    found = closed_fit(station, closed.users, think, stations)
    if isinstance(found, str):
        return Answer(part, reasons=(found,))
    fit, through = found
    answer = _told(scenario, flows, name, fit, way, through)
    if answer.reasons:
        return answer
    sent = Figure(
        "requests", f"traffic.{source}.offered", through, through, unit="/s", over="measured_s"
    )
    return Answer(part, answer.model, answer.source, (sent, *answer.figures), notes=answer.notes)


def _told(scenario: Scenario, flows: Flows, name: str, fit: Fit, way: _Way, rate: float) -> Answer:
    """The figures of a model, unless those who leave or try again stand against it."""
    part, demand, fleet = f"fleets.{name}", flows.demands[name], scenario.fleets[name]
    reasons = [
        reason
        for it in way.traffic
        for reason in patience_reasons(scenario.traffic[it], it, fit, demand.success, way.balancer)
    ]
    if reasons:
        return Answer(part, reasons=tuple(dict.fromkeys(reasons)))
    busy = rate * (1.0 - fit.loss) * demand.compute / (fleet.first * fleet.instance_type.vcpus)
    figures = [*latencies(f"{part}.latency_s", fit)]
    if fit.loss:
        lost = Figure(
            "rejected",
            f"{part}.rejected",
            fit.loss,
            fit.loss,
            unit="share",
            over=f"{part}.requests",
        )
        figures.append(lost)
    figures.append(Figure("busy", f"{part}.utilization", busy, busy, unit="share"))
    stations = 1 if way.balancer is None else fleet.first
    notes = (*fit.notes, *run_notes(scenario, fit, stations))
    told = tuple(figures)
    return Answer(part, fit.model, fit.source, told, (), notes, poisson_out=fit.reversible)
