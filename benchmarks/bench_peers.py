"""The engine against other simulators on the same models."""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from comparisons import AgainstPeer
from peer_runs import PEERS, Peer, missing, started
from sizes import Size


@pytest.mark.benchmark(group="peers", timer=time.thread_time, warmup=False)
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peer(benchmark: BenchmarkFixture, peer: Peer, size: Size) -> None:
    if (reason := missing(peer.package)) is not None:
        pytest.skip(reason)
    requests = peer.requests if size.full else max(peer.requests // 100, 1_000)
    engine_runs = peer.engine_runs if size.full else 2
    with started(peer, requests) as run_peer:
        run_peer(0)
        compared = AgainstPeer(peer, requests, run_peer, engine_runs=engine_runs)
        if not size.full:  # only one round is run, and an interval needs a few
            for _ in range(2):
                compared.reference()
                compared.subject()
        benchmark.pedantic(compared.subject, setup=compared.reference, rounds=5)
    compared.check()
    benchmark.extra_info.update(compared.pairs.summary(), target=peer.target)
    if size.full and peer.target is not None:
        assert compared.pairs.ratio >= peer.target
