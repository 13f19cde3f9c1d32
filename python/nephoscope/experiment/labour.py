"""The work of a sweep: which runs are missing, who makes them, and what becomes of them."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
)
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from nephoscope.errors import ExperimentError, ScenarioError
from nephoscope.experiment.alternatives import Alternative
from nephoscope.experiment.journal import Journal, Recorded, scenario_hash
from nephoscope.experiment.outcome import Outcome
from nephoscope.experiment.runs import Progress, processors
from nephoscope.experiment.widest import means_in, seen_by
from nephoscope.run import run, warmup_of
from nephoscope.scenario import Scenario

J = TypeVar("J")
R = TypeVar("R")

# Runs that an executor has at a time: enough for a cluster, few enough to be held in memory.
AHEAD = 256
# What keeping them may take of the time in which they are made.
KEEPING = 1 / 20
# How often one looks who has ended meanwhile: to be woken by each takes time from those that run.
GLANCE_S = 0.01


def simulate(
    scenario: Scenario, seed: int, replication: int, warmup_ns: int, stop: Event | None = None
) -> bytes:
    """One run, wherever the worker is; its outcome, packed."""
    result = run(scenario, rng=seed, replication=replication, warmup_ns=warmup_ns, stop=stop)
    return Outcome.of(result).pack()


class Workers:
    """An executor that was given, or threads of our own that stop when something goes wrong."""

    def __init__(self, executor: Executor | None, threads: int | None) -> None:
        if executor is not None and not hasattr(executor, "submit"):
            raise TypeError(f"{executor!r} is no executor: none of concurrent.futures")
        self._given = executor is not None
        self._executor = executor or ThreadPoolExecutor(threads or processors(), "nephoscope")
        self._stop = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._given:
            return
        if error is not None:
            self._stop.set()
        self._executor.shutdown(wait=error is None, cancel_futures=True)

    def simulate(
        self, scenario: Scenario, seed: int, replication: int, warmup_ns: int
    ) -> Future[bytes]:
        """Have a run made."""
        # An event does not travel to other processes, and those are not ours to stop.
        task = simulate if self._given else partial(simulate, stop=self._stop)
        return self._executor.submit(task, scenario, seed, replication, warmup_ns)

    def pilot(self, scenario: Scenario, seed: int) -> Future[int]:
        """Have the warm-up of a scenario found."""
        return self._executor.submit(warmup_of, scenario, seed)


class _Pace:
    """How often what has ended is kept: at once, unless that would take more than a share of time.

    A disk takes as long for one run as for twenty, so short runs are gathered.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._began = 0.0
        self.interrupt: BaseException | None = None
        """What came while it was gathered, to be raised when that is kept."""

    def gather(self, ended: SimpleQueue[R], most: int) -> list[R]:
        """What has ended, at least one and at most so many, when it is time to keep it."""
        found = [ended.get()]
        try:
            self._drain(ended, found, most)
            while len(found) < most and (left := self._next - time.monotonic()) > 0.0:
                time.sleep(min(left, GLANCE_S))
                self._drain(ended, found, most)
        except BaseException as error:
            self.interrupt = error
        return found

    @staticmethod
    def _drain(ended: SimpleQueue[R], found: list[R], most: int) -> None:
        while len(found) < most and not ended.empty():
            found.append(ended.get_nowait())

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        now = time.monotonic()
        self._next = now + (now - self._began) / KEEPING


class _Job(NamedTuple):
    cell: int
    replication: int


class Labour:
    """The runs of some scenarios: what a journal has of them, and the making of the rest."""

    def __init__(
        self,
        cells: Sequence[Alternative],
        seed: int,
        replications: int,
        journal: Journal,
        progress: Progress | None,
    ) -> None:
        self._cells = cells
        self._seed = seed
        self._total = len(cells) * replications
        self._journal = journal
        self._progress = progress
        self._saw = seen_by(progress)
        self._hashes = [scenario_hash(cell.scenario, seed) for cell in cells]
        self._warmups: dict[int, int] = {}
        self._made = [journal.replications(it) for it in self._hashes]
        self._there = sum(replication < replications for made in self._made for replication in made)
        self.simulated = 0
        """Runs made now."""
        if progress is not None and self._there:
            progress(self._there)

    def pilots(self, workers: Workers) -> None:
        """Find the warm-ups that are to be found."""
        missing = []
        for i in range(len(self._cells)):
            warmup = self._cells[i].scenario.warmup
            known = self._journal.warmup_ns(self._hashes[i]) if warmup == "auto" else int(warmup)
            if known is None:
                missing.append(i)
            else:
                self._warmups[i] = known

        def keep(found: list[tuple[int, int]]) -> None:
            self._warmups.update(found)
            self._journal.record_warmups([(self._hashes[i], warmup) for i, warmup in found])

        self._have_made(
            missing,
            lambda i: workers.pilot(self._cells[i].scenario, self._seed),
            keep,
            lambda i: f"the pilot of {self._cells[i].label}",
        )

    def make(self, workers: Workers, replications: range) -> None:
        """Make the runs of these replications that the journal lacks, a replication at a time."""
        missing = [
            _Job(i, replication)
            for replication in replications
            for i, made in enumerate(self._made)
            if replication not in made
        ]

        def submit(job: _Job) -> Future[bytes]:
            scenario = self._cells[job.cell].scenario
            return workers.simulate(scenario, self._seed, job.replication, self._warmups[job.cell])

        def keep(found: list[tuple[_Job, bytes]]) -> None:
            self._journal.record(
                [Recorded(self._hashes[job.cell], job.replication, it) for job, it in found]
            )
            for job, _ in found:
                self._made[job.cell].add(job.replication)
            self._there += len(found)
            self.simulated += len(found)
            if self._saw is not None:
                for job, it in found:
                    self._saw(job.cell, means_in(Outcome.unpack(it).numbers))
            if self._progress is not None:
                self._progress(self._there)

        self._have_made(
            missing,
            submit,
            keep,
            lambda job: f"replication {job.replication} of {self._cells[job.cell].label}",
        )

    def outcomes(self, cell: int, replications: int) -> list[Outcome]:
        """The outcomes of the first replications of a cell."""
        return self._journal.outcomes(self._hashes[cell], replications)

    def _have_made(
        self,
        jobs: Iterable[J],
        submit: Callable[[J], Future[R]],
        keep: Callable[[list[tuple[J, R]]], None],
        name: Callable[[J], str],
    ) -> None:
        """Have all jobs done; what has ended is kept, whatever becomes of the others."""
        todo = iter(jobs)
        pending: dict[Future[R], J] = {}
        # Who has ended says so: to ask all that are pending, each time one has, costs more.
        ended: SimpleQueue[Future[R]] = SimpleQueue()
        pace = _Pace()
        try:
            while True:
                for job in islice(todo, AHEAD - len(pending)):
                    future = submit(job)
                    pending[future] = job
                    future.add_done_callback(ended.put)
                if not pending:
                    return
                found: list[tuple[J, R]] = []
                failed: tuple[J, BaseException] | None = None
                for future in pace.gather(ended, len(pending)):
                    job = pending.pop(future)
                    try:
                        found.append((job, future.result()))
                    except BaseException as error:  # an interrupt too: the others have ended
                        failed = failed or (job, error)
                if found:
                    with pace:
                        self._keep(keep, found)
                if pace.interrupt is not None:
                    raise pace.interrupt
                if failed is not None:
                    job, cause = failed
                    told = self._told(name(job), cause)
                    raise told from (None if told is cause else cause)
        except BrokenExecutor as error:
            raise self._told("a run", error) from error
        finally:
            for future in pending:
                future.cancel()

    def _keep(self, keep: Callable[[list[tuple[J, R]]], None], found: list[tuple[J, R]]) -> None:
        try:
            keep(found)
        except ExperimentError as error:
            raise ExperimentError(f"{error}; {self._kept()}") from error

    def _told(self, what: str, error: BaseException) -> BaseException:
        """What a user is told of a run that failed."""
        if isinstance(error, ScenarioError) or not isinstance(error, Exception):
            return error
        if isinstance(error, BrokenExecutor):
            reason = " ".join(str(error).split()) or type(error).__name__
            return ExperimentError(f"a worker died ({reason}); {self._kept()}")
        if isinstance(error, CancelledError):
            # By nobody here: so clusters tell that they have gone.
            return ExperimentError(f"the executor gave up {what}; {self._kept()}")
        reason = f"{type(error).__name__}: {error}"
        return ExperimentError(f"{what} failed, {reason}; {self._kept()}")

    def _kept(self) -> str:
        if self._journal.path is None:
            return "nothing is kept without a journal"
        return (
            f"{self._there} of {self._total} runs are in the journal {self._journal.path}, and the "
            "same sweep goes on from there"
        )
