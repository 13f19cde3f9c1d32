"""A scenario as the core takes it: names become indices, quantities plain numbers."""

from collections.abc import Iterable

from nephoscope import _core
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.language.arrivals import Arrivals
from nephoscope.scenario.language.balancer import LoadBalancer, Target
from nephoscope.scenario.language.bus import Put
from nephoscope.scenario.language.devices import DiskStep, GpuStep, NetworkStep
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.propagation import Propagation
from nephoscope.scenario.language.queue import NamedQueue, Send
from nephoscope.scenario.language.resilience import Retry
from nephoscope.scenario.language.service import Call, Service, Step
from nephoscope.scenario.language.topic import Publish
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.specs.bus import Buses
from nephoscope.scenario.specs.clients import breaker_spec, budget_spec, client_spec
from nephoscope.scenario.specs.distribution import distribution_spec
from nephoscope.scenario.specs.faults import fault_spec, health_spec
from nephoscope.scenario.specs.life import Lives
from nephoscope.scenario.specs.membership import allocation_spec, membership_spec
from nephoscope.scenario.specs.pipe import Pipes
from nephoscope.scenario.specs.places import Places
from nephoscope.scenario.specs.provider import fifo_queue_calls, message_quotas
from nephoscope.scenario.specs.queue import Groups, consume_spec, queue_rules
from nephoscope.scenario.specs.queue_actions import queue_actions
from nephoscope.scenario.specs.routing import reception_spec, routing_spec
from nephoscope.scenario.specs.scaling import Lateness, scaling_spec
from nephoscope.scenario.specs.service import admission_rules, refresh_spec
from nephoscope.scenario.specs.topic import Events, Topics, number_all_made
from nephoscope.scenario.units import Size

# Intervals of the series when the scenario leaves them to us. At the end of each every instance is
# looked at, which of very many takes a good part of a run.
AUTO_INTERVALS = 240
AUTO_INTERVALS_OF_MANY = 60
MANY_INSTANCES = 10_000

NS_PER_S = 1e9

# Steps that send a message, whatever takes it.
_SENDS = {"publish": "send", "put": "send"}

# In place of the rules of a caller that sends its requests once.
SENT_ONCE = 2**32 - 1


def compile_scenario(
    scenario: Scenario, *, seed: int, replication: int = 0, warmup_ns: int | None = None
) -> _core.WorldSpec:
    """The spec of one run; `warmup_ns` stands in for a warm-up of `auto`."""
    return _Compiler(scenario).world(seed, replication, warmup_ns)


def make_spec(scenario: Scenario, name: str, fleet: Fleet) -> _core.FleetSpec:
    """What the instances of a fleet of the scenario are when it is this one."""
    return _Compiler(scenario).make(name, fleet)


class _Compiler:
    """The indices of one scenario's names, and the specs of its parts."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._files = scenario.files
        self._services = _indices(scenario.services)
        self._fleets = _indices(scenario.fleets)
        self._balancers = _indices(scenario.load_balancers)
        self._queues = _indices(scenario.queues)
        self._topics = _indices(scenario.topics)
        self._buses = _indices(scenario.buses)
        self._groups = Groups()
        self._events = Events()
        self._places = Places(scenario)
        self._rules: list[_core.resilience.ResilienceSpec] = []
        self._lives = Lives(scenario, self._law)

    def world(self, seed: int, replication: int, warmup_ns: int | None) -> _core.WorldSpec:
        scenario = self._scenario
        spec = _core.WorldSpec()
        spec.seed, spec.replication = self._key = seed, replication
        spec.duration_ns = int(scenario.duration)
        if warmup_ns is None:
            assert scenario.warmup != "auto", "a pilot run decides an automatic warm-up"
            warmup_ns = int(scenario.warmup)
        spec.warmup_ns = warmup_ns
        spec.series_ns = self._interval_ns()
        traffic = [self._traffic(name, t) for name, t in scenario.traffic.items()]
        spec.traces = scenario.traces
        spec.services = [self._service(name, s) for name, s in scenario.services.items()]
        spec.hosts = self._places.pools()
        spec.groups = self._places.groups()
        spec.fleets = [self._fleet(name, f) for name, f in scenario.fleets.items()]
        spec.balancers = [self._balancer(n, b) for n, b in scenario.load_balancers.items()]
        spec.queues = [self._queue(name, queue) for name, queue in scenario.queues.items()]
        # Last: all that can be said has been met, but for what schedules say and inputs make of it.
        late = Propagation(self._law, seed, replication)
        buses = Buses(scenario, self._events, self._destination, self._groups, late)
        spec.traffic = traffic + buses.schedules()
        topics = Topics(scenario.topics, scenario.provider, self._events, self._destination, late)
        pipes = Pipes(scenario, self._events, self._destination, self._groups)
        number_all_made(self._events, [topics, pipes, buses])
        spec.topics = topics.specs()
        spec.buses, spec.replays = buses.specs(), buses.replays()
        spec.pipes = pipes.specs()
        spec.queue_actions = queue_actions(scenario, self._queues, late)
        spec.resilience = self._rules
        spec.message_quotas = message_quotas(scenario.provider)
        spec.quotas = self._lives.quotas()
        spec.apis = self._lives.apis()
        spec.actions = self._lives.actions()
        spec.faults = [fault_spec(fault, self._number, self._law) for fault in scenario.faults]
        return spec

    def _number(self, scope: str, name: str) -> int:
        return self._fleets[name] if scope == "fleet" else self._places.number(scope, name)

    def _interval_ns(self) -> int:
        series = self._scenario.series
        if series == "none":
            return 0
        if series == "auto":
            instances = sum(fleet.first for fleet in self._scenario.fleets.values())
            many = instances > MANY_INSTANCES
            intervals = AUTO_INTERVALS_OF_MANY if many else AUTO_INTERVALS
            return max(int(self._scenario.duration) // intervals, 1)
        return int(series)

    def _traffic(self, name: str, traffic: Traffic) -> _core.TrafficSpec:
        spec = _core.TrafficSpec()
        spec.name = name
        spec.to = self._destination(traffic.to)
        spec.arrivals = arrival_spec(traffic, self._files)
        spec.clients = client_spec(traffic.clients)
        spec.timeout_ns = int(traffic.timeout or 0)
        spec.on_timeout = _core.OnTimeout[traffic.on_timeout]
        spec.resilience = self._resilience(traffic)
        spec.group = self._groups.number(traffic.group)
        trace = traffic.arrivals.trace
        if trace is not None and trace.says:
            spec.says = self._events.of_rows(self._files.said(trace))
        else:
            spec.says = self._events.choice(traffic.event, traffic.attributes)
        return spec

    def _queue(self, name: str, queue: NamedQueue) -> _core.queues.WorldQueueSpec:
        spec = _core.queues.WorldQueueSpec()
        spec.name = name
        spec.rules = queue_rules(queue, fifo_queue_calls(self._scenario.provider))
        if queue.dead_letter is not None:
            spec.dead_letter = self._queues[queue.dead_letter.queue]
            spec.rules.max_receives = queue.dead_letter.max_receives
        return spec

    def _service(self, name: str, service: Service) -> _core.ServiceSpec:
        spec = _core.ServiceSpec()
        spec.name = name
        spec.processor_sharing = service.discipline == "ps"
        spec.concurrency = service.concurrency or 0
        spec.backlog = -1 if service.backlog is None else service.backlog
        spec.admission = admission_rules(service)
        if (consumes := service.consumes) is not None:
            queue = self._scenario.queues[consumes.queue]
            spec.consumes = consume_spec(consumes, self._queues[consumes.queue], queue)
        spec.steps = [self._step(step) for step in service.steps]
        return spec

    def _step(self, step: Step) -> _core.StepSpec:
        spec = _core.StepSpec()
        spec.kind = _core.StepKind[_SENDS.get(step.form, step.form)]
        match step.options:
            case Distribution() as demand:
                spec.demand = distribution_spec(demand, self._files)
            case Call() as call:
                spec.to = self._destination(call.to)
                spec.timeout_ns = int(call.timeout or 0)
                spec.resilience = self._resilience(call)
            case Send() as send:
                spec.to = self._destination(send.to)
                spec.group = self._groups.number(send.group)
                spec.delay_ns = -1 if send.delay is None else int(send.delay)
                spec.batch = send.batch
                spec.says = self._events.choice(send.event, send.attributes)
            case Publish() as publish:
                spec.to = self._destination(publish.to)
                spec.group = self._groups.number(publish.group)
                spec.batch = publish.batch
                spec.says = self._events.choice(publish.event, publish.attributes)
            case Put() as put:
                spec.to = self._destination(put.to)
                spec.batch = put.batch
                spec.says = self._events.choice(put.event, None)
            case tuple() as branches:
                spec.weights = [branch.weight for branch in branches]
                spec.branches = [[self._step(s) for s in branch.steps] for branch in branches]
            case NetworkStep() as network:
                spec.bytes, spec.inward = int(network.bytes), network.direction == "in"
            case Size() as size:
                spec.bytes = int(size)
            case DiskStep() as disk:
                spec.bytes = int(disk.bytes or 0)
                spec.ops = disk.ops or 0
            case GpuStep() as gpu:
                spec.demand = distribution_spec(gpu.work, self._files)
                spec.batch = gpu.batch
                spec.marginal = gpu.marginal
            case float() as probability:
                spec.probability = probability
        return spec

    def _law(self, law: Distribution) -> _core.Distribution:
        return distribution_spec(law, self._files)

    def _resilience(self, caller: Traffic | Call) -> int:
        """Where the rules of a caller are in the list of all, or that it has none."""
        rules = (caller.retry, caller.deadline, caller.circuit_breaker, caller.hedge)
        if rules == (None,) * len(rules):
            return SENT_ONCE
        spec = _core.resilience.ResilienceSpec()
        spec.deadline_ns = int(caller.deadline or 0)
        spec.hedge_ns = int(caller.hedge.after) if caller.hedge is not None else 0
        if caller.retry is not None:
            spec.attempts = caller.retry.attempts
            spec.backoff = backoff_spec(caller.retry, self._files)
            spec.budget = budget_spec(caller.retry.budget)
        if caller.circuit_breaker is not None:
            spec.breaker = breaker_spec(caller.circuit_breaker)
        self._rules.append(spec)
        return len(self._rules) - 1

    def _fleet(self, name: str, fleet: Fleet) -> _core.FleetSpec:
        spec, *makes = [self.make(name, make) for make in fleet.makes]
        duration_ns = int(self._scenario.duration)
        late = Lateness(self._law, *self._key, name)
        spec.scaling = scaling_spec(fleet, self._scenario.start, duration_ns, self._queues, late)
        spec.makes = makes
        spec.allocation = allocation_spec(fleet)
        if fleet.refresh is not None:
            spec.refresh = refresh_spec(fleet.refresh, fleet)
            if fleet.refresh.to is not None:
                spec.refresh.make = len(makes)
        return spec

    def make(self, name: str, fleet: Fleet) -> _core.FleetSpec:
        """What the instances of a fleet are."""
        spec = _core.FleetSpec()
        spec.name = name
        spec.service = self._services[fleet.service]
        spec.count = fleet.first
        spec.vcpus = fleet.instance_type.vcpus
        spec.speed = fleet.instance_type.speed
        self._places.fill(spec, fleet)
        self._lives.fill(spec, fleet)
        spec.membership = membership_spec(fleet, self._law)
        return spec

    def _balancer(self, name: str, balancer: LoadBalancer) -> _core.balancers.BalancerSpec:
        spec = _core.balancers.BalancerSpec()
        spec.name = name
        spec.routing = routing_spec(balancer.routing)
        if balancer.health_check is not None:
            spec.health = health_spec(balancer.health_check)
        spec.drain_ns = int(balancer.deregistration_delay)
        spec.metered = balancer.type != "none"
        if balancer.targets is not None:
            spec.targets = self._targets(balancer.targets)
        targets = []
        groups = []
        for i, (group_name, group) in enumerate((balancer.groups or {}).items()):
            part = _core.balancers.TargetGroupSpec()
            part.name, part.weight = group_name, group.weight
            groups.append(part)
            targets += self._targets(group.targets, i)
        if groups:
            spec.targets, spec.groups = targets, groups
        spec.cross_zone = balancer.cross_zone
        spec.slow_start_ns = int(balancer.slow_start or 0)
        if balancer.stickiness is not None:
            spec.stickiness_ns = int(balancer.stickiness.lives)
            spec.application_cookie = balancer.stickiness.application is not None
            spec.cookie_renewed = balancer.stickiness.renewed
        reception_spec(spec, balancer)
        spec.nodes = balancer.nodes
        spec.surge_queue = balancer.surge_queue or 0
        spec.idle_timeout_ns = int(balancer.idle_timeout or 0)
        spec.connect_timeout_ns = int(balancer.connect_timeout or 0)
        spec.dns_ttl_ns = int(balancer.dns_ttl or 0)
        spec.group_stickiness_ns = int(balancer.group_stickiness or 0)
        if balancer.listener_of is not None:
            spec.listener_of = self._balancers[balancer.listener_of]
        return spec

    def _targets(
        self, targets: Iterable[Target], group: int = 0
    ) -> list[_core.balancers.TargetSpec]:
        parts = []
        for target in targets:
            part = _core.balancers.TargetSpec()
            part.fleet = self._fleets[target.fleet]
            part.weight = target.weight
            part.group = group
            parts.append(part)
        return parts

    def _destination(self, name: str) -> _core.Destination:
        spec = _core.Destination()
        if name in self._balancers:
            spec.kind = _core.DestinationKind.balancer
            spec.index = self._balancers[name]
        elif name in self._queues:
            spec.kind = _core.DestinationKind.queue
            spec.index = self._queues[name]
        elif name in self._topics:
            spec.kind = _core.DestinationKind.topic
            spec.index = self._topics[name]
        elif name in self._buses:
            spec.kind = _core.DestinationKind.bus
            spec.index = self._buses[name]
        else:
            spec.kind = _core.DestinationKind.fleet
            spec.index = self._fleets[name]
        return spec


def backoff_spec(retry: Retry, files: DataFiles) -> _core.resilience.BackoffSpec:
    """The waits of a caller as the core takes them."""
    spec = _core.resilience.BackoffSpec()
    backoff = retry.backoff
    spec.jitter = _core.resilience.Jitter[retry.jitter]
    if backoff.fixed is not None:
        spec.law = distribution_spec(backoff.fixed, files)
    elif backoff.exponential is not None:
        spec.kind = _core.resilience.BackoffKind.exponential
        spec.base_ns = int(backoff.exponential.base)
        spec.cap_ns = int(backoff.exponential.cap or 0)
    return spec


def arrival_spec(traffic: Traffic, files: DataFiles) -> _core.ArrivalSpec:
    """The arrivals of a source of traffic as the core takes them."""
    arrivals: Arrivals = traffic.arrivals
    spec = _core.ArrivalSpec()
    kind = arrivals.form
    if traffic.rate is not None:
        spec.rate = float(traffic.rate)
    elif arrivals.mmpp is not None:
        spec.rates = [float(rate) for rate in arrivals.mmpp.rates]
        spec.mean_stay_ns = [float(stay) for stay in arrivals.mmpp.mean_stay]
    elif arrivals.profile is not None:
        spec.times_ns = [int(time) for time, _ in arrivals.profile]
        spec.rates = [float(rate) for _, rate in arrivals.profile]
    elif arrivals.closed is not None:
        spec.users = arrivals.closed.users
        spec.think = distribution_spec(arrivals.closed.think, files)
        spec.give_up = arrivals.closed.give_up or 0
    elif arrivals.trace is not None and arrivals.trace.column is not None:
        kind = "instants"
        spec.times_ns = files.instants_ns(arrivals.trace)
    elif arrivals.trace is not None:
        kind = "counts"
        spec.times_ns, spec.counts = files.counts_of(arrivals.trace)
    spec.kind = _core.ArrivalKind[kind]
    return spec


def _indices(names: Iterable[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names)}
