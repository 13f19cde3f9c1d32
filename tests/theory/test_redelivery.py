"""Consumers that overrun the visibility timeout cost what the closed forms say.

Messages come at even gaps, a worker is always free, and each attempt draws its work anew. Where it
is abandoned at the timeout T (model A), a message of at most n receives is received
(1 - p^n) / (1 - p) times with p = P(S > T), and takes E[min(S, T)] each time; where it runs on and
the first to finish deletes (model B), 1 + sum over k of the product of P(S > iT), i up to k.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from semantics.lab import Lab, Tree, fleet, outcome, work
from theory import oracles

Z = 4.8916  # two-sided false alarm of one in a million
MEAN = 10.0
SIGMA2 = math.log(5.0)  # of a lognormal of scv 4
MESSAGES = 10_000
RECEIVES = 5
WORKERS = 400
MEASURED = f"{MESSAGES // 10 + 2000}s"

LAWS: dict[str, tuple[Any, Any]] = {
    "exp": (stats.expon(scale=MEAN), {"exponential": "10s"}),
    "erlang4": (stats.gamma(4, scale=MEAN / 4), {"erlang": {"mean": "10s", "k": 4}}),
    "lognormal": (
        stats.lognorm(math.sqrt(SIGMA2), scale=MEAN * math.exp(-SIGMA2 / 2)),
        {"lognormal": {"mean": "10s", "cv": 2.0}},
    ),
    "weibull0.5": (
        stats.weibull_min(0.5, scale=MEAN / 2),
        {"weibull": {"mean": "10s", "shape": 0.5}},
    ),
}


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def worked(lab: Lab, law: Any, timeout: float, **rules: Any) -> Tree:
    """What becomes of messages whose work is of this law: the queue, and the busy time of each."""
    letters = {"dead_letter": {"queue": "lost", "max_receives": RECEIVES}}
    abandons = rules.get("on_timeout") == "abandon"
    board = {"visibility_timeout": f"{timeout}s", **(letters if abandons else {})}
    times = [0.1 * k for k in range(MESSAGES)]
    tree = {
        "nephoscope": 1,
        "name": "redelivery",
        "duration": MEASURED,
        "series": "none",
        "queues": {"orders": board, "lost": {}},
        "services": {
            "work": work({"compute": law}, consumes={"queue": "orders", "wait": "20s", **rules})
        },
        "fleets": {"web": fleet(vcpus=WORKERS)},
        "traffic": {"customers": lab.at(*times, to="orders")},
    }
    result = outcome(tree, rng=11).to_dict()
    queue = result["queues"]["orders"]
    assert queue["deleted"] + queue["dead_lettered"] == queue["sent"] == MESSAGES
    busy = result["fleets"]["web"]["utilization"] * WORKERS * result["measured_s"]
    return queue | {"busy_s": busy}


def near(total: float, expected: float, each: np.ndarray) -> None:
    """A sum over the messages, whose spread is that of a sample of what each may come to."""
    error = float(each.std()) / math.sqrt(MESSAGES)
    assert abs(total / MESSAGES - expected) <= Z * error, (total / MESSAGES, expected, error)


def samples(law: Any, timeout: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of 50,000 messages: receives and busy time where abandoned, receives where not."""
    rng = np.random.default_rng(5)
    times = law.rvs((50_000, 60), random_state=rng)
    in_time = times[:, :RECEIVES] < timeout
    first = np.where(in_time.any(axis=1), in_time.argmax(axis=1), RECEIVES - 1)
    spent = np.minimum(times[:, :RECEIVES], timeout).cumsum(axis=1)
    busy = np.take_along_axis(spent, first[:, None], axis=1)[:, 0]
    finish = (times + timeout * np.arange(60)).min(axis=1)
    return first + 1, busy, np.ceil(finish / timeout)


@pytest.mark.parametrize("entry", oracles.cases("SQS_redelivery_"))
def test_redelivery_of_the_reference(entry, lab):
    it = oracles.entries()[entry]
    expected = it["expected"]
    timeout = it["parameters"]["visibility_timeout"]
    law, written = LAWS[entry.removeprefix("SQS_redelivery_").split("_")[0]]
    receives, busy, running_on = samples(law, timeout)

    abandoned = worked(lab, written, timeout, on_timeout="abandon")
    near(abandoned["received"], expected["A_mean_receives"], receives)
    near(abandoned["busy_s"], expected["A_busy_per_message"], busy)
    dead = stats.binomtest(abandoned["dead_lettered"], MESSAGES, expected["A_P_DLQ"])
    assert dead.pvalue > 1e-6
    capacity = abandoned["busy_s"] / (abandoned["deleted"] * MEAN)
    slack = Z * float(busy.std()) / math.sqrt(MESSAGES) / MEAN
    assert abs(capacity - expected["A_capacity_factor"]) <= 1.1 * slack

    finished = worked(lab, written, timeout)
    near(finished["received"], expected["B_mean_receives"], running_on)
    assert finished["in_vain"] == finished["received"] - finished["deleted"]


@pytest.mark.parametrize("name", ["exp", "weibull0.5"])
def test_redelivery_by_its_formulas(name, lab):
    """The same at another timeout, by formulas worked out here."""
    timeout = 7.0
    law, written = LAWS[name]
    receives, _, running_on = samples(law, timeout)
    p = float(law.sf(timeout))
    abandoned = worked(lab, written, timeout, on_timeout="abandon")
    near(abandoned["received"], (1 - p**RECEIVES) / (1 - p), receives)
    finished = worked(lab, written, timeout)
    beyond = np.cumprod(law.sf(timeout * np.arange(1, 60)))
    near(finished["received"], 1 + float(beyond.sum()), running_on)
