"""What fails and comes back, or does not: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import Lab, fates, fleet, latency, moments, outcome, run, scenario, work

Tree = dict[str, Any]


def fault(kind: str, where: Any, at: str, lasting: str | None = None) -> Tree:
    return {"at": at, kind: where} | ({} if lasting is None else {"for": lasting})


def machine(count: int = 1, **keys: Any) -> Tree:
    return fleet(count=count) | keys


def requests(lab: Lab, *sized: tuple[float, float], to: str = "web") -> tuple[Tree, Tree]:
    """Traffic with a request at each instant, and a service with the work of each."""
    traffic = lab.at(*(time for time, _ in sized), to=to)
    return traffic, work(lab.sizes(*(size for _, size in sized)))


def customers(tree: Tree) -> tuple[int, int, int, int, int]:
    return fates(run(tree)["traffic"]["customers"])


def hall(count: int = 2, **keys: Any) -> Tree:
    """Hosts of one core, so that each takes one instance."""
    return {"hall": {"count": count, "type": {"cores": 1, "memory": "4GiB"}, **keys}}


def hosted(count: int, **keys: Any) -> Tree:
    return fleet(count=count) | {"hosts": "hall", **keys}


# --- fail -------------------------------------------------------------------------------------


def test_what_fails_loses_what_it_holds_and_refuses_until_it_is_back(lab):
    # At 10 s the first computes and the second waits; 12 is refused; 20 and 21 are served.
    traffic, service = requests(lab, (9, 5), (9.5, 1), (12, 1), (20, 1), (20.5, 1))
    tree = scenario(traffic, service, faults=[fault("fail", "web", "10s", "10s")])
    result = run(tree)
    source = result["traffic"]["customers"]
    assert fates(source) == (2, 0, 3, 0, 0)
    assert latency(source) == pytest.approx(moments([1.0, 1.5]), rel=1e-9, abs=2e-9)
    assert result["fleets"]["web"]["failures"] == {"count": 1, "now": 0, "down_s": 10.0}
    assert result["faults"] == [{"strikes": 1, "instances": 1, "missed": 0}]


def test_without_an_end_it_stays_down(lab):
    traffic, service = requests(lab, (9, 5), (50, 1))
    tree = scenario(traffic, service, faults=[fault("fail", "web", "10s")])
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 2, 0, 0)
    assert result["fleets"]["web"]["failures"] == {"count": 1, "now": 1, "down_s": 90.0}


def test_vcpu_time_of_lost_work_was_used(lab):
    traffic, service = requests(lab, (5, 10))
    tree = scenario(traffic, service, faults=[fault("fail", "web", "10s", "1s")])
    assert run(tree)["fleets"]["web"]["utilization"] == pytest.approx(0.05)


def test_a_call_to_what_is_down_fails_its_caller(lab):
    traffic, service = requests(lab, (1, 1), (12, 1), (30, 1))
    tree = scenario(
        traffic,
        {"steps": [*service["steps"], {"call": "far"}]},
        fleets={"web": fleet(), "far": fleet("answer")},
        services={"answer": work({"compute": "100ms"})},
        faults=[fault("fail", "far", "10s", "10s")],
    )
    assert customers(tree) == (2, 0, 1, 0, 0)


def test_callers_whose_callee_dies_fail_at_once(lab):
    traffic, service = requests(lab, (1, 1))
    tree = scenario(
        traffic,
        {"steps": [*service["steps"], {"call": "far"}, {"compute": "1s"}]},
        fleets={"web": fleet(), "far": fleet("answer")},
        services={"answer": work({"compute": "50s"})},
        faults=[fault("fail", "far", "10s", "10s")],
    )
    assert customers(tree) == (0, 0, 1, 0, 0)


def test_those_that_have_served_longest_are_struck(lab):
    traffic = {"to": "door", "rate": "1/s", "arrivals": "constant"}
    tree = scenario(
        traffic,
        work({"compute": "10ms"}),
        fleets={"web": machine(4)},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        faults=[fault("fail", {"fleet": "web", "count": 2}, "50s")],
    )
    failed = [t["failed"] for t in run(tree)["load_balancers"]["door"]["targets"].values()]
    assert [count > 0 for count in failed] == [True, True, False, False]


def test_overlapping_faults_hold_it_until_the_last_is_over(lab):
    traffic, service = requests(lab, *((t, 0.1) for t in (5, 15, 25, 35, 45)))
    faults = [fault("fail", "web", "10s", "20s"), fault("fail", "web", "20s", "20s")]
    result = run(scenario(traffic, service, faults=faults))
    assert fates(result["traffic"]["customers"]) == (2, 0, 3, 0, 0)
    assert result["fleets"]["web"]["failures"] == {"count": 1, "now": 0, "down_s": 30.0}


def test_a_reboot_makes_another_of_it(lab):
    traffic, service = requests(lab, (5, 1), (15, 1), (25, 1), (35, 1))
    web = fleet() | {"durations": {"reboot": "3s"}}
    actions = [{"at": "20s", "reboot": "web"}]
    tree = scenario(traffic, service, fleets={"web": web}, actions=actions)
    assert customers(tree | {"faults": [fault("fail", "web", "10s")]}) == (3, 0, 1, 0, 0)


def test_a_reboot_does_not_mend_a_host(lab):
    traffic, service = requests(lab, (5, 1), (15, 1), (25, 1), (45, 1))
    web = hosted(1, durations={"reboot": "3s"})
    tree = scenario(
        traffic,
        service,
        fleets={"web": web},
        hosts=hall(1),
        actions=[{"at": "20s", "reboot": "web"}],
        faults=[fault("fail", {"host": "hall"}, "10s", "30s")],
    )
    assert customers(tree) == (2, 0, 2, 0, 0)


def test_what_boots_on_a_host_that_is_down_is_down(lab):
    # Launched at 0, it would serve from 20 s; the host is down from 10 s to 30 s.
    traffic, service = requests(lab, (5, 1), (25, 1), (35, 1))
    web = hosted(1, boot="20s", initially="pending")
    tree = scenario(
        traffic,
        service,
        fleets={"web": web},
        hosts=hall(1),
        faults=[fault("fail", {"host": "hall"}, "10s", "20s")],
    )
    assert customers(tree) == (1, 1, 1, 0, 0)


def test_a_leaving_instance_that_is_struck_loses_what_it_holds(lab):
    traffic, service = requests(lab, (5, 30))
    sim = nph.Simulation(
        nph.Scenario.model_validate(
            scenario(
                traffic,
                service,
                fleets={"web": hosted(1)},
                hosts=hall(1),
                faults=[fault("fail", {"host": "hall"}, "10s", "20s")],
            )
        ),
        rng=1,
    )
    sim.advance("8s")
    sim.set("fleets.web.count", 0)
    sim.advance("92s")
    assert fates(sim.result().to_dict()["traffic"]["customers"]) == (0, 0, 1, 0, 0)


# --- kill -------------------------------------------------------------------------------------


def test_what_is_killed_stays_dead_and_is_replaced(lab):
    traffic, service = requests(lab, (9, 5), (12, 1), (20, 1))
    web = fleet() | {"boot": "5s"}
    tree = scenario(traffic, service, fleets={"web": web}, faults=[fault("kill", "web", "10s")])
    result = run(tree)
    # The one under way fails, 12 finds nobody, 20 is served by the one launched at 10 s.
    assert fates(result["traffic"]["customers"]) == (1, 1, 1, 0, 0)
    assert (result["fleets"]["web"]["launches"], result["fleets"]["web"]["terminations"]) == (2, 1)


def test_a_killed_host_takes_no_more_launches(lab):
    traffic, service = requests(lab, (50, 1))
    tree = scenario(
        traffic,
        service,
        fleets={"web": hosted(2)},
        hosts=hall(2),
        faults=[fault("kill", {"host": "hall", "index": 0}, "10s")],
    )
    result = run(tree)
    assert result["fleets"]["web"]["instances"]["final"] == 1
    assert result["hosts"]["hall"]["rejected_launches"] > 0
    assert any("lacks 1 instance" in flag for flag in result["flags"])


# --- where ------------------------------------------------------------------------------------

ZONES = {"zones": ["a", "b"], "racks": 2}


@pytest.mark.parametrize(
    ("where", "struck"),
    [
        # Eight hosts dealt to zones a b a b ..., and in a zone to its racks in turn.
        ({"zone": "a"}, [0, 2, 4, 6]),
        ({"zone": "b"}, [1, 3, 5, 7]),
        ({"rack": "hall", "index": 0}, [0, 4]),
        ({"rack": "hall", "index": 1}, [2, 6]),
        ({"rack": "hall", "index": 2}, [1, 5]),
        ({"rack": "hall", "index": 3}, [3, 7]),
        ({"host": "hall", "index": 5}, [5]),
        ({"fleet": "web", "count": 3}, [0, 1, 2]),
    ],
)
def test_what_a_fault_strikes(where, struck):
    traffic = {"to": "door", "rate": "8/s", "arrivals": "constant"}
    tree = scenario(
        traffic,
        work({"compute": "1ms"}),
        fleets={"web": hosted(8)},
        hosts=hall(8, place="first_fit", **ZONES),
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        faults=[fault("fail", where, "50s")],
    )
    failed = [t["failed"] for t in run(tree)["load_balancers"]["door"]["targets"].values()]
    assert [at for at, count in enumerate(failed) if count] == struck


def test_while_a_zone_is_down_launches_go_to_the_other():
    traffic = {"to": "door", "rate": "8/s", "arrivals": "constant"}
    tree = scenario(
        traffic,
        work({"compute": "1ms"}),
        fleets={"web": hosted(2)},
        hosts=hall(8, place="spread", zones=["a", "b"]),
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration="300s",
        faults=[fault("fail", {"zone": "a"}, "50s", "100s"), fault("kill", "web", "60s")],
    )
    result = run(tree)["load_balancers"]["door"]
    # The one of zone a, killed while its zone is down, comes back in zone b and serves.
    assert [t["completed"] > 0 for t in result["targets"].values()] == [True, True, True]
    assert result["targets"]["2"]["failed"] == 0


def test_one_of_the_hosts_is_drawn():
    seen = set()
    for seed in range(40):  # all four but with a chance of 4e-5
        tree = scenario(
            {"to": "door", "rate": "8/s", "arrivals": "constant"},
            work({"compute": "1ms"}),
            fleets={"web": hosted(4)},
            hosts=hall(4),
            balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
            faults=[fault("fail", {"host": "hall"}, "50s")],
        )
        found = run(tree, seed)["load_balancers"]["door"]["targets"].values()
        (struck,) = [at for at, target in enumerate(found) if target["failed"]]
        seen.add(struck)
    assert seen == {0, 1, 2, 3}


def test_a_fault_that_finds_nothing_is_told():
    tree = scenario(
        {"to": "web", "rate": "1/s"},
        work({"compute": "1ms"}),
        fleets={"web": fleet(), "none": fleet(count=0)},
        faults=[fault("fail", "none", "10s", "1s")],
    )
    result = run(tree)
    assert result["faults"] == [{"strikes": 1, "instances": 0, "missed": 1}]
    assert any("faults.0 found nothing to strike 1 times" in flag for flag in result["flags"])


# --- at random --------------------------------------------------------------------------------


def test_availability_follows_from_the_gaps_and_what_they_last():
    """A renewal process: up for the gap less what the fault lasts, down for what it lasts.

    With gaps of exactly 100 s and failures of exactly 20 s it is down a fifth of the time.
    """
    tree = scenario(
        {"to": "web", "rate": "10/s", "arrivals": "constant"},
        work({"compute": "1ms"}),
        duration="10000s",
        faults=[{"every": "100s", "for": "20s", "fail": "web"}],
    )
    result = run(tree)
    assert result["faults"][0]["strikes"] == 99  # the next would be at the end
    assert result["fleets"]["web"]["failures"]["down_s"] == 99 * 20
    assert result["traffic"]["customers"]["failed"] == 99 * 200


def test_random_faults_strike_as_often_as_they_say():
    """Poisson: 1,000 expected, within 4.9 standard deviations (a false alarm in a million)."""
    tree = scenario(
        {"to": "web", "rate": "1/h"},
        work({"compute": "1ms"}),
        fleets={"web": machine(20)},
        duration="10000s",
        faults=[{"every": {"exponential": "10s"}, "for": "1s", "fail": "web"}],
    )
    result = run(tree)
    assert abs(result["faults"][0]["strikes"] - 1000) < 4.9 * 1000**0.5


def test_random_faults_draw_their_victims():
    tree = scenario(
        {"to": "door", "rate": "80/s", "arrivals": "constant"},
        work({"compute": "1ms"}),
        fleets={"web": machine(8)},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration="800s",
        faults=[{"every": "2s", "for": "1s", "fail": {"fleet": "web", "count": 2}}],
    )
    failed = [t["failed"] for t in run(tree)["load_balancers"]["door"]["targets"].values()]
    # 399 strikes of 2 of 8 lose 10 requests each: about 1,000 a target, sd 9.3 strikes.
    assert all(abs(count / 10 - 99.75) < 4.9 * (399 * 0.25 * 0.75) ** 0.5 for count in failed)


def test_faults_change_no_arrival_and_no_work():
    traffic = {"to": "door", "rate": "40/s", "clients": 100}
    service = work({"compute": {"exponential": "30ms"}})
    keys: Tree = {
        "fleets": {"web": machine(4)},
        "balancers": {"door": {"targets": ["web"], "routing": "ip_hash"}},
    }
    whole = outcome(scenario(traffic, service, **keys))
    faults = [fault("fail", {"fleet": "web", "count": 4}, "99s")]
    cut = outcome(scenario(traffic, service, faults=faults, **keys))
    count = whole["traffic.customers.offered"]
    assert cut["traffic.customers.offered"] == count
    served = cut["traffic.customers.completed"]
    assert count - served == cut["traffic.customers.failed"] > 20
    for name, faulty in (("p50", cut), ("max", cut)):
        assert faulty[f"traffic.customers.latency_s.{name}"] == pytest.approx(
            whole[f"traffic.customers.latency_s.{name}"], rel=0.02
        )


def test_forks_and_saved_states_keep_faults():
    tree = scenario(
        {"to": "door", "rate": "40/s"},
        work({"compute": {"exponential": "30ms"}}),
        fleets={"web": hosted(6)},
        hosts=hall(8, **ZONES),
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        faults=[
            {
                "every": {"exponential": "3s"},
                "for": {"exponential": "2s"},
                "fail": {"host": "hall"},
            },
            {"every": {"exponential": "20s"}, "kill": "web"},
        ],
    )
    sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    sim.advance("40s")
    twin = sim.fork()
    sim.advance("60s")
    twin.advance("60s")
    assert sim.result().fingerprint == twin.result().fingerprint == outcome(tree).fingerprint


# --- slow -------------------------------------------------------------------------------------


def slows(where: Tree, factor: float, at: str, lasting: str | None = None) -> Tree:
    return fault("slow", where | {"factor": factor}, at, lasting)


@pytest.mark.parametrize("keys", [{}, {"vcpus": 2}, {"speed": 1.25}])
def test_what_computes_goes_on_at_the_other_pace(lab, keys):
    # Half done at 10 s, then at a fifth of the pace until 20 s: 2 of the 5 s left are done, and
    # the other 3 from there on. What comes at 30 s is served as ever.
    work_s = 10 * keys.get("speed", 1.0)
    traffic, service = requests(lab, (5, work_s), (30, work_s))
    faults = [slows({"fleet": "web"}, 5, "10s", "10s")]
    tree = scenario(traffic, service, fleets={"web": fleet(**keys)}, faults=faults)
    source = run(tree)["traffic"]["customers"]
    expected = moments([5 + 10 + 3, 10.0])
    assert latency(source) == pytest.approx(expected, rel=1e-9, abs=2e-8)


def test_under_processor_sharing_too(lab):
    # Two jobs of 4 s on one vCPU from 0 s; at 4 s each has 2 s left, at a quarter of the pace.
    traffic, service = requests(lab, (0, 4), (0, 4))
    faults = [slows({"fleet": "web"}, 4, "4s")]
    tree = scenario(traffic, service | {"discipline": "ps"}, faults=faults)
    source = run(tree)["traffic"]["customers"]
    assert latency(source) == pytest.approx(moments([20, 20]), rel=1e-9, abs=2e-8)


def test_on_a_shared_host_too(lab):
    # Two instances on one core, at half a core each, and one of them at half of that from 4 s.
    traffic, service = requests(lab, (0, 4), (0, 4))
    tree = scenario(
        traffic | {"to": "door"},
        service,
        fleets={"web": hosted(2)},
        hosts=hall(1, cpu_overcommit=2),
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        faults=[slows({"fleet": "web", "count": 1}, 2, "4s")],
    )
    source = run(tree)["traffic"]["customers"]
    # The other is done at 8 s; then the slow one has the core, and 1 s of work left at half speed.
    assert latency(source) == pytest.approx(moments([8, 10]), rel=1e-9, abs=2e-8)


def test_what_waits_is_served_at_the_pace_of_its_time(lab):
    traffic, service = requests(lab, (0, 4), (0, 4))
    faults = [slows({"fleet": "web"}, 2, "2s", "4s")]
    source = run(scenario(traffic, service, faults=faults))["traffic"]["customers"]
    # 2 s of the first are left at 2 s: done at 6 s; the second takes its 4 s from there.
    assert latency(source) == pytest.approx(moments([6, 10]), rel=1e-9, abs=2e-8)


def test_a_request_that_was_sure_to_be_in_time_is_late_where_it_is_slowed(lab):
    # Sent at 10 s with 2 s of work and 3 s of patience: halved at 10.5 s, it is done at 13.5 s.
    traffic, service = requests(lab, (10, 2))
    late = traffic | {"timeout": "3s", "on_timeout": "finish"}
    faults = [slows({"fleet": "web"}, 2, "10.5s")]
    assert customers(scenario(late, service, faults=faults)) == (0, 0, 0, 1, 0)
    patient = traffic | {"timeout": "3600ms", "on_timeout": "finish"}
    tree = scenario(patient, service, faults=faults)
    assert customers(tree) == (1, 0, 0, 0, 0)


def test_of_two_that_slow_it_the_worse_counts(lab):
    traffic, service = requests(lab, (5, 1), (15, 1), (25, 1), (45, 1))
    faults = [slows({"fleet": "web"}, 2, "10s", "30s"), slows({"fleet": "web"}, 4, "20s", "10s")]
    source = run(scenario(traffic, service, faults=faults))["traffic"]["customers"]
    assert latency(source) == pytest.approx(moments([1, 2, 4, 1]), rel=1e-9, abs=2e-8)


def test_a_slow_host_slows_what_boots_there(lab):
    traffic, service = requests(lab, (30, 1))
    web = hosted(1, boot="20s", initially="pending")
    tree = scenario(
        traffic,
        service,
        fleets={"web": web},
        hosts=hall(1),
        faults=[slows({"host": "hall"}, 3, "10s")],
    )
    source = run(tree)["traffic"]["customers"]
    assert latency(source) == pytest.approx(moments([3]), rel=1e-9, abs=2e-8)


def test_one_that_was_down_is_slow_when_it_comes_back(lab):
    traffic, service = requests(lab, (5, 1), (30, 1))
    faults = [slows({"fleet": "web"}, 3, "10s"), fault("fail", "web", "20s", "5s")]
    source = run(scenario(traffic, service, faults=faults))["traffic"]["customers"]
    assert latency(source) == pytest.approx(moments([1, 3]), rel=1e-9, abs=2e-8)


def test_a_gray_failure_passes_its_checks_and_a_balancer_that_looks_avoids_it():
    """Ten times as slow at a tenth of its load, it answers every check in time."""
    p99 = {}
    for routing in ("round_robin", "least_response_time"):
        check = {"interval": "5s", "timeout": "2s"}
        tree = scenario(
            {"to": "door", "rate": "40/s"},
            work({"compute": {"exponential": "10ms"}}),
            fleets={"web": machine(10)},
            balancers={"door": {"targets": ["web"], "routing": routing, "health_check": check}},
            duration="400s",
            faults=[slows({"fleet": "web", "count": 1}, 10, "0s")],
        )
        result = run(tree)
        assert result["load_balancers"]["door"]["health"]["turned_unhealthy"] == 0
        p99[routing] = result["traffic"]["customers"]["latency_s"]["p99"]
    assert p99["least_response_time"] < 0.5 * p99["round_robin"]
