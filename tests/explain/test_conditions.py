"""A formula is given only where its conditions hold; each that does not is named."""

import pytest
from hypothesis import given

import nephoscope as nph
from explain.small import answer_of, closed, consumers, farm, machine, station
from nephoscope.theory import explain
from properties.liveliness import derandomised
from properties.systems import systems

EXPONENTIAL = {"compute": {"exponential": "10ms"}}
LOGNORMAL = {"lognormal": {"mean": "10ms", "cv": 1.5}}


def changed(tree, path, value):
    """The scenario with another value at a path."""
    *keys, last = path.split(".")
    part = tree
    for key in keys:
        part = part.setdefault(key, {})
    part[last] = value
    return tree


ONE = {
    "arrivals at gaps": ("traffic.users.arrivals", "constant", "at constant gaps"),
    "hedge": ("traffic.users.hedge", "100ms", "hedge"),
    "a timeout that matters": ("traffic.users.timeout", "200ms", "timeout of users, 200ms"),
    "a deadline that matters": ("traffic.users.deadline", "200ms", "deadline of users"),
    "scaling": (
        "fleets.web",
        machine(count={"min": 1, "max": 3})
        | {"scaling": [{"target_tracking": {"metric": "cpu", "target": 0.5}}]},
        "scaling",
    ),
    "cap": ("fleets.web.cap", 0.9, "a cap"),
    "burstable": ("fleets.web.instance_type", "t2.micro", "burstable"),
    "refresh": ("fleets.web.refresh", {"at": "1m"}, "refresh"),
    "old instances": ("fleets.web.max_lifetime", "1d", "old"),
    "boot": ("fleets.web.initially", "pending", "booted"),
    "faults": ("faults", [{"at": "1m", "kill": "web"}], "fault of the scenario strikes it (kill)"),
    "actions": ("actions", [{"at": "1m", "reboot": {"fleet": "web"}}], "actions"),
    "rate limit": ("services.work.rate_limit", {"rate": "9/s", "burst": 1}, "admission control"),
    "shed": ("services.work.shed", {"in_flight": 3}, "admission control"),
    "devices": ("services.work.steps", [EXPONENTIAL, {"disk": "1MB"}], "devices (disk)"),
    "memory": ("services.work.steps", [{"memory": "1MB"}, EXPONENTIAL], "memory"),
    "failing before the work": ("services.work.steps", [{"fail": 0.1}, EXPONENTIAL], "fail before"),
    "failing by kind": (
        "services.work.steps",
        [
            {
                "choose": [
                    {"weight": 1, "steps": [EXPONENTIAL, {"fail": 1.0}]},
                    {"weight": 1, "steps": [EXPONENTIAL]},
                ]
            }
        ],
        "by its kind",
    ),
    "no work": ("services.work.steps", [{"compute": "0s"}], "take no time"),
    "workers that share": (
        "services.work",
        {"concurrency": 4, "steps": [{"compute": LOGNORMAL}]},
        "more than its vCPUs",
    ),
    "few that share": (
        "services.work",
        {"discipline": "ps", "concurrency": 4, "steps": [{"compute": LOGNORMAL}]},
        "limited number",
    ),
    "a bounded line of other work": (
        "services.work",
        {"backlog": 4, "steps": [{"compute": LOGNORMAL}]},
        "backlog is bounded",
    ),
    "overload": ("traffic.users.rate", "120/s", "grows by 20 requests a second"),
}


@pytest.mark.parametrize("name", ONE)
def test_one_instance(name):
    path, value, words = ONE[name]
    assert answer_of(station(70.0)).model == "M/M/1"
    answer = answer_of(changed(station(70.0), path, value))
    assert answer.model is None
    assert any(words in reason for reason in answer.reasons), answer.reasons


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("traffic.users.timeout", "2s"),
        ("traffic.users.retry", {"attempts": 3}),
        ("services.work.steps", [EXPONENTIAL, {"fail": 0.1}]),
        ("traffic.users.clients", 10),
        ("fleets.web.instance_type", "t3.micro"),
    ],
)
def test_what_does_no_harm(path, value):
    """Timeouts that nobody reaches, retries of nothing, failures at the end, unlimited credits."""
    answer = answer_of(changed(station(70.0), path, value))
    # t3.micro has two vCPUs, and credits as they are asked for.
    assert answer.model == ("M/M/2" if value == "t3.micro" else "M/M/1")


def test_retries_of_what_fails():
    scenario = changed(station(20.0), "services.work.steps", [EXPONENTIAL, {"fail": 0.1}])
    scenario["traffic"]["users"]["retry"] = {"attempts": 2}
    assert answer_of(scenario).reasons == ("users tries again what is rejected or fails",)


def test_hosts_may_not_give_what_is_asked():
    scenario = farm(70.0, 2, "random")
    scenario["hosts"] = {"hall": {"type": "m5.metal", "count": 2, "zones": ["a", "b"]}}
    scenario["fleets"]["web"] |= {"hosts": "hall", "interference": {"sensitivity": 1.0}}
    scenario["load_balancers"]["door"]["cross_zone"] = False
    told = " ".join(answer_of(scenario).reasons)
    for words in ("shares the hosts hall", "interference", "each zone"):
        assert words in told


def test_weights_split_at_random_but_not_in_turn():
    scenario = farm(120.0, 2, "weighted_random")
    scenario["fleets"]["more"] = machine(count=2)
    scenario["load_balancers"]["door"]["targets"] = [{"fleet": "web", "weight": 2}, "more"]
    # Two thirds of 120/s at two instances: a load of 0.4 each, so 10 ms / 0.6.
    assert answer_of(scenario).figures[0].low == pytest.approx(0.01 / 0.6)
    assert answer_of(scenario, "more").figures[0].low == pytest.approx(0.01 / 0.8)
    scenario["load_balancers"]["door"]["routing"] = "round_robin"
    assert answer_of(scenario).reasons == ("its balancer weighs its targets",)


BALANCED = {
    "hash": ("routing", "ip_hash", "a hash"),
    "slow start": ("slow_start", "30s", "slowly"),
    "stickiness": ("stickiness", "1m", "back to their targets"),
    "capacity": ("capacity", "1000/s", "capacity of its own"),
    "connections": ("connections", {}, "looks at connections"),
    "errors": ("errors", {"400": 0.1}, "answers some requests by itself"),
    "split requests": ("split_requests", {"into": 2}, "counts some requests as several"),
    "surge queue": ("surge_queue", 10, "surge queue"),
    "nodes": ("nodes", 2, "several nodes"),
    "mitigation": (
        "routing",
        {"weighted_random": {"anomaly_mitigation": True}},
        "anomaly mitigation",
    ),
    "work of checks": ("health_check", {"work": "1ms"}, "health checks take"),
    "checks that wait": ("health_check", {"interval": "1s", "timeout": "50ms"}, "wait in line"),
    "idle timeout": ("idle_timeout", "50ms", "idle timeout"),
}


@pytest.mark.parametrize("name", BALANCED)
def test_balancers(name):
    key, value, words = BALANCED[name]
    first = {"slow_start": "round_robin", "split_requests": "least_connections"}.get(key, "random")
    scenario = farm(120.0, 3, first)
    assert answer_of(scenario).model is not None
    scenario["traffic"]["users"]["clients"] = 10
    answer = answer_of(changed(scenario, f"load_balancers.door.{key}", value))
    assert answer.model is None
    assert any(words in reason for reason in answer.reasons), answer.reasons


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (farm(120.0, 3, "least_connections", LOGNORMAL), "not exponential, under least"),
        (farm(120.0, 3, "round_robin", LOGNORMAL), "not exponential, under round robin"),
        (farm(120.0, 3, "round_robin", vcpus=2), "several servers, under round robin"),
        (farm(120.0, 3, "power_of_two", backlog=2), "bounded, under power of two"),
        (farm(320.0, 3, "least_connections"), "all its lines grow"),
        (closed(9, "1s", compute=LOGNORMAL), "neither exponential nor shared"),
        (closed(9, "1s", backlog=3), "users may fill it"),
        (closed(2_000_000, "1h"), "too many"),
        (consumers(20.0, {"lognormal": {"mean": "9s", "cv": 1}}), "grows by"),
        (consumers(0.02, {"lognormal": {"mean": "9s", "cv": 1}}), "outlast the visibility"),
        (consumers(50.0, rules={"type": "fifo"}), "one at a time"),
        (consumers(50.0, rules={"duplicates": 0.1}), "duplicates"),
        (consumers(50.0, rules={"delay": "1s"}), "delays"),
        (consumers(50.0, rules={"in_flight": 2}, count=3), "may be in flight"),
        (consumers(99.9, rules={"retention": "60s"}), "grow older than 1m"),
        (consumers(50.0, batch=2), "several messages at once"),
        (consumers(50.0, wait="0s"), "poll without waiting"),
    ],
)
def test_what_has_no_formula(scenario, words):
    if scenario.get("queues", {}).get("board", {}).get("type") == "fifo":
        scenario["traffic"]["users"]["group"] = "one"
    answer = answer_of(scenario)
    assert answer.model is None
    assert any(words in reason for reason in answer.reasons), answer.reasons


def test_what_comes_from_other_fleets_is_not_poisson():
    scenario = station(50.0, steps=[{"call": "db"}])
    scenario["fleets"]["db"] = machine() | {"service": "query"}
    scenario["services"]["query"] = {"steps": [EXPONENTIAL]}
    assert "wait for calls to db" in answer_of(scenario).reasons[0]
    assert "come from web" in answer_of(scenario, "db").reasons[0]


def test_only_some_departures_are_poisson():
    """Not those of a bounded line, of a choice by state, of a batch of messages; nor a loop."""

    def pipeline(routing="random", steps=None, **service):
        scenario = farm(50.0, 2, routing, **service)
        scenario["services"]["work"]["steps"] = steps or [EXPONENTIAL, {"send": "board"}]
        scenario["services"]["brew"] = {
            "consumes": {"queue": "board", "wait": "20s"},
            "steps": [EXPONENTIAL],
        }
        scenario["fleets"]["bar"] = machine() | {"service": "brew"}
        return scenario | {"queues": {"board": {}}}

    assert answer_of(pipeline(), "bar").model == "M/M/1"
    late = [EXPONENTIAL, {"send": {"to": "board", "delay": "1s"}}]
    twice = [EXPONENTIAL, {"send": "board"}, {"send": "board"}]
    early = [{"send": "board"}, EXPONENTIAL]
    for scenario in (
        pipeline("least_connections"),
        pipeline("round_robin"),
        pipeline(backlog=5),
        pipeline(steps=late),
        pipeline(steps=twice),
        pipeline(steps=early),
    ):
        assert "come from web" in answer_of(scenario, "bar").reasons[0]
    loop = consumers(20.0)
    back = [{"weight": 1, "steps": [{"send": "board"}]}, {"weight": 3, "steps": [{"fail": 0.0}]}]
    loop["services"]["work"]["steps"].append({"choose": back})
    assert "come from web" in answer_of(loop).reasons[0]


def test_closed_users_beside_others():
    scenario = closed(3, "1s")
    scenario["traffic"]["more"] = {"to": "web", "rate": "5/s"}
    assert "closed users beside others" in answer_of(scenario).reasons[0]
    several = farm(50.0, 2, "least_connections")
    several["traffic"]["users"] = {"to": "door", **closed(3, "1s")["traffic"]["users"]}
    several["traffic"]["users"]["to"] = "door"
    assert "closed, under least connections" in answer_of(several).reasons[0]


def test_users_who_leave_for_good():
    scenario = closed(3, "1s", steps=[EXPONENTIAL, {"fail": 0.1}])
    assert answer_of(scenario).model == "M/M/1//3"
    scenario["traffic"]["users"]["arrivals"]["closed"]["give_up"] = 2
    assert "leave after failures" in answer_of(scenario).reasons[0]


def test_accounts_may_refuse_instances():
    scenario = farm(70.0, 2, "random") | {"accounts": {"main": {"vcpus": {"standard": 8}}}}
    assert answer_of(scenario).reasons == ("the limits of its account may refuse instances",)


def test_several_ways_to_one_fleet():
    scenario = farm(70.0, 2, "random")
    scenario["traffic"]["more"] = {"to": "web", "rate": "1/s"}
    assert "several ways" in answer_of(scenario).reasons[0]


def test_a_fleet_that_nothing_comes_to():
    scenario = station(50.0)
    scenario["fleets"]["spare"] = machine()
    assert answer_of(scenario, "spare").reasons == ("nothing comes to it",)


def test_a_run_that_is_too_short_is_told_so():
    scenario = station(99.0) | {"duration": "1m", "warmup": "1s"}
    notes = answer_of(scenario).notes
    assert "the empty start weighs" in notes[0]
    assert "chance weighs" in notes[1]
    assert answer_of(station(50.0)).notes == ()
    many = farm(2500.0, 50, "random") | {"duration": "2s", "warmup": "1900ms"}
    assert "unfinished at the end are missed" in answer_of(many).notes[-1]


def test_every_random_system_is_explained():
    """Whatever is combined with whatever: an answer or a reason for every fleet, never an error."""
    told = []

    @derandomised(60)
    @given(systems())
    def explained(system):
        found = explain(nph.Scenario.from_dict(system.tree))
        assert [answer.part for answer in found.answers] == [
            f"fleets.{name}" for name in system.tree["fleets"]
        ]
        for answer in found.answers:
            assert bool(answer.model) != bool(answer.reasons)
            assert all(0.0 <= figure.low <= figure.high for figure in answer.figures)
        assert all(load.rate >= 0.0 and load.utilization >= 0.0 for load in found.loads)
        told.extend(found.answers)

    explained()
    assert len(told) > 60
