"""Schedules of buses: rate, cron and at; by hand, and against a search of every minute."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import PatternError, parts
from nephoscope.scenario.language.event_schedules import read_schedule

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = 10**9


def times(expression, count=3, after=START, zone="UTC"):
    found = parts.EventSchedule(expression, zone, created=START).next(after, count)
    return [f"{it:%Y-%m-%d %H:%M}" for it in found]


def days(expression, count=3, after=START):
    return [it[:10] for it in times(f"cron(0 10 {expression})", count, after)]


# --- rate -------------------------------------------------------------------------------------


def test_a_rate_counts_from_its_creation():
    assert times("rate(1 minute)", 2) == ["2026-01-01 00:01", "2026-01-01 00:02"]
    assert times("rate(12 hours)", 2) == ["2026-01-01 12:00", "2026-01-02 00:00"]
    assert times("rate(7 days)", 1, START + timedelta(days=7)) == ["2026-01-15 00:00"]
    created = START + timedelta(seconds=17)
    schedule = parts.EventSchedule("rate(5 minutes)", created=created)
    assert schedule.next(START) == [created + timedelta(minutes=5)]
    assert schedule.instants(START, 700 * SECOND).tolist() == [317 * SECOND, 617 * SECOND]


@pytest.mark.parametrize("expression", ["rate(1 minutes)", "rate(5 minute)", "rate(1 hours)"])
def test_units_have_the_number_of_their_count(expression):
    with pytest.raises(PatternError, match="did you mean rate"):
        read_schedule(expression)


def test_a_rate_of_unknown_creation_counts_from_what_is_asked_about():
    schedule = parts.EventSchedule("rate(1 minute)")
    assert schedule.next(START) == [START + timedelta(minutes=1)]
    assert schedule.instants(START, 121 * SECOND).tolist() == [60 * SECOND, 120 * SECOND]


# --- at ---------------------------------------------------------------------------------------


def test_at_comes_once_on_the_clock_of_its_zone():
    assert times("at(2026-07-01T10:00:30)", zone="Europe/Berlin") == ["2026-07-01 08:00"]
    assert times("at(2026-01-01T00:00:00)") == []
    schedule = parts.EventSchedule("at(2026-01-01T00:00:01)")
    assert schedule.instants(START, SECOND).tolist() == []
    assert schedule.instants(START, SECOND + 1).tolist() == [SECOND]


def test_at_a_time_that_is_skipped_never_comes():
    assert times("at(2026-03-29T02:30:00)", zone="Europe/Berlin") == []


# --- cron -------------------------------------------------------------------------------------


def test_hours_and_minutes():
    assert times("cron(15 12 * * ? *)", 2) == ["2026-01-01 12:15", "2026-01-02 12:15"]
    assert times("cron(0/20 8-9 ? * * *)", 4)[-1] == "2026-01-01 09:00"
    assert times("cron(5,50 0 * * ? *)", 3)[-1] == "2026-01-02 00:05"
    assert times("cron(1/29 0 1 1 ? *)", 4) == [
        "2026-01-01 00:01",
        "2026-01-01 00:30",
        "2026-01-01 00:59",
        "2027-01-01 00:01",
    ]


def test_days_of_the_week_are_numbered_from_sunday():
    assert date(2026, 1, 4).strftime("%a") == "Sun"
    assert days("? * 1 *", 1) == days("? * SUN *", 1) == ["2026-01-04"]
    assert days("? * 7 *", 1) == days("? * sat *", 1) == days("? * L *", 1) == ["2026-01-03"]
    assert days("? * MON-FRI *", 3) == ["2026-01-01", "2026-01-02", "2026-01-05"]


def test_the_last_day_of_a_month():
    assert days("L * ? *", 3) == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert days("L 2 ? 2028", 1) == ["2028-02-29"]
    assert days("LW * ? *", 2) == ["2026-01-30", "2026-02-27"]


def test_the_nearest_weekday():
    """3 January 2026 is a Saturday, 1 February and 1 March are Sundays, 31 May is one too."""
    assert days("3W 1 ? *", 1) == ["2026-01-02"]
    assert days("4W 1 ? *", 1) == ["2026-01-05"]
    assert days("1W 2 ? *", 1) == ["2026-02-02"]
    assert days("1W 8 ? *", 1) == ["2026-08-03"]  # a Saturday, and not to July
    assert days("31W 5 ? *", 1) == ["2026-05-29"]  # a Sunday, and not to June
    assert days("31W * ? 2026", 20, START)[1] == "2026-03-31"  # February has none


def test_the_last_and_the_nth_weekday_of_a_month():
    assert days("? * 6L *", 2) == days("? * FRIL *", 2) == ["2026-01-30", "2026-02-27"]
    assert days("? * 3#2 *", 2) == ["2026-01-13", "2026-02-10"]
    assert days("? * FRI#5 *", 2) == ["2026-01-30", "2026-05-29"]


def test_months_and_years():
    assert days("1 FEB,11-12 ? *", 3) == ["2026-02-01", "2026-11-01", "2026-12-01"]
    assert days("1 1 ? 2027-2028", 5) == ["2027-01-01", "2028-01-01"]
    assert days("29 2 ? *", 2) == ["2028-02-29", "2032-02-29"]
    assert days("1 1 ? 2026/50", 9) == [f"{year}-01-01" for year in (2026, 2076, 2126, 2176)]
    assert days("31 2 ? *") == []


def test_an_hour_that_is_skipped_and_one_that_comes_twice():
    before, after = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)
    daily = "cron(30 2 * * ? *)"
    assert times(daily, 2, before, "Europe/Berlin") == ["2026-03-28 01:30", "2026-03-30 00:30"]
    assert times(daily, 2, after, "Europe/Berlin") == ["2026-10-24 00:30", "2026-10-25 00:30"]
    assert times(daily, 1, after + timedelta(days=1, hours=1), "Europe/Berlin") == [
        "2026-10-26 01:30"
    ]


def test_instants_of_a_run():
    found = parts.EventSchedule("cron(0/30 * * * ? *)").instants(START, 3600 * SECOND + 1)
    assert found.dtype == np.int64
    assert found.tolist() == [0, 1800 * SECOND, 3600 * SECOND]


NUMBERS = st.integers(0, 59)


@st.composite
def fields(draw, low, high):
    first, last = sorted([draw(st.integers(low, high)), draw(st.integers(low, high))])
    step = draw(st.integers(1, 7))
    return draw(
        st.sampled_from(["*", f"{first}", f"{first}-{last}", f"{first}/{step}", f"*/{step}"])
    )


def shown(field, low, high):
    """The numbers of one field, by listing all of them."""
    body, _, step = field.partition("/")
    first, _, last = body.partition("-")
    first = low if first == "*" else int(first)
    last = int(last) if last else (high if body == "*" or step else first)
    return {n for n in range(first, last + 1) if (n - first) % int(step or 1) == 0}


@settings(max_examples=25)
@given(minute=fields(0, 59), hour=fields(0, 23), day=fields(1, 31), month=fields(1, 12))
def test_cron_against_a_search_of_every_minute(minute, hour, day, month):
    sets = [shown(minute, 0, 59), shown(hour, 0, 23), shown(day, 1, 31), shown(month, 1, 12)]
    start = datetime(2026, 2, 27, tzinfo=UTC)
    expected = []
    for passed in range(4 * 1440):
        it = start + timedelta(minutes=passed)
        if all(n in s for n, s in zip((it.minute, it.hour, it.day, it.month), sets, strict=True)):
            expected.append(passed * 60 * SECOND)
    schedule = parts.EventSchedule(f"cron({minute} {hour} {day} {month} ? *)")
    assert schedule.instants(start, 4 * 86400 * SECOND).tolist() == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("every day", "is no schedule (allowed: rate(5 minutes), cron("),
        (5, "5 is no schedule"),
        ("rate(0 minutes)", "a rate of 0"),
        ("rate(5 seconds)", "'seconds' is no unit"),
        ("rate(5 mintes)", "did you mean minutes?"),
        ("rate(-1 days)", "is no schedule"),
        ("rate(1.5 days)", "is no schedule"),
        ("cron(0 10 * * ?)", "5 fields"),
        ("cron(0 10 * * * *)", "the days * and *"),
        ("cron(0 10 ? * ? *)", "the days ? and ?"),
        ("cron(0 10 1 * 2 *)", "the days 1 and 2"),
        ("cron(60 10 * * ? *)", "'60' is out of range for the minute"),
        ("cron(0 24 * * ? *)", "out of range for the hour"),
        ("cron(0 10 0 * ? *)", "out of range for the day of the month"),
        ("cron(0 10 32W * ? *)", "out of range for the day of the month"),
        ("cron(0 10 L-3 * ? *)", "'L' is no day of the month"),
        ("cron(0 10 1,L * ? *)", "'L' is no day of the month"),
        ("cron(0 10 * JAM ? *)", "did you mean JAN?"),
        ("cron(0 10 ? * 0 *)", "out of range for the day of the week"),
        ("cron(0 10 ? * 8 *)", "out of range for the day of the week"),
        ("cron(0 10 ? * 2/2 *)", "'2/2' is no day of the week"),
        ("cron(0 10 ? * 3#1,6#3 *)", "is no day of the week"),
        ("cron(0 10 ? * 3#6 *)", "is no day of the week"),
        ("cron(0 10 * * ? 1969)", "out of range for the year"),
        ("cron(0 10 * * ? 2200)", "out of range for the year"),
        ("cron(30-10 10 * * ? *)", "ends before it begins"),
        ("cron(0/0 10 * * ? *)", "a step of 0"),
        ("at(2026-02-30T00:00:00)", "is no date and time"),
        ("at(2026-01-01)", "is no date and time"),
        ("at(2026-01-01T00:00:00Z)", "is no date and time"),
    ],
)
def test_what_is_no_schedule_is_refused(expression, message):
    with pytest.raises(PatternError) as caught:
        parts.EventSchedule(expression, created=START)
    assert message in str(caught.value)


def test_zones_and_instants_that_are_none():
    with pytest.raises(PatternError, match="did you mean Europe/Berlin"):
        parts.EventSchedule("cron(0 10 * * ? *)", "Europe/Berln")
    with pytest.raises(PatternError, match="is no instant"):
        parts.EventSchedule("cron(0 10 * * ? *)").next(datetime(2026, 1, 1))


def test_a_schedule_that_comes_too_often_is_refused(monkeypatch):
    monkeypatch.setattr("nephoscope.scenario.language.event_schedules.INSTANTS_MAX", 60)
    often = parts.EventSchedule("cron(* * * * ? *)")
    assert len(often.instants(START, 3600 * SECOND)) == 60
    with pytest.raises(PatternError, match="more than 60 times"):
        often.instants(START, 3601 * SECOND)
