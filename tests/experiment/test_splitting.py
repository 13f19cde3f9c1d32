"""Rare events by splitting, against M/M/1: N customers or more are there for rho^N of the time."""

import pytest
from scipy import stats

import nephoscope as nph
from nephoscope.errors import ExperimentError, PathError, ScenarioError
from nephoscope.splitting import _Ladder as Ladder
from theory import formulas

LOAD = 0.25
PATH = "traffic.users.in_flight"
MM1 = nph.Scenario(
    duration="3000s",
    warmup="100s",
    series="none",
    seed=1,
    services={"page": {"steps": [{"compute": {"exponential": "1s"}}]}},
    fleets={"web": {"instance_type": {"vcpus": 1, "memory": "1GiB"}, "service": "page"}},
    traffic={"users": {"to": "web", "rate": f"{LOAD}/s"}},
)


def test_what_a_plain_run_sees_too():
    found = nph.splitting(MM1, PATH, 3, every="1s", effort=200, repetitions=12)
    assert found.probability.value == pytest.approx(LOAD**3, rel=0.2)
    assert found.probability.low < LOAD**3 < found.probability.high
    assert (found.base, found.levels[0], found.levels[-1]) == (0, 1, 3)
    assert found.to_dict()["probability"]["n"] == 12


def test_levels_and_looks_only_change_the_variance():
    found = nph.splitting(MM1, PATH, 3, every="500ms", effort=200, repetitions=8, levels=[])
    assert found.levels == (1, 3)
    assert found.probability.low < LOAD**3 < found.probability.high
    # Those who wait are one less than those who are there.
    waiting = nph.splitting(
        MM1, "fleets.web.waiting", 2, every="1s", effort=200, repetitions=8, levels=[]
    )
    assert waiting.probability.low < LOAD**3 < waiting.probability.high


def test_the_depth_of_a_queue():
    """One consumer that takes a message at a time, as soon as it is there: M/M/1 once more."""
    queued = nph.Scenario(
        duration="3000s",
        warmup="100s",
        series="none",
        seed=1,
        services={
            "page": {
                "consumes": {"queue": "board", "batch": 1, "wait": "20s"},
                "steps": [{"compute": {"exponential": "1s"}}],
            }
        },
        fleets={"web": {"instance_type": {"vcpus": 1, "memory": "1GiB"}, "service": "page"}},
        queues={"board": {"visibility_timeout": "1h"}},
        traffic={"users": {"to": "board", "rate": f"{LOAD}/s"}},
    )
    found = nph.splitting(queued, "queues.board.depth", 3, every="1s", repetitions=8, levels=[])
    assert found.probability.low < LOAD**3 < found.probability.high
    with pytest.raises(PathError, match=r"did you mean queues\.board\.depth\?"):
        nph.splitting(queued, "queues.bord.depth", 3, every="1s")


BUSY = 0.7


def busy(duration):
    return MM1.replace({"duration": duration, "traffic.users.rate": f"{BUSY}/s"})


def test_one_in_a_million():
    found = nph.splitting(busy("10000s"), PATH, 39, every="6s", repetitions=8)
    assert found.probability.low < BUSY**39 < found.probability.high < 5 * BUSY**39
    assert found.probability.value > BUSY**39 / 5
    assert BUSY**39 < 1e-6


def plain_events(rho, n, interval):
    """Events of plain runs of M/M/1 whose interval is as wide: at least, and by theory.

    Half the interval of a share p is to be r p. Of independent looks it takes z^2 (1 - p) / (p r^2)
    (Rubino and Tuffin, 2009, chapter 1). Arrivals see the system as it is over time, so as many
    arrivals are the least: what they see is positively correlated, for those that see many come
    together. By the asymptotic variance of the share of time it is z^2 variance / (r p)^2 seconds.
    """
    share, z = rho**n, stats.norm.isf(0.025)
    per_arrival = 2  # it comes, and it leaves
    fewest = z**2 * (1 - share) * share / interval.half_width**2
    seconds = z**2 * formulas.mm1_tail_asymptotic_variance(rho, n) / interval.half_width**2
    return per_arrival * fewest, per_arrival * rho * seconds


@pytest.mark.slow
def test_one_in_a_billion():
    """In its interval, for less than a thousandth of the events that plain runs would take."""
    found = nph.splitting(
        busy("100000s"), PATH, 58, every="6s", effort=1000, repetitions=12, rng=11
    )
    assert found.probability.low < BUSY**58 < found.probability.high < 5 * BUSY**58
    assert found.probability.value > BUSY**58 / 3
    assert BUSY**58 < 1.1e-9
    fewest, needed = plain_events(BUSY, 58, found.probability)
    print(f"{found.events} events, at least {fewest:.2g} of plain runs, and in truth {needed:.2g}")
    assert 1000 * found.events < fewest < needed


def test_events_are_counted_once(monkeypatch):
    """Those of plain runs and of branches, of a branch only what came after the state it is of."""
    seen = []

    class World:
        def __init__(self, world):
            self.world = world

        def __getattr__(self, name):
            return getattr(self.world, name)

        def advance(self, until_ns):
            before = self.world.events
            self.world.advance(until_ns)
            seen.append(self.world.events - before)

    for name in ("_world", "_branch"):
        made = getattr(Ladder, name)
        monkeypatch.setattr(Ladder, name, lambda it, of, made=made: World(made(it, of)))
    found = nph.splitting(MM1, PATH, 3, every="1s", effort=20, repetitions=2, levels=[])
    assert found.events == sum(seen) == found.to_dict()["events"]
    # Three plain runs of 3,000 s, at two events a request, and some cycles.
    assert 3 * 2 * LOAD * 3000 * 0.9 < found.events < 3 * 2 * LOAD * 3000 * 1.5


def test_the_same_seed_is_the_same_estimate():
    def estimate(seed):
        return nph.splitting(
            MM1, PATH, 3, every="1s", effort=20, repetitions=2, levels=[2], rng=seed
        ).probability

    assert estimate(3) == estimate(3) != estimate(4)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"path": "traffic.usres.in_flight"}, PathError, f"did you mean {PATH}?"),
        ({"at_least": 1}, PathError, "a plain run tells that"),
        ({"every": "soon"}, ScenarioError, "every"),
        ({"every": "0s"}, ValueError, "above 0"),
        ({"effort": 5}, ValueError, "effort of at least 10"),
        ({"repetitions": 1}, ValueError, "two repetitions"),
        ({"levels": [7, 5]}, ValueError, "levels rise"),
        ({"levels": [12]}, ValueError, "levels rise"),
        ({"at_least": 200, "levels": []}, ExperimentError, "none got to 200"),
    ],
)
def test_mistakes(changes, error, words):
    short = MM1.replace({"duration": "200s"})
    given = {"path": PATH, "at_least": 10, "every": "1s", "effort": 10, "repetitions": 2}
    with pytest.raises(error) as caught:
        nph.splitting(short, **(given | changes))
    assert words in str(caught.value)


def test_a_number_that_never_rises():
    idle = MM1.replace({"traffic.users.rate": "0.00001/s"})
    with pytest.raises(ExperimentError, match="a longer duration is needed"):
        nph.splitting(idle, PATH, 5, every="1s")
