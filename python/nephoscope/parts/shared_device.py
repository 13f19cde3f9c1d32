"""A network link or a disk that tenants share, alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.catalog.buckets import BurstFacts
from nephoscope.parts.buckets import instant


class SharedDevice:
    """A device shared by weighted max-min fairness, with a token bucket for each tenant.

    A token is a byte of a link in one direction, or a byte or an I/O of a disk. A tenant may use
    its peak while its bucket holds tokens and its baseline when it is empty; the bucket is refilled
    at the baseline and starts full. A tenant's rate goes to its flows: transfers of so many tokens,
    none faster than `flow_limit`, and one steady stream of a demand. Inbound and outbound traffic
    have a device each. Rates are tokens a second, times integer nanoseconds.

    >>> from nephoscope import parts, catalog
    >>> disk = parts.SharedDevice(capacity=16_000)
    >>> volume = disk.add(catalog.gp2_volume(100))
    >>> disk.send(volume, 6_060_000).tolist()  # 2000 s at 3000 a second, then 300 a second
    [0]
    >>> disk.advance(disk.next_event())
    >>> disk.now_ns, disk.rate(volume)
    (2000000000000, 300.0)
    >>> disk.advance(disk.next_event())
    >>> disk.completed()["time_ns"].tolist()
    [2200000000000]
    """

    def __init__(self, capacity: int, flow_limit: int = 0) -> None:
        """`flow_limit` is of a single transfer; 0 is none."""
        self._core = _core.buckets.SharedDevice(capacity, flow_limit)

    def add(
        self,
        burst: BurstFacts | None = None,
        *,
        baseline: int | None = None,
        peak: int | None = None,
        tokens: int = 0,
        weight: float = 1.0,
    ) -> int:
        """Add a tenant; its number.

        Its rates and bucket are `burst`'s (`catalog.gp2_volume`, `catalog.network_interface`), or
        `baseline`, `peak` (the baseline by default) and the `tokens` of a full bucket.
        """
        if burst is not None:
            return self._core.add_tenant(burst.baseline, burst.peak, burst.burst, weight)
        least = 0 if baseline is None else baseline
        return self._core.add_tenant(least, least if peak is None else peak, tokens, weight)

    def send(self, tenants: npt.ArrayLike, tokens: npt.ArrayLike) -> npt.NDArray[np.uint64]:
        """Begin a transfer for each of the tenants now; their numbers. Arguments are broadcast."""
        each, sizes = np.broadcast_arrays(np.atleast_1d(tenants), np.atleast_1d(tokens))
        return self._core.send(each, sizes)

    def stream(self, tenant: int, demand: int) -> None:
        """From now on the tenant's steady stream wants so many tokens a second."""
        self._core.set_demand(tenant, demand)

    def stop(self, tenant: int) -> None:
        """The tenant's flows are dropped; stopped, it earns nothing."""
        self._core.stop(tenant)

    def start(self, tenant: int) -> None:
        """A stopped tenant starts again, with a full bucket."""
        self._core.start(tenant)

    def advance(self, until_ns: int) -> None:
        """Let time pass until an instant, not before `now_ns`."""
        self._core.advance(until_ns)

    def next_event(self) -> int | None:
        """When a transfer is done or a bucket is empty next, if nobody does anything."""
        return instant(self._core.next_event())

    def completed(self) -> dict[str, npt.NDArray[np.int64]]:
        """The transfers done since the last call: arrays `time_ns`, `transfer`, `tenant`."""
        times, transfers, tenants = self._core.completed()
        return {
            "time_ns": times,
            "transfer": transfers.astype(np.int64),
            "tenant": tenants.astype(np.int64),
        }

    @property
    def now_ns(self) -> int:
        """The present instant."""
        return self._core.now_ns

    @property
    def solves(self) -> int:
        """How often the capacity had to be shared out anew: a measure of cost."""
        return self._core.solves

    def rate(self, tenant: int) -> float:
        """What the tenant is granted now, tokens a second."""
        return self._core.granted(tenant) / 1e6

    def under_way(self, tenant: int) -> int:
        """Transfers that have begun and are not done."""
        return self._core.under_way(tenant)

    def account(self, tenant: int) -> dict[str, int]:
        """Of the tenant, in femtotokens (1e-15): its bucket's account and what its flows have got.

        `level`, `refilled`, `spent`, `discarded`, `unmet` are as in `TokenBucket.account`;
        `transferred` is what transfers have got, also those under way, `streamed` the stream.
        """
        return self._core.account(tenant)
