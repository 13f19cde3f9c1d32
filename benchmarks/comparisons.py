"""What is timed in pairs: a turn is `reference()`, then `subject()`; both check what came out."""

import math
import statistics
from collections.abc import Callable

import engine
from kernels import Outcome
from pairs import Pairs, same_mean_apart
from peer_runs import Peer
from rows import Row


class AgainstLimit:
    """The engine as the subject, a limit kernel as the reference, with the same seed."""

    def __init__(self, row: Row, requests: int) -> None:
        self.row = row
        self.requests = requests
        self.scenario = row.scenario(requests)
        self.pairs = Pairs(row.name)
        self.turn = 0
        self.limit: Outcome

    def reference(self) -> None:
        self.turn += 1
        self.limit = self.row.run_kernel(self.requests, seed=self.turn)

    def subject(self) -> None:
        ours, limit = engine.run(self.scenario, seed=self.turn), self.limit
        # The same arrivals, to 1 ns in a few of them.
        assert abs(ours.offered - limit.offered) <= 1
        if self.row.same_path:
            assert abs(ours.completed - limit.completed) <= 2
            assert math.isclose(ours.mean_ns, limit.mean_ns, rel_tol=1e-6)
        self.pairs.add(ours.ns_per_request, limit.ns_per_request)


class Observing:
    """A run that measures, against one that is all warm-up but for its last ns and keeps no series:
    it does everything a run does and records nothing of it.
    """

    ROW = Row("fifo/least_connections", 1_000, limit=1.15)

    def __init__(self, requests: int) -> None:
        self.pairs = Pairs("observing")
        self.requests = requests
        self.observed = self.ROW.scenario(requests)
        end_ns = self.ROW.end_ns(requests)
        self.blind = engine.farm(
            instances=self.ROW.instances,
            utilisation=self.ROW.utilisation,
            end_ns=end_ns,
            routing=self.ROW.routing,
            warmup_ns=end_ns - 1,
            series="none",
        )
        self.turn = 0
        self.blind_seconds = 0.0

    def reference(self) -> None:
        self.turn += 1
        run = engine.run(self.blind, seed=self.turn)
        assert run.completed == 0
        self.blind_seconds = run.seconds

    def subject(self) -> None:
        run = engine.run(self.observed, seed=self.turn)
        assert run.completed > 0.95 * self.requests
        per_request = 1e9 / run.offered
        self.pairs.add(run.seconds * per_request, self.blind_seconds * per_request)


class AgainstPeer:
    """A peer as the subject, the engine as the reference, run as often as makes it measurable."""

    def __init__(
        self, peer: Peer, requests: int, run_peer: Callable[[int], Outcome], *, engine_runs: int
    ) -> None:
        self.requests = requests
        self.run_peer = run_peer
        self.engine_runs = engine_runs
        self.scenario = peer.row.scenario(requests)
        self.pairs = Pairs(peer.name)
        self.turn = 0
        self.ours: list[Outcome] = []
        self.means_ns: list[float] = []

    def reference(self) -> None:
        self.turn += 1
        first = self.turn * self.engine_runs
        self.ours += [
            engine.run(self.scenario, seed) for seed in range(first, first + self.engine_runs)
        ]

    def subject(self) -> None:
        answer = self.run_peer(self.turn)
        # Poisson: the difference of two counts has variance twice their mean.
        assert abs(answer.offered - self.ours[-1].offered) <= 8 * self.requests**0.5
        self.means_ns.append(answer.mean_ns)
        latest = [run.ns_per_request for run in self.ours[-self.engine_runs :]]
        self.pairs.add(answer.ns_per_request, statistics.median(latest))

    def check(self) -> None:
        """The means are the same within their interval."""
        assert same_mean_apart([run.mean_ns for run in self.ours], self.means_ns)
