"""Runs: the same in slices and whole, interruptible, with a warm-up that can find itself."""

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from nephoscope import Scenario, _core, run
from nephoscope.run import mser5, warmup_of
from nephoscope.scenario.compile import compile_scenario

COFFEE = Scenario.load(Path(__file__).parents[2] / "examples" / "coffee-shop-by-call.yaml")


def busy(**values):
    return Scenario(
        **{
            "duration": "1h",
            "services": {"page": {"steps": [{"compute": {"exponential": "90ms"}}]}},
            "fleets": {"web": {"service": "page"}},
            "traffic": {"users": {"to": "web", "rate": "10/s"}},
            **values,
        }
    )


def test_the_seed_of_the_scenario_is_the_default():
    assert run(COFFEE).fingerprint == run(COFFEE, rng=7).fingerprint == COFFEE.run().fingerprint
    assert run(COFFEE).seed == 7


def test_replications_differ():
    assert run(COFFEE, replication=1).fingerprint != run(COFFEE).fingerprint


def test_slices_make_no_difference():
    whole = _core.World(compile_scenario(COFFEE, seed=7))
    whole.advance(whole.duration_ns)
    assert whole.results()["traffic"][0]["latency"] == run(COFFEE).histogram("traffic.customers")


def test_progress_is_told():
    seen = []
    result = run(COFFEE, progress=lambda now_ns, events: seen.append((now_ns, events)))
    assert seen[-1] == (3600 * 10**9, result.events)
    assert seen == sorted(seen)
    assert len(seen) > 5


def test_a_run_can_be_stopped():
    stop = Event()
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        run(COFFEE, stop=stop)


def test_mser_drops_what_is_not_yet_steady():
    noise = np.random.default_rng(5).normal(size=2000)
    rise = np.where(np.arange(2000) < 400, np.linspace(-20, 0, 2000) * 5, 0.0)
    assert 300 <= mser5(noise + rise) <= 500
    assert mser5(noise) < 300
    assert mser5(np.zeros(2000)) == 0
    assert mser5(np.arange(2000.0)) <= 1000
    assert mser5(np.zeros(7)) == 0


def test_warmup_is_found_by_a_pilot_run():
    # From empty to 90 % load of slow requests: the first part of the run is not like the rest.
    slow = busy(
        duration="3h",
        warmup="auto",
        services={"page": {"steps": [{"sleep": {"exponential": "10m"}}], "discipline": "ps"}},
    )
    found = warmup_of(slow, 1)
    assert 10 * 60 < found / 1e9 < 90 * 60
    result = slow.run(rng=1)
    assert result.warmup_s == found / 1e9
    assert result.measured_s == result.simulated_s - result.warmup_s
    assert (
        slow.run(rng=1).fingerprint == slow.replace({"warmup": f"{found}ns"}).run(rng=1).fingerprint
    )


def test_a_given_warmup_is_kept():
    assert warmup_of(COFFEE, 1) == 300 * 10**9
    assert run(COFFEE, warmup_ns=0).warmup_s == 0
