"""Many runs at once, a thread each: in an order that nobody sees in their results."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from threading import Event
from typing import NamedTuple, TypeVar

from nephoscope.experiment.widest import means_of_result, seen_by
from nephoscope.results import Result
from nephoscope.run import run, warmup_of
from nephoscope.scenario import Scenario

T = TypeVar("T")

# Called with the number of runs that have ended.
Progress = Callable[[int], None]


class Job(NamedTuple):
    """One run to be made."""

    scenario: Scenario
    replication: int
    warmup_ns: int


def run_all(
    jobs: Sequence[Job], seed: int, threads: int | None = None, progress: Progress | None = None
) -> list[Result]:
    """The results of all jobs, in their order; an interrupt stops those that have begun."""
    stop = Event()

    def simulate(job: Job) -> Result:
        scenario, replication, warmup_ns = job
        return run(scenario, rng=seed, replication=replication, warmup_ns=warmup_ns, stop=stop)

    saw = seen_by(progress)

    def seen(number: int, result: Result) -> None:
        if saw is not None:
            saw(id(jobs[number].scenario), means_of_result(result))

    return in_threads([partial(simulate, job) for job in jobs], stop, threads, progress, seen)


def warmups_of(scenarios: Sequence[Scenario], seed: int, threads: int | None = None) -> list[int]:
    """The warm-up (ns) of each scenario that is compared with the others.

    One pilot decides for all replications of a scenario, so that all measure the same window. And
    where the pilots of scenarios of the same length differ the longest warm-up is that of all: what
    is compared is measured over the same time.
    """
    found = in_threads(
        [partial(warmup_of, scenario, seed) for scenario in scenarios],
        Event(),
        threads,
        None,
    )
    longest: dict[int, int] = {}
    for scenario, warmup_ns in zip(scenarios, found, strict=True):
        if scenario.warmup == "auto":
            length = int(scenario.duration)
            longest[length] = max(longest.get(length, 0), warmup_ns)
    return [
        longest[int(scenario.duration)] if scenario.warmup == "auto" else warmup_ns
        for scenario, warmup_ns in zip(scenarios, found, strict=True)
    ]


def after(before: int, progress: Progress) -> Progress:
    """Progress of runs that others came before."""
    return _After(before, progress)


class _After:
    def __init__(self, before: int, progress: Progress) -> None:
        self._before, self._progress = before, progress
        saw = seen_by(progress)
        if saw is not None:
            self.saw = saw

    def __call__(self, done: int) -> None:
        self._progress(self._before + done)


def check_threads(threads: int | None) -> None:
    """Refuse a number of threads that is none."""
    if threads is not None and threads < 1:
        raise ValueError("at least one thread")


def check_confidence(confidence: float) -> None:
    """Refuse a probability that is none."""
    if not 0.0 < confidence < 1.0:
        raise ValueError("a confidence is above 0 and below 1, such as 0.95")


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(
    tasks: Iterable[Callable[[], T]],
    stop: Event,
    threads: int | None,
    progress: Progress | None,
    seen: Callable[[int, T], None] | None = None,
) -> list[T]:
    """What the tasks return, in their order; `stop` is set where one fails or is interrupted.

    `seen` is called with the number of each that has ended, and what it returned.
    """
    with ThreadPoolExecutor(threads or processors(), "nephoscope") as pool:
        # All within the try: an interrupt at any moment must stop what has been started.
        try:
            futures: list[Future[T]] = [pool.submit(task) for task in tasks]
            numbers = {future: number for number, future in enumerate(futures)}
            for done, future in enumerate(as_completed(futures), 1):
                result = future.result()
                if seen is not None:
                    seen(numbers[future], result)
                if progress is not None:
                    progress(done)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]
