"""Sizes: the least that theory knows, what is told where there is none, and what is refused."""

import json

import pytest

import nephoscope as nph
from experiment.small import COUNT, LOST, MEAN, P99, small
from nephoscope.experiment.condition import Verdict
from nephoscope.experiment.search import trials_max
from theory import formulas

WORKERS = "services.page.concurrency"


def queue(**changes):
    """M/M/c with 10 requests a second of 150 ms, on as many workers as the service has."""
    return small(
        **{
            "fleets.web": {"count": 1, "service": "page", "instance_type": {"vcpus": 64}},
            "services.page": {
                "concurrency": 2,
                "steps": [{"compute": {"exponential": "150ms"}}],
            },
            "traffic.users.to": "web",
            "load_balancers": {},
            "duration": "400s",
        }
        | changes
    )


def mean_latency(workers):
    load, wait = 1.5, 1.0
    for k in range(1, workers + 1):  # Erlang's B by its recursion, then C
        wait = load * wait / (k + load * wait)
    busy = wait / (1 - load / workers * (1 - wait))
    return 0.15 + busy * 0.15 / (workers - load)


@pytest.mark.parametrize(("bound", "workers"), [(0.5, 2), (0.2, 3), (0.159, 4)])
def test_the_least_is_that_of_theory(bound, workers):
    assert mean_latency(workers) < bound
    assert workers == 2 or mean_latency(workers - 1) > bound
    for start in (2, 9):
        found = nph.size(queue(**{WORKERS: start}), WORKERS, f"{MEAN} < {bound}",
                         between=(2, 12), replications=10)  # fmt: skip
        assert found.value == workers
        assert found.found.verdict is Verdict.holds
        assert [trial.value for trial in found.in_order] == sorted(
            trial.value for trial in found.trials
        )


def test_each_trial_has_its_share_of_the_error():
    found = nph.size(queue(), WORKERS, f"{MEAN} < 0.2", between=(2, 12), replications=10)
    assert found.each_confidence == pytest.approx(1 - 0.05 / trials_max(11))
    for trial in found.trials:
        runs = nph.replicate(queue(**{WORKERS: trial.value}), 10)
        interval = trial.intervals[MEAN]
        assert interval.value == runs[MEAN].value
        # One-sided at this confidence is two-sided at 1 - 2 (1 - it).
        critical = formulas.t_critical(9, 2 * (1 - found.each_confidence))
        assert interval.half_width == pytest.approx(critical * runs[MEAN].std / 10**0.5)
        assert (trial.verdict is Verdict.holds) == (interval.high < 0.2)


def test_the_greatest():
    found = nph.size(queue(), "traffic.users.rate", f"{MEAN} < 300ms", greatest=True,
                     between=("1/s", "13/s"), tolerance=0.1, replications=10)  # fmt: skip
    # M/M/2 with 6.67/s a worker has a mean of 0.3 s where the load of each is sqrt(1/2): 9.43/s.
    assert 9.43 / 1.3 < float(found.value.removesuffix("/s")) < 9.43
    assert found.greatest
    places = [trial.place for trial in found.in_order]
    assert places == sorted(places, reverse=True)


def test_a_duration():
    # Without a queue latency is work, so the longest work is the bound.
    idle = queue(**{"traffic.users.rate": "0.2/s", "services.page.steps.0": {"sleep": "1s"}})
    found = nph.size(idle, "services.page.steps.0.sleep", f"{MEAN} <= 100ms", greatest=True,
                     between=("10ms", "1s"), replications=2)  # fmt: skip
    (sleep,) = [trial for trial in found.trials if trial.value == found.value]
    assert 0.1 / 1.05 <= sleep.intervals[MEAN].value <= 0.1


def test_the_ends_of_a_range():
    least = nph.size(queue(), WORKERS, f"{MEAN} < 9", between=(3, 12), replications=2)
    assert (least.value, least.found.place) == (3, 0)
    most = nph.size(queue(), WORKERS, f"{MEAN} < 0.2", between=(2, 3), replications=10)
    assert most.value == 3


def test_no_value_will_do():
    with pytest.raises(nph.ExperimentError) as caught:
        nph.size(queue(), WORKERS, f"{MEAN} < 0.1", between=(2, 20), replications=3)
    text = str(caught.value)
    assert text.startswith(
        f"no value of {WORKERS} from 2 to 20 is known to do: at 20 {MEAN} is 0.1"
    )
    assert text.endswith(f", not {MEAN} < 0.1")
    with pytest.raises(nph.ExperimentError, match="more than 2 replications might show it"):
        nph.size(queue(), WORKERS, f"{MEAN} < 0.151", between=(2, 20), replications=2)
    nobody = queue(**{"traffic.users.rate": "0.00001/s"})
    with pytest.raises(nph.ExperimentError, match=r"from 2 to 3 .* at 2 .* is undefined"):
        nph.size(nobody, WORKERS, f"{MEAN} < 1", between=(2, 3), greatest=True, replications=2)


def test_what_is_seen_is_told_in_the_unit_of_the_condition():
    with pytest.raises(nph.ExperimentError, match=rf"at 3 {MEAN} is 1\d\d\.\d+ ms \(1.* ms to "):
        nph.size(queue(), WORKERS, f"{MEAN} < 5 ms", between=(2, 3), replications=3)


def test_the_end_of_a_path_is_of_all_traffic():
    users = {"to": "web", "rate": "1/s"}
    twice = queue(traffic={"users": users, "guests": users})
    found = nph.size(twice, WORKERS, "latency_s.mean < 9 s", between=(3, 12), replications=2)
    means = [MEAN, MEAN.replace("users", "guests")]
    assert found.condition.paths == list(found.found.intervals) == means
    assert str(found.condition) == " and ".join(f"{path} < 9 s" for path in means)


def test_several_conditions():
    alone = nph.size(small(), COUNT, f"{MEAN} < 0.5", replications=10)
    both = nph.size(small(), COUNT, f"{MEAN} < 0.5 and {LOST} < 0.5%", replications=10)
    assert alone.value < both.value
    assert set(both.found.intervals) == {MEAN, LOST}


@pytest.mark.slow
def test_what_is_found_is_wrong_no_more_often_than_told():
    # Two workers fail by a hair: whoever finds them to do is wrong.
    bound = mean_latency(2) * 0.998
    experiments = 400
    wrong = 0
    for seed in range(experiments):
        found = nph.size(queue(warmup="40s"), WORKERS, f"{MEAN} < {bound}", between=(2, 5),
                         replications=10, confidence=0.8, rng=seed)  # fmt: skip
        wrong += found.value == 2
    _, high = formulas.coverage_range(experiments, 0.2)
    assert wrong <= high
    # Bonferroni shares 0.2 among five trials, so a few must be wrong for this to say anything.
    assert wrong >= 4


def test_that_nothing_was_lost_is_not_enough():
    # 20 runs of 500 requests to servers that turn nobody away.
    open_door = small(**{"services.page.backlog": None, COUNT: 3})
    found = nph.size(open_door, COUNT, f"{LOST} < 0.2%", between=(3, 4))
    assert found.value == 3
    with pytest.raises(nph.ExperimentError, match=r"is 0 % \(0 % to 0\.0.*replications might show"):
        nph.size(open_door, COUNT, f"{LOST} < 0.01%", between=(3, 4))


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_nothing(threads):
    found = nph.size(small(), COUNT, f"{P99} < 0.9", threads=threads)
    again = nph.size(small(), COUNT, f"{P99} < 0.9")
    assert found.to_dict() | {"wall_s": 0} == again.to_dict() | {"wall_s": 0}
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["value"] == found.value


def test_what_nobody_can_tell_is_told():
    found = nph.size(queue(), WORKERS, f"{MEAN} < 0.3432", between=(2, 12), replications=5)
    assert found.value == 3
    assert any("at 2 nobody can tell" in flag for flag in found.flags)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": "traffic.users.latency_s.p98 < 1"}, "did you mean traffic.users.latency_s.p99"),
        ({"until": f"{P99} < x"}, "no bound"),
        ({"vary": "fleets.wep.count"}, "did you mean fleets.web.count"),
        ({"vary": "traffic.users.rate"}, "between two values"),
        ({"between": (5, 1)}, "no range"),
        ({"vary": WORKERS, "between": (0, 5)}, "concurrency: 0 is out of range"),
        ({"vary": "seed"}, "one seed"),
        ({"replications": 1}, "at least two"),
        ({"confidence": 0.0}, "above 0"),
        ({"threads": 0}, "at least one thread"),
    ],
)
def test_refusals(options, words):
    options = {"vary": COUNT, "until": f"{P99} < 0.0001", "replications": 2} | options
    with pytest.raises((nph.NephoscopeError, ValueError)) as caught:
        nph.size(small(), greatest=True, **options)
    assert words in str(caught.value)
