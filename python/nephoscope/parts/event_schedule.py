"""The schedules of event buses, alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import numpy as np
import numpy.typing as npt

from nephoscope.errors import PatternError
from nephoscope.scenario.event_schedules import Rate, read_clock, read_schedule
from nephoscope.scenario.schedules import INSTANTS_MAX


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
        return list(islice(self._after(moment, moment), count))

    def instants(self, start: datetime, duration_ns: int) -> npt.NDArray[np.int64]:
        """When it comes in [start, start + duration), in nanoseconds since the start."""
        start = _instant(start)
        microsecond = timedelta(microseconds=1)
        found: list[int] = []
        until = start + timedelta(microseconds=-(-duration_ns // 1000))
        for moment in takewhile(lambda it: it < until, self._after(start - microsecond, start)):
            found.append((moment - start) // microsecond * 1000)
            if len(found) > INSTANTS_MAX:
                message = f"{self.expression} comes more than {INSTANTS_MAX} times"
                raise PatternError(message, "schedule", "one that comes less often")
        return np.array([it for it in found if it < duration_ns], dtype=np.int64)

    def _after(self, moment: datetime, asked: datetime) -> Iterator[datetime]:
        if isinstance(self._schedule, Rate):
            return self._schedule.after(moment, self._created or asked)
        return self._schedule.after(moment, self._clock)


def _instant(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise PatternError(f"{moment} is no instant", "", "a date, a time and their offset")
    return moment.astimezone(UTC)
