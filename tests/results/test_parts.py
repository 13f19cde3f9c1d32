"""The parts by themselves take the words of the scenario language, and arrays."""

import numpy as np
import pytest

from nephoscope import Scenario, ScenarioError, _core, parts


def test_a_router():
    router = parts.Router("least_connections", targets=4, seed=1)
    assert len(router) == 4
    first = router.route(np.arange(4))
    assert sorted(first.tolist()) == [0, 1, 2, 3]
    assert router.outstanding.tolist() == [1] * 4
    router.answered([2], [10**6])
    assert router.route([9]).tolist() == [2]
    router.remove(2)
    router.add(2)
    assert len(router) == 5
    assert (parts.Router("random").route([1, 2]) == parts.NO_TARGET).all()


def test_weights():
    router = parts.Router("weighted_random", weights=[1, 2, 1], targets=3)
    counts = np.bincount(router.route(np.arange(40_000)), minlength=3)
    assert counts / 40_000 == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    with pytest.raises(ScenarioError, match="no use for weights"):
        parts.Router("random", weights=[1, 2])
    with pytest.raises(ScenarioError, match="round_robin"):
        parts.Router("robin")


def test_samples():
    draws = parts.sample({"exponential": "40ms"}, 100_000, seed=3)
    assert draws.mean() == pytest.approx(40e6, rel=0.02)
    assert (draws == parts.sample({"exponential": "40ms"}, 100_000, seed=3)).all()
    assert parts.sample("5ms", 3).tolist() == [5e6] * 3
    with pytest.raises(ScenarioError) as caught:
        parts.sample({"exponentail": "40ms"}, 5)
    assert caught.value.problems[0].path == "distribution"


def test_arrivals_are_those_of_a_run():
    scenario = Scenario(
        duration="10s",
        services={"page": {"steps": [{"compute": "1ms"}]}},
        fleets={"web": {"service": "page"}},
        traffic={"users": {"to": "web", "rate": "7/s"}},
        seed=5,
    )
    times = parts.arrivals("poisson", 200, rate="7/s", seed=5, name="traffic/users/arrivals")
    assert (times < 10 * 10**9).sum() == scenario.run()["traffic.users.offered"]
    profile = parts.arrivals({"profile": [["0s", "0/s"], ["10s", "10/s"], ["10s", "0/s"]]}, 500)
    assert 20 < (profile < 10 * 10**9).sum() < 90
    assert (profile[100:] == 2**63 - 1).all()


def test_words_are_those_of_numpy():
    words = parts.random_words(1000, seed=7, name="a")
    key = np.array(_core.stream_key(7, 0, "a"), dtype=np.uint64)
    assert (words == np.random.Philox(key=key).random_raw(1000)).all()
