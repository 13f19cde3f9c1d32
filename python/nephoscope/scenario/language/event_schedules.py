"""Schedules of event buses: `rate(5 minutes)`, `cron(0 18 ? * FRI *)`, `at(2026-01-02T03:04:05)`.

`rate` counts from the creation of the schedule; the first time is one interval after it.

`cron` has six fields: minute, hour, day of the month, month, day of the week, year. Each is `*`, a
number, a range, either with a step (`0/10` is from 0 to the end), or a list of these; months and
days of the week also by their names, of days of the week 1 is Sunday. One of the two fields of days
is `?`. Of days of the month there are also `L`, the last, `LW`, the last from Monday to Friday, and
`15W`, the nearest from Monday to Friday in the same month; of the week `6L`, the last Friday of the
month, `3#2`, its second Tuesday, and `L`, which is Saturday.

The fields speak of the clock on the wall in a time zone. What falls into an hour that is skipped
does not come; what falls into one that comes twice comes in the first.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from nephoscope.errors import PatternError, WordError, shorten
from nephoscope.nearest import nearest
from nephoscope.scenario.language.schedules import INSTANTS_MAX, read_zone

YEAR_MIN, YEAR_MAX = 1970, 2199

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}

_RATE = re.compile(r"rate\(\s*([0-9]{1,9})\s+([a-z]+)\s*\)")
_CRON = re.compile(r"cron\((.*)\)")
_AT = re.compile(r"at\((.*)\)")
_ITEM = re.compile(r"(\*|([0-9A-Z]+)(-([0-9A-Z]+))?)(/([0-9]{1,4}))?", re.ASCII)
_FORMS = "rate(5 minutes), cron(0 18 ? * MON-FRI *) or at(2026-01-02T03:04:05)"


@dataclass(frozen=True, slots=True)
class _FieldOf:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    steps: bool = True


_MINUTE = _FieldOf("minute", 0, 59)
_HOUR = _FieldOf("hour", 0, 23)
_DAY = _FieldOf("day of the month", 1, 31)
_MONTH = _FieldOf("month", 1, 12, _MONTHS)
_WEEKDAY = _FieldOf("day of the week", 1, 7, _DAYS, steps=False)
_YEAR = _FieldOf("year", YEAR_MIN, YEAR_MAX)


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so often since the schedule was made."""

    interval: timedelta

    def after(self, moment: datetime, created: datetime) -> Iterator[datetime]:
        """All times later than a moment."""
        passed = max((moment - created) // self.interval, 0)
        while True:
            passed += 1
            yield created + passed * self.interval


@dataclass(frozen=True, slots=True)
class Once:
    """One time on the clock on the wall."""

    shown: datetime

    def after(self, moment: datetime, clock: ZoneInfo) -> Iterator[datetime]:
        """The time, if it is later than a moment and the clock shows it at all."""
        found = _moment(self.shown, clock)
        if found is not None and found > moment:
            yield found


@dataclass(frozen=True, slots=True)
class Cron:
    """Minutes and hours of the days of which `is_due` says so."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: tuple[int, ...]
    is_due: Callable[[date], bool]

    def after(self, moment: datetime, clock: ZoneInfo) -> Iterator[datetime]:
        """All times later than a moment."""
        # The day before too: clocks are up to a day from each other when they are set.
        first = (moment.astimezone(clock) - timedelta(days=1)).date()
        for day in self._days(first):
            for hour in self.hours:
                for minute in self.minutes:
                    shown = datetime(day.year, day.month, day.day, hour, minute)
                    found = _moment(shown, clock)
                    if found is not None and found > moment:
                        yield found

    def _days(self, first: date) -> Iterator[date]:
        for year in self.years:
            for month in range(1, 13):
                if month not in self.months or (year, month) < (first.year, first.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self.is_due(day):
                        yield day


Schedule = Rate | Once | Cron


def _moment(shown: datetime, clock: ZoneInfo) -> datetime | None:
    """When the clock on the wall first shows it, or None where it is put forward over it."""
    found = shown.replace(tzinfo=clock, fold=0).astimezone(UTC)
    back = found.astimezone(clock).replace(tzinfo=None)
    return found if back == shown else None


def times_after(
    schedule: Schedule, moment: datetime, clock: ZoneInfo, created: datetime
) -> Iterator[datetime]:
    """All times later than a moment; a rate counts from `created`, others go by the clock."""
    if isinstance(schedule, Rate):
        return schedule.after(moment, created)
    return schedule.after(moment, clock)


def instants(
    expression: str, clock: ZoneInfo, start: datetime, duration_ns: int, created: datetime
) -> npt.NDArray[np.int64]:
    """When a schedule comes in [start, start + duration), in nanoseconds since the start.

    Raises PatternError where the expression is none, or comes more than a million times.
    """
    microsecond = timedelta(microseconds=1)
    until = start + timedelta(microseconds=-(-duration_ns // 1000))
    times = times_after(read_schedule(expression), start - microsecond, clock, created)
    found: list[int] = []
    for moment in takewhile(lambda it: it < until, times):
        found.append((moment - start) // microsecond * 1000)
        if len(found) > INSTANTS_MAX:
            message = f"{expression} comes more than {INSTANTS_MAX} times"
            raise PatternError(message, "schedule", "one that comes less often")
    return np.array([it for it in found if it < duration_ns], dtype=np.int64)


def read_schedule(text: Any) -> Schedule:
    """A schedule by its expression; raises PatternError where it is none."""
    if isinstance(text, str):
        if rate := _RATE.fullmatch(text):
            return _read_rate(text, int(rate[1]), rate[2])
        if cron := _CRON.fullmatch(text):
            return _read_cron(cron[1])
        if once := _AT.fullmatch(text):
            return _read_once(once[1])
    return _refuse(f"{shorten(text)} is no schedule", _FORMS)


def read_clock(zone: Any) -> ZoneInfo:
    """A time zone by its name; raises PatternError where it is none."""
    try:
        return ZoneInfo(read_zone(zone))
    except WordError as error:
        raise PatternError(error.message, "zone", error.allowed, error.suggestion) from None


def _refuse(message: str, allowed: str, suggestion: str | None = None) -> NoReturn:
    raise PatternError(message, "schedule", allowed, suggestion)


def _read_rate(text: str, count: int, unit: str) -> Rate:
    allowed = "1 minute, hour or day, or a number from 2 of minutes, hours or days"
    one = unit.removesuffix("s")
    if one not in _UNITS:
        _refuse(f"{shorten(unit)} is no unit", allowed, nearest(unit, (*_UNITS, "minutes")))
    if count == 0:
        _refuse("a rate of 0", allowed)
    if (count == 1) != (unit == one):
        right = one if count == 1 else f"{one}s"
        _refuse(f"{text} is no rate", allowed, f"rate({count} {right})")
    return Rate(count * _UNITS[one])


def _read_once(text: str) -> Once:
    allowed = "a date and a time such as 2026-01-02T03:04:05, without an offset"
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", text, re.ASCII):
        _refuse(f"{shorten(text)} is no date and time", allowed)
    try:
        return Once(datetime.fromisoformat(text))
    except ValueError as error:
        _refuse(f"{shorten(text)} is no date and time: {error}", allowed)


def _read_cron(text: str) -> Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        _refuse(
            f"{len(fields)} fields",
            "six: minute, hour, day of the month, month, day of the week, year",
        )
    day, weekday = fields[2], fields[4]
    if (day == "?") == (weekday == "?"):
        _refuse(
            f"the days {day} and {weekday}",
            "? in one of day of the month and day of the week, and the days in the other",
        )
    return Cron(
        minutes=_numbers(fields[0], _MINUTE),
        hours=_numbers(fields[1], _HOUR),
        months=frozenset(_numbers(fields[3], _MONTH)),
        years=_numbers(fields[5], _YEAR),
        is_due=_weekday_rule(weekday) if day == "?" else _day_rule(day),
    )


def _numbers(field: str, of: _FieldOf) -> tuple[int, ...]:
    numbers: set[int] = set()
    for item in field.split(","):
        numbers.update(_item(item, of))
    return tuple(sorted(numbers))


def _item(item: str, of: _FieldOf) -> range:
    allowed = f"*, {of.low} to {of.high}"
    allowed += f", {of.names[0]} to {of.names[-1]}" if of.names else ""
    allowed += "; ranges 1-5 and lists 1,3" + ("; steps 0/10 and */10" if of.steps else "")
    match = _ITEM.fullmatch(item)
    if match is None or (match[6] and not of.steps):
        _refuse(f"{shorten(item)} is no {of.name}", allowed)
    low, high = of.low, of.high
    if match[2]:
        low = _number(match[2], of, allowed)
        # A number with a step is the first of many; without one it is alone.
        high = _number(match[4], of, allowed) if match[4] else (high if match[6] else low)
    if low > high:
        _refuse(f"the range {item} of the {of.name} ends before it begins", allowed)
    if match[6] and int(match[6]) == 0:
        _refuse(f"a step of 0 in the {of.name}", allowed)
    return range(low, high + 1, int(match[6] or 1))


def _number(text: str, of: _FieldOf, allowed: str) -> int:
    if text in of.names:
        return of.names.index(text) + of.low
    if not text.isdigit():
        _refuse(f"{shorten(text)} is no {of.name}", allowed, nearest(text, of.names))
    if len(text) > 4 or not of.low <= int(text) <= of.high:
        _refuse(f"{shorten(text)} is out of range for the {of.name}", allowed)
    return int(text)


def _day_rule(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: day.day == _last(day)
    if field == "LW":
        return lambda day: day == _nearest_workday(day, _last(day))
    if match := re.fullmatch(r"(\d{1,2})W", field, re.ASCII):
        number = _number(match[1], _DAY, "1W to 31W, alone")
        return lambda day: number <= _last(day) and day == _nearest_workday(day, number)
    numbers = frozenset(_numbers(field, _DAY))
    return lambda day: day.day in numbers


def _weekday_rule(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: _weekday(day) == 7
    if match := re.fullmatch(r"([0-9]|[A-Z]{3})L", field, re.ASCII):
        last = _number(match[1], _WEEKDAY, "1L to 7L or SUNL to SATL, alone")
        return lambda day: _weekday(day) == last and day.day > _last(day) - 7
    if match := re.fullmatch(r"([0-9]|[A-Z]{3})#([0-9])", field, re.ASCII):
        allowed = "a day of the week and which of the month, 1 to 5, such as 3#2, alone"
        which, nth = _number(match[1], _WEEKDAY, allowed), int(match[2])
        if not 1 <= nth <= 5:
            _refuse(f"{shorten(field)} is no day of the week", allowed)
        return lambda day: _weekday(day) == which and (day.day - 1) // 7 + 1 == nth
    numbers = frozenset(_numbers(field, _WEEKDAY))
    return lambda day: _weekday(day) in numbers


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _nearest_workday(day: date, number: int) -> date:
    """The day from Monday to Friday that is nearest to one of the month, in the same month."""
    wanted = day.replace(day=number)
    match wanted.isoweekday():
        case 6:
            return wanted - timedelta(days=1) if number > 1 else wanted + timedelta(days=2)
        case 7:
            last = number == _last(day)
            return wanted - timedelta(days=2) if last else wanted + timedelta(days=1)
        case _:
            return wanted
