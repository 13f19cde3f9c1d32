"""Fleets that follow a load without noise do what the laws of scaling say, to the instance."""

from __future__ import annotations

from fractions import Fraction

import pytest

from semantics.lab import Lab, Tree, fleet, outcome, scenario, work
from theory import oracles, scaling_laws

PER_INSTANCE = 10  # requests a minute at the target


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def tracked(lab: Lab, start: int, load: list[int], lag: int) -> list[int]:
    """Sizes after each decision of a fleet that sees its metric `lag` periods late.

    `load[k]` is that of minute k, in instances; the first decision is at the end of minute `lag`.
    """
    minutes = [load[0]] * lag + load
    times = [
        60 * m + 5 + 50 * i / (PER_INSTANCE * needed)
        for m, needed in enumerate(minutes)
        for i in range(PER_INSTANCE * needed)
    ]
    rule = {"metric": "requests_per_target", "target": PER_INSTANCE, "warmup": "0s"}
    rule |= {"out_periods": 1, "in_periods": 1, "scale_in_below": "100%"}
    web = fleet() | {
        "count": {"min": 1, "desired": start, "max": 4000},
        "scaling": [{"target_tracking": rule}],
        "metrics": {"delay": f"{lag}m"},
    }
    tree = scenario(
        lab.at(*times, to="door"),
        work({"compute": "1ms"}),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration=f"{len(minutes) + 1}m",
        series="30s",
    )
    _, desired = outcome(tree).series("fleets.web.desired")
    return [int(n) for n in desired[2 * lag :: 2]]


@pytest.mark.parametrize("name", oracles.cases("SCALER_ratio_law"))
def test_ratio_law_of_the_reference(name, lab):
    entry = oracles.entries()[name]
    right = 8
    expected = [round(n * right) for n in entry["expected"]["n"]]
    load = [right] * (len(expected) - 1)
    assert tracked(lab, right // 2, load, entry["parameters"]["lag"]) == expected


@pytest.mark.parametrize("lag", [0, 1, 2])
@pytest.mark.parametrize(
    ("start", "load"),
    [(3, [7] * 14), (9, [4] * 14), (5, [6, 6, 6, 13, 13, 13, 2, 2, 2, 2, 2, 2])],
)
def test_ratio_law_of_whole_instances(lag, start, load, lab):
    law = scaling_laws.ratio_law(Fraction(start), load, lag, whole=True)
    assert tracked(lab, start, load, lag) == [int(n) for n in law]


@pytest.mark.parametrize("name", oracles.cases("SCALER_fluid_step"))
def test_backlog_and_drain_after_a_step_of_the_load(name, lab):
    """At most one request a server apart from the fluid; who waits where does not matter here.

    The waiting times of the reference are of one queue for all; here each server has its own.
    """
    p, expected = oracles.entries()[name]["parameters"], oracles.entries()[name]["expected"]
    rate, (before, after) = p["lam"][1], p["n"]
    web = fleet(count=before) | {
        "count": {"min": before, "max": after},
        "boot": f"{p['boot']:g}s",
        "metrics": {"period": f"{p['detect']:g}s", "delay": "0s"},
        "scaling": [
            {
                "target_tracking": {
                    "metric": "requests_per_target",
                    "target": 60 * rate / after,
                    "out_periods": 1,
                    "scale_in": False,
                }
            }
        ],
    }
    tree: Tree = scenario(
        {"to": "door", "rate": f"{rate:g}/s", "arrivals": "constant"},
        work({"compute": f"{1000 / p['mu']:g}ms"}),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        duration="10m",
        series="1s",
    )
    result = outcome(tree)
    times, in_flight = result.series("traffic.customers.in_flight")
    _, instances = result.series("fleets.web.instances")
    lag = int(times[instances > before][0])
    assert abs(lag - (p["detect"] + p["boot"])) <= 1
    assert abs(int(in_flight.max()) - expected["backlog"]) <= before + rate  # by the second
    drained = int(times[(times > lag) & (in_flight <= after)][0])
    assert abs(drained - lag - expected["drain"]) <= 2
