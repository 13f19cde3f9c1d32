"""How often, and for how long, topics deliver again: published policies, by part and in a run."""

from __future__ import annotations

import pytest

import nephoscope as nph
from nephoscope import parts
from nephoscope.scenario.language.bus import EventRetry
from semantics.lab import Lab, Tree, fleet, run, scenario, work
from theory import oracles

SECONDS = 10**9


@pytest.mark.parametrize("entry", oracles.cases("SNS_"))
def test_the_published_policy(entry, tmp_path):
    given = oracles.entries()[entry]["parameters"]
    expected = oracles.entries()[entry]["expected"]
    policy: Tree = {
        "retries": given["numRetries"],
        "immediate": given["numNoDelayRetries"],
        "pre_backoff": given["numMinDelayRetries"],
        "post_backoff": given["numMaxDelayRetries"],
        "min_delay": f"{given['minDelay']}s",
        "max_delay": f"{given['maxDelay']}s",
    }
    waits = parts.DeliveryPolicy(policy).waits()
    before, after = policy["immediate"] + policy["pre_backoff"], policy["post_backoff"]
    backoff = waits[before : len(waits) - after]
    assert len(backoff) == expected["backoff_retries"]
    assert waits[:before].sum() == expected["pre_s"] * SECONDS
    assert waits[len(waits) - after :].sum() == expected["post_s"] * SECONDS
    assert (backoff[0], backoff[-1]) == (given["minDelay"] * SECONDS, given["maxDelay"] * SECONDS)
    # The same in a run: refused at once each time, so that only waits take time.
    topics = {"news": {"subscriptions": [{"to": "web", "retry": policy}]}}
    tree = scenario(
        Lab(tmp_path).at(1, to="news"),
        work({"fail": 1.0}),
        topics=topics,
        duration=f"{int(waits.sum()) + 2 * SECONDS}ns",
    )
    assert run(tree)["topics"]["news"]["retried"] == given["numRetries"]
    last = f"{int(waits.sum()) + SECONDS}ns"
    assert run(tree | {"duration": last})["topics"]["news"]["retried"] == given["numRetries"] - 1


def test_endpoints_of_the_provider_are_tried_100015_times_in_23_days():
    waits = parts.DeliveryPolicy.managed().waits()
    assert len(waits) == 100_015
    assert waits[:5].tolist() == [0, 0, 0, SECONDS, SECONDS]
    assert (waits[5], waits[14]) == (SECONDS, 20 * SECONDS)
    ratios = waits[6:15] / waits[5:14]
    assert ratios == pytest.approx([20 ** (1 / 9)] * 9, rel=1e-8)
    assert waits.sum() / (86_400 * SECONDS) == pytest.approx(23.0, abs=0.5)


@pytest.mark.parametrize("entry", oracles.cases("EventBridge_"))
def test_the_published_limits_of_buses(entry):
    expected = oracles.entries()[entry]["expected"]
    rules = EventRetry().rules()
    assert rules.retries() == expected["max_retries"]
    assert rules.age_ns == expected["max_age_s"] * SECONDS
    assert (rules.waits()[:11] / SECONDS).tolist() == [2**k for k in range(10)] + [512]


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ("linear", [2.0, 6.0, 10.0, 14.0, 18.0]),
        ("arithmetic", [2.0, 3.6, 6.8, 11.6, 18.0]),
        ("geometric", [2.0, 3.464, 6.0, 10.392, 18.0]),
        ("exponential", [2.0, 3.464, 6.0, 10.392, 18.0]),
    ],
)
def test_curves(curve, expected):
    policy = {"retries": 5, "min_delay": "2s", "max_delay": "18s", "backoff": curve}
    waits = parts.DeliveryPolicy(policy).waits() / SECONDS
    assert waits.tolist() == pytest.approx(expected, abs=1e-3)


def test_jitter_is_uniform(tmp_path):
    """Of 2,000 messages that are refused at once, half are there again after half the wait."""
    retry = {"retries": 1, "min_delay": "10s", "max_delay": "10s", "jitter": "full"}
    topics = {"news": {"subscriptions": [{"to": "web", "retry": retry}]}}
    source = Lab(tmp_path).at(*[1.0] * 2000, to="news")
    tree = scenario(source, work({"fail": 1.0}), topics=topics, fleets={"web": fleet()})
    sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=3)
    sim.advance("6s")
    assert sim.result()["topics.news.retried"] == pytest.approx(1000, abs=5 * 500**0.5)
