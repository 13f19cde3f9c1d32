"""The same seed gives the same bits, whatever else the process does."""

import threading

import numpy as np
import pytest

from determinism.fingerprints import fingerprints
from determinism.scenarios import all_scenarios


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    return all_scenarios(tmp_path_factory.mktemp("traces"))


@pytest.fixture(scope="module")
def alone(trees):
    return fingerprints(trees, threads=1)


def test_fingerprints_differ_between_scenarios(alone):
    assert len(set(alone.values())) == len(alone) >= 20


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_same_with_threads(trees, alone, threads):
    assert fingerprints(trees, threads) == alone


def test_same_in_another_order(trees, alone):
    backwards = dict(reversed(trees.items()))
    assert fingerprints(backwards, threads=4) == alone


def test_same_beside_other_work(trees, alone):
    done = threading.Event()

    def work():
        rng = np.random.default_rng(1)
        while not done.is_set():
            np.sort(rng.random(20_000))

    others = [threading.Thread(target=work) for _ in range(3)]
    for other in others:
        other.start()
    try:
        assert fingerprints(trees, threads=2) == alone
    finally:
        done.set()
        for other in others:
            other.join()


def test_another_seed_differs(trees, alone):
    other = fingerprints(trees, seed=8)
    assert [name for name in trees if other[name] == alone[name]] == []
