"""Launching many instances through an interface that token buckets limit, alone."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.scenario.units import Duration

_UNLIMITED = 2**63 - 1


class Provisioning(NamedTuple):
    """When each instance was accepted (int64 ns, in order), and what that took."""

    accepted_at_ns: npt.NDArray[np.int64]
    requests: int
    throttled: int


class LaunchInterface:
    """RunInstances of one account and region: a bucket of requests and one of instances.

    Both are full at first and refill continuously. The bucket of instances (1000, 2 a second) is
    the provider's documented one; that of requests (5, 2 a second) is widely reported.

    >>> from nephoscope import parts
    >>> interface = parts.LaunchInterface()
    >>> interface.run_instances(1000), interface.run_instances(2, now_ns=500_000_000)
    (('launched', 1000), ('RequestLimitExceeded', 0))
    >>> interface.run_instances(2, now_ns=1_000_000_000)
    ('launched', 2)
    """

    def __init__(
        self,
        *,
        instances: int = 1000,
        instances_per_s: int = 2,
        requests: int = 5,
        requests_per_s: int = 2,
    ) -> None:
        """Sizes and refill rates of the two buckets."""
        self._core = _core.lifecycle.LaunchInterface(
            instances, instances_per_s, requests, requests_per_s
        )

    def run_instances(
        self,
        count: int,
        min_count: int | None = None,
        *,
        now_ns: int = 0,
        capacity: int | None = None,
    ) -> tuple[str, int]:
        """One request: the answer, and how many instances were launched.

        As many as wanted, as the bucket holds and as there is `capacity` for; fewer than
        `min_count` (by default all of them) is none, and `RequestLimitExceeded` or
        `InsufficientInstanceCapacity`.
        """
        least = count if min_count is None else min_count
        room = _UNLIMITED if capacity is None else capacity
        return self._core.run_instances(count, least, now_ns, room)

    def admits_at(self, min_count: int = 1, *, now_ns: int = 0) -> int:
        """The first instant (ns) at which a request for so many would not be throttled."""
        return self._core.admits_at(min_count, now_ns)

    def provision(
        self,
        count: int,
        *,
        batch: int = 100,
        min_count: int = 1,
        backoff: str = "0s",
        backoff_cap: str = "20s",
        jitter: bool = False,
        seed: int = 0,
        name: str = "provisioning",
        now_ns: int = 0,
    ) -> Provisioning:
        """Launch many, in requests for `batch` at most, each content with `min_count`.

        A caller that is throttled waits: `backoff`, doubled each time in a row up to `backoff_cap`,
        with `jitter` a uniform part of that. With a backoff of `0s` it waits exactly until it is
        let in.
        """
        base, cap = Duration.parse(backoff), Duration.parse(backoff_cap)
        return Provisioning(
            *self._core.provision(count, batch, min_count, base, cap, jitter, seed, name, now_ns)
        )


def provision(count: int, **options: Any) -> Provisioning:
    """Launch many instances through an interface of the usual limits, rested.

    The options are those of `LaunchInterface` and of its `provision`.

    >>> from nephoscope import parts
    >>> done = parts.provision(10_000, batch=1000)
    >>> [int(ns) // 10**9 for ns in done.accepted_at_ns[[0, 999, 1001, 9999]]]
    [0, 0, 1, 4500]
    """
    limits = {"instances", "instances_per_s", "requests", "requests_per_s"} & options.keys()
    interface = LaunchInterface(**{name: options.pop(name) for name in limits})
    return interface.provision(count, **options)
