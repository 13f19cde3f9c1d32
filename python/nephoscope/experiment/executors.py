"""Executors by name: processes of this machine, and clusters that others run.

Dask, loky and mpi4py have an executor of `concurrent.futures`; Ray gets one here.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from nephoscope.errors import ExperimentError, WordError
from nephoscope.experiment.runs import processors
from nephoscope.extras import need
from nephoscope.nearest import nearest

FORMS = "processes, loky, mpi, dask:ADDRESS, ray or ray:ADDRESS"

_NAMES = ("processes", "loky", "mpi", "dask", "ray")
_CONNECT_S = 20


class RayExecutor(Executor):
    """The workers of a Ray cluster: of the one at `address`, or one of this machine's own.

    Where this process has been joined to a cluster already, that is the one, and it stays so.
    """

    def __init__(self, address: str | None = None) -> None:
        self._ray = need("ray", "ray")
        self._joined = not self._ray.is_initialized()
        if self._joined:
            self._ray.init(address=address, log_to_driver=False, include_dashboard=False)
        # One function for all tasks: Ray sends each function to its workers once.
        self._call = self._ray.remote(_call)

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Have a task run by some worker."""
        future: Future[Any] = self._call.remote(task, arguments, named).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, if it was joined for this."""
        del wait, cancel_futures
        if self._joined:
            self._ray.shutdown()


def end_with_parent() -> None:
    """End this process when the one that started it has: killed, it cannot say so itself."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _call(task: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return task(*arguments, **named)


@contextmanager
def executor_of(text: str, workers: int | None = None) -> Iterator[Executor]:
    """The executor of a name, for as long as it is needed.

    `workers` is how many processes there are, by default one for each processor; a cluster has its
    own. Raises WordError for a name that is none, ExtraError where a package is missing,
    ExperimentError where the cluster does not answer.
    """
    name, colon, address = text.partition(":")
    if name not in _NAMES:
        raise WordError(f"{text!r} is no executor", FORMS, nearest(name, _NAMES))
    if bool(colon) != bool(address) or (name == "dask") > bool(address):
        raise WordError(f"{text!r} has no address", FORMS)
    if address and name in ("processes", "loky", "mpi"):
        raise WordError(f"{text!r}: {name} has no address", FORMS)
    if workers is not None and name in ("dask", "ray"):
        raise WordError(f"workers are those of the cluster, with {name}", "no number of them")
    if name == "dask":
        with _dask_client(address) as client, client.get_executor() as executor:
            yield executor
    else:
        given = workers if name == "mpi" else workers or processors()
        with _local(name, address, given) as executor:
            yield executor


def _local(name: str, address: str, workers: int | None) -> Executor:
    if name == "processes":
        # A copy of this process would have its locks as they are, but not the threads behind them.
        context = get_context("spawn")
        return ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)
    if name == "mpi":
        # As many as `mpiexec` has started, or that MPI starts now.
        mpi: Executor = need("mpi4py.futures", "mpi").MPIPoolExecutor(workers)
        return mpi
    if name == "loky":
        executor: Executor = need("loky", "loky").ProcessPoolExecutor(workers)
        return executor
    try:
        return RayExecutor(address or None)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ExperimentError(f"no Ray cluster at {address or 'hand'}: {error}") from error


def _dask_client(address: str) -> Any:
    distributed = need("distributed", "dask")
    try:
        return distributed.Client(address, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise ExperimentError(f"no Dask scheduler at {address}: {error}") from error
