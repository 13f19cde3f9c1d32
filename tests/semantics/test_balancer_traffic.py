"""What a load balancer's traffic is: its protocol, or what its targets are."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope import catalog
from nephoscope.errors import CatalogError
from semantics import test_balancer_costs as costs
from semantics.lab import Tree, customers, fates, fleet, run, targets, work
from semantics.test_balancer_defaults import door_of, lab_of, refused


@pytest.mark.parametrize(
    ("kind", "traffic", "new", "active", "gb"),
    [
        ("application", "instance", 25, 3_000, 1.0),
        ("application", "lambda", 25, 3_000, 0.4),
        ("network", "tcp", 800, 100_000, 1.0),
        ("network", "udp", 400, 50_000, 1.0),
        ("network", "tls", 50, 3_000, 1.0),
        ("gateway", "ip", 600, 60_000, 1.0),
    ],
)
def test_a_unit_holds_what_the_traffic_allows(kind, traffic, new, active, gb):
    def units(requests: int, at_once: int, size: int) -> float | None:
        hours = [catalog.LoadBalancerHour(requests, 60 * at_once)]
        keys = {"traffic": traffic, "bytes_per_request": size}
        return catalog.load_balancer_bill(kind, hours, **keys).unit_hours

    assert units(3600 * new, 0, 0) == pytest.approx(1.0)
    assert units(0, active, 0) == pytest.approx(1.0)
    assert units(1000, 0, round(gb * 1e6)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("keys", "units"),
    [
        ({"type": "network", "protocol": "udp", "bytes_per_request": "0B"}, 17_999 / 3600 / 400),
        ({"type": "network", "protocol": "tls", "bytes_per_request": "0B"}, 17_999 / 3600 / 50),
        ({"target_type": "lambda", "bytes_per_request": "1MB"}, 17.999 / 0.4),
    ],
)
def test_a_run_is_billed_by_its_traffic(keys, units):
    bill = costs.line(costs.lab_of("5/s", "1h", **keys))
    assert bill["unit_hours"] == pytest.approx(units, rel=1e-12)


def test_unless_told_it_is_the_usual_one():
    assert catalog.load_balancer_price("network").traffic == "tcp"
    assert catalog.load_balancer_price("application").traffic == "instance"
    with pytest.raises(CatalogError, match="did you mean udp"):
        catalog.load_balancer_price("network", "udpp")


@pytest.mark.parametrize(
    "keys",
    [
        {"protocol": "udp"},
        {"type": "classic", "protocol": "tcp"},
        {"type": "network", "target_type": "instance"},
        {"type": "none", "target_type": "lambda"},
    ],
)
def test_traffic_of_another_type_is_refused(keys):
    with pytest.raises(nph.ScenarioError, match="is of the type") as told:
        nph.Scenario.model_validate(costs.lab_of("1/s", "1s", **keys))
    assert [problem.path for problem in told.value.problems] == ["load_balancers.door"]


def test_udp_is_idle_for_120_s_and_no_other(lab):
    """Of two workers one is idle for longer than that, the other for less."""
    udp: dict[str, Any] = {"type": "network", "protocol": "udp"}
    for idle, fate in ((121, (0, 0, 1, 0, 0)), (119, (1, 0, 0, 0, 0))):
        service = work({"sleep": f"{idle}s"}, concurrency=8)
        assert fates(customers(lab_of(lab.at(0.5, to="door"), service, **udp))) == fate
    refused(lab, "idle_timeout", "120s to 120s", idle_timeout="60s", **udp)
    assert not door_of(lab, **udp).health_check.resets


def test_tls_keeps_to_no_target_by_the_source(lab):
    tls: dict[str, Any] = {"type": "network", "protocol": "tls"}
    assert door_of(lab, **tls).routing.form == "random"
    refused(lab, "routing", "does not go with tls", routing="ip_hash", **tls)
    told = {"cross_zone": True, "stickiness": "1h"}
    refused(lab, "stickiness", "does not go with tls", **told, **tls)
    assert door_of(lab, type="network", protocol="tcp").routing.form == "ip_hash"


def test_functions_are_checked_if_told(lab):
    assert door_of(lab, target_type="lambda").health_check is None
    health = door_of(lab, target_type="lambda", health_check={}).health_check
    assert (health.interval.seconds, health.timeout.seconds) == (35, 30)
    assert (health.healthy_threshold, health.unhealthy_threshold) == (5, 5)


# --- gateways ------------------------------------------------------------------------------------


def used(lab: Any, clients: int, **door: Any) -> list[int]:
    """Requests of each of eight appliances, of 200 from so many clients."""
    traffic = lab.at(*[1 + i / 10 for i in range(200)], to="door", clients=clients)
    service = work({"compute": "1ms"})
    tree = lab_of(traffic, service, count=8, type="gateway", **door)
    return [target["requests"] for target in targets(run(tree))]


def test_each_flow_is_hashed_by_itself_unless_told(lab):
    """By five parts the flows of one client are spread; by two or three they are not."""
    assert all(used(lab, 1, cross_zone=True))
    assert sorted(used(lab, 1, cross_zone=True, routing="ip_hash")) == [0] * 7 + [200]


def test_a_gateway_keeps_to_its_zone_unless_told(lab):
    """Zone a has one appliance of three, and half of what comes."""
    tree = lab_of(
        lab.at(*[1 + i / 10 for i in range(400)], to="door"),
        work({"compute": "1ms"}),
        type="gateway",
    )
    fleets: Tree = {"a": fleet() | {"hosts": "hall", "zones": ["a"]}}
    fleets["b"] = fleet(count=2) | {"hosts": "hall", "zones": ["b"]}
    tree["fleets"] = fleets
    tree["load_balancers"]["door"]["targets"] = ["a", "b"]
    assert 160 <= targets(run(tree))[0]["requests"] <= 240


def test_a_gateway_has_prices_of_its_own():
    price = catalog.load_balancer_price("gateway")
    assert (price.usd_per_hour, price.usd_per_unit_hour) == (0.0125, 0.004)
    unit = costs.line(costs.lab_of("5/s", "1h", type="gateway", bytes_per_request="0B"))
    assert unit["usd"] == pytest.approx(0.0125 + 0.004 * 17_999 / 3600 / 600, rel=1e-12)


def test_a_gateway_is_idle_for_350_s_and_resets_nothing(lab):
    door = door_of(lab, type="gateway")
    assert str(door.idle_timeout) == "5m50s"
    assert door.health_check is not None
    assert not door.health_check.resets
    assert not door.health_check.sends_to_new
