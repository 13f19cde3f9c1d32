"""Comparisons: paired differences, their confidence together, and what cannot be told."""

import json

import numpy as np
import pytest
from scipy import stats

import nephoscope as nph
from experiment.small import COUNT, LOST, MEAN, P99, small
from theory import formulas

ROUTING = "load_balancers.door.routing"
BOTH = {ROUTING: ["round_robin", "least_connections", "random"]}
FOUND = nph.compare(small(), BOTH, 10)


def test_each_alternative_is_its_own_replications():
    for label in BOTH[ROUTING]:
        alone = nph.replicate(small(**{ROUTING: label}), 10)
        assert FOUND.runs[label].fingerprint == alone.fingerprint
    assert FOUND.labels == BOTH[ROUTING]


def test_differences_are_those_of_the_replications():
    base, other = (FOUND.runs[label].results for label in ("round_robin", "random"))
    values = [b[MEAN] - a[MEAN] for a, b in zip(base, other, strict=True)]
    found = FOUND[MEAN, "random"]
    assert found.interval.value == pytest.approx(np.mean(values))
    # Two alternatives against the first by three metrics (nothing is billed): six intervals.
    assert FOUND.metrics == (MEAN, P99, LOST)
    each = 1 - 0.05 / 6
    low, high = stats.t.interval(each, 9, np.mean(values), stats.sem(values))
    assert FOUND.each_confidence == pytest.approx(each)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert found.relative == pytest.approx(np.mean(values) / np.mean([a[MEAN] for a in base]))


def test_the_verdict_is_that_of_the_interval():
    assert FOUND[MEAN, "least_connections"].verdict == "lower"
    assert FOUND[LOST, "random"].verdict == "higher"
    for difference in FOUND.differences:
        holds = difference.interval.low <= 0 <= difference.interval.high
        assert holds == (difference.verdict == "not distinguishable")


def test_the_same_design_twice_is_not_distinguishable():
    weights = {"load_balancers.door.targets": [["web"], [{"fleet": "web", "weight": 1}]]}
    for difference in nph.compare(small(), weights, 3).differences:
        assert (difference.interval.value, difference.interval.half_width) == (0.0, 0.0)
        assert difference.verdict == "not distinguishable"


def test_common_random_numbers_make_intervals_narrow():
    found = nph.compare(small(), {COUNT: [2, 3]}, 10, metrics=[MEAN])
    base, other = ([run[MEAN] for run in runs.results] for runs in found.runs.values())
    apart = np.sqrt(np.var(base, ddof=1) + np.var(other, ddof=1))
    assert found[MEAN, "3"].interval.std < 0.9 * apart
    for a, b in zip(*(runs.results for runs in found.runs.values()), strict=True):
        assert a["traffic.users.offered"] == b["traffic.users.offered"]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_nothing(threads):
    again = nph.compare(small(), BOTH, 10, threads=threads)
    assert again.to_dict() | {"wall_s": 0} == FOUND.to_dict() | {"wall_s": 0}


@pytest.mark.slow
def test_designs_that_are_the_same_in_law_are_seldom_told_apart():
    # A gamma law with a coefficient of variation of 1 is the exponential, by other draws.
    step = "services.page.steps.0.compute"
    same = [{"exponential": "150ms"}, {"gamma": {"mean": "150ms", "cv": 1}}]
    experiments = 500
    apart = 0
    for seed in range(experiments):
        found = nph.compare(small(), {step: same}, 10, rng=seed)
        assert found[MEAN, found.labels[1]].interval.value != 0.0
        apart += any(it.verdict != "not distinguishable" for it in found.differences)
    _, high = formulas.coverage_range(experiments, 0.05)
    assert 0 < apart <= high


def test_all_pairs():
    found = nph.compare(small(), BOTH, 3, all_pairs=True, metrics=MEAN)
    pairs = [(it.alternative, it.base) for it in found.differences]
    assert pairs == [
        ("least_connections", "round_robin"),
        ("random", "round_robin"),
        ("random", "least_connections"),
    ]
    assert found.each_confidence == pytest.approx(1 - 0.05 / 3)
    a, b, c = (it.interval.value for it in found.differences)
    assert c == pytest.approx(b - a)


def test_what_is_undefined_is_told():
    nobody = {"traffic.users.rate": ["10/s", "0.001/s"], "services.page.backlog": [5, 6]}
    found = nph.compare(small(), nobody, 3)
    (label,) = found.labels[1:]
    difference = found[P99, label]
    assert (difference.verdict, difference.interval) == ("undefined", None)
    assert difference.note == f"undefined in every replication of {label}"
    assert found.estimate(P99, label) is None
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert any("no request completed" in flag for flag in found.flags)


def test_what_is_undefined_now_and_then_is_left_out_and_told():
    rare = {"traffic.users.rate": ["10/s", "0.03/s"]}
    found = nph.compare(small(), rare, 12, metrics=[MEAN])
    difference = found[MEAN, "0.03/s"]
    having = [run for run in found.runs["0.03/s"].results if run[MEAN] is not None]
    assert 2 <= len(having) < 12
    assert difference.interval.n == len(having)
    assert difference.note == f"defined in {len(having)} of 12 pairs of replications only"


def test_what_one_alternative_lacks_is_told():
    targets = {"traffic.users.to": ["door", "web"]}
    found = nph.compare(small(), {"fleets.web.count": [2, 3]}, 2,
                        metrics=["load_balancers.door.targets.2.utilization"])  # fmt: skip
    (difference,) = found.differences
    assert (difference.verdict, difference.note) == ("undefined", "not in the results of 2")
    assert nph.compare(small(), targets, 2, metrics=[LOST]).differences[0].interval.n == 2


def test_one_warmup_for_all():
    auto = small(warmup="auto", series="auto", duration="120s")
    found = nph.compare(auto, {"traffic.users.rate": ["5/s", "13/s"]}, 2, metrics=[LOST])
    windows = {run.warmup_s for runs in found.runs.values() for run in runs.results}
    assert len(windows) == 1
    alone = [nph.run(auto.replace({"traffic.users.rate": r})).warmup_s for r in ("5/s", "13/s")]
    assert windows == {max(alone)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metrics": ["traffic.users.latency_s.p98"]}, f"did you mean {P99}?"),
        ({"metrics": ["traffic.users.latency_s"]}, "is not a number"),
        ({"metrics": ["fleets.web"]}, "is not a number"),
        ({"metrics": ["wall_s"]}, "no number 'wall_s'"),
        ({"metrics": ["steady"]}, "no number 'steady'"),
        ({"metrics": []}, "no metrics"),
        ({"replications": 1}, "at least two replications"),
        ({"threads": 0}, "at least one thread"),
        ({"confidence": 1.0}, "above 0 and below 1"),
    ],
)
def test_refusals(options, words):
    with pytest.raises((nph.PathError, ValueError), match=words.replace("?", r"\?")):
        nph.compare(small(), BOTH, **({"replications": 2} | options))


def test_a_difference_that_is_not_there():
    with pytest.raises(nph.PathError, match=r"did you mean traffic\.users\.latency_s\.p99"):
        FOUND["traffic.users.latency_s.p9", "random"]
    with pytest.raises(nph.PathError, match="least_connections or random"):
        FOUND[P99, "round_robin"]


def test_numbers_that_are_not_listed_are_found_by_their_path():
    found = nph.compare(small(), BOTH, 2, metrics=["in_flight", "fleets.web.instances.mean"])
    assert found["in_flight", "random"].interval.n == 2
    many = small(**{COUNT: 1100})
    path = "load_balancers.door.targets.1050.requests"
    found = nph.compare(many, {"traffic.users.rate": ["50/s", "100/s"]}, 2, metrics=[path])
    assert found[path, "100/s"].interval.n == 2


def test_progress_counts_all_runs():
    seen = []
    nph.compare(small(), BOTH, 2, progress=seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]
