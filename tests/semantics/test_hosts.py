"""Tenants of shared hosts: one test a rule, with traces worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fleet, latency, moments, outcome, run, scenario, simulation, work

Tree = dict[str, Any]


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-9, abs=2e-9)


def tenant(service: str = "work", count: int = 1, vcpus: int = 1, **keys: Any) -> Tree:
    return fleet(service, count, vcpus) | {"hosts": "hall", **keys}


def hall(cores: int = 1, *, overcommit: float = 8.0, **keys: Any) -> Tree:
    kind = {"cores": cores, "memory": "64GiB", **keys.pop("type", {})}
    return {"hall": {"type": kind, "cpu_overcommit": overcommit, **keys}}


def two(lab, a: list[float], b: list[float], *, web: Tree, batch: Tree, **keys: Any) -> Tree:
    """Requests of one second to each of two fleets."""
    traffic = {"users": lab.at(*a, to="web"), "jobs": lab.at(*b, to="batch")}
    return scenario(traffic, fleets={"web": web, "batch": batch}, **keys)


def of(result: Tree, name: str) -> Tree:
    return result["traffic"][name]


# --- what neighbours do to each other ---------------------------------------------------------


def test_two_tenants_of_a_core_have_half_each(lab):
    result = run(two(lab, [0], [0], web=tenant(), batch=tenant(), hosts=hall()))
    assert latency(of(result, "users")) == exactly(2)
    assert latency(of(result, "jobs")) == exactly(2)


def test_a_neighbour_that_comes_later_slows_from_then_on(lab):
    # Alone until 0.5; then half speed: the last 0.5 s take 1 s. The other has had 0.5 by 1.5 and
    # is alone for its other half.
    result = run(two(lab, [0], [0.5], web=tenant(), batch=tenant(), hosts=hall()))
    assert latency(of(result, "users")) == exactly(1.5)
    assert latency(of(result, "jobs")) == exactly(1.5)


def test_weights_share_a_core_in_proportion(lab):
    # 2/3 and 1/3 of the core: the first ends at 1.5, when the second has 0.5 left.
    result = run(two(lab, [0], [0], web=tenant(weight=512), batch=tenant(weight=256), hosts=hall()))
    assert latency(of(result, "users")) == exactly(1.5)
    assert latency(of(result, "jobs")) == exactly(2)


def test_a_reservation_is_there_when_it_is_wanted(lab):
    # Eight hogs of weight 256 beside it would leave a ninth of the core; half of it is reserved.
    batch = tenant(count=8)
    tree = two(lab, [0], [0], web=tenant(reservation=0.5), batch=batch, hosts=hall(overcommit=9))
    tree["load_balancers"] = {"spread": {"targets": ["batch"]}}
    tree["traffic"]["jobs"] = lab.at(*[0.0] * 8, to="spread")
    assert latency(of(run(tree), "users")) == exactly(2)


def test_a_cap_is_a_bucket(lab):
    # 50 ms at once, the other 10 when the bucket is full again at 100 ms.
    tree = scenario(
        lab.at(0), work({"compute": "60ms"}), fleets={"web": tenant(cap=0.5)}, hosts=hall()
    )
    assert latency(of(run(tree), "customers")) == exactly(0.110)


def test_a_cap_needs_no_hosts(lab):
    web = fleet() | {"cap": {"quota": "10ms", "period": "20ms"}}
    tree = scenario(lab.at(0, 0.3), work({"compute": "25ms"}), fleets={"web": web})
    # 10 ms in each of the periods from 0 and 20 ms, and 5 from 40 ms on. The same at 300 ms.
    assert latency(of(run(tree), "customers")) == exactly(0.045, 0.045)


def test_a_tenant_of_two_vcpus_runs_two_requests_at_full_speed(lab):
    result = run(scenario(lab.at(0, 0, 0), fleets={"web": tenant(vcpus=2)}, hosts=hall(2)))
    assert latency(of(result, "customers")) == exactly(1, 1, 2)


def test_processor_sharing_shares_what_the_host_gives(lab):
    # One core for two tenants: 1/2 each. The web's three requests have 1/6 each and end at 6 -
    # but the other ends at 2: until then they got 1/3 each, then 1/3 of a whole core.
    traffic = {"users": lab.at(0, 0, 0, to="web"), "jobs": lab.at(0, to="batch")}
    tree = scenario(
        traffic,
        work(discipline="ps"),
        services={"crunch": work()},
        fleets={"web": tenant(), "batch": tenant("crunch")},
        hosts=hall(),
    )
    result = run(tree)
    assert latency(of(result, "jobs")) == exactly(2)
    assert latency(of(result, "users")) == exactly(4, 4, 4)


def test_an_instance_alone_on_its_host_is_not_slowed_by_others_elsewhere(lab):
    result = run(
        two(lab, [0], [0], web=tenant(), batch=tenant(), hosts=hall(overcommit=1.0, count=2))
    )
    assert latency(of(result, "users")) == exactly(1)
    assert latency(of(result, "jobs")) == exactly(1)


# --- schedulers -------------------------------------------------------------------------------


def test_pinned_tenants_do_not_notice_a_neighbour(lab):
    hosts = hall(4, overcommit=1, scheduler="pinned")
    alone = run(scenario(lab.at(0, 0.3, 5), fleets={"web": tenant(vcpus=2, count=1)}, hosts=hosts))
    web, batch = tenant(vcpus=2), tenant(vcpus=2)
    beside = run(two(lab, [0, 0.3, 5], [0, 0, 0, 0], web=web, batch=batch, hosts=hosts))
    assert latency(of(beside, "users")) == latency(of(alone, "customers")) == exactly(1, 1, 1)
    assert beside["hosts"]["hall"]["steal_s"] == {"contention": 0, "cap": 0, "smt": 0}


def test_pinned_tenants_take_whole_cores(lab):
    hosts = hall(2, overcommit=1, scheduler="pinned", type={"threads_per_core": 2})
    result = run(scenario(lab.at(0), fleets={"web": tenant(count=4)}, hosts=hosts))
    assert result["fleets"]["web"]["instances"]["final"] == 2


def test_fair_gives_slices_in_turn(lab):
    """Two seconds of work between two, in slices of 2.8 ms: neither is a slice from its half."""
    result = run(two(lab, [0], [0], web=tenant(), batch=tenant(), hosts=hall(scheduler="fair")))
    times = sorted(of(result, name)["latency_s"]["max"] for name in ("users", "jobs"))
    assert times[1] == pytest.approx(2.0, abs=1e-8)
    assert 2.0 - 2 * 0.0028 < times[0] < 2.0
    steal = sum(result["fleets"][name]["steal_s"]["contention"] for name in ("web", "batch"))
    assert steal == pytest.approx(times[0] / 2 + times[0] / 2, abs=0.003)


def test_fair_with_core_scheduling_keeps_threads_idle(lab):
    # One core of two threads, one vCPU each: only one of them can be on the core.
    hosts = hall(1, scheduler="fair", core_scheduling=True, type={"threads_per_core": 2})
    result = run(two(lab, [0], [0], web=tenant(), batch=tenant(), hosts=hosts))
    assert max(of(result, name)["latency_s"]["max"] for name in ("users", "jobs")) == (
        pytest.approx(2.0, abs=1e-8)
    )
    steal = result["hosts"]["hall"]["steal_s"]
    assert steal["smt"] == pytest.approx(2.0, abs=0.01)
    assert steal["contention"] == 0


# --- what a host is ---------------------------------------------------------------------------


def test_the_clock_of_the_host_is_the_speed_of_its_vcpus(lab):
    tree = scenario(
        lab.at(0), fleets={"web": tenant()}, hosts=hall(type={"clock": "1.55GHz"}, overcommit=1)
    )
    assert latency(of(run(tree), "customers")) == exactly(2)


def test_a_second_thread_adds_what_the_host_says(lab):
    # Two busy threads of a core with a gain of 0.5 do 1.5 cores: 0.75 each. No time is stolen.
    hosts = hall(type={"threads_per_core": 2}, overcommit=1, smt_gain=0.5)
    result = run(two(lab, [0], [0], web=tenant(), batch=tenant(), hosts=hosts))
    assert latency(of(result, "users")) == exactly(4 / 3)
    assert result["fleets"]["web"]["steal"] == 0


def test_a_named_host_has_the_threads_of_its_type(lab):
    web = fleet(count=97) | {"hosts": "hall", "instance_type": {"vcpus": 1, "memory": "1GiB"}}
    tree = scenario(lab.at(0), fleets={"web": web}, hosts={"hall": {"type": "m5.metal"}})
    result = run(tree)
    assert result["fleets"]["web"]["instances"]["final"] == 96
    assert result["hosts"]["hall"]["rejected_launches"] >= 1


# --- where there is nothing to share ----------------------------------------------------------


@pytest.mark.parametrize("service", [work({"compute": {"exponential": "0.1s"}})])
@pytest.mark.parametrize("overcommit", [1.0, 4.0])
def test_hosts_that_are_never_contended_change_nothing(service, overcommit):
    """To the nanosecond where nothing can be shared; within the rounding of rates where it can."""
    balancers = {"door": {"targets": ["web"], "routing": "least_connections"}}
    traffic = {"to": "door", "rate": "30/s", "arrivals": "poisson"}
    keys: Tree = {"balancers": balancers, "duration": "500s"}
    alone = outcome(scenario(traffic, service, fleets={"web": fleet(count=4)}, **keys))
    hosts = hall(1, count=4, overcommit=overcommit) if overcommit == 1 else hall(4, count=1)
    placed = outcome(
        scenario(traffic, service, fleets={"web": tenant(count=4)}, hosts=hosts, **keys)
    )
    for key in ("count", "mean", "p50", "p99", "max"):
        a, b = (
            alone[f"traffic.customers.latency_s.{key}"],
            placed[f"traffic.customers.latency_s.{key}"],
        )
        assert a == b if overcommit == 1 else a == pytest.approx(b, abs=2e-9, rel=1e-9)
    assert placed["fleets.web.steal"] == 0


# --- room -------------------------------------------------------------------------------------


def test_memory_is_never_overcommitted(lab):
    web = fleet(count=5) | {"hosts": "hall", "instance_type": {"vcpus": 1, "memory": "20GiB"}}
    result = run(scenario(lab.at(0), fleets={"web": web}, hosts=hall(overcommit=100)))
    assert result["fleets"]["web"]["instances"]["final"] == 3  # of 64 GiB
    assert result["hosts"]["hall"]["placements"] == 3


def test_a_launch_without_room_is_counted_and_tried_again_every_minute(lab):
    tree = scenario(lab.at(0), fleets={"web": tenant(count=3)}, hosts=hall(2, overcommit=1))
    result = run(tree | {"duration": "150s"})
    assert result["fleets"]["web"]["instances"]["final"] == 2
    # At the start, after one minute and after two.
    assert result["hosts"]["hall"]["rejected_launches"] == 3


def test_a_reservation_that_is_not_left_on_the_host_is_no_capacity(lab):
    # Room for eight vCPUs; half a thread is reserved for each, and there is one.
    web = tenant(count=1, reservation=0.5)
    running = simulation(scenario(lab.at(0), fleets={"web": web}, hosts=hall()))
    running.advance("10s")
    running.set("fleets.web.count", 3)
    running.advance("90s")
    result = running.results().to_dict()
    assert result["fleets"]["web"]["instances"]["final"] == 2
    # When the count was set and a minute later.
    assert result["hosts"]["hall"]["rejected_launches"] == 2


def test_placement_looks_for_a_host_with_the_reservation_left(lab):
    # The first host has room for eight vCPUs, but each of the two has one thread to reserve.
    web = tenant(count=4, reservation=0.6)
    tree = scenario(lab.at(0), fleets={"web": web}, hosts=hall(count=2))
    result = run(tree | {"duration": "30s"})
    assert result["fleets"]["web"]["instances"]["final"] == 2
    hosts = result["hosts"]["hall"]["by_host"]
    assert [host["instances"] for host in hosts.values()] == [1, 1]


def test_three_thirds_of_a_thread_are_reserved_on_it(lab):
    web = tenant(count=4, reservation=1 / 3)
    tree = scenario(lab.at(0), fleets={"web": web}, hosts=hall())
    assert run(tree | {"duration": "30s"})["fleets"]["web"]["instances"]["final"] == 3


def test_an_instance_that_leaves_a_shared_host_finishes_what_it_holds(lab):
    # Both at half speed until 2; the one that leaves at 1 is gone then.
    tree = two(lab, [0], [0, 3], web=tenant(), batch=tenant(), hosts=hall())
    running = simulation(tree)
    running.advance("1s")
    running.set("fleets.web.count", 0)
    running.advance("10s")
    result = running.results().to_dict()
    assert latency(of(result, "users")) == exactly(2)
    assert result["fleets"]["web"]["terminations"] == 1
    assert of(result, "jobs")["completed"] == 2


def test_an_instance_that_left_before_the_warm_up_ended_is_there_as_long_as_it_runs(lab):
    # Two vCPUs want the one core until 2 s, and have a half of it each. After the warm-up, which
    # ends at 1 s, the instance runs for one second and waits for one, and that is all there is.
    web, shared = tenant(vcpus=2), work(concurrency=2)
    tree = scenario(lab.at(0, 0), shared, fleets={"web": web}, hosts=hall(), warmup="1s")
    running = simulation(tree)
    running.advance("500ms")
    running.set("fleets.web.count", 0)
    running.advance("10s")
    web = running.results().to_dict()["fleets"]["web"]
    assert web["utilization"] == pytest.approx(1)
    assert web["steal"] == pytest.approx(1)


def test_room_that_is_given_back_is_taken_at_the_next_try(lab):
    fleets = {"web": tenant(count=2), "batch": tenant(count=2)}
    traffic = {"users": lab.at(0, to="web"), "jobs": lab.at(0, to="batch")}
    tree = scenario(traffic, fleets=fleets, hosts=hall(3, overcommit=1), duration="200s")
    running = simulation(tree)
    running.advance("50s")
    assert running.results()["fleets.batch.instances.final"] == 1
    running.set("fleets.web.count", 1)
    running.advance("59s")
    assert running.results()["fleets.batch.instances.final"] == 1
    running.advance("61s")
    assert running.results()["fleets.batch.instances.final"] == 2


def test_an_instance_keeps_its_room_until_it_has_finished(lab):
    fleets = {"web": tenant(count=1), "batch": tenant(count=0)}
    traffic = {"users": lab.at(0, to="web"), "jobs": lab.at(150, to="batch")}
    tree = scenario(
        traffic,
        work({"compute": "90s"}),
        fleets=fleets,
        hosts=hall(1, overcommit=1),
        duration="400s",
    )
    running = simulation(tree)
    running.advance("10s")
    running.set("fleets.web.count", 0)
    running.set("fleets.batch.count", 1)
    running.advance("85s")
    assert running.results()["fleets.web.terminations"] == 0
    running.advance("100s")
    assert running.results()["fleets.web.terminations"] == 1
    assert running.results()["fleets.batch.instances.final"] == 0
    running.advance("131s")  # tried at 10, 70 and 130 s
    assert running.results()["fleets.batch.instances.final"] == 1


# --- where a launch goes ----------------------------------------------------------------------


def by_host(result: Tree) -> dict[int, int]:
    """Instances of each host that has any."""
    hosts = result["hosts"]["hall"]["by_host"]
    return {int(i): host["instances"] for i, host in hosts.items() if host["instances"]}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("first_fit", {0: 4, 1: 1}),
        ("best_fit", {0: 4, 1: 1}),
        ("worst_fit", {0: 2, 1: 2, 2: 1}),
        ("spread", {0: 2, 1: 2, 2: 1}),
    ],
)
def test_the_policy_of_the_hosts_decides(lab, place, expected):
    hosts = hall(4, overcommit=1, count=3, place=place)
    result = run(scenario(lab.at(0), fleets={"web": tenant(count=5)}, hosts=hosts))
    assert by_host(result) == expected


def test_random_places_are_the_same_for_a_seed(lab):
    hosts = hall(4, overcommit=1, count=50, place="random")
    tree = scenario(lab.at(0), fleets={"web": tenant(count=20)}, hosts=hosts)
    assert by_host(run(tree, 1)) == by_host(run(tree, 1)) != by_host(run(tree, 2))


def test_a_fleet_keeps_to_its_zones(lab):
    # Hosts are dealt to the zones in turn: 0 and 2 are in a, 1 and 3 in b.
    hosts = hall(2, overcommit=1, count=4, zones=["a", "b"])
    result = run(scenario(lab.at(0), fleets={"web": tenant(count=6, zones=["b"])}, hosts=hosts))
    assert by_host(result) == {1: 2, 3: 2}
    assert any("InsufficientInstanceCapacity" in flag for flag in result["flags"])


def test_a_spread_group_has_seven_instances_a_zone(lab):
    group = {"group": "apart", "strategy": "spread"}
    hosts = hall(8, overcommit=1, count=40, zones=["a", "b"], racks=20)
    result = run(
        scenario(lab.at(0), fleets={"web": tenant(count=20, placement=group)}, hosts=hosts)
    )
    assert result["fleets"]["web"]["instances"]["final"] == 14
    assert set(by_host(result).values()) == {1}


def test_a_cluster_stands_in_one_zone(lab):
    group = {"group": "near", "strategy": "cluster"}
    hosts = hall(2, overcommit=1, count=4, zones=["a", "b"])
    result = run(scenario(lab.at(0), fleets={"web": tenant(count=5, placement=group)}, hosts=hosts))
    assert by_host(result) == {0: 2, 2: 2}


def test_a_dedicated_tenant_shares_its_hosts_with_nobody(lab):
    fleets = {
        "web": tenant(count=1, tenant="alice", tenancy="dedicated"),
        "batch": tenant(count=2, tenant="bob"),
    }
    traffic = {"users": lab.at(0, to="web"), "jobs": lab.at(0, to="batch")}
    result = run(scenario(traffic, fleets=fleets, hosts=hall(4, overcommit=1, count=2)))
    assert by_host(result) == {0: 1, 1: 2}


def test_accelerators_are_taken_whole(lab):
    # A g4dn.metal has eight; a g4dn.12xlarge takes four of them, and a host without has no room.
    web = {"service": "work", "instance_type": "g4dn.12xlarge", "count": 3, "hosts": "hall"}
    result = run(scenario(lab.at(0), fleets={"web": web}, hosts={"hall": {"type": "g4dn.metal"}}))
    assert result["fleets"]["web"]["instances"]["final"] == 2
    result = run(scenario(lab.at(0), fleets={"web": web}, hosts={"hall": {"type": "m5.metal"}}))
    assert result["fleets"]["web"]["instances"]["final"] == 0


# --- steal, by cause --------------------------------------------------------------------------


def test_steal_is_what_was_wanted_and_not_given(lab):
    result = run(two(lab, [0], [0], web=tenant(), batch=tenant(), hosts=hall()))
    for name in ("web", "batch"):
        steal = result["fleets"][name]["steal_s"]
        assert steal == pytest.approx({"contention": 1.0, "cap": 0.0, "smt": 0.0}, abs=1e-8)
    host = result["hosts"]["hall"]["by_host"]["0"]
    assert host["steal_s"]["contention"] == pytest.approx(2.0, abs=1e-8)
    assert host["utilization"] == pytest.approx(2.0 / 100)


def test_steal_by_a_cap_is_told_apart(lab):
    tree = scenario(
        lab.at(0), work({"compute": "60ms"}), fleets={"web": tenant(cap=0.5)}, hosts=hall()
    )
    steal = run(tree)["fleets"]["web"]["steal_s"]
    assert steal == pytest.approx({"contention": 0.0, "cap": 0.050, "smt": 0.0}, abs=1e-8)


# --- launches take their time -----------------------------------------------------------------


def test_an_instance_serves_when_it_has_booted(lab):
    web = fleet(count=1) | {"boot": "20s"}
    tree = scenario(
        lab.at(*range(100), to="door"),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"]}},
        duration="100s",
    )
    running = simulation(tree)
    running.advance("30s")
    running.set("fleets.web.count", 2)
    running.advance("49s")
    assert running.results()["fleets.web.instances.final"] == 1
    running.advance("51s")
    assert running.results()["fleets.web.instances.final"] == 2
    running.advance("100s")
    numbers = running.numbers()["load_balancers"]["door"]["targets"]["requests"].tolist()
    assert numbers == [75, 25]


def test_a_fleet_may_begin_with_launches(lab):
    web = fleet(count=1) | {"boot": "20s", "initially": "pending"}
    result = run(scenario(lab.at(10, 30), fleets={"web": web}))
    assert of(result, "customers")["rejected"] == 1
    assert of(result, "customers")["completed"] == 1


def test_what_has_not_booted_goes_first(lab):
    web = fleet(count=2) | {"boot": "20s"}
    running = simulation(scenario(lab.at(0), fleets={"web": web}))
    running.advance("10s")
    running.set("fleets.web.count", 4)
    running.advance("20s")
    running.set("fleets.web.count", 2)
    running.advance("90s")
    result = running.results()
    assert result["fleets.web.instances.final"] == 2
    assert result["fleets.web.instances.min"] == 2
    assert (result["fleets.web.launches"], result["fleets.web.terminations"]) == (4, 2)


# --- what it costs ----------------------------------------------------------------------------


def named(count: int = 1, **keys: Any) -> Tree:
    return {"service": "work", "instance_type": "m5.large", "count": count, **keys}


def test_running_instances_are_billed_by_the_second(lab):
    result = run(scenario(lab.at(0), fleets={"web": named(3)}, duration="1000s"))
    line = result["cost_usd"]["instances"]["web"]
    assert line["billed_s"] == 3000
    assert line["usd"] == pytest.approx(3000 * 0.096 / 3600)
    assert result["cost_usd"]["total"] == line["usd"]


def test_a_start_is_billed_a_minute_at_least(lab):
    # Two instances from the start, one of them until 10 s; one launched at 50 s for 20 s.
    web = named(2, boot="0s") | {"termination_policy": "newest"}
    running = simulation(scenario(lab.at(0), fleets={"web": web}))
    for at, count in (("10s", 1), ("50s", 2), ("70s", 1), ("100s", 1)):
        running.advance(at)
        running.set("fleets.web.count", count)
    assert running.results()["cost_usd.instances.web.billed_s"] == 60 + 60 + 100


def test_a_licence_is_part_of_the_price(lab):
    result = run(scenario(lab.at(0), fleets={"web": named(os="windows")}, duration="3600s"))
    line = result["cost_usd"]["instances"]["web"]
    assert line["usd"] == pytest.approx(0.188)
    assert line["licence_usd"] == pytest.approx(0.092)


def test_what_is_not_running_yet_is_not_billed(lab):
    """A launch is pending for some seconds; booting after that is billed."""
    running = simulation(scenario(lab.at(0), fleets={"web": named(1)}, duration="3600s"))
    running.advance("1000s")
    running.set("fleets.web.count", 2)
    running.advance("3600s")
    billed = running.results()["cost_usd.instances.web.billed_s"]
    assert 3600 + 2560 < billed < 3600 + 2600


def test_types_without_a_price_are_not_on_the_bill(lab):
    assert "cost_usd" not in run(scenario(lab.at(0)))


def test_windows_takes_longer_to_boot_than_linux(lab):
    def served(system: str) -> int:
        web = named(0, os=system)
        tree = scenario(lab.at(*range(10, 1500, 10)), fleets={"web": web}, duration="2000s")
        running = simulation(tree)
        running.set("fleets.web.count", 1)
        running.advance("2000s")
        return int(running.results()["traffic.customers.completed"])

    linux, windows = served("linux"), served("windows")
    assert linux >= 149 - 5
    assert 149 - 92 <= windows <= 149 - 60


@pytest.mark.parametrize(
    ("kind", "vcpus", "slower"), [("m5.metal", 96, 4 / 3), ("m7g.metal", 64, 1)]
)
def test_a_vcpu_is_a_thread_and_of_graviton_a_core(lab, kind, vcpus, slower):
    """As many as the host has, all busy, beside one alone: two threads of a core with a gain of 0.5
    do 0.75 each, and a core by itself is as fast as before."""
    web = fleet(vcpus=vcpus) | {"hosts": "hall"}
    hosts = {"hall": {"type": kind, "smt_gain": 0.5}}

    def longest(requests: int) -> float:
        tree = scenario(lab.at(*[1.0] * requests), fleets={"web": web}, hosts=hosts)
        return latency(of(run(tree), "customers"))[3]

    assert longest(vcpus) == pytest.approx(slower * longest(1), abs=1e-6)


CORES_OF_TWO: Tree = {"type": {"cores": 4, "threads_per_core": 2, "memory": "64GiB"}}


@pytest.mark.parametrize(
    ("kind", "room", "slower"),
    [
        ({"vcpus": 1, "memory": "1GiB"}, 8, 4 / 3),
        ({"name": "m7i.medium", "vcpus": 1, "memory": "1GiB"}, 8, 4 / 3),
        ("t2.micro", 4, 1),
        ({"name": "c6gn.medium", "vcpus": 1, "memory": "1GiB"}, 4, 1),
        ({"name": "a1.medium", "vcpus": 1, "memory": "1GiB"}, 4, 1),
        ({"name": "t2.xlarge", "vcpus": 4, "memory": "1GiB"}, 1, 1),
    ],
)
def test_a_vcpu_of_t2_and_of_graviton_takes_a_core_of_any_host(lab, kind, room, slower):
    """Of four cores with two threads; two busy threads of a core with a gain of 0.5 do 0.75 each,
    and a core that is one's own is as fast as alone."""
    web = {"service": "work", "instance_type": kind, "count": room + 1, "boot": "0s"}
    hosts = {"hall": CORES_OF_TWO | {"smt_gain": 0.5}}
    vcpus = 4 if "xlarge" in str(kind) else 1
    balancers = {"door": {"targets": ["web"], "routing": "round_robin"}}

    def result(requests: int) -> Tree:
        return run(
            scenario(
                lab.at(*[1.0] * requests, to="door"),
                fleets={"web": web | {"hosts": "hall"}},
                hosts=hosts,
                balancers=balancers,
            )
        )

    busy = result(room * vcpus)
    assert busy["fleets"]["web"]["instances"]["final"] == room
    assert busy["hosts"]["hall"]["rejected_launches"] > 0
    alone = latency(of(result(1), "customers"))[3]
    assert latency(of(busy, "customers"))[3] == pytest.approx(slower * alone, abs=1e-6)


@pytest.mark.parametrize("scheduler", ["fair", "credit", "pinned"])
def test_who_shares_out_threads_has_no_cores_to_give(lab, scheduler):
    kind = {"name": "c6gn.medium", "vcpus": 1, "memory": "1GiB"}
    web = {"service": "work", "instance_type": kind, "hosts": "hall"}
    tree = scenario(lab.at(1), fleets={"web": web}, hosts={"hall": dict(CORES_OF_TWO)})
    nph.Scenario.model_validate(tree)
    tree["hosts"]["hall"]["scheduler"] = scheduler
    with pytest.raises(nph.ScenarioError, match=f"is a core, and {scheduler} shares out") as told:
        nph.Scenario.model_validate(tree)
    assert [it.path for it in told.value.problems] == ["fleets.web.instance_type"]
    single = CORES_OF_TWO["type"] | {"threads_per_core": 1}
    tree["hosts"]["hall"] = {"type": single, "scheduler": scheduler}
    nph.Scenario.model_validate(tree)


def test_without_hosts_a_vcpu_of_t2_has_a_core_of_its_own(lab):
    """Two busy vCPUs of t2.medium are as fast as one, at the clock of the type."""

    def longest(requests: int) -> float:
        web = {"service": "work", "instance_type": "t2.medium", "boot": "0s"}
        return latency(
            of(run(scenario(lab.at(*[1.0] * requests), fleets={"web": web})), "customers")
        )[3]

    assert longest(1) == longest(2) == pytest.approx(3.1 / 2.3, abs=1e-6)
