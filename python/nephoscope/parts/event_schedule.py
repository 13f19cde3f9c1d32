"""The schedules of event buses, alone."""

from datetime import UTC, datetime
from itertools import islice

import numpy as np
import numpy.typing as npt

from nephoscope.errors import PatternError
from nephoscope.scenario.language.event_schedules import (
    instants,
    read_clock,
    read_schedule,
    times_after,
)


class EventSchedule:
    """When a scheduled rule comes: `rate(...)`, `cron(...)` or `at(...)`.

    >>> from datetime import datetime
    >>> from nephoscope import parts
    >>> schedule = parts.EventSchedule("cron(0 10 ? * 6L *)")
    >>> [str(it) for it in schedule.next(datetime.fromisoformat("2026-01-01T00:00:00Z"), 2)]
    ['2026-01-30 10:00:00+00:00', '2026-02-27 10:00:00+00:00']
    >>> start = datetime.fromisoformat("2026-01-01T00:00:00Z")
    >>> often = parts.EventSchedule("rate(1 minute)", created=start)
    >>> often.instants(start, 180_000_000_000).tolist()
    [60000000000, 120000000000]
    """

    def __init__(
        self, expression: str, zone: str = "UTC", *, created: datetime | None = None
    ) -> None:
        """A rate counts from `created`, or else from the moment that it is asked about.

        The others speak of the clock in a time zone. Raises PatternError where the expression is
        none.
        """
        self.expression = expression
        self.zone = zone
        self._schedule = read_schedule(expression)
        self._clock = read_clock(zone)
        self._created = _instant(created) if created is not None else None

    def next(self, after: datetime, count: int = 1) -> list[datetime]:
        """The next times later than a moment, in UTC; fewer where there are no more."""
        moment = _instant(after)
        times = times_after(self._schedule, moment, self._clock, self._created or moment)
        return list(islice(times, count))

    def instants(self, start: datetime, duration_ns: int) -> npt.NDArray[np.int64]:
        """When it comes in [start, start + duration), in nanoseconds since the start."""
        start = _instant(start)
        created = self._created or start
        return instants(self.expression, self._clock, start, duration_ns, created)


def _instant(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise PatternError(f"{moment} is no instant", "", "a date, a time and their offset")
    return moment.astimezone(UTC)
