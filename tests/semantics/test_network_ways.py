"""The network of an instance in and out, and single transfers: one test a rule, by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import Tree, customers, fleet, latency, run, scenario, simulation, work

IN = {"network": {"bytes": "1MB", "direction": "in"}}
OUT = {"network": "1MB"}
BURSTING: Tree = {"baseline": "1MB/s", "burst": "3MB/s", "burst_for": "1s"}


def lab_of(lab: Any, *steps: Tree, times: tuple[float, ...] = (0,), **instance: Any) -> Tree:
    web = fleet(**instance)
    return scenario(lab.at(*times), work(*steps, concurrency=8), fleets={"web": web})


def longest(tree: Tree) -> float:
    return latency(customers(tree))[3]


def test_in_and_out_do_not_share_a_bandwidth(lab):
    """One that receives beside one that sends takes a second; two of a kind share, and take two."""
    choose = {"choose": [{"weight": 1, "steps": [IN]}, {"weight": 1, "steps": [OUT]}]}
    seen = set()
    for rng in range(8):
        tree = lab_of(lab, choose, times=(0, 0), network="1MB/s")
        result = run(tree, rng)
        received = result["fleets"]["web"]["devices"]["received_bytes"]
        took = latency(result["traffic"]["customers"])[3]
        assert took == pytest.approx(1.0 if received == 1_000_000 else 2.0, abs=1e-6)
        seen.add(received)
    assert 1_000_000 in seen
    assert seen & {0, 2_000_000}


def test_each_has_a_bucket_of_its_own(lab):
    """4 MB out take 2 s and empty that bucket; then 4 MB in take 2 s again, and 4 MB out 4 s."""
    four = {"network": {"bytes": "4MB"}}
    four_in = {"network": {"bytes": "4MB", "direction": "in"}}
    assert longest(lab_of(lab, four, network=BURSTING)) == pytest.approx(2.0, abs=1e-6)
    assert longest(lab_of(lab, four_in, network=BURSTING)) == pytest.approx(2.0, abs=1e-6)
    assert longest(lab_of(lab, four, four_in, network=BURSTING)) == pytest.approx(4.0, abs=1e-6)
    assert longest(lab_of(lab, four, four, network=BURSTING)) == pytest.approx(6.0, abs=1e-6)


def test_the_bytes_are_told_apart(lab):
    devices = run(lab_of(lab, IN, IN, OUT))["fleets"]["web"]["devices"]
    assert (devices["network_bytes"], devices["received_bytes"]) == (3_000_000, 2_000_000)
    assert "received_bytes" not in run(lab_of(lab, OUT))["fleets"]["web"]["devices"]


def leaving(lab: Any, step: Tree, vcpus: int, network: Any) -> tuple[float, float]:
    """How long one transfer takes within the region, and beyond."""
    tree = lab_of(lab, step, vcpus=vcpus, network=network)
    within = longest(tree)
    tree["fleets"]["web"]["leaves_region"] = True
    return within, longest(tree)


def test_half_leaves_the_region_of_a_type_of_32_vcpus_or_more(lab):
    """10 GB at 10 Gbps take 8 s, each way, and 16 s beyond; with 31 vCPUs they have 5 Gbps too,
    of 20 Gbps no more than that, and half of 20 Gbps is 10."""
    for way in ("in", "out"):
        step = {"network": {"bytes": "10GB", "direction": way}}
        assert leaving(lab, step, 32, "10Gbps") == pytest.approx((8.0, 16.0), abs=1e-6)
        assert leaving(lab, step, 31, "20Gbps") == pytest.approx((4.0, 16.0), abs=1e-6)
        assert leaving(lab, step, 32, "20Gbps") == pytest.approx((4.0, 8.0), abs=1e-6)
        assert leaving(lab, step, 64, "2Gbps") == pytest.approx((40.0, 80.0), abs=1e-6)


def test_half_of_the_bucket_goes_with_half_of_the_bandwidth(lab):
    """4 MB at 3 MB/s and 1 MB/s, with 2 MB in the bucket: 1 s at the peak, then 1 s; at 1.5 MB/s
    and 0.5 MB/s it lasts for a second too, and 2.5 MB are left."""
    step = {"network": {"bytes": "4MB"}}
    assert leaving(lab, step, 32, BURSTING) == pytest.approx((2.0, 6.0), abs=1e-6)


def test_at_most_5_gbps_leave_the_region_of_a_smaller_type(lab):
    """What has less keeps it. A burst to 15 Gbps above 2.5 for a second is a bucket of 12.5 Gbit:
    at 5 Gbps it lasts for 5 s, in which 25 Gbit go."""
    step = {"network": {"bytes": "5GB"}}
    assert leaving(lab, step, 2, "4Gbps") == pytest.approx((10.0, 10.0), abs=1e-6)
    assert leaving(lab, step, 2, "8Gbps") == pytest.approx((5.0, 8.0), abs=1e-6)
    bursting = {"baseline": "2.5Gbps", "burst": "15Gbps", "burst_for": "1s"}
    assert leaving(lab, step, 2, bursting) == pytest.approx((11.0, 11.0), abs=1e-6)
    short = {"network": {"bytes": "1875MB"}}
    assert leaving(lab, short, 2, bursting) == pytest.approx((1.0, 3.0), abs=1e-6)
    high = {"baseline": "6Gbps", "burst": "15Gbps", "burst_for": "1s"}
    assert leaving(lab, step, 2, high)[1] == pytest.approx(8.0, abs=1e-6)


def test_a_refresh_to_a_larger_type_changes_what_leaves(lab):
    """m5.4xlarge has 5 Gbps for ever, all of which leaves; of 12 and 25 Gbps half does."""
    web = {"service": "work", "instance_type": "m5.4xlarge", "boot": "0s", "leaves_region": True}
    web |= {"durations": {"terminate": "0s"}}
    step = {"network": {"bytes": "5GB"}}

    def took(at: float) -> float:
        return longest(scenario(lab.at(at), work(step), fleets={"web": web}))

    assert took(0) == pytest.approx(8.0, abs=1e-6)
    for kind, gbps in (("m5.12xlarge", 6), ("m5.24xlarge", 12.5)):
        web["refresh"] = {"at": "20s", "to": kind, "min_healthy": "0%"}
        assert took(50) == pytest.approx(40 / gbps, abs=1e-6)


def on_a_host(lab: Any, *steps: Tree, **keys: Any) -> Tree:
    """Two instances that share the 1 MB/s of their host, each way; each has a request at 0."""
    fleets = {name: fleet(network="1MB/s") | {"hosts": "hall"} for name in ("web", "batch")}
    kind = {"cores": 4, "memory": "64GiB", "network": "1MB/s"}
    services = {f"do-{name}": work(step) for name, step in zip(fleets, steps, strict=True)}
    for name, each in fleets.items():
        each["service"] = f"do-{name}"
    traffic = {f"to-{name}": lab.at(0, to=name) for name in fleets}
    return scenario(
        traffic,
        fleets=fleets,
        services=services,
        hosts={"hall": {"count": 2, "type": kind}},
        **keys,
    )


def test_instances_of_a_host_share_each_way(lab):
    for steps, took in (((IN, OUT), 1.0), ((IN, IN), 2.0), ((OUT, OUT), 2.0)):
        result = run(on_a_host(lab, *steps))
        assert latency(result["traffic"]["to-web"])[3] == pytest.approx(took, abs=1e-6)


def test_a_migration_takes_both_ways_along(lab):
    """Half of it has come at 1 s; on the other host the rest takes half a second."""
    sim = nph.Simulation(nph.Scenario.model_validate(on_a_host(lab, IN, IN)), rng=7)
    sim.advance("1s")
    assert sim.migrate(0, 1)
    sim.advance("50s")
    assert latency(sim.result().to_dict()["traffic"]["to-web"])[3] == pytest.approx(1.5, abs=1e-6)


@pytest.mark.parametrize(("limit", "took"), [("500kB/s", 2.0), ("2MB/s", 1.0), (None, 1.0)])
@pytest.mark.parametrize("step", [IN, OUT])
def test_a_single_transfer_has_its_limit(lab, limit, took, step):
    tree = lab_of(lab, step, network="1MB/s")
    tree["fleets"]["web"] |= {} if limit is None else {"flow_limit": limit}
    assert longest(tree) == pytest.approx(took, abs=1e-6)


def test_several_reach_more_together(lab):
    """Three of 500 kB/s each would have 1.5 MB/s: they share 1 MB/s."""
    tree = lab_of(lab, OUT, times=(0, 0), network="1MB/s")
    tree["fleets"]["web"]["flow_limit"] = "500kB/s"
    assert longest(tree) == pytest.approx(2.0, abs=1e-6)
    three = lab_of(lab, OUT, times=(0, 0, 0), network="1MB/s")
    three["fleets"]["web"]["flow_limit"] = "500kB/s"
    assert longest(three) == pytest.approx(3.0, abs=1e-6)


def test_on_a_host_each_has_its_own_limit(lab):
    tree = on_a_host(lab, OUT, OUT)
    tree["fleets"]["batch"]["flow_limit"] = "250kB/s"
    result = run(tree)
    assert latency(result["traffic"]["to-web"])[3] == pytest.approx(1 / 0.75, abs=1e-6)
    assert latency(result["traffic"]["to-batch"])[3] == pytest.approx(4.0, abs=1e-6)


def test_disks_have_no_such_limit(lab):
    tree = lab_of(lab, {"disk": "1MB"}, disk={"bandwidth": "1MB/s"})
    tree["fleets"]["web"]["flow_limit"] = "1kB/s"
    assert longest(tree) == pytest.approx(1.0, abs=1e-6)


def scaled(lab: Any, metric: str, *steps: Tree) -> list[int]:
    """Instances each ten seconds of a fleet that grows at 150 kB/s of a metric: each second a
    request receives 200 kB and sends 100 kB."""
    web = fleet() | {
        "count": {"min": 1, "max": 2},
        "metrics": {"period": "10s", "delay": "0s"},
        "scaling": [{"step": {"metric": metric, "threshold": "150kB/s", "steps": [[0, "inf", 1]]}}],
    }
    traffic = {"to": "web", "rate": "1/s", "arrivals": "constant"}
    tree = scenario(traffic, work(*steps), fleets={"web": web}, duration="60s")
    sim = simulation(tree)
    sim.advance("25s")
    return [int(sim.results()["fleets.web.scaling.desired"])]


def test_policies_may_look_at_one_way_alone(lab):
    steps = ({"network": {"bytes": "200kB", "direction": "in"}}, {"network": "100kB"})
    assert scaled(lab, "network_in", *steps) == [2]
    assert scaled(lab, "network_out", *steps) == [1]
    assert scaled(lab, "network", *steps) == [2]
    assert scaled(lab, "network_out", {"network": "200kB"}) == [2]


@pytest.mark.parametrize(
    ("metric", "step", "words"),
    [
        ("network_in", OUT, "no step that uses the network to receive"),
        ("network_out", IN, "no step that uses the network to send"),
        ("network_in", {"compute": "1s"}, "no step that uses the network to receive"),
    ],
)
def test_a_way_that_is_not_used_cannot_be_looked_at(lab, metric, step, words):
    with pytest.raises(ScenarioError, match=words):
        scaled(lab, metric, step)


def test_other_directions_are_refused(lab):
    with pytest.raises(ScenarioError, match=r"network\.direction"):
        run(lab_of(lab, {"network": {"bytes": "1MB", "direction": "up"}}))
