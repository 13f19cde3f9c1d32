"""Messages in columns, and what the calls of a queue come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# What a call came to, by the number that the core has for it.
SENDS = ("sent", "duplicate", "throttled")
RECEIVES = ("done", "duplicate", "throttled", "over_limit")
RECEIPTS = ("done", "stale", "late", "not_in_flight", "too_long", "throttled")


@dataclass(frozen=True)
class Messages:
    """Messages in columns."""

    numbers: npt.NDArray[np.uint64]
    """Their ids."""
    bodies: npt.NDArray[np.uint64]
    sent_ns: npt.NDArray[np.int64]
    """Since when retention counts."""
    receives: npt.NDArray[np.uint32]
    groups: npt.NDArray[np.int64]
    """-1 where there is none."""
    receipts: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.numbers)

    def rows(self, first: int, end: int) -> Messages:
        """Some of them."""
        return Messages(
            self.numbers[first:end],
            self.bodies[first:end],
            self.sent_ns[first:end],
            self.receives[first:end],
            self.groups[first:end],
            self.receipts[first:end],
        )


@dataclass(frozen=True)
class Sending:
    """What became of messages that were sent, in columns."""

    numbers: npt.NDArray[np.uint64]
    """Their ids; of a duplicate, that of the first."""
    statuses: npt.NDArray[np.uint8]
    """Indices into `SENDS`."""


@dataclass(frozen=True)
class Received:
    """What a receive came to: a word of `RECEIVES`, the messages, a ticket if it waits."""

    status: str
    messages: Messages
    ticket: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a receive that has waited came to, and when."""

    ticket: int
    at_ns: int
    messages: Messages
