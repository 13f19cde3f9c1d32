"""What load balancers cost, by hand: one test a rule of the price list."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope import catalog
from semantics.lab import fleet, run, scenario, simulation, work

Tree = dict[str, Any]


def lab_of(rate: str, duration: str, service: Tree | None = None, **door: Any) -> Tree:
    """Constant arrivals, the first after one gap, at one balancer."""
    return scenario(
        {"to": "door", "rate": rate, "arrivals": "constant"},
        service or work({"compute": "1us"}),
        fleets={"web": fleet(vcpus=64)},
        balancers={"door": {"targets": ["web"], **door}},
        duration=duration,
        series="none",
    )


def line(tree: Tree) -> Tree:
    return run(tree)["cost_usd"]["load_balancers"]["door"]


def test_an_hour_that_has_begun_counts_in_full():
    idle = {"bytes_per_request": "0B"}
    assert line(lab_of("1/h", "1s", **idle))["hours"] == 1
    assert line(lab_of("1/h", "1h", **idle))["hours"] == 1
    assert line(lab_of("1/h", "3600.000000001s", **idle))["hours"] == 2
    assert line(lab_of("1/h", "150m", **idle))["hours"] == 3
    assert line(lab_of("1/h", "1s", **idle))["usd"] == pytest.approx(0.0225, abs=1e-12)


def test_a_unit_holds_25_new_connections_a_second():
    # 5/s for an hour, the first at 0.2 s, the last before 3600 s: 17,999 connections.
    unit = line(lab_of("5/s", "1h", bytes_per_request="0B"))
    assert unit["unit_hours"] == pytest.approx(17_999 / 3600 / 25, rel=1e-12)
    assert unit["usd"] == pytest.approx(0.0225 + 0.008 * 17_999 / 90_000, rel=1e-12)


def test_what_a_part_of_an_hour_brought_is_spread_over_the_hour():
    # 100 s at 5/s: 499 connections.
    unit = line(lab_of("5/s", "100s", bytes_per_request="0B"))
    assert unit["unit_hours"] == pytest.approx(499 / 3600 / 25, rel=1e-12)


def test_a_connection_may_carry_many_requests():
    tree = lab_of("5/s", "1h", bytes_per_request="0B", requests_per_connection=10)
    assert line(tree)["unit_hours"] == pytest.approx(17_999 / 36_000 / 25, rel=1e-12)


def test_a_unit_holds_3000_active_connections():
    # Requests of 10 minutes, one a second: from 600 s on 600 are under way. At the end of minute k
    # those of 1 s to 60 k s are: 60 k of them, and what is due then has not happened.
    service = work({"sleep": "10m"}, discipline="ps")
    tree = lab_of("1/s", "1h", service, bytes_per_request="0B", requests_per_connection=10**6)
    active = sum(min(60 * minute - 1, 600) for minute in range(1, 61)) / 60
    assert line(tree)["unit_hours"] == pytest.approx(active / 3000, rel=1e-12)


def test_a_unit_holds_a_gigabyte_an_hour():
    bill = line(lab_of("1/s", "100s", bytes_per_request="1MB"))
    assert bill["gb"] == pytest.approx(0.099)
    assert bill["unit_hours"] == pytest.approx(0.099)


def test_four_kilobytes_a_request_unless_told():
    assert line(lab_of("1/s", "100s"))["gb"] == pytest.approx(99 * 4e-6)


def test_a_unit_holds_a_thousand_evaluations_beyond_ten_rules():
    keys = {"bytes_per_request": "0B", "requests_per_connection": 10**6}
    assert line(lab_of("5/s", "1h", rules=10, **keys))["unit_hours"] < 1e-6
    unit = line(lab_of("5/s", "1h", rules=30, **keys))["unit_hours"]
    assert unit == pytest.approx(17_999 / 3600 * 20 / 1000, rel=1e-12)


def test_the_greatest_dimension_of_each_hour_is_billed():
    # In the first hour connections (1/s for an hour), in the second the few that are open long.
    hours = [catalog.LoadBalancerHour(90_000, 0), catalog.LoadBalancerHour(0, 60 * 6000)]
    bill = catalog.load_balancer_bill("application", hours)
    assert (bill.hours, bill.unit_hours) == (2, 1.0 + 2.0)
    assert bill.usd == pytest.approx(2 * 0.0225 + 3 * 0.008)


def test_a_network_load_balancer_has_units_of_its_own():
    hours = [catalog.LoadBalancerHour(3600 * 800, 0)]
    bill = catalog.load_balancer_bill("network", hours)
    assert (bill.unit_hours, bill.usd) == (1.0, pytest.approx(0.0225 + 0.006))
    active = catalog.load_balancer_bill("network", [catalog.LoadBalancerHour(0, 60 * 50_000)])
    assert active.unit_hours == 0.5
    unit = line(lab_of("5/s", "1h", type="network", bytes_per_request="0B"))
    assert unit["usd"] == pytest.approx(0.0225 + 0.006 * 17_999 / 3600 / 800, rel=1e-12)


def test_a_classic_load_balancer_is_billed_by_the_gigabyte():
    bill = line(lab_of("1/s", "100s", type="classic", bytes_per_request="100MB"))
    assert "unit_hours" not in bill
    assert bill["usd"] == pytest.approx(0.025 + 9.9 * 0.008)


def test_one_that_is_not_bought_has_no_line():
    result = run(lab_of("1/s", "100s", type="none"))
    assert "cost_usd" not in result


def test_the_bill_is_of_the_whole_run_and_of_every_attempt():
    # Two attempts each, for all are rejected; the warm-up is paid too.
    service = work({"compute": "1s"}, rate_limit={"rate": "1/d", "burst": 1})
    tree = lab_of("1/s", "100s", service, bytes_per_request="1MB") | {"warmup": "50s"}
    tree["traffic"]["customers"]["retry"] = 2
    attempts = 1 + 2 * 98
    assert line(tree)["gb"] == pytest.approx(attempts * 1e-3)


def test_health_checks_are_no_requests():
    tree = lab_of("1/h", "100s", health_check={"interval": "1s", "timeout": "500ms"})
    assert line(tree)["gb"] == 0.0


def test_the_sum_holds_all_lines():
    tree = lab_of("1/s", "100s")
    tree["fleets"]["web"]["instance_type"] = "m5.large"
    cost = run(tree)["cost_usd"]
    lines = [
        each["usd"] for part in cost.values() if isinstance(part, dict) for each in part.values()
    ]
    assert len(lines) == 2
    assert cost["total"] == pytest.approx(sum(lines))


def test_a_run_may_be_cut_anywhere():
    tree = lab_of("5/s", "2h")
    whole = line(tree)
    sim = simulation(tree)
    for instant in ("59s", "60s", "30m", "3600s", "3600.2s"):
        sim.advance(instant)
        sim = sim.fork()
    assert sim.results()["cost_usd.load_balancers.door.hours"] == 2
    sim.advance("2h")
    assert sim.results()["cost_usd.load_balancers.door"] == whole


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"type": "portal"}, ".type"),
        ({"type": "network", "rules": 20}, ""),
        ({"type": "gateway", "rules": 20}, ""),
        ({"type": "classic", "requests_per_connection": 2}, ""),
        ({"type": "none", "bytes_per_request": "1kB"}, ""),
        ({"requests_per_connection": 0}, ".requests_per_connection"),
        ({"bytes_per_request": 10}, ".bytes_per_request"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: Tree, where: str):
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(lab_of("1/s", "1s", **keys))
    assert [problem.path for problem in refused.value.problems] == [f"load_balancers.door{where}"]


def test_prices_are_of_one_place_and_time():
    prices = catalog.load_balancer_prices()
    types = [price.type for price in prices]
    assert list(dict.fromkeys(types)) == ["application", "network", "gateway", "classic"]
    assert {(price.region, price.as_of) for price in prices} == {("us-east-1", "2024-07")}
    with pytest.raises(nph.CatalogError, match="did you mean network"):
        catalog.load_balancer_price("netwrok")
