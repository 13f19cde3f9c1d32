"""Burstable instances in scenarios: one test a rule, with figures worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope import catalog
from semantics.lab import latency, moments, outcome, run, scenario, simulation, work

Tree = dict[str, Any]
HOUR = 3600.0


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-9, abs=2e-9)


def burstable(kind: str, **keys: Any) -> Tree:
    return {"service": "work", "instance_type": kind, "boot": "0s", **keys}


def busy(kind: str, duration: str, **keys: Any) -> Tree:
    """Always as many requests as keep every vCPU busy."""
    users = {"to": "web", "arrivals": {"closed": {"users": 8, "think": "0s"}}}
    fleets = {"web": burstable(kind, **keys)}
    service = work({"compute": "1s"}, discipline="ps", concurrency=8)
    return scenario(users, service, fleets=fleets, duration=duration)


def run_s(kind: str, duration: str, **keys: Any) -> float:
    """vCPU seconds that ran."""
    result = outcome(busy(kind, duration, **keys))
    return float(result._numbers["fleets"][0]["run_ns"]) / 1e9


def test_without_credits_a_t3_in_standard_mode_has_its_baseline():
    # Two vCPUs at 10 %, from the start: no launch credits.
    assert run_s("t3.micro", "1000s", cpu_credits="standard") == pytest.approx(200.0, abs=1e-6)


def test_launch_credits_of_a_t2_last_a_little():
    # 30 credits, 1 vCPU: burning 1 - 0.1 a minute they last 33.33 min; then 10 %.
    at_full = 30 / 0.9 * 60
    assert run_s("t2.micro", "1h") == pytest.approx(at_full + 0.1 * (HOUR - at_full), abs=1e-3)


@pytest.mark.parametrize(("kind", "minutes"), [("t3.micro", 160.0), ("t3.large", 617.142857142857)])
def test_a_full_balance_lasts_as_long_as_published(kind, minutes):
    """24 h of earning, then all vCPUs busy until it is gone: to the second and below."""
    users = {
        "to": "web",
        "arrivals": {"profile": [["0s", "0/s"], ["24h", "0/s"], ["24h1us", "40/s"]]},
    }
    tree = scenario(
        users,
        work({"compute": "1s"}, discipline="ps", concurrency=8),
        fleets={"web": burstable(kind, cpu_credits="standard")},
        duration="40h",
        series="none",
    )
    running = simulation(tree)
    running.advance("24h")
    end = 24 * HOUR + minutes * 60
    running.advance(f"{int(end - 30)}s")
    assert _credits(running)["balance"] > 0.2
    running.advance(f"{int(end + 30)}s")
    assert _credits(running)["balance"] == pytest.approx(0.0, abs=1e-9)


def _credits(running: Any) -> dict[str, float]:
    found: dict[str, float] = running.results()["fleets.web.cpu_credits"]
    return found


def test_unlimited_mode_is_never_slowed_and_bills_the_surplus():
    # A t3.nano (5 % of 2 vCPUs, so 6 credits an hour) busy for 30 h: 3,600 vCPU-minutes, of which
    # 180 are earned; nothing else has paid for the others.
    result = run(busy("t3.nano", "30h") | {"series": "none"})
    web = result["fleets"]["web"]
    assert web["steal"] == 0
    assert web["cpu_credits"]["spent"] == pytest.approx(3600.0, rel=1e-9)
    assert web["cpu_credits"]["earned"] == pytest.approx(180.0, rel=1e-9)
    assert web["cpu_credits"]["charged"] == pytest.approx(3420.0, rel=1e-6)
    surplus = result["cost_usd"]["cpu_credits"]["web"]
    assert surplus["usd"] == pytest.approx(3420 / 60 * 0.05, rel=1e-6)
    total = result["cost_usd"]["instances"]["web"]["usd"] + surplus["usd"]
    assert result["cost_usd"]["total"] == pytest.approx(total)


def test_the_default_mode_is_that_of_the_family():
    assert run_s("t3.micro", "1000s") == pytest.approx(2000.0, abs=1e-6)  # unlimited
    assert run_s("t2.micro", "2h") < 0.5 * 2 * HOUR  # standard


def test_what_is_kept_from_it_is_steal_by_cap():
    steal = run(busy("t3.micro", "1000s", cpu_credits="standard"))["fleets"]["web"]["steal_s"]
    assert steal == pytest.approx({"contention": 0.0, "cap": 1800.0, "smt": 0.0}, abs=1e-6)


def test_idle_time_earns_what_a_burst_spends(lab):
    """One hour idle earns a t3.micro 12 credits: 12 / 1.8 minutes of both vCPUs, then 20 %."""
    tree = scenario(
        lab.at(3600.0, 3600.0),
        work({"compute": "600s"}, concurrency=2),
        fleets={"web": burstable("t3.micro", cpu_credits="standard")},
        duration="3h",
    )
    speed = catalog.find("t3.micro").speed
    at_full = 12 / 1.8 * 60
    expected = at_full + (600 - at_full * speed) / (0.1 * speed)
    assert latency(run(tree)["traffic"]["customers"]) == exactly(expected, expected)


def test_credits_survive_saving_and_cuts():
    tree = busy("t2.micro", "1h")
    whole = outcome(tree).fingerprint
    running = simulation(tree)
    for at in ("10m", "33m20s", "33m21s", "50m", "1h"):
        running.advance(at)
    assert running.results().fingerprint == whole


def test_on_hosts_a_burst_takes_what_others_leave(lab):
    """One core for two: the t2.micro spends only what it runs."""
    fleets = {
        "web": burstable("t2.micro", hosts="hall"),
        "batch": {**burstable("m4.large", hosts="hall"), "instance_type": {"vcpus": 1}},
    }
    users = {"arrivals": {"closed": {"users": 2, "think": "0s"}}}
    tree = scenario(
        {"users": {"to": "web", **users}, "jobs": {"to": "batch", **users}},
        fleets=fleets,
        hosts={"hall": {"type": {"cores": 1, "memory": "8GiB"}, "cpu_overcommit": 2}},
        duration="1000s",
    )
    web = run(tree)["fleets"]["web"]
    assert web["cpu_credits"]["spent"] == pytest.approx(500 / 60, rel=1e-6)
    assert web["steal_s"]["contention"] == pytest.approx(500.0, abs=1e-3)


def test_who_is_pressed_below_its_baseline_earns_again(lab):
    """From 1 h to 2 h a neighbour of 64 times the weight leaves 1/65 of the core, of a baseline of
    0.1. The balance was empty; what is earned meanwhile is spent when the neighbour has gone.
    """
    hour = 3600.0
    (lab._folder / "work.csv").write_text(f"s\n{hour * 64 / 65!r}\n", encoding="utf-8")
    crunch = {"replay": {"file": str(lab._folder / "work.csv"), "column": "s"}}
    fleets = {
        "web": burstable("t2.micro", hosts="hall", weight=16),
        "batch": {
            "service": "crunch",
            "instance_type": {"vcpus": 1},
            "hosts": "hall",
            "weight": 1024,
        },
    }
    traffic = {
        "users": {"to": "web", "arrivals": {"closed": {"users": 1, "think": "0s"}}},
        "jobs": lab.at(hour, to="batch"),
    }
    tree = scenario(
        traffic,
        fleets=fleets,
        services={"crunch": work({"compute": crunch})},
        hosts={"hall": {"type": {"cores": 1, "memory": "8GiB"}, "cpu_overcommit": 2}},
        duration="3h",
    )
    running = simulation(tree)
    spent = []
    for at in ("1h", "2h", "2h10m"):
        running.advance(at)
        spent.append(_credits(running)["spent"] * 60)  # vCPU seconds
    assert spent[1] - spent[0] == pytest.approx(hour / 65, rel=1e-6)
    saved = hour * (0.1 - 1 / 65)
    at_full = saved / 0.9
    assert spent[2] - spent[1] == pytest.approx(at_full + 0.1 * (600 - at_full), rel=1e-5)
