"""`cpu_credits: {mode: standard, lowered_over}` in scenarios, with figures worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import nephoscope as nph
from compute.lowered_credits import Lowered
from nephoscope import catalog
from semantics.lab import Stepper, outcome, run, scenario, simulation, work

Tree = dict[str, Any]


def fleet(kind: str, lowered_over: str = "15m", **keys: Any) -> Tree:
    how = {"mode": "standard", "lowered_over": lowered_over}
    return {
        "service": "work",
        "instance_type": kind,
        "boot": "0s",
        "cpu_credits": how,
        **keys,
    }


def busy(kind: str, users: int, duration: str, **keys: Any) -> Tree:
    """So many requests at a time, of ten hours each: nothing happens but that the limit changes."""
    traffic = {"to": "web", "arrivals": {"closed": {"users": users, "think": "0s"}}}
    service = work({"compute": "10h"}, discipline="ps", concurrency=8)
    return scenario(traffic, service, fleets={"web": fleet(kind, **keys)}, duration=duration)


def spent(running: Stepper, at: str) -> float:
    """Credits until then."""
    running.advance(at)
    return float(running.results()["fleets.web.cpu_credits"]["spent"])


def test_a_t2_comes_down_from_its_launch_credits_minute_by_minute():
    """30 credits, 0.9 beyond the baseline: 6.75 are left at 25 min 50 s, none 15 minutes later."""
    running = simulation(busy("t2.micro", 8, "1h"))
    begin = (30 - 6.75) / 0.9
    assert spent(running, "1550s") == pytest.approx(begin, abs=1e-6)
    total = begin
    for minute in range(1, 16):
        total += 0.1 + 0.9 * (16 - minute) / 16
        assert spent(running, f"{1550 + 60 * minute}s") == pytest.approx(total, abs=1e-6)
    assert spent(running, "1h") == pytest.approx(30 + 60 * 0.1, abs=1e-6)
    assert running.results()["fleets.web.cpu_credits"]["balance"] == pytest.approx(0.0, abs=1e-9)


def test_what_is_kept_from_it_on_the_way_is_steal_by_cap():
    steal = run(busy("t2.micro", 8, "1h"))["fleets"]["web"]["steal_s"]
    assert steal == pytest.approx({"contention": 0, "cap": 3600 - 36 * 60, "smt": 0}, abs=1e-4)


def test_who_wants_less_is_held_only_when_the_limit_is_lower():
    """One of two vCPUs: 60 credits at 0.6 a minute are 1.5 after 97.5 minutes, then 0.9 and less.

    The limit passes all the steps above without anybody's noticing.
    """
    running = simulation(busy("t2.medium", 1, "2h"))
    total = 97.5
    assert spent(running, "5850s") == pytest.approx(total, abs=1e-6)
    for minute in range(1, 6):
        total += 1 - minute / 10
        assert spent(running, f"{5850 + 60 * minute}s") == pytest.approx(total, abs=1e-6)
    assert spent(running, "2h") == pytest.approx(60 + 0.4 * 120, abs=1e-6)


def test_after_a_rest_it_may_use_what_it_has_earned(lab):
    """A t3.micro with ten idle minutes has 2 credits, and comes down from the sixth step."""
    service = work({"compute": "10h"}, concurrency=2)
    fleets = {"web": fleet("t3.micro")}
    running = simulation(
        scenario(lab.at(600.0, 600.0), service, fleets=fleets, duration="40m", series="none")
    )
    reference = Lowered(catalog.cpu_credits("t3.micro"), 15)
    assert spent(running, "10m") == 0.0
    for minute in range(1, 15):
        expected = reference.spent(Fraction(2), Fraction(minute), Fraction(2))
        assert spent(running, f"{10 + minute}m") == pytest.approx(float(expected), abs=1e-6)


def test_who_is_pressed_climbs_though_it_wants_no_less(lab):
    """A neighbour of 64 times the weight leaves 1/65 of the core from 1 h to 2 h.

    What is earned meanwhile, 5.08 credits, allows the thirteenth step when it goes.
    """
    hour = 3600.0
    (lab._folder / "work.csv").write_text(f"s\n{hour * 64 / 65!r}\n", encoding="utf-8")
    crunch = {"replay": {"file": str(lab._folder / "work.csv"), "column": "s"}}
    batch = {"service": "crunch", "instance_type": {"vcpus": 1}, "hosts": "hall", "weight": 1024}
    traffic = {
        "users": {"to": "web", "arrivals": {"closed": {"users": 1, "think": "0s"}}},
        "jobs": lab.at(hour, to="batch"),
    }
    tree = scenario(
        traffic,
        fleets={"web": fleet("t2.micro", hosts="hall", weight=16), "batch": batch},
        service=work({"compute": "10h"}),
        services={"crunch": work({"compute": crunch})},
        hosts={"hall": {"type": {"cores": 1, "memory": "8GiB"}, "cpu_overcommit": 2}},
        duration="3h",
    )
    running = simulation(tree)
    pressed = spent(running, "2h") - spent(simulation(tree), "1h")
    assert pressed == pytest.approx(60 / 65, rel=1e-6)
    reference = Lowered(catalog.cpu_credits("t2.micro"), 15)
    saved = 60 * (Fraction(1, 10) - Fraction(1, 65))
    assert reference.limit(saved) == Fraction(1, 10) + Fraction(9, 10) * Fraction(13, 16)
    before = spent(running, "2h")
    for minute in (1, 2, 5, 10, 14, 20):
        expected = reference.spent(saved, Fraction(minute), Fraction(1))
        assert spent(running, f"{120 + minute}m") - before == pytest.approx(
            float(expected), abs=1e-5
        )


def test_a_limit_that_is_due_is_not_missed_when_a_neighbour_comes(lab):
    """It would come down at 1,550 s; in that very instant a job takes half the core for 1 s."""
    fleets = {
        "web": fleet("t2.micro", hosts="hall"),
        "batch": {"service": "crunch", "instance_type": {"vcpus": 1}, "hosts": "hall"},
    }
    traffic = {
        "users": {"to": "web", "arrivals": {"closed": {"users": 1, "think": "0s"}}},
        "jobs": lab.at(1550.0, to="batch"),
    }
    tree = scenario(
        traffic,
        fleets=fleets,
        service=work({"compute": "10h"}),
        services={"crunch": work({"compute": "500ms"})},
        hosts={"hall": {"type": {"cores": 1, "memory": "8GiB"}, "cpu_overcommit": 2}},
        duration="1h",
    )
    running = simulation(tree)
    begin = spent(running, "1550s")
    assert spent(running, "1551s") - begin == pytest.approx(0.5 / 60, abs=1e-9)
    reference = Lowered(catalog.cpu_credits("t2.micro"), 15)
    there = reference.zone - (Fraction(1, 2) - reference.baseline) / 60
    for seconds in (10, 30, 59, 600):
        expected = 0.5 / 60 + float(reference.spent(there, Fraction(seconds, 60), Fraction(1)))
        assert spent(running, f"{1551 + seconds}s") - begin == pytest.approx(expected, abs=1e-6)


def test_the_shorter_it_takes_the_nearer_to_at_once():
    """At once its credits are gone at 2,000 s; else it is half way down then.

    Seven steps and a half, each a sixteenth of 0.9 lower than the last: 0.9 T x 2 / 15 behind.
    """
    plain = busy("t2.micro", 8, "2000s")
    plain["fleets"]["web"]["cpu_credits"] = "standard"
    at_once = run(plain)["fleets"]["web"]["cpu_credits"]["spent"]
    assert at_once == pytest.approx(2000 / 60, abs=1e-6)
    for seconds in (1, 60, 900):
        tree = busy("t2.micro", 8, "2000s", lowered_over=f"{seconds}s")
        found = run(tree)["fleets"]["web"]["cpu_credits"]["spent"]
        assert at_once - found == pytest.approx(0.9 * seconds / 60 * 2 / 15, abs=1e-6)


def test_saving_on_the_way_down_changes_nothing():
    tree = busy("t2.micro", 8, "1h")
    whole = outcome(tree).fingerprint
    cut = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    for at in ("1550s", "130s", "7m", "5s", "12m"):
        cut.advance(at)
        cut = nph.Simulation.load(cut.save())
    cut.advance("1h")
    assert cut.result().fingerprint == whole


def test_a_refresh_may_bring_it():
    """At 10 min from unlimited to standard: the new t2.micro has 30 credits, and an hour to fall.

    It begins after 200 s. Where it falls at once, it would not have begun yet at the end.
    """
    tree = busy("t2.micro", 8, "43m")
    tree["traffic"]["customers"]["arrivals"]["closed"]["think"] = "1ms"
    tree["services"]["work"]["steps"] = [{"compute": "1s"}]
    web = tree["fleets"]["web"] | {"cpu_credits": "unlimited"}
    to = {"cpu_credits": {"mode": "standard", "lowered_over": "1h"}}
    tree["fleets"]["web"] = web | {"refresh": {"at": "10m", "min_healthy": 0, "to": to}}
    reference = Lowered(catalog.cpu_credits("t2.micro"), 60)
    expected = 10 + float(reference.spent(Fraction(30), Fraction(33), Fraction(1)))
    assert expected < 37
    assert spent(simulation(tree), "43m") == pytest.approx(expected, abs=0.3)
