"""A scenario in words: what would run."""

from collections.abc import Iterator

from nephoscope.report.queue_words import (
    bus_words,
    change_words,
    consumes_words,
    event_words,
    pipe_words,
    publish_words,
    put_words,
    queue_words,
    replay_words,
    send_words,
    topic_words,
)
from nephoscope.report.resilience_words import resilience_words
from nephoscope.report.scaling_words import membership_words, scaling_words
from nephoscope.scenario import Scenario
from nephoscope.scenario.language.arrivals import Arrivals
from nephoscope.scenario.language.balancer import LoadBalancer
from nephoscope.scenario.language.devices import DiskStep, GpuStep
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.faults import Fault
from nephoscope.scenario.language.fields import date_time_text
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.instance_type import InstanceType
from nephoscope.scenario.language.life import Action, Leaving
from nephoscope.scenario.language.provider import Provider
from nephoscope.scenario.language.scaling import Bounds
from nephoscope.scenario.language.service import Service, Step
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.units import Duration


def describe(scenario: Scenario) -> Iterator[str]:
    """The lines that `nephoscope check` prints."""
    warmup = "found by a pilot run" if scenario.warmup == "auto" else str(scenario.warmup)
    yield f"{scenario.name}: {scenario.duration} with a warm-up of {warmup}, seed {scenario.seed}"
    yield f"  begins on {scenario.start:%A}, {date_time_text(scenario.start)}"
    yield from _provider(scenario.provider)
    yield from section("traffic", (_traffic(n, t) for n, t in scenario.traffic.items()))
    yield from section("load balancers", _balancers(scenario))
    yield from section("hosts", _hosts(scenario))
    yield from section("queues", queue_words(scenario))
    yield from section("topics", topic_words(scenario))
    yield from section("buses", bus_words(scenario))
    yield from section("pipes", pipe_words(scenario))
    yield from section("fleets", _fleets(scenario))
    yield from section("actions", _actions(scenario))
    yield from section("faults", _faults(scenario))
    yield from section("accounts", _accounts(scenario))
    yield from section("services", (_service(n, s) for n, s in scenario.services.items()))


def _provider(provider: Provider) -> Iterator[str]:
    """Where it is and what counts there, if anything was told."""
    if provider == Provider():
        return
    quotas = "with its quotas" if provider.enforced else "without quotas"
    free = ", less what is free in a month" if provider.free_tier else ""
    used = 0 if provider.used is None else provider.used.queue_requests
    before = f", after {used:,} requests of queues" if used else ""
    yield f"  in {provider.region} {quotas}{free}{before}"


def section(title: str, lines: Iterator[str]) -> Iterator[str]:
    """A title and the lines under it; nothing where there are none."""
    for i, line in enumerate(lines):
        if i == 0:
            yield title
        yield f"  {line}"


def _traffic(name: str, traffic: Traffic) -> str:
    parts = [f"{name}: {_arrivals(traffic.arrivals, traffic)} to {traffic.to}"]
    if traffic.group is not None:
        parts.append(f"group {traffic.group}")
    if words := event_words(traffic):
        parts.append(words.removeprefix(", "))
    if traffic.clients is not None:
        law = traffic.clients.popularity
        zipf = f", zipf {law.zipf:g}" if law.zipf is not None else ""
        parts.append(f"{traffic.clients.count:,} clients{zipf}")
    if traffic.timeout is not None:
        parts.append(f"timeout {traffic.timeout} ({traffic.on_timeout})")
    return ", ".join([*parts, *resilience_words(traffic)])


def _arrivals(arrivals: Arrivals, traffic: Traffic) -> str:
    if arrivals.mmpp is not None:
        return f"mmpp of {len(arrivals.mmpp.rates)} states"
    if arrivals.profile is not None:
        rates = [rate for _, rate in arrivals.profile]
        return f"a profile of {min(rates)} to {max(rates)}"
    if arrivals.trace is not None:
        return f"the trace {arrivals.trace.file}"
    if arrivals.closed is not None:
        patience = arrivals.closed.give_up
        leave = f" and leave after {patience:,} requests in vain" if patience is not None else ""
        return f"{arrivals.closed.users:,} users who think {_law(arrivals.closed.think)}{leave}"
    return f"{arrivals.form} {traffic.rate}"


def _balancers(scenario: Scenario) -> Iterator[str]:
    for name, balancer in scenario.load_balancers.items():
        targets = [
            t.fleet if t.weight == 1 else f"{t.fleet} (weight {t.weight:g})"
            for t in balancer.all_targets
        ]
        count = sum(scenario.fleets[target.fleet].first for target in balancer.all_targets)
        over = f"{count:,} instances of {', '.join(targets)}"
        yield f"{name}: {', '.join([f'{balancer.routing.form} over {over}', *_manners(balancer)])}"


def _manners(balancer: LoadBalancer) -> Iterator[str]:
    """What a balancer does besides choosing."""
    if balancer.listener_of is not None:
        yield f"a listener of {balancer.listener_of}"
    if balancer.groups is not None:
        weights = ", ".join(f"{name} {group.weight}" for name, group in balancer.groups.items())
        yield f"groups by weight ({weights})"
    if not balancer.cross_zone:
        yield "each zone by itself"
    if balancer.health_check is not None:
        yield f"checked every {balancer.health_check.interval}"
    if balancer.slow_start is not None:
        yield f"slow start of {balancer.slow_start}"
    if balancer.stickiness is not None:
        of = "" if balancer.stickiness.application is None else " of the application"
        yield f"cookies{of} for {balancer.stickiness.lives}"
    if balancer.group_stickiness is not None:
        yield f"cookies of groups for {balancer.group_stickiness}"
    if balancer.routing.mitigates:
        yield "anomaly mitigation"
    if balancer.nodes > 1:
        yield f"{balancer.nodes} nodes"
    if balancer.capacity is not None:
        yield f"capacity of {balancer.capacity.start} to begin with"
        if balancer.capacity.wait is not None:
            yield f"{balancer.capacity.wait} to wait for it"
    if balancer.connections is not None:
        yield f"connections kept for {balancer.connections.keep_alive}"
    if balancer.errors is not None and balancer.errors.by_code:
        shares = (f"{code} to {share:.4g}" for code, share in balancer.errors.by_code.items())
        yield f"answers by itself {', '.join(shares)} of what comes"
    if balancer.split_requests is not None:
        split = balancer.split_requests
        yield f"{split.share:.4g} of what comes counts as {split.into}"
    if balancer.surge_queue is not None:
        yield f"surge queue of {balancer.surge_queue:,}"
    if balancer.idle_timeout is not None:
        yield f"idle timeout of {balancer.idle_timeout}"
    if balancer.connect_timeout is not None:
        yield f"{balancer.connect_timeout} to connect"
    if balancer.dns_ttl is not None:
        yield f"answers of the DNS kept for {balancer.dns_ttl}"


def _hosts(scenario: Scenario) -> Iterator[str]:
    for name, hosts in scenario.hosts.items():
        kind = hosts.type
        known = f"{kind.type}, " if kind.type is not None else ""
        yield (
            f"{name}: {hosts.count:,} x {known}{kind.threads} threads at {kind.clock:g} GHz and "
            f"{kind.memory}, shared by {hosts.scheduler}, {hosts.cpu_overcommit:g} vCPUs a thread"
        )


def _fleets(scenario: Scenario) -> Iterator[str]:
    for name, fleet in scenario.fleets.items():
        kinds = " or ".join(_machine(kind) for kind in (fleet.instance_type, *fleet.other_types))
        machines = f"{_count(fleet)} x {kinds}"
        renewed = "" if fleet.refresh is None else f", renewed from {fleet.refresh.at} on"
        for make in fleet.makes[len(fleet.makes_at_once) :]:
            renewed += f" as {_machine(make.instance_type)} with {make.os}"
        size = scaling_words(fleet) + membership_words(fleet)
        parts = (_purchase(fleet), _tenant(fleet), size, renewed)
        yield f"{name}: {machines}, running {fleet.service}{''.join(parts)}"


def _count(fleet: Fleet) -> str:
    bounds = fleet.count
    if not isinstance(bounds, Bounds):
        return f"{bounds:,}"
    return f"{bounds.first:,} ({bounds.min:,} to {bounds.max:,})"


def _purchase(fleet: Fleet) -> str:
    spot = fleet.purchase.spot
    words = "" if fleet.allocation is None else f", allocation {fleet.allocation}"
    if spot is None:
        return words
    mixed = words
    if spot.mixed:
        mixed += f", {spot.on_demand_base:,} and {spot.on_demand_share}% above on demand"
    if spot.prices is not None:
        usd = [usd for _, usd in spot.prices]
        mixed += f", at ${min(usd):g} to ${max(usd):g} an hour"
    if not fleet.interrupted:
        return f"{mixed}, on spot, never interrupted"
    end = {"terminate": "terminated", "stop": "stopped", "hibernate": "hibernated"}[spot.behaviour]
    early = ", replaced before" if spot.rebalance else ""
    causes = [] if spot.interruption is None else [f"after {_law(spot.interruption)}"]
    if not all(fleet.paid):
        most = "the on-demand price" if spot.max_price is None else f"${spot.max_price:g}"
        causes.append(f"at more than {most}")
    return f"{mixed}, on spot, {end} {' or '.join(causes)}{early}"


def action_words(action: Action) -> str:
    """What an operator does."""
    if action.replay is not None:
        return replay_words(action.replay, action.at)
    if action.redrive is not None:
        to = "" if action.redrive.to is None else f" to {action.redrive.to}"
        return f"redrive {action.redrive.queue}{to}, {action.redrive.rate}"
    if action.purge is not None:
        lasts = f", which lasts {action.purge.lasts}" if action.purge.lasts else ""
        return f"purge {action.purge.queue}{lasts}"
    if action.change is not None:
        return change_words(action.change)
    assert action.transition is not None
    kind, which = action.transition
    count = "all" if which.count is None else f"{which.count:,}"
    words = {"in_service": "back in service"}.get(kind, kind)
    instead = ", to be replaced" if isinstance(which, Leaving) and which.replaced else ""
    return f"{words} {count} of {which.fleet}{instead}"


def _actions(scenario: Scenario) -> Iterator[str]:
    for action in sorted(scenario.actions, key=lambda it: it.at):
        late = ", which is after the end" if action.at >= scenario.duration else ""
        yield f"at {action.at}: {action_words(action)}{late}"


def _faults(scenario: Scenario) -> Iterator[str]:
    for fault in scenario.faults:
        when = f"every {_law(fault.every)}" if fault.every is not None else f"at {fault.at}"
        yield f"{when}: {fault_words(fault)}"


def fault_words(fault: Fault) -> str:
    """What fails and for how long, not when."""
    lasting = "" if fault.lasting is None else f" for {_law(fault.lasting)}"
    where = fault.where
    place = f"{where.scope} {where.name}"
    if where.fleet is not None:
        place = f"{where.count or 1:,} of {where.name}"
    elif where.index is not None:
        place = f"{where.scope} {where.index} of {where.name}"
    elif where.zone is None:
        place = f"a {where.scope} of {where.name}"
    return f"{fault.kind.replace('_', ' ')} {place}{lasting}"


def _accounts(scenario: Scenario) -> Iterator[str]:
    for name, account in scenario.accounts.items():
        parts = []
        for words, limits in (("vCPUs", account.vcpus), ("spot vCPUs", account.spot_vcpus)):
            known = [(group, most) for group, most in limits or () if most is not None]
            parts += [f"at most {most:,} {words} ({group})" for group, most in known]
        if account.api is not None:
            api = account.api
            parts.append(
                f"{api.instances:,} launches at once, then {api.instances_per_s:,} a second"
            )
        yield f"{name}: {', '.join(parts) or 'no limits'}"


def _tenant(fleet: Fleet) -> str:
    """Where its instances are, and what they may take there."""
    parts = [] if fleet.hosts is None else [f"on {fleet.hosts}"]
    if fleet.weight is not None:
        parts.append(f"weight {fleet.weight:g}")
    if fleet.reservation is not None:
        parts.append(f"{fleet.reservation:g} vCPUs reserved")
    if fleet.cap is not None:
        parts.append(f"at most {Duration(fleet.cap.quota_ns)} of vCPU time in {fleet.cap.period}")
    return "".join(f", {part}" for part in parts)


def _machine(kind: InstanceType) -> str:
    speed = f" at speed {kind.speed:g}" if kind.speed != 1 else ""
    measures = f"{kind.vcpus} vCPU{'s' if kind.vcpus > 1 else ''}{speed}, {kind.memory}"
    return measures if kind.type is None else f"{kind.type} ({measures})"


def _service(name: str, service: Service) -> str:
    workers = f", {service.concurrency} workers" if service.concurrency is not None else ""
    backlog = f", backlog {service.backlog:,}" if service.backlog is not None else ""
    steps = "; ".join(_step(step) for step in service.steps)
    manner = f"{service.discipline}{workers}{backlog}{_admission(service)}"
    return f"{name}: {manner}{consumes_words(service)}: {steps}"


def _admission(service: Service) -> str:
    limit, shed = service.rate_limit, service.shed
    words = [] if limit is None else [f"{limit.rate} with bursts of {limit.burst:,}"]
    if shed is not None and shed.in_flight is not None:
        words.append(f"{shed.in_flight:,} in flight")
    if shed is not None and shed.queue_delay is not None:
        words.append(f"a wait of {shed.queue_delay}")
    return f", at most {' and '.join(words)}" if words else ""


def _step(step: Step) -> str:
    if step.call is not None:
        limit = f" for at most {step.call.timeout}" if step.call.timeout is not None else ""
        return ", ".join([f"call {step.call.to}{limit}", *resilience_words(step.call)])
    if step.send is not None:
        return send_words(step.send)
    if step.publish is not None:
        return publish_words(step.publish)
    if step.put is not None:
        return put_words(step.put)
    if step.choose is not None:
        total = sum(branch.weight for branch in step.choose)
        return "choose " + " or ".join(
            f"({branch.weight / total:.3g}: {'; '.join(map(_step, branch.steps))})"
            for branch in step.choose
        )
    if step.fail is not None:
        return f"fail with probability {step.fail:g}"
    if step.network is not None:
        received = " received" if step.network.direction == "in" else ""
        return f"network {step.network.bytes}{received}"
    if step.disk is not None:
        return f"disk {_disk(step.disk)}"
    if step.gpu is not None:
        return f"gpu {_gpu(step.gpu)}"
    asked = step.options
    return f"{step.form} {_law(asked) if isinstance(asked, Distribution) else asked}"


def _disk(step: DiskStep) -> str:
    parts = [] if step.bytes is None else [str(step.bytes)]
    if step.ops is not None:
        parts.append(f"{step.ops:,} operation{'s' if step.ops > 1 else ''}")
    return " and ".join(parts)


def _gpu(step: GpuStep) -> str:
    if step.batch == 1:
        return _law(step.work)
    further = f"each further one adding {step.marginal:.3g} of it"
    return f"{_law(step.work)}, up to {step.batch:,} at once, {further}"


def _law(law: Distribution) -> str:
    if law.constant is not None:
        return str(law.constant)
    if law.exponential is not None:
        return f"exponential {law.exponential}"
    if law.uniform is not None:
        return f"uniform {law.uniform.min} to {law.uniform.max}"
    if law.replay is not None:
        return f"from {law.replay.file}"
    mean = getattr(law.options, "mean", None)
    return law.form if mean is None else f"{law.form} {mean}"
