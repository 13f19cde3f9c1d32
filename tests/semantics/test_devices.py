"""What requests ask of networks, disks, accelerators and memory, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from semantics.lab import customers, fates, fleet, latency, moments, run, scenario, simulation, work

Tree = dict[str, Any]

MB_NETWORK = {"network": "1MB"}


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-9, abs=5e-9)


def asks(lab, step: Tree, *times: float, at_once: int = 8, **instance: Any) -> Tree:
    """Requests at these times that ask one thing of one instance, which serves many at once."""
    service = work(step, concurrency=at_once)
    return scenario(lab.at(*times), service, fleets={"web": fleet(**instance)})


def named(lab, kind: str, step: Tree, *times: float) -> Tree:
    """The same of a type of the catalogue."""
    web = fleet() | {"instance_type": kind}
    return scenario(lab.at(*times), work(step, concurrency=8), fleets={"web": web})


def took(tree: Tree):
    return latency(customers(tree))


# --- network ----------------------------------------------------------------------------------


def test_a_transfer_takes_its_bytes_over_the_bandwidth(lab):
    assert took(asks(lab, MB_NETWORK, 0, network="4MB/s")) == exactly(0.25)


def test_bits_are_an_eighth_of_bytes(lab):
    assert took(asks(lab, MB_NETWORK, 0, network="8Mbps")) == exactly(1)


def test_transfers_of_an_instance_share_its_interface_equally(lab):
    # Alone for 0.5 s; the second has half of it from then on and the rest alone.
    assert took(asks(lab, MB_NETWORK, 0, 0.5, network="1MB/s")) == exactly(1.5, 1.5)


def test_a_transfer_holds_its_worker(lab):
    assert took(asks(lab, MB_NETWORK, 0, 0, at_once=1, network="1MB/s")) == exactly(1, 2)


def test_a_transfer_uses_no_cpu(lab):
    result = run(asks(lab, MB_NETWORK, 0, network="1MB/s"))
    assert result["fleets"]["web"]["utilization"] == 0


def test_a_burst_lasts_as_long_as_its_bucket(lab):
    # A bucket of 2 MB is spent at 3 - 1 MB/s: 3 MB in the first second, then 1 MB/s.
    network = {"baseline": "1MB/s", "burst": "3MB/s", "burst_for": "1s"}
    assert took(asks(lab, {"network": "4MB"}, 0, network=network)) == exactly(2)


def test_a_bucket_is_refilled_while_less_than_the_baseline_is_used(lab):
    # Empty at 1 s; from 2 s on it is refilled at 1 MB/s, and full again at 4 s.
    network = {"baseline": "1MB/s", "burst": "3MB/s", "burst_for": "1s"}
    tree = asks(lab, {"network": "4MB"}, 0, 3, 20, network=network)
    # At 3 s there is 1 MB: 1.5 MB in 0.5 s, then 2.5 MB at 1 MB/s.
    assert took(tree) == exactly(2, 3, 2)


def test_a_named_type_has_the_baseline_and_the_peak_of_the_catalogue(lab):
    # 10 Gbps for 300 s, then 0.75.
    step = {"network": f"{int(1.25e9) * 300 + int(93.75e6)}B"}
    tree = named(lab, "m5.large", step, 0) | {"duration": "400s"}
    assert took(tree) == exactly(301)


def test_instances_without_hosts_have_links_of_their_own(lab):
    fleets = {name: fleet(network="1MB/s") for name in ("web", "batch")}
    traffic = {"users": lab.at(0, to="web"), "jobs": lab.at(0, to="batch")}
    result = run(scenario(traffic, work(MB_NETWORK), fleets=fleets))
    for source in ("users", "jobs"):
        assert latency(result["traffic"][source]) == exactly(1)


def on_a_host(lab, *, network: str | None, weights: tuple[int, int]) -> Tree:
    fleets = {
        name: fleet(network="3MB/s") | {"hosts": "hall", "weight": weight}
        for name, weight in zip(("web", "batch"), weights, strict=True)
    }
    kind: Tree = {"cores": 2, "memory": "64GiB"} | ({"network": network} if network else {})
    traffic = {"users": lab.at(0, to="web"), "jobs": lab.at(0, to="batch")}
    service = work({"network": "3MB"})
    return run(scenario(traffic, service, fleets=fleets, hosts={"hall": {"type": kind}}))


def test_instances_of_a_host_share_its_network_by_weight(lab):
    # 2 and 1 MB/s: the first ends at 1.5, when the second has 1.5 MB left and 3 MB/s.
    result = on_a_host(lab, network="3MB/s", weights=(512, 256))
    assert latency(result["traffic"]["users"]) == exactly(1.5)
    assert latency(result["traffic"]["jobs"]) == exactly(2)


def test_hosts_that_say_nothing_of_a_network_leave_each_its_own(lab):
    result = on_a_host(lab, network=None, weights=(512, 256))
    assert latency(result["traffic"]["jobs"]) == exactly(1)


# --- disk -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disk", "seconds"),
    [
        ({"bytes": "1MB"}, 1),
        ("1MB", 1),
        ({"ops": 50}, 0.5),
        ({"bytes": "1MB", "ops": 50}, 1),
        ({"bytes": "1MB", "ops": 200}, 2),
    ],
)
def test_a_disk_takes_as_long_as_the_slower_of_bytes_and_operations(lab, disk, seconds):
    tree = asks(lab, {"disk": disk}, 0, disk={"bandwidth": "1MB/s", "iops": 100})
    assert took(tree) == exactly(seconds)


def test_requests_share_a_disk(lab):
    step = {"disk": {"bytes": "1MB", "ops": 50}}
    tree = asks(lab, step, 0, 0, disk={"bandwidth": "1MB/s", "iops": 100})
    assert took(tree) == exactly(2, 2)


@pytest.mark.parametrize(
    ("kind", "disk"),
    [
        ("i3.large", {"bytes": "475MB"}),  # an SSD of 475 GB: 1 MB/s a GB
        ("i3.large", {"ops": 95_000}),  # and 200 operations
        ("i4i.32xlarge", {"bytes": "16GB"}),  # eight, at most 2 GB/s each
        ("d3.xlarge", {"ops": 450}),  # three HDDs
        ("m5.large", {"ops": 3000}),  # none: a gp3 volume
        ("m5.large", {"bytes": "593750kB"}),  # behind 4750 Mbps
    ],
)
def test_named_types_have_local_disks_or_a_volume(lab, kind, disk):
    assert took(named(lab, kind, {"disk": disk}, 0)) == exactly(1)


# --- accelerators -----------------------------------------------------------------------------


def test_work_on_an_accelerator_takes_its_speed(lab):
    assert took(asks(lab, {"gpu": "1s"}, 0, gpu={"count": 1, "speed": 2.0})) == exactly(0.5)


def test_accelerators_are_the_servers_of_a_queue(lab):
    result = run(asks(lab, {"gpu": "1s"}, 0, 0, 0, gpu=2))
    assert latency(result["traffic"]["customers"]) == exactly(1, 1, 2)
    assert result["fleets"]["web"]["devices"]["gpu_s"] == pytest.approx(3)
    assert result["fleets"]["web"]["utilization"] == 0


def test_requests_that_wait_are_taken_up_together(lab):
    # The first finds a free accelerator and goes alone; three wait, and take 1 + 2 x 0.5 s.
    step = {"gpu": {"work": "1s", "batch": 4, "marginal": 0.5}}
    assert took(asks(lab, step, 0, 0, 0, 0, gpu=1)) == exactly(1, 3, 3, 3)


def test_a_batch_has_no_more_than_its_limit(lab):
    step = {"gpu": {"work": "1s", "batch": 2, "marginal": 0.0}}
    assert took(asks(lab, step, 0, 0, 0, 0, gpu=1)) == exactly(1, 2, 2, 3)


def test_a_batch_takes_as_long_as_its_longest(lab):
    path = str(lab.column([1, 1, 2, 1]))
    step = {"gpu": {"work": {"replay": {"file": path, "column": "value"}}, "batch": 8}}
    # Then 2 s x (1 + 2 x 0.1).
    assert took(asks(lab, step, 0, 0, 0, 0, gpu=1)) == exactly(1, 3.4, 3.4, 3.4)


def test_only_requests_of_the_same_step_are_batched(lab):
    def gpu(seconds):
        return {"gpu": {"work": seconds, "batch": 8, "marginal": 0.0}}

    # All four come to the second step one after the other and meet only their like.
    service = work(gpu("1s"), gpu("3s"), concurrency=2)
    tree = scenario(lab.at(0, 0), service, fleets={"web": fleet(gpu=1)})
    # First step 0-1 of one and, waiting for it, 1-2 of the other; then 2-5 and 5-8.
    assert took(tree) == exactly(5, 8)


def test_without_accelerators_the_cpu_does_the_work_twenty_times_as_long(lab):
    result = run(asks(lab, {"gpu": "100ms"}, 0, vcpus=1, speed=0.5))
    assert latency(result["traffic"]["customers"]) == exactly(4)
    assert result["fleets"]["web"]["devices"]["gpu_s"] == 0
    assert result["fleets"]["web"]["utilization"] == pytest.approx(0.04)


def test_a_named_type_has_its_accelerators(lab):
    # A V100 at 125 over 65 of a T4.
    assert took(named(lab, "g4dn.xlarge", {"gpu": "1s"}, 0)) == exactly(1)
    assert took(named(lab, "p3.2xlarge", {"gpu": "1.25s"}, 0)) == exactly(0.65)


# --- memory -----------------------------------------------------------------------------------


def holds(lab, *times: float, then: Tree | None = None, **keys: Any) -> Tree:
    service = work({"memory": "600MiB"}, then or {"sleep": "1s"}, concurrency=4)
    return scenario(lab.at(*times, **keys), service, fleets={"web": fleet(memory="1GiB")})


def test_a_request_that_finds_no_memory_fails(lab):
    result = run(holds(lab, 0, 0.5))
    assert fates(result["traffic"]["customers"]) == (1, 0, 1, 0, 0)
    assert result["fleets"]["web"]["devices"]["out_of_memory"] == 1


def test_memory_is_given_back_at_the_end(lab):
    assert fates(customers(holds(lab, 0, 1.5))) == (2, 0, 0, 0, 0)


def test_memory_is_given_back_by_a_request_that_fails(lab):
    result = run(holds(lab, 0, 1, then={"fail": 1.0}))
    assert fates(result["traffic"]["customers"]) == (0, 0, 2, 0, 0)
    assert result["fleets"]["web"]["devices"]["out_of_memory"] == 0


def test_memory_is_held_for_a_client_that_has_left(lab):
    result = run(holds(lab, 0, 0.5, 1.5, timeout="100ms"))
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 2, 0)
    assert result["fleets"]["web"]["wasted"] == 2


def test_memory_adds_up(lab):
    steps = [{"memory": "400MiB"}, {"memory": "400MiB"}, {"memory": "400MiB"}]
    tree = scenario(lab.at(0), work(*steps), fleets={"web": fleet(memory="1GiB")})
    assert fates(customers(tree)) == (0, 0, 1, 0, 0)


# --- figures, and worlds as values ------------------------------------------------------------


def test_what_was_asked_is_counted_from_the_warm_up_on(lab):
    service = work(MB_NETWORK, {"disk": {"bytes": "2MB", "ops": 3}})
    tree = scenario(lab.at(0, 5, 6), service, warmup="2s")
    devices = run(tree)["fleets"]["web"]["devices"]
    assert (devices["network_bytes"], devices["disk_bytes"], devices["disk_ops"]) == (
        2_000_000,
        4_000_000,
        6,
    )


def test_a_service_that_asks_nothing_has_no_figures(lab):
    assert "devices" not in run(scenario(lab.at(0)))["fleets"]["web"]


def test_a_transfer_goes_on_after_its_client_has_left(lab):
    tree = asks(lab, MB_NETWORK, 0, 0.5, at_once=1, network="1MB/s")
    tree["traffic"]["customers"]["timeout"] = "700ms"
    result = run(tree)
    # The second begins at 1 s, when the first is done for nobody.
    assert fates(result["traffic"]["customers"]) == (0, 0, 0, 2, 0)
    assert result["fleets"]["web"]["wasted"] == 2


def test_a_fork_in_the_middle_of_everything_ends_alike(lab):
    steps = [MB_NETWORK, {"disk": {"ops": 50}}, {"gpu": {"work": "1s", "batch": 2}}]
    web = fleet(network="1MB/s", disk={"iops": 100}, gpu=1)
    tree = scenario(lab.at(0, 0.2, 0.4, 1), work(*steps, concurrency=4), fleets={"web": web})
    running = simulation(tree)
    running.advance("1.3s")
    copy = running.fork()
    for each in (running, copy):
        each.advance("100s")
    straight = run(tree)["traffic"]["customers"]
    for each in (running, copy):
        assert each.results().to_dict()["traffic"]["customers"] == straight


def test_an_instance_that_leaves_finishes_its_transfers(lab):
    running = simulation(asks(lab, MB_NETWORK, 0, network="100kB/s"))
    running.advance("1s")
    running.set("fleets.web.count", 0)
    running.advance("9.9s")
    assert running.results()["fleets.web.terminations"] == 0
    running.advance("11s")
    assert running.results()["fleets.web.terminations"] == 1
    assert running.results()["traffic.customers.completed"] == 1


def test_accelerators_of_instances_are_taken_of_their_host(lab):
    web = fleet(count=3, gpu=1) | {"hosts": "hall"}
    hosts = {"hall": {"type": {"cores": 8, "memory": "64GiB", "gpu": 2}}}
    result = run(scenario(lab.at(0), work({"gpu": "1s"}), fleets={"web": web}, hosts=hosts))
    assert result["fleets"]["web"]["instances"]["final"] == 2
    assert latency(result["traffic"]["customers"]) == exactly(1)


def on_hall(lab, web: Tree, *, count: int, **devices: Any) -> Any:
    """Instances that look for room on two big hosts with these devices."""
    kind = {"cores": 64, "memory": "512GiB", **devices}
    fleets = {"web": web | {"count": count, "hosts": "hall"}}
    hosts = {"hall": {"count": 2, "type": kind}}
    result = run(scenario(lab.at(0), work({"disk": "1MB"}), fleets=fleets, hosts=hosts))
    refused = result["hosts"]["hall"]["rejected_launches"]
    assert (refused == 0) == (placed(result) == count)
    return result


def placed(result: Any) -> int:
    return int(result["fleets"]["web"]["instances"]["final"])


@pytest.mark.parametrize(("disks", "room"), [(0, 0), (1, 2), (3, 6)])
def test_a_named_type_with_a_local_disk_needs_one_of_its_host(lab, disks, room):
    result = on_hall(lab, fleet() | {"instance_type": "i3.large"}, count=8, disk=disks)
    assert placed(result) == room


@pytest.mark.parametrize(("each", "room"), [(0, 4), (1, 4), (2, 2), (3, 2), (4, 0)])
def test_a_custom_type_says_how_many_local_disks_it_needs(lab, each, room):
    result = on_hall(lab, fleet(disk={"count": each}), count=4, disk=3)
    assert placed(result) == room


@pytest.mark.parametrize(("kind", "room"), [("g4dn.xlarge", 4), ("g4dn.12xlarge", 0)])
def test_a_named_type_with_accelerators_needs_them_and_its_disk(lab, kind, room):
    result = on_hall(lab, fleet() | {"instance_type": kind}, count=6, gpu=2, disk=8)
    assert placed(result) == room


def test_hosts_of_the_catalogue_have_their_devices(lab):
    fleets = {"web": fleet(count=1) | {"instance_type": "i3.large", "hosts": "hall"}}
    for kind, room in (("i3.metal", 1), ("m5.metal", 0)):
        hosts = {"hall": {"type": kind}}
        result = run(scenario(lab.at(0), work({"disk": "1MB"}), fleets=fleets, hosts=hosts))
        assert placed(result) == room


def test_a_disk_bursts_as_a_network_does(lab):
    disk = {"bandwidth": "1MB/s", "burst": "3MB/s", "burst_for": "1s"}
    assert took(asks(lab, {"disk": "4MB"}, 0, disk=disk)) == exactly(2)
