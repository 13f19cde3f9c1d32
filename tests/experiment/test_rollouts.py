"""From one state on: other random numbers in each branch, the same under all settings."""

import pickle

import numpy as np
import pytest

import nephoscope as nph
from experiment.small import COUNT, MEAN, small
from nephoscope.errors import ScenarioError
from nephoscope.rollouts import AS_IT_IS

ROUTING = "load_balancers.door.routing"
OFFERED = "traffic.users.offered"


@pytest.fixture(scope="module")
def begun():
    simulation = nph.Simulation(small(), rng=5)
    simulation.advance("30s")
    return simulation


def test_another_replication_goes_its_own_way_from_here_on(begun):
    twins = [begun.fork(replication=i) for i in (0, 1, 2, 2)]
    for twin in twins:
        assert twin.now == 30
        # The past is the same, and what had been drawn: the next arrival.
        assert twin.result().to_dict()["traffic"] == begun.result().to_dict()["traffic"]
        assert twin.state()["next_arrival_ns"] == begun.state()["next_arrival_ns"]
        twin.advance()
    prints = [twin.result().fingerprint for twin in twins]
    # 0 is its own, so nothing changes; equal numbers are equal runs.
    assert prints[0] == small().run(rng=5).fingerprint
    assert prints[2] == prints[3]
    assert len(set(prints)) == 3
    assert twins[1].result().replication == twins[1].replication == 1


@pytest.mark.parametrize("routing", ["random", "least_response_time", "power_of_two"])
def test_choices_are_drawn_anew_as_well(routing):
    """Nothing but the routing is at random: branches differ by it alone, and by their numbers."""
    steady = {"to": "door", "rate": "10/s", "arrivals": "constant"}
    services = {"page": {"steps": [{"compute": "150ms"}]}}
    changes = {ROUTING: routing, "traffic.users": steady, "services": services, COUNT: 5}
    scenario = small(**changes)
    simulation = nph.Simulation(scenario, rng=5)
    simulation.advance("30s")
    branches = [simulation.fork(replication=i) for i in (0, 1, 2, 2)]
    for branch in (simulation, *branches):
        branch.advance()
    prints = [branch.result().fingerprint for branch in branches]
    assert prints[0] == simulation.result().fingerprint
    assert prints[2] == prints[3]
    assert len(set(prints)) == 3


def test_victims_are_drawn_anew_as_well():
    """Of twelve one is down for ten seconds, and the balancer does not know it."""
    fault = {"every": "40s", "fail": {"fleet": "web", "count": 1}, "for": "10s"}
    simulation = nph.Simulation(small(**{COUNT: 12, "faults": [fault]}), rng=5)
    simulation.advance("30s")
    struck = []
    for replication in range(8):
        branch = simulation.fork(replication=replication)
        branch.advance("20s")
        targets = branch.result()["load_balancers.door.targets"].values()
        failed = [target["failed"] > 0 for target in targets]
        assert sum(failed) == 1
        struck.append(failed.index(True))
    assert len(set(struck)) > 3


def test_what_is_drawn_later_has_the_law_of_the_scenario(begun):
    """Arrivals after the fork are Poisson: 300 in 30 s on average, and as many as variance."""
    found = nph.rollouts(begun, count=200)[AS_IT_IS]
    before = begun.result()[OFFERED]
    further = np.array([result[OFFERED] - before for result in found.results])
    assert further.mean() == pytest.approx(300, abs=4)
    assert further.var() == pytest.approx(300, rel=0.35)
    assert len({result.fingerprint for result in found.results}) == 200


def test_a_branch_is_saved_with_its_random_numbers(begun):
    branch = begun.fork(replication=9)
    branch.advance("5s")
    again = pickle.loads(pickle.dumps(branch))
    branch.advance()
    again.advance()
    assert again.result().fingerprint == branch.result().fingerprint
    assert again.replication == 9


def test_settings_have_the_same_random_numbers(begun):
    before = begun.result().fingerprint
    found = nph.rollouts(begun, {"in turn": {}, "by load": {ROUTING: "least_connections"}}, 20)
    assert list(found) == ["in turn", "by load"]
    better = 0
    for ours, theirs in zip(*(it.results for it in found.values()), strict=True):
        assert ours[OFFERED] == theirs[OFFERED]
        assert ours.replication == theirs.replication > 0
        better += theirs[MEAN] < ours[MEAN]
    assert better >= 18
    assert (begun.now, begun.result().fingerprint) == (30, before)


def test_threads_change_nothing(begun):
    one, three = (nph.rollouts(begun, count=6, by="10s", threads=n)[AS_IT_IS] for n in (1, 3))
    assert one.fingerprint == three.fingerprint
    assert [it.simulated_s for it in one.results] == [40.0] * 6


def test_a_fork_after_a_refresh_keeps_its_new_instances():
    scenario = small(**{"fleets.web.instance_type": "m5.large"})
    simulation = nph.Simulation(scenario)
    simulation.advance("15s")
    simulation.refresh("web", to={"instance_type": "c5.large"})
    simulation.advance("5s")
    branch = simulation.fork(replication=4)
    branch.advance()
    simulation.advance()
    assert "refresh" in branch.result().to_dict()["fleets"]["web"]
    assert branch.result().fingerprint != simulation.result().fingerprint


def test_mistakes(begun):
    with pytest.raises(ScenarioError, match="no settings"):
        nph.rollouts(begun, {})
    with pytest.raises(ScenarioError, match=r"fleets\.wbe"):
        nph.rollouts(begun, {"a": {"fleets.wbe.count": 3}})
    with pytest.raises(ScenarioError, match="soon"):
        nph.rollouts(begun, by="soon")
    with pytest.raises(ValueError, match="at least one branch"):
        nph.rollouts(begun, count=0)
