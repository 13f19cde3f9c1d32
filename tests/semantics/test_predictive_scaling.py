"""Fleets that look ahead by the hour: one test a rule."""

from __future__ import annotations

import pytest

from semantics.lab import Tree, fleet, outcome, run, scenario, work

DAY = [10.0 * hour for hour in range(24)]  # requests a minute, of all instances together


def ahead(history: list[float] | None = None, **keys: object) -> Tree:
    rule = {"metric": "requests_per_target", "target": 10, "history": DAY}
    return {"predictive": rule | ({} if history is None else {"history": history}) | keys}


def cloud(policy: Tree, hours: int, low: int = 0, high: int = 50, **keys: object) -> Tree:
    web = fleet() | {"count": {"min": low, "max": high}, "scaling": [policy]}
    return scenario(
        {"to": "door", "rate": "1/h", "arrivals": "constant"},
        work({"compute": "1ms"}),
        fleets={"web": web | keys.pop("web", {})},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration=f"{hours}h",
        series="1m",
        **keys,
    )


def changes(tree: Tree) -> list[tuple[int, int]]:
    """The minutes at which the desired size changes, and to what."""
    _, values = outcome(tree).series("fleets.web.desired")
    sizes = [int(value) for value in values]
    return [(m, n) for m, n in enumerate(sizes) if m == 0 or n != sizes[m - 1]]


def test_what_an_hour_will_need_is_there_before_it_begins():
    # The hour from m to m + 1 needs m instances, and the buffer is five minutes.
    tree = cloud(ahead(), hours=5)
    assert changes(tree) == [(0, 0), (55, 1), (115, 2), (175, 3), (235, 4), (295, 5)]
    assert run(tree)["fleets"]["web"]["scaling"]["predicted"] == 5


def test_the_buffer_can_be_told():
    assert changes(cloud(ahead(buffer="20m"), hours=2)) == [(0, 0), (40, 1), (100, 2)]
    assert changes(cloud(ahead(buffer="0s"), hours=2)) == [(0, 0), (60, 1)]


def test_what_is_missing_is_rounded_up():
    assert changes(cloud(ahead(target=4), hours=3)) == [(0, 0), (55, 3), (115, 5), (175, 8)]


def test_it_never_scales_in():
    falling = [10.0 * (23 - hour) for hour in range(24)]
    assert changes(cloud(ahead(falling), hours=6)) == [(0, 23)]


def test_the_bounds_hold_unless_a_forecast_may_lift_them():
    flat = [400.0] * 24
    assert changes(cloud(ahead(flat), hours=2, high=30)) == [(0, 30)]
    # 40 are forecast, and a tenth on top is allowed for.
    tree = cloud(ahead(flat, max_buffer="10%"), hours=2, high=30)
    assert changes(tree) == [(0, 40)]
    assert run(tree)["fleets"]["web"]["scaling"]["max"] == 44
    tree = cloud(ahead(flat, max_buffer="10%"), hours=2, high=60)
    assert run(tree)["fleets"]["web"]["scaling"]["max"] == 60


def test_without_a_day_of_history_there_is_no_forecast():
    assert changes(cloud(ahead(DAY[:23]), hours=1, low=1)) == [(0, 1)]
    # The 24th hour is the first of the run, so the second repeats the first of the history.
    assert changes(cloud(ahead(DAY[:23]), hours=4, low=1)) == [(0, 1), (175, 2), (235, 3)]


@pytest.mark.parametrize("count", [1, 3])
def test_hours_of_the_run_are_learned_whatever_the_size_was(count):
    # 20 requests a minute for a day, on one or three; then 2 are asked for, if that is more.
    policy = ahead([])
    tree = cloud(policy, hours=26, low=count)
    tree["traffic"]["customers"]["rate"] = "1200/h"
    expected = [(0, 1), (24 * 60, 2)] if count == 1 else [(0, 3)]
    assert changes(tree) == expected


def test_a_forecast_is_made_anew_every_six_hours():
    """Two days of 10 a minute, then 20: the first forecast knows of 10 alone: one instance.

    At six hours the last day had 300 and a mean one of two 6 x 15 + 18 x 10 = 270, so 11.1 are
    forecast for the seventh hour and the others.
    """
    tree = cloud(ahead([10.0] * 48), hours=11, low=1)
    tree["traffic"]["customers"]["rate"] = "1200/h"
    assert changes(tree) == [(0, 1), (6 * 60 + 55, 2)]


def test_a_forecast_may_be_made_and_not_acted_on():
    """It tells how often it would have added instances: 2, 3 and 4 are more than the one there."""
    assert changes(cloud(ahead(mode="forecast_and_scale"), hours=2, low=1)) == [(0, 1), (115, 2)]
    tree = cloud(ahead(mode="forecast_only"), hours=4, low=1)
    assert changes(tree) == [(0, 1)]
    assert run(tree)["fleets"]["web"]["scaling"]["predicted"] == 3
    # Nor is a bound lifted: 40 are forecast, for each hour and for the run's first instant.
    flat = ahead([400.0] * 24, mode="forecast_only", max_buffer="10%")
    scaling = run(cloud(flat, hours=2, high=30))["fleets"]["web"]["scaling"]
    assert (scaling["desired"], scaling["max"], scaling["predicted"]) == (0, 30, 3)


def test_it_works_beside_others_which_scale_in():
    tracking = {
        "target_tracking": {
            "metric": "requests_per_target",
            "target": 10,
            "in_periods": 1,
            "out_periods": 1,
            "warmup": "0s",
        }
    }
    tree = cloud(ahead(), hours=3, low=1)
    tree["fleets"]["web"]["scaling"].append(tracking)
    tree["fleets"]["web"]["metrics"] = {"delay": "0s"}
    # What is forecast does not come: a minute later tracking takes back what was added.
    assert changes(tree) == [(0, 1), (115, 2), (116, 1), (175, 3), (176, 1)]
