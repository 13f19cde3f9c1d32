"""Environments for agents: spaces, rewards from differences of results, seeds, many worlds."""

import importlib
import sys

import numpy as np
import pytest

import nephoscope as nph
from nephoscope.errors import ExtraError

gymnasium = pytest.importorskip("gymnasium", reason="needs gymnasium (the extra `rl`)")

from gymnasium.utils.env_checker import check_env  # noqa: E402

from nephoscope.rl import Environment, VectorEnvironment  # noqa: E402

COUNTS = {"web": (1, 8)}
SCENARIO = nph.Scenario(
    duration="10m",
    warmup="1m",
    seed=3,
    series="none",
    fleets={"web": {"count": 4, "service": "page", "instance_type": "m5.large", "boot": "10s"}},
    services={"page": {"backlog": 20, "steps": [{"compute": {"exponential": "300ms"}}]}},
    load_balancers={"door": {"targets": ["web"], "routing": "least_connections", "type": "none"}},
    traffic={"users": {"to": "door", "rate": "10/s"}},
)


def environment(**options):
    return Environment(SCENARIO, COUNTS, "1m", **options)


def played(world, actions, seed=1):
    """All that an episode shows."""
    observations = [world.reset(seed=seed)[0]]
    steps = [world.step(np.array([action])) for action in actions]
    return observations + [it[0] for it in steps], steps


@pytest.mark.filterwarnings("ignore:.*alternative render modes:UserWarning")
def test_the_checker_of_gymnasium_passes():
    check_env(environment())


def test_spaces():
    world = environment()
    assert world.action_space == gymnasium.spaces.MultiDiscrete([8])
    assert world.observed == (
        "fleets.web.running",
        "fleets.web.busy_workers",
        "fleets.web.waiting",
        "traffic.users.in_flight",
        "traffic.users.offered_per_s",
        "elapsed",
    )
    assert world.observation_space.shape == (6,)


def test_an_episode_is_the_run_after_its_warmup():
    world = environment()
    observations, steps = played(world, [3] * 9)
    assert [it[5] for it in observations] == pytest.approx([i / 9 for i in range(10)])
    assert [it[3] for it in steps] == [False] * 8 + [True]
    assert not any(it[2] for it in steps)
    assert world.simulation.finished
    # Four instances as in the file: the very run of the scenario with that seed.
    result = world.simulation.result()
    assert result.fingerprint == SCENARIO.run(rng=result.seed).fingerprint
    rates = [it[4] * 60 for it in observations[1:]]
    assert sum(rates) == pytest.approx(result["traffic.users.offered"])
    with pytest.raises(RuntimeError, match="has ended"):
        world.step(np.array([3]))


def test_rewards_add_up_to_the_results():
    world = environment(usd_per_lost=0.5, usd_per_second=0.25)
    world.reset(seed=2)
    begun = world.simulation.result()
    told = [world.step(np.array([0]))[1:] for _ in range(9)]
    ended = world.simulation.result()

    def lost(result):
        return sum(result[f"traffic.users.{key}"] for key in ("rejected", "failed", "timed_out"))

    cost = ended["cost_usd.total"] - begun["cost_usd.total"]
    answers = ended["traffic.users.latency_s.count"] * ended["traffic.users.latency_s.mean"]
    assert lost(ended) - lost(begun) > 100
    assert sum(it[3]["lost"] for it in told) == lost(ended)
    assert sum(it[3]["cost_usd"] for it in told) == pytest.approx(cost)
    assert sum(it[3]["answer_s"] for it in told) == pytest.approx(answers)
    expected = -(cost + 0.5 * lost(ended) + 0.25 * answers)
    assert sum(it[0] for it in told) == pytest.approx(expected)


def test_actions_are_counts():
    world = environment()
    observations, _ = played(world, [7, 7, 0])
    assert observations[0][0] == 4
    assert observations[2][0] == 8
    assert observations[3][0] == 1
    for wrong in ([8], [-1], [1, 1], [0.5]):
        with pytest.raises(ValueError, match="no action"):
            world.step(np.array(wrong))


def test_seeds():
    world = environment()
    first, again, other = (played(world, [1, 2], seed)[0] for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    # Without one each episode is another.
    assert not np.array_equal(played(world, [1, 2], None)[0], played(world, [1, 2], None)[0])


@pytest.mark.parametrize("threads", [1, 3])
def test_many_worlds_are_as_many_single_ones(threads):
    many = VectorEnvironment(3, SCENARIO, COUNTS, "3m", threads=threads)
    single = [Environment(SCENARIO, COUNTS, "3m") for _ in range(3)]
    observations, _ = many.reset(seed=10)
    assert many.observation_space.contains(observations)
    assert np.array_equal(observations, [it.reset(seed=10 + i)[0] for i, it in enumerate(single)])
    for step in range(3):
        actions = np.array([[step], [7 - step], [0]])
        assert many.action_space.contains(actions)
        observations, rewards, terminated, truncated, infos = many.step(actions)
        alone = [it.step(action) for it, action in zip(single, actions, strict=True)]
        assert np.array_equal(observations, [it[0] for it in alone])
        assert rewards.tolist() == [it[1] for it in alone]
        assert infos["lost"].tolist() == [it[4]["lost"] for it in alone]
        assert not terminated.any()
        assert truncated.all() == (step == 2)
    # The step after the last begins anew, whatever is asked for.
    observations, rewards, _, truncated, _ = many.step(np.array([[9], [9], [9]]))
    assert np.array_equal(observations, [it.reset()[0] for it in single])
    assert (rewards.tolist(), truncated.any()) == ([0.0] * 3, False)
    with pytest.raises(ValueError, match="1 actions for 3 worlds"):
        many.step(np.array([[1]]))
    before = [it.simulation.now for it in many.worlds]
    with pytest.raises(ValueError, match="no action"):
        many.step(np.array([[1], [1], [8]]))
    assert [it.simulation.now for it in many.worlds] == before
    many.close()


@pytest.mark.parametrize(
    ("counts", "step", "prices", "words"),
    [
        ({"wbe": (1, 2)}, "1m", {}, "counts.wbe: no such fleet; did you mean web?"),
        ({}, "1m", {}, "no fleet to be scaled"),
        ({"web": (3, 3)}, "1m", {}, "no range"),
        ({"web": 3}, "1m", {}, "two whole numbers"),
        ({"web": (1, 10**9)}, "1m", {}, "fleets.web.count"),
        ({"web": (1, 2)}, "soon", {}, "step"),
        ({"web": (1, 2)}, "0s", {}, "a step takes no time"),
        ({"web": (1, 2)}, "1m", {"usd_per_lost": -1.0}, "usd_per_lost"),
    ],
)
def test_mistakes(counts, step, prices, words):
    with pytest.raises(nph.ScenarioError) as caught:
        Environment(SCENARIO, counts, step, **prices)
    assert words in str(caught.value)


def test_nothing_before_reset():
    with pytest.raises(RuntimeError, match="reset"):
        environment().step(np.array([1]))


def test_without_gymnasium(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.delitem(sys.modules, "nephoscope.rl")
    with pytest.raises(ExtraError, match=r"pip install 'nephoscope\[rl\]'"):
        importlib.import_module("nephoscope.rl")
