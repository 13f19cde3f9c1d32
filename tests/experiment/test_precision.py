"""Sequential stopping: the rule by hand, and what it tells where it cannot be kept."""

import itertools
import math

import pytest

import nephoscope as nph
from experiment.small import MEAN, P99, small
from nephoscope.experiment.precision import Goal, _needed, until_met


class FakeRun:
    def __init__(self, value):
        self.value = value

    def number(self, path):
        return self.value

    def histogram(self, part):
        return None


def test_the_width_that_an_error_needs():
    # 9 and 11: mean 10, half width 12.706 x sqrt(2) / sqrt(2): no precision at all.
    assert Goal(MEAN, 0.1).seen([FakeRun(9.0), FakeRun(11.0)]).reached is None
    # Ten of each: half width t(19) x s / sqrt(20); a width h stands for an error h / (1 - h).
    goal = Goal(MEAN, 0.1).seen([FakeRun(9.0), FakeRun(11.0)] * 10)
    half_width = 2.093024 * math.sqrt(20 / 19) / math.sqrt(20)
    share = half_width / 10
    assert goal.reached == pytest.approx(share / (1 - share), rel=1e-6)
    assert goal.met
    assert not Goal(MEAN, 0.04).seen([FakeRun(9.0), FakeRun(11.0)] * 10).met


@pytest.mark.parametrize(
    ("values", "reached"),
    [([5.0, 5.0], 0.0), ([0.0, 0.0], 0.0), ([-1.0, 1.0], None), ([1.0], None)],
)
def test_extremes(values, reached):
    assert Goal(MEAN, 0.1).seen([FakeRun(value) for value in values]).reached == reached


def test_how_many_more():
    # Twice as wide as wanted would be four times as many, but never more than as many again.
    width = 0.02 / 1.02
    wide, near = (Goal(MEAN, 0.02, h / (1 - h)) for h in (2 * width, 1.1 * width))
    assert _needed(wide, 10) == 20
    # 1.21 times as many and a tenth more: 13.31.
    assert _needed(near, 10) == 14
    assert _needed(Goal(MEAN, 0.02, 0.0200001), 1000) == 1101
    assert _needed(Goal(MEAN, 0.02, None), 10) == 20


def test_it_stops_when_the_interval_is_narrow_and_not_before():
    runs = nph.replicate(small(), until_precision={MEAN: 0.03})
    (goal,) = runs.precision
    assert goal.met
    interval = runs[MEAN]
    share = interval.half_width / interval.value
    assert share <= 0.03 / 1.03
    assert goal.reached == pytest.approx(share / (1 - share))
    assert 10 < len(runs) < 200
    assert runs.flags == []
    # The replications are those of any other experiment.
    assert runs.fingerprint == nph.replicate(small(), len(runs)).fingerprint
    looks = []

    def more(begin, end):
        looks.append(end)
        return list(runs.results[begin:end])

    results, goals = until_met({MEAN: 0.03}, 1, 1000, more)
    assert (len(results), goals) == (len(runs), list(runs.precision))
    assert looks[:2] == [1, 10]
    assert all(a < b <= 2 * a for a, b in itertools.pairwise(looks[1:]))


def test_the_number_of_threads_changes_nothing():
    one, three = (
        nph.replicate(small(), until_precision={P99: 0.05}, threads=threads) for threads in (1, 3)
    )
    assert one.fingerprint == three.fingerprint
    assert one.precision == three.precision


def test_an_easy_goal_has_ten_replications_all_the_same():
    assert len(nph.replicate(small(), until_precision={MEAN: 0.9})) == 10
    assert len(nph.replicate(small(), 15, until_precision={MEAN: 0.9})) == 15


def test_the_end_of_a_path_is_that_of_all_traffic():
    two = small(
        traffic={"users": {"to": "door", "rate": "5/s"}, "bots": {"to": "web", "rate": "1/s"}}
    )
    runs = nph.replicate(two, until_precision={"latency_s.mean": 0.5, "lost_share": 0.9})
    assert [goal.path for goal in runs.precision] == [
        "traffic.users.latency_s.mean",
        "traffic.bots.latency_s.mean",
        "traffic.users.lost_share",
        "traffic.bots.lost_share",
    ]


def test_what_is_not_reached_is_told():
    runs = nph.replicate(small(), until_precision={MEAN: 0.001}, replications_max=12)
    assert len(runs) == 12
    (flag,) = runs.flags
    assert flag.startswith(f"{MEAN}: precision ")
    assert flag.endswith(" % after 12 replications, 0.1 % was wanted")
    assert runs.to_dict()["precision"][MEAN]["met"] is False
    nobody = small(**{"traffic.users.rate": "0.0001/s"})
    flags = nph.replicate(nobody, until_precision={MEAN: 0.1}, replications_max=20).flags
    assert any("precision no interval after 20" in flag for flag in flags)


def test_overload_is_told():
    grows = {"services.page.backlog": None, "series": "auto", "traffic.users.rate": "20/s"}
    runs = nph.replicate(small(**grows), until_precision={MEAN: 0.3})
    assert all(goal.met for goal in runs.precision)
    assert runs.flags[-1].endswith("there is no steady state")
    assert runs.flags[0].startswith("no steady state: ")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"traffic.users.latency_s.p98": 0.1}, "did you mean traffic.users.latency_s.p99"),
        ({P99: 0.003}, "above 0.4 %"),
        ({MEAN: 0.0}, "above 0 and below 1"),
        ({MEAN: 1.0}, "out of range"),
        ({MEAN: "2%"}, "not a number"),
        ({"fleets.web": 0.1}, "is not a number"),
    ],
)
def test_refusals(wanted, words):
    with pytest.raises(nph.NephoscopeError) as caught:
        nph.replicate(small(), until_precision=wanted)
    assert words in str(caught.value)


def test_bounds_that_contradict_are_refused():
    with pytest.raises(ValueError, match="replications_max"):
        nph.replicate(small(), 30, until_precision={MEAN: 0.1}, replications_max=20)
