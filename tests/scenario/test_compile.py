"""A scenario reaches the core with every name resolved and every quantity in its unit."""

import pytest

from nephoscope import Scenario, _core
from nephoscope.scenario.compile import compile_scenario
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.specs.distribution import distribution_spec
from scenario.breaking import GOOD

SCENARIO = Scenario(**GOOD)


def test_what_callers_do_beyond_their_first_attempt():
    spec = compile_scenario(SCENARIO, seed=9)
    users, clerks = spec.traffic
    call = spec.services[0].steps[2]
    assert [users.resilience, call.resilience, clerks.resilience] == [0, 1, 2**32 - 1]
    rules, once_more = spec.resilience
    assert (rules.attempts, rules.deadline_ns, rules.hedge_ns) == (3, 10**10, 10**9)
    backoff, budget, breaker = rules.backoff, rules.budget, rules.breaker
    assert backoff.kind == _core.resilience.BackoffKind.exponential
    assert backoff.jitter == _core.resilience.Jitter.full
    assert (backoff.base_ns, backoff.cap_ns) == (50 * 10**6, 2 * 10**9)
    assert budget.limited
    assert (budget.share, budget.reserve, budget.per_second) == (0.1, 20, 1)
    assert (breaker.failures, breaker.failure_rate, breaker.window) == (50, 0.8, 200)
    assert (breaker.open_ns, breaker.probes) == (5 * 10**9, 3)
    # `attempts` alone: at once, without a limit.
    assert (once_more.attempts, once_more.backoff.law.mean) == (2, 0)
    assert (once_more.budget.limited, once_more.deadline_ns, once_more.hedge_ns) == (False, 0, 0)


def test_short_forms_are_the_long_ones():
    long = {"retry": {"attempts": 4, "budget": {"share": 0.2}}, "hedge": {"after": "1s"}}
    short = {"retry": {"attempts": 4, "budget": "20%"}, "hedge": "1s"}
    source = {"to": "web", "rate": "1/s"}
    one, other = (Traffic.model_validate(source | keys) for keys in (long, short))
    assert one == other
    assert Traffic.model_validate(source | {"retry": 3}).retry.attempts == 3


def test_the_good_scenario():
    spec = compile_scenario(SCENARIO, seed=9, replication=3)
    assert (spec.seed, spec.replication, spec.duration_ns, spec.warmup_ns) == (
        9,
        3,
        600 * 10**9,
        60 * 10**9,
    )
    assert spec.series_ns == 2_500_000_000
    assert [f.name for f in spec.fleets] == ["web", "db", "batch", "small"]
    assert [(f.service, f.count, f.vcpus, f.speed) for f in spec.fleets[:2]] == [
        (0, 3, 2, 1.5),
        (1, 2, 1, 1),
    ]
    page, query = spec.services
    assert (page.concurrency, page.backlog, page.processor_sharing) == (2, 10, False)
    assert (query.concurrency, query.backlog, query.processor_sharing) == (0, -1, True)
    kinds = [step.kind for step in page.steps]
    assert kinds == [_core.StepKind[kind] for kind in ("compute", "sleep", "call", "choose")]
    call, choose = page.steps[2:]
    assert (call.to.kind, call.to.index) == (_core.DestinationKind.balancer, 1)
    assert call.timeout_ns == 10**9
    assert choose.weights.tolist() == [1, 3]
    assert choose.branches[0][0].probability == 0.1
    assert (choose.branches[1][0].to.kind, choose.branches[1][0].to.index) == (
        _core.DestinationKind.fleet,
        1,
    )
    front, proxy = spec.balancers
    assert front.routing.kind == _core.routing.RoutingKind.least_connections
    assert [(t.fleet, t.weight) for t in proxy.targets] == [(1, 2)]
    users, clerks = spec.traffic
    assert (users.arrivals.kind, users.arrivals.rate) == (_core.ArrivalKind.poisson, 40)
    assert (users.clients.count, users.clients.zipf) == (100, 1.1)
    assert (users.timeout_ns, users.on_timeout) == (2 * 10**9, _core.OnTimeout.abandon)
    assert (clerks.arrivals.kind, clerks.arrivals.users) == (_core.ArrivalKind.closed, 3)
    assert clerks.arrivals.think.mean == 5e9
    assert (clerks.clients.count, clerks.timeout_ns) == (0, 0)


def test_types_of_the_catalogue():
    scenario = SCENARIO.replace({"fleets.web.instance_type": "c5.9xlarge"})
    web, db, *_ = compile_scenario(scenario, seed=0).fleets
    assert (web.vcpus, web.speed) == (36, 3.4 / 3.1)
    assert (db.vcpus, db.speed) == (1, 1)


@pytest.mark.parametrize(("series", "ns"), [("auto", 250_000_000), ("none", 0), ("7s", 7 * 10**9)])
def test_series(series, ns):
    scenario = SCENARIO.replace({"series": series, "duration": "1m", "warmup": "0s"})
    assert compile_scenario(scenario, seed=0).series_ns == ns


def test_series_of_many_instances():
    scenario = SCENARIO.replace({"series": "auto", "duration": "1m", "warmup": "0s"})
    there = sum(fleet.first for fleet in scenario.fleets.values())
    for count, ns in ((10_000, 250_000_000), (10_001, 10**9)):
        many = scenario.replace({"fleets.db.count": count - there + scenario.fleets["db"].first})
        assert compile_scenario(many, seed=0).series_ns == ns


def law(written):
    return distribution_spec(Distribution.model_validate(written), SCENARIO.files)


@pytest.mark.parametrize(
    ("written", "mean", "shape"),
    [
        ("5ms", 5e6, 0),
        ({"exponential": "5ms"}, 5e6, 0),
        ({"lognormal": {"mean": "5ms", "cv": 0.8}}, 5e6, 0.8),
        ({"gamma": {"mean": "5ms", "cv": 0.8}}, 5e6, 0.8),
        ({"erlang": {"mean": "5ms", "k": 4}}, 5e6, 4),
        ({"weibull": {"mean": "5ms", "shape": 0.5}}, 5e6, 0.5),
        ({"pareto": {"mean": "5ms", "shape": 2.5}}, 5e6, 2.5),
        ({"normal": {"mean": "5ms", "cv": 0.1}}, 5e6, 0.1),
    ],
)
def test_laws_of_mean_and_shape(written, mean, shape):
    spec = law(written)
    assert (spec.mean, spec.shape) == (mean, shape)


@pytest.mark.parametrize("cv", [1, 1.5, 4, 100, 1000])
def test_balanced_means(cv):
    spec = law({"hyperexponential": {"mean": "5ms", "cv": cv}})
    (p, q), (a, b) = spec.weights, spec.values
    assert p + q == pytest.approx(1, rel=1e-12)
    assert p * a == pytest.approx(q * b, rel=1e-12)
    assert p * a + q * b == pytest.approx(5e6, rel=1e-12)
    square = 2 * (p * a**2 + q * b**2) / 5e6**2 - 1
    assert square == pytest.approx(cv**2, rel=1e-9)


def test_laws_of_values():
    assert law({"uniform": {"min": "1ms", "max": "2ms"}}).values.tolist() == [1e6, 2e6]
    spec = law({"hyperexponential": {"probabilities": [0.2, 0.8], "means": ["1ms", "2ms"]}})
    assert (spec.values.tolist(), spec.weights.tolist()) == ([1e6, 2e6], [0.2, 0.8])
    spec = law({"empirical": {"values": ["1ms", "2ms"], "weights": [3, 1]}})
    assert (spec.values.tolist(), spec.weights.tolist()) == ([1e6, 2e6], [3, 1])


@pytest.mark.parametrize(
    "written",
    [
        {"lognormal": {"mean": "1ns", "cv": 1000}},
        {"lognormal": {"mean": "10000d", "cv": 1e-9}},
        {"gamma": {"mean": "1ns", "cv": 1000}},
        {"gamma": {"mean": "10000d", "cv": 1e-6}},
        {"erlang": {"mean": "1ns", "k": 10000}},
        {"weibull": {"mean": "1ns", "shape": 0.05}},
        {"weibull": {"mean": "10000d", "shape": 1000}},
        {"pareto": {"mean": "10000d", "shape": 1.000001}},
        {"pareto": {"mean": "1ns", "shape": 1000}},
        {"normal": {"mean": "10000d", "cv": 1000}},
        {"hyperexponential": {"mean": "10000d", "cv": 1000}},
        {"uniform": {"min": "0s", "max": "0s"}},
    ],
)
def test_what_the_loader_allows_the_core_takes(written):
    scenario = SCENARIO.replace({"services.page.steps.0.compute": written, "duration": "2m"})
    result = scenario.run()
    assert result["traffic.users.offered"] > 0


def test_hosts_and_what_fleets_say_of_them():
    spec = compile_scenario(SCENARIO, seed=0)
    (hall,), (apart,) = spec.hosts, spec.groups
    _, _, batch, small = spec.fleets
    facts = hall.facts
    assert (hall.name, facts.count, facts.racks, facts.zones.tolist()) == ("hall", 2, 3, [0, 1])
    assert (facts.host.cores, facts.host.threads_per_core, facts.host.smt_gain) == (4, 2, 0.3)
    assert (facts.memory, facts.cpu_overcommit) == (64 * 2**30, 2.0)
    assert (facts.scheduler.kind.name, facts.place.name) == ("fluid", "spread")
    assert (apart.name, apart.strategy.name, apart.partitions) == ("apart", "partition", 3)
    assert (batch.hosts, batch.group, batch.zones, batch.account) == (0, 0, 0b10, 1)
    assert (batch.weight, batch.reservation, batch.tenancy.name) == (512.0, 0.5, "dedicated")
    assert (batch.quota_ns, batch.period_ns) == (30_000_000, 100_000_000)
    assert (batch.initially, batch.memory) == (False, 2 * 2**30)
    assert (batch.billing.unit_ns, batch.billing.minimum_ns) == (10**9, 60 * 10**9)
    assert not batch.burst.burstable
    assert small.hosts == 2**32 - 1
    assert (small.burst.burstable, small.burst.unlimited) == (True, False)
    assert small.burst.credits.millicredits_per_hour == 12_000
    assert small.burst.credits.lowered_over_ns == 15 * 60 * 10**9


def test_a_zone_of_its_own_name_is_one_zone():
    changes = {"hosts.hall.zones": ["east"], "fleets.batch.zones": ["east"]}
    several = compile_scenario(SCENARIO.replace(changes), seed=0)
    tree = SCENARIO.to_dict()
    del tree["hosts"]["hall"]["zones"]
    tree["hosts"]["hall"]["zone"] = "east"
    tree["fleets"]["batch"]["zones"] = ["east"]
    single = compile_scenario(type(SCENARIO).from_dict(tree), seed=0)
    assert several.hosts[0].facts.zones.tolist() == single.hosts[0].facts.zones.tolist() == [0]
