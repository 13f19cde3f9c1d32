"""What virtual machines do by themselves, to drive a hypervisor alone."""

import numpy as np
import numpy.typing as npt

from nephoscope import _core


class Guests:
    """Guests of the tenants of one hypervisor, which `Hypervisor.drive` lets do what they do.

    A tenant has one guest at most, and its wants are the guest's alone then. All but `always` use
    one vCPU. Times are integer ns; arguments are broadcast over the tenants. CPU time is time that
    a vCPU has a thread, at whatever speed.

    >>> from nephoscope import parts
    >>> hypervisor = parts.Hypervisor(1, scheduler="credit", cores=1)
    >>> tenants = hypervisor.add([0, 0])
    >>> guests = parts.Guests()
    >>> guests.always(tenants[0])
    >>> guests.poisson(tenants[1], gap_ns=10_000_000, work_ns=100_000)
    >>> hypervisor.drive(guests, 10_000_000_000)
    >>> guests.latency(tenants[1]).quantile(0.99) < 1_000_000  # BOOST and the rate limit
    True
    """

    def __init__(self) -> None:
        self.core = _core.hypervisor.Guests()

    def always(
        self, tenants: npt.ArrayLike, *, vcpus: npt.ArrayLike = 1, start_ns: npt.ArrayLike = 0
    ) -> None:
        """So many vCPUs want to run from a start on."""
        for tenant, count, start in _rows(tenants, vcpus, start_ns):
            self.core.always(tenant, count, start)

    def on_off(
        self,
        tenants: npt.ArrayLike,
        *,
        on_ns: npt.ArrayLike,
        off_ns: npt.ArrayLike,
        start_ns: npt.ArrayLike = 0,
        by_the_clock: bool = False,
        warm: bool = False,
    ) -> None:
        """A vCPU on for so much CPU time (or `by_the_clock`), then off by the clock, in turn.

        With `warm` it runs always until its start. On for 9.5 of every 10 ms by the clock, asleep
        when ticks come (`Hypervisor.tick_phases`), a guest dodges the ticks of `credit`.
        """
        for tenant, on, off, start in _rows(tenants, on_ns, off_ns, start_ns):
            self.core.on_off(tenant, on, off, start, by_the_clock, warm)

    def poisson(
        self,
        tenants: npt.ArrayLike,
        *,
        gap_ns: npt.ArrayLike,
        work_ns: npt.ArrayLike,
        start_ns: npt.ArrayLike = 0,
        seed: int = 0,
    ) -> None:
        """Pieces of work (CPU time) come a mean of `gap_ns` apart, and are queued.

        Each tenant has its own stream of arrivals, named by its number.
        """
        for tenant, gap, work, start in _rows(tenants, gap_ns, work_ns, start_ns):
            name = f"guests/{tenant}/arrivals"
            self.core.poisson(tenant, float(gap), work, start, seed, name)

    def latency(self, tenant: int) -> _core.Histogram:
        """Of a `poisson` guest: from a wake-up, when work comes to an idle guest, until it runs."""
        return self.core.latency(tenant)

    def response(self, tenant: int) -> _core.Histogram:
        """Of a `poisson` guest: from the coming of a piece of work until it is done."""
        return self.core.response(tenant)

    def clear_records(self) -> None:
        """Forget latencies and responses so far, after a warm-up."""
        self.core.clear_records()


def _rows(tenants: npt.ArrayLike, *values: npt.ArrayLike) -> list[tuple[int, ...]]:
    columns = np.broadcast_arrays(np.atleast_1d(tenants), *values)
    return [tuple(int(value) for value in row) for row in zip(*columns, strict=True)]
