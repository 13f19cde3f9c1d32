"""Network volumes, and shares of local disks: one test a rule, with figures by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fleet, latency, run, scenario, work

Tree = dict[str, Any]


def seconds(lab: Any, step: Tree, **keys: Any) -> float:
    """How long one request takes that asks for that of its disk."""
    web = {"service": "work", "count": 1, "instance_type": "m5.large", "boot": "0s"} | keys
    tree = scenario(lab.at(1), work({"disk": step}), fleets={"web": web})
    return latency(run(tree)["traffic"]["customers"])[3]


def test_operations_are_those_of_the_volume(lab):
    assert seconds(lab, {"ops": 30_000}) == pytest.approx(10.0, abs=1e-6)
    assert seconds(lab, {"ops": 30_000}, volume={"iops": 10_000}) == pytest.approx(3.0, abs=1e-6)
    assert seconds(lab, {"ops": 30_000}, volume={}) == pytest.approx(10.0, abs=1e-6)


def test_bytes_are_limited_by_the_volume_and_by_the_type(lab):
    # m5.large: 4,750 Mbps while its bucket lasts, 593.75 MB/s; a volume of 125 MB/s or of 500.
    amount = {"bytes": "1GB"}
    assert seconds(lab, amount) == pytest.approx(1000 / 593.75, abs=1e-6)
    assert seconds(lab, amount, volume={}) == pytest.approx(8.0, abs=1e-6)
    fast = {"iops": 4000, "throughput": "4Gbps"}
    assert seconds(lab, amount, volume=fast) == pytest.approx(2.0, abs=1e-6)
    most = {"iops": 16_000, "throughput": "8Gbps"}
    assert seconds(lab, amount, volume=most) == pytest.approx(1000 / 593.75, abs=1e-6)


def test_a_slower_volume_spends_the_bucket_of_its_type_more_slowly(lab):
    # (593.75 - 81.25) MB/s for 30 minutes are 922.5 GB: at 125 MB/s they last 21,085.7 s.
    lasting = 922_500 / (125 - 81.25)
    megabytes = lasting * 125 + 100 * 81.25
    web = {"service": "work", "count": 1, "instance_type": "m5.large", "boot": "0s", "volume": {}}
    step = {"disk": {"bytes": f"{round(megabytes * 1000)}kB"}}
    tree = scenario(lab.at(1), work(step), fleets={"web": web}, duration="30000s")
    took = latency(run(tree)["traffic"]["customers"])[3]
    assert took == pytest.approx(lasting + 100, abs=1e-3)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"volume": {"iops": 2999}}, "3000 to 16000"),
        ({"volume": {"throughput": "8Gbps"}}, "with these iops"),
        ({"volume": {"throughput": "500Mbps"}}, "1Gbps to"),
        ({"volume": {"iops": 16_000, "size": "10GiB"}}, "32GiB or more"),
        ({"volume": {}, "instance_type": "i3.large"}, "its disks are local"),
        ({"volume": {}, "instance_type": {"vcpus": 1, "memory": "1GiB"}}, "a disk of its own"),
    ],
)
def test_what_is_not_sold_is_refused(lab, keys: Tree, message: str):
    web = {"service": "work", "instance_type": "m5.large"} | keys
    with pytest.raises(nph.ScenarioError, match=message):
        nph.Scenario.model_validate(scenario(lab.at(1), fleets={"web": web}))


# --- local disks ------------------------------------------------------------------------------


def placed(kind: Any, count: int, hosts: Tree) -> tuple[int, int]:
    """Instances that found room, and launches that were refused."""
    web = fleet(count=count) | {"instance_type": kind, "hosts": "hall"}
    tree = scenario(
        {"to": "web", "rate": "1/s"},
        work({"compute": "1ms"}),
        fleets={"web": web},
        hosts={"hall": hosts},
        duration="10s",
    )
    result = run(tree)
    final = result["fleets"]["web"]["instances"]["final"]
    return final, result["hosts"]["hall"]["rejected_launches"]


def test_small_instances_share_a_disk_of_a_known_size():
    # 8 x 1,900 GB are 32 x 475 GB; threads and memory would do for one more.
    assert placed("i3.large", 33, {"count": 1, "type": "i3.metal"}) == (32, 1)
    assert placed("i3.16xlarge", 2, {"count": 1, "type": "i3.metal"}) == (1, 1)


def test_disks_of_no_known_size_are_whole():
    room = {"count": 1, "type": {"cores": 64, "memory": "1TiB", "disk": 8}}
    assert placed("i3.large", 9, room) == (8, 1)
    custom = {"vcpus": 1, "memory": "1GiB", "disk": {"count": 2}}
    assert placed(custom, 5, {"count": 1, "type": "i3.metal"}) == (4, 1)


# --- the bill ---------------------------------------------------------------------------------


def billed(tree: Tree) -> Tree:
    return run(tree)["cost_usd"]["volumes"]["web"]


def priced(lab: Any, *actions: Tree, count: int = 2, **keys: Any) -> Tree:
    """Volumes of 100 GiB at $0.08, for an hour."""
    volume = {"size": "100GiB", "usd_per_gib_month": 0.08}
    web = {"service": "work", "count": count, "instance_type": "m5.large", "volume": volume}
    traffic = lab.at(1)
    return scenario(
        traffic, fleets={"web": web | keys}, actions=list(actions), duration="1h"
    )  # fmt: skip


def test_volumes_are_billed_in_every_state(lab):
    """Also of an instance that is stopped for half of the time, whose hours are fewer."""
    month = 730 * 3600
    stopped = priced(lab, {"at": "30m", "stop": {"fleet": "web", "count": 1}})
    for tree in (priced(lab), stopped):
        line = billed(tree)
        assert line["gib_months"] == pytest.approx(2 * 100 * 3600 / month)
        assert line["usd"] == pytest.approx(0.08 * line["gib_months"])
    hours = [
        run(tree)["cost_usd"]["instances"]["web"]["billed_s"] for tree in (priced(lab), stopped)
    ]
    assert hours[1] < hours[0]
    bill = run(stopped)["cost_usd"]
    parts = (section for name, section in bill.items() if name != "total")
    assert bill["total"] == pytest.approx(sum(it["usd"] for part in parts for it in part.values()))


def test_they_are_billed_from_the_launch_to_the_end(lab):
    """One is terminated at half an hour and another launched: three, for two hours together and
    the minutes in which one shuts down."""
    end = {"at": "30m", "terminate": {"fleet": "web", "count": 1}}
    tree = priced(lab, end, durations={"terminate": "60s"})
    assert billed(tree)["gib_months"] == pytest.approx(100 * (7200 + 60) / (730 * 3600), rel=1e-3)


def test_without_a_price_they_are_not_on_the_bill(lab):
    tree = priced(lab)
    del tree["fleets"]["web"]["volume"]["usd_per_gib_month"]
    assert "volumes" not in run(tree)["cost_usd"]
    del tree["fleets"]["web"]["volume"]
    assert "volumes" not in run(tree)["cost_usd"]


def test_a_price_needs_a_size(lab):
    tree = priced(lab)
    del tree["fleets"]["web"]["volume"]["size"]
    with pytest.raises(nph.ScenarioError, match="a price without a size"):
        nph.Scenario.model_validate(tree)


# --- addresses --------------------------------------------------------------------------------


def address_lines(tree: Tree, **address: Any) -> tuple[Tree, Tree]:
    """The line of the addresses of a fleet, and the whole bill."""
    web = tree["fleets"]["web"] | {"elastic_address": address}
    bill: Tree = run(tree | {"fleets": {"web": web}})["cost_usd"]
    return bill["addresses"]["web"], bill


def test_addresses_are_billed_in_every_state(lab):
    """Two for an hour, also where one is stopped for half of it; and the bill is their sum."""
    stop = {"at": "30m", "stop": {"fleet": "web", "count": 1}}
    for tree in (priced(lab), priced(lab, stop)):
        line, bill = address_lines(tree)
        assert line["hours"] == pytest.approx(2.0)
        assert line["usd"] == pytest.approx(2 * 0.005)
        parts = (section for name, section in bill.items() if name != "total")
        total = sum(it["usd"] for part in parts for it in part.values())
        assert bill["total"] == pytest.approx(total)
    assert address_lines(priced(lab), usd_per_hour=0.01)[0]["usd"] == pytest.approx(0.02)


def test_an_address_goes_with_its_instance(lab):
    end = {"at": "30m", "terminate": {"fleet": "web", "count": 1}}
    tree = priced(lab, end, durations={"terminate": "60s"})
    assert address_lines(tree)[0]["hours"] == pytest.approx(2 + 60 / 3600, rel=1e-3)


def test_volumes_and_addresses_are_on_the_bill_by_themselves(lab):
    tree = priced(lab)
    assert "addresses" not in run(tree)["cost_usd"]
    del tree["fleets"]["web"]["volume"]
    bill = address_lines(tree)[1]
    assert "volumes" not in bill
