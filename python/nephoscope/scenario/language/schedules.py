"""Cron schedules: the instants of a run at which one comes, found before the run begins.

Five fields, as a scheduled action of EC2 Auto Scaling takes them (Unix cron): minute, hour, day of
the month, month, day of the week; each `*`, a number, a range `9-17`, either with a step (`*/15`,
`9-17/2`), or a list of these; months and days of the week also by the first three letters of their
names. A day has to be in both fields of days if one of them starts with `*`, or else in at least
one. Characters of other kinds of cron (`?`, `L`, `W`, `#`) and words (`@daily`) are refused.

The fields speak of the clock on the wall in a time zone, which is put forward and back. The rule
for that is the one of Debian's cron, as the provider says only that it allows for it:

- minute or hour starts with `*`: it comes whenever the clock on the wall shows it, so not at all in
  an hour that is skipped, and twice in one that is repeated;
- else it comes once a day that it is due: at the end of the time that is skipped, and in the first
  of two hours that are the same.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
from cronsim import CronSim, CronSimError

from nephoscope.errors import WordError, shorten
from nephoscope.nearest import nearest
from nephoscope.scenario.language.fields import Scalar, refusal

# A schedule that comes more often than this in a run is not what anybody means.
INSTANTS_MAX = 1_000_000

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_FIVE = "five fields: minute, hour, day of the month, month, day of the week"
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ITEM = re.compile(r"(\*|([0-9A-Z]+)(-([0-9A-Z]+))?)(/([0-9]{1,4}))?")

_MINUTE = timedelta(minutes=1)
# Further than any clock on the wall is from UTC, or has ever been put forward.
_FAR = timedelta(hours=50)
_ANY_DAY = datetime(2000, 1, 1)  # a date from which to look for the first match


def read_cron(text: Any) -> str:
    """The expression, if it is one; raises WordError with what is allowed where it is not."""
    _plain(text)
    return str(text)


def _plain(text: Any) -> str:
    """The expression as the library is to see it."""
    fields = text.upper().split() if isinstance(text, str) else []
    if not isinstance(text, str) or len(fields) != len(_FIELDS):
        hint = _WORDS.get(fields[0].lower()) if fields else None
        raise WordError(f"{shorten(text)} is not a cron expression", _FIVE, hint)
    plain = " ".join(
        ",".join(_plain_item(item, *of) for item in field.split(","))
        for field, of in zip(fields, _FIELDS, strict=True)
    )
    try:
        next(CronSim(plain, _ANY_DAY))
    except (CronSimError, StopIteration):  # of what has passed so far it refuses only this
        allowed = "a day that one of the months has"
        raise WordError(f"{shorten(text)} never comes", allowed) from None
    return plain


def _plain_item(item: str, name: str, low: int, high: int, names: tuple[str, ...]) -> str:
    allowed = f"*, {low} to {high}"
    allowed += f", {names[0]} to {names[-1]}" if names else ""
    allowed += "; ranges 1-5, lists 1,3 and, after * or a range, steps */2"
    match = _ITEM.fullmatch(item)
    if match is None:
        raise WordError(f"{shorten(item)} is no {name}", allowed, "*" if item == "?" else None)
    ends = [_number(end, name, low, high, names, allowed) for end in match.group(2, 4) if end]
    if ends != sorted(ends):
        raise WordError(f"the range {item} of the {name} ends before it begins", allowed)
    if match[6] is not None and int(match[6]) == 0:
        raise WordError(f"a step of 0 in the {name}", allowed)
    if match[6] is not None and len(ends) == 1:
        hint = f"{match[2]}-{high}/{match[6]}"
        raise WordError(f"the step of {item} is of no range of the {name}", allowed, hint)
    # A range of one with a step is one number; to the library it would be the first of many.
    return str(ends[0]) if len(set(ends)) == 1 else item


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...], allowed: str) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdigit():
        raise WordError(f"{shorten(text)} is no {name}", allowed, nearest(text, names))
    if len(text) > 2 or not low <= int(text) <= high:
        raise WordError(f"{shorten(text)} is out of range for the {name}", allowed)
    return int(text)


def read_zone(name: Any) -> str:
    """The name of a time zone of the IANA database; raises WordError where it is none."""
    if isinstance(name, str) and name in _zones():
        return name
    allowed = "a time zone of the IANA database, such as UTC or Europe/Berlin"
    raise WordError(f"{shorten(name)} is no time zone", allowed, nearest(name, sorted(_zones())))


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def instants(cron: str, zone: str, start: datetime, duration_ns: int) -> npt.NDArray[np.int64]:
    """When a schedule comes in a run, in nanoseconds since its start, sorted, each once.

    The run is [start, start + duration); `start` carries its offset. Raises WordError where `cron`
    or `zone` is none, or it comes more than a million times.
    """
    if start.tzinfo is None:
        raise WordError(f"{start} is no instant", "a date, a time and their offset")
    clock = ZoneInfo(read_zone(zone))
    plain = _plain(cron)
    by_the_wall = any(field.startswith("*") for field in plain.split()[:2])
    start = start.astimezone(UTC)
    wall = start.replace(tzinfo=None) - _FAR
    until = wall + timedelta(microseconds=duration_ns // 1000) + 2 * _FAR
    found: set[int] = set()
    # The library is asked on a clock that is never put forward or back.
    for shown in takewhile(lambda it: it <= until, CronSim(plain, wall - _MINUTE)):
        for moment in _moments(shown, clock, by_the_wall=by_the_wall):
            since = (moment - start) // timedelta(microseconds=1) * 1000
            if 0 <= since < duration_ns:
                found.add(since)
        if len(found) > INSTANTS_MAX:
            message = f"{cron} comes more than {INSTANTS_MAX} times in the run"
            raise WordError(message, "a schedule that comes less often")
    return np.array(sorted(found), dtype=np.int64)


def _moments(shown: datetime, clock: ZoneInfo, *, by_the_wall: bool) -> Iterator[datetime]:
    """When it is due, of what the clock on the wall shows at one moment, at two, or at none."""
    first = shown.replace(tzinfo=clock, fold=0).astimezone(UTC)
    second = shown.replace(tzinfo=clock, fold=1).astimezone(UTC)
    if first <= second:
        yield first
        if by_the_wall:
            yield second
    elif not by_the_wall:
        yield _put_forward(clock, second, first)


def _put_forward(clock: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the clock is put forward, later than `before`, at latest `after`."""
    offset = before.astimezone(clock).utcoffset()
    low, high = 0, (after - before) // timedelta(seconds=1)
    while high - low > 1:
        middle = (low + high) // 2
        at = before + timedelta(seconds=middle)
        if at.astimezone(clock).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _word(read: Any) -> Scalar:
    def validate(value: Any) -> Any:
        try:
            return read(value)
        except WordError as error:
            raise refusal(error.message, error.allowed, error.suggestion) from None

    return Scalar(validate, {"type": "string"})


# Fields of a model.
Cron = Annotated[str, _word(read_cron)]
Zone = Annotated[str, _word(read_zone)]
