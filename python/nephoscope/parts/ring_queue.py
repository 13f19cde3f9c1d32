"""Ring buffers, alone."""

import numpy as np
import numpy.typing as npt

from nephoscope import _core


class RingQueue:
    """A ring buffer of 64-bit integers with room for so many, in batches.

    >>> from nephoscope import parts
    >>> ring = parts.RingQueue(capacity=3)
    >>> ring.push([1, 2, 3, 4]), ring.pop(2).tolist(), ring.push([5]), ring.pop(9).tolist()
    (3, [1, 2], 1, [3, 5])
    """

    def __init__(self, capacity: int) -> None:
        self._core = _core.queues.RingQueue(capacity)

    def push(self, values: npt.ArrayLike) -> int:
        """Take in as many as there is room for; returns how many."""
        return self._core.push(np.atleast_1d(np.asarray(values, np.int64)))

    def pop(self, count: int = 1) -> npt.NDArray[np.int64]:
        """The first so many, or as many as there are."""
        return self._core.pop(count)

    def __len__(self) -> int:
        return len(self._core)

    @property
    def capacity(self) -> int:
        """The most it holds."""
        return self._core.capacity
