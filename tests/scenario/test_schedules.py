"""Cron schedules: what is one, and when it comes, against a search of every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nephoscope.errors import WordError
from nephoscope.scenario.language import schedules
from nephoscope.scenario.language.schedules import instants, read_cron, read_zone

MINUTE = timedelta(minutes=1)
NS = 1000  # of a microsecond
DAY_NS = 86_400 * 10**9
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def at(cron: str, zone: str, start: datetime, days: float = 1) -> list[str]:
    """The moments in UTC, as `MM-DD HH:MM`."""
    found = instants(cron, zone, start, round(days * DAY_NS))
    return [f"{start + timedelta(microseconds=int(ns) // NS):%m-%d %H:%M}" for ns in found]


# --- named rules ------------------------------------------------------------------------------


def test_a_run_begins_on_its_start_and_ends_before_its_end():
    assert instants("*/30 * * * *", "UTC", MONDAY, 3600 * 10**9).tolist() == [0, 1800 * 10**9]
    assert instants("0 1 * * *", "UTC", MONDAY, 3600 * 10**9).tolist() == []
    assert instants("0 1 * * *", "UTC", MONDAY, 3600 * 10**9 + 1).tolist() == [3600 * 10**9]


def test_a_start_within_a_minute():
    start = MONDAY + timedelta(seconds=20, microseconds=7)
    assert instants("* * * * *", "UTC", start, 100 * 10**9).tolist() == [
        39_999_993_000,
        99_999_993_000,
    ]


def test_lists_ranges_and_steps():
    assert at("0 9-17/4,23 * * *", "UTC", MONDAY) == [
        "01-01 09:00", "01-01 13:00", "01-01 17:00", "01-01 23:00",
    ]  # fmt: skip
    assert at("5,50-59/5 3 * * *", "UTC", MONDAY) == ["01-01 03:05", "01-01 03:50", "01-01 03:55"]


def test_a_range_of_one_with_a_step_is_one_number():
    assert at("30-30/5 7-7/2 * * mon-1/3", "UTC", MONDAY) == ["01-01 07:30"]


def test_names_in_any_case():
    assert at("0 9 * jan-FEB Tue", "UTC", MONDAY, 10) == ["01-02 09:00", "01-09 09:00"]


def test_sunday_is_0_and_7():
    expected = ["01-07 00:00", "01-14 00:00"]
    assert at("0 0 * * 0", "UTC", MONDAY, 15) == expected
    assert at("0 0 * * 7", "UTC", MONDAY, 15) == expected
    assert at("0 0 * * 6-7", "UTC", MONDAY, 7) == ["01-06 00:00", "01-07 00:00"]


def test_one_of_the_days_is_enough_if_neither_is_a_star():
    assert at("0 0 10 * fri", "UTC", MONDAY, 14) == ["01-05 00:00", "01-10 00:00", "01-12 00:00"]


def test_both_days_are_needed_if_one_begins_with_a_star():
    assert at("0 0 */2 * fri", "UTC", MONDAY, 14) == ["01-05 00:00"]
    assert at("0 0 10 * *", "UTC", MONDAY, 14) == ["01-10 00:00"]


def test_a_leap_day():
    assert at("0 0 29 2 *", "UTC", MONDAY, 366) == ["02-29 00:00"]
    assert at("0 0 29 2 *", "UTC", datetime(2025, 1, 1, tzinfo=UTC), 365) == []


def test_the_clock_of_a_zone():
    assert at("0 9 * * *", "America/New_York", MONDAY) == ["01-01 14:00"]
    assert at("0 9 * * *", "Asia/Kolkata", MONDAY) == ["01-01 03:30"]
    # An offset of the start only says when the run begins.
    shifted = datetime.fromisoformat("2024-01-01T00:00:00+05:30")
    assert instants("0 0 * * *", "UTC", shifted, DAY_NS).tolist() == [5.5 * 3600 * 10**9]


def test_in_summer_the_clock_is_an_hour_ahead():
    summer = datetime(2024, 7, 1, tzinfo=UTC)
    assert at("0 9 * * *", "Europe/Berlin", MONDAY) == ["01-01 08:00"]
    assert at("0 9 * * *", "Europe/Berlin", summer) == ["07-01 07:00"]


# New York: on 10 March 02:00 is 03:00, 07:00 UTC; on 3 November 02:00 is 01:00, 06:00 UTC.
SPRING = datetime(2024, 3, 10, tzinfo=UTC)
AUTUMN = datetime(2024, 11, 3, tzinfo=UTC)


def test_an_hour_that_is_skipped_is_made_up_for_at_its_end():
    assert at("30 2 * * *", "America/New_York", SPRING, 2) == ["03-10 07:00", "03-11 06:30"]
    # Whatever was due in it comes once.
    assert at("0,30 2 * * *", "America/New_York", SPRING) == ["03-10 07:00"]


def test_a_schedule_by_the_wall_misses_an_hour_that_is_skipped():
    assert at("*/30 2 * * *", "America/New_York", SPRING) == []
    assert at("30 */2 * * *", "America/New_York", SPRING, 0.4) == [
        "03-10 01:30",
        "03-10 03:30",
        "03-10 05:30",
        "03-10 08:30",
    ]


def test_in_an_hour_that_is_repeated_it_comes_once():
    assert at("30 1 * * *", "America/New_York", AUTUMN) == ["11-03 05:30"]


def test_a_schedule_by_the_wall_comes_in_both_hours():
    expected = ["11-03 05:00", "11-03 05:30", "11-03 06:00", "11-03 06:30"]
    assert at("*/30 1 * * *", "America/New_York", AUTUMN) == expected


def test_a_run_that_begins_after_a_moment_has_come_does_not_see_it_again():
    repeated = datetime(2024, 11, 3, 6, 15, tzinfo=UTC)
    assert at("30 1 * * *", "America/New_York", repeated, 0.5) == []


# --- against a search of every minute ---------------------------------------------------------

FIELDS = [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, DAYS)]


@st.composite
def items(draw, low, high, names):
    """Text of one item of a field, and what it stands for."""
    step = draw(st.sampled_from([None, 1, 2, 3, 7, 40]))
    first, last = sorted(draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    match draw(st.sampled_from(["star", "number", "range"])):
        case "star":
            text, values = "*", range(low, high + 1)
        case "number":
            named = names and first - low < len(names) and draw(st.booleans())
            return names[first - low] if named else f"{first}", {first}
        case _:
            text, values = f"{first}-{last}", range(first, last + 1)
    return (text, set(values)) if step is None else (f"{text}/{step}", set(values[::step]))


@st.composite
def crons(draw):
    fields = []
    for low, high, names in FIELDS:
        wide = st.just(("*", set(range(low, high + 1))))
        chosen = draw(wide | st.lists(items(low, high, names), min_size=1, max_size=3))
        chosen = [chosen] if isinstance(chosen, tuple) else chosen
        fields.append((",".join(t for t, _ in chosen), set().union(*(v for _, v in chosen))))
    return fields


def due(fields, shown: datetime) -> bool:
    minutes, hours, dates, months, days = (values for _, values in fields)
    if not (shown.minute in minutes and shown.hour in hours and shown.month in months):
        return False
    on_date, on_day = (
        shown.day in dates,
        not days.isdisjoint({shown.isoweekday() % 7, shown.isoweekday()}),
    )
    stars = fields[2][0].startswith("*") or fields[4][0].startswith("*")
    return (on_date and on_day) if stars else (on_date or on_day)


def searched(fields, zone: str, start: datetime, minutes: int) -> list[int]:
    """Minute by minute: what the clock on the wall shows, and what it left out before."""
    clock = ZoneInfo(zone)
    wall = fields[0][0].startswith("*") or fields[1][0].startswith("*")
    found = []
    latest = (start - MINUTE).astimezone(clock).replace(tzinfo=None)
    # The furthest that the clock has got: what lies before has been shown already.
    for back in range(1, 180):
        latest = max(latest, (start - back * MINUTE).astimezone(clock).replace(tzinfo=None))
    for minute in range(minutes):
        shown = (start + minute * MINUTE).astimezone(clock).replace(tzinfo=None)
        if wall:
            hit = due(fields, shown)
        else:
            hit = False
            while latest < shown:
                latest += MINUTE
                hit = due(fields, latest) or hit
        if hit:
            found.append(minute * 60 * 10**9)
    return found


CHANGES = [
    ("UTC", datetime(2024, 2, 28, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2023, 12, 31, tzinfo=UTC)),
    ("America/New_York", SPRING),
    ("America/New_York", AUTUMN),
    ("Australia/Lord_Howe", datetime(2024, 4, 6, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2024, 10, 5, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2024, 4, 25, tzinfo=UTC)),  # there is no midnight
    ("Asia/Beirut", datetime(2024, 3, 30, tzinfo=UTC)),
    ("America/Havana", datetime(2024, 11, 3, tzinfo=UTC)),  # there are two
    ("Pacific/Apia", datetime(2011, 12, 29, 22, tzinfo=UTC)),  # there is no 30 December
]


@settings(max_examples=40, deadline=None)
@given(crons(), st.sampled_from(CHANGES), st.integers(-1400, 600))
def test_every_minute_is_searched(fields, change, shift):
    zone, around = change
    start = around + shift * MINUTE
    cron = " ".join(text for text, _ in fields)
    minutes = 2200
    try:
        found = instants(cron, zone, start, minutes * 60 * 10**9).tolist()
    except WordError as error:  # of 30 February
        found = [] if "never comes" in str(error) else [str(error)]
    assert found == searched(fields, zone, start, minutes)


# --- what is none -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        (5, "5 is not a cron expression"),
        ("", "five fields: minute, hour"),
        ("0 9 * *", "five fields"),
        ("0 9 * * MON 2024", "five fields"),
        ("@daily", "did you mean 0 0 [*] [*] [*][?]"),
        ("60 9 * * *", "'60' is out of range for the minute .*0 to 59"),
        ("0 24 * * *", "'24' is out of range for the hour"),
        ("0 0 0 * *", "'0' is out of range for the day of the month .*1 to 31"),
        ("0 0 1 13 *", "'13' is out of range for the month .*JAN to DEC"),
        ("0 0 * * 8", "'8' is out of range for the day of the week .*SUN to SAT"),
        ("0 0 * * MUN", "'MUN' is no day of the week; did you mean (MON|SUN)[?]"),
        ("0 0 * JANUAR *", "did you mean JAN[?]"),
        ("0 0 * MON *", "'MON' is no month"),
        ("-1 0 * * *", "'-1' is no minute"),
        ("1.5 0 * * *", "'1.5' is no minute"),
        ("*/0 * * * *", "a step of 0 in the minute"),
        ("5/15 * * * *", "no range of the minute; did you mean 5-59/15[?]"),
        ("17-9 * * * *", "ends before it begins"),
        ("0 0 * * FRI-MON", "ends before it begins"),
        ("0,,5 * * * *", "is no minute"),
        ("0 0 ? * MON", "did you mean [*][?]"),
        ("0 0 L * *", "'L' is no day of the month"),
        ("0 0 15W * *", "'15W' is no day of the month"),
        ("0 0 LW * *", "'LW' is no day of the month"),
        ("0 0 * * 5L", "'5L' is no day of the week"),
        ("0 0 * * FRI#2", "'FRI#2' is no day of the week"),
        ("0 0 30 2 *", "never comes .*a day that one of the months has"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("0 0 " + "1" * 500 + " * *", "out of range"),
        ("٣ 0 * * *", "is no minute"),
    ],
)
def test_what_is_no_cron_expression(cron, words):
    with pytest.raises(WordError, match=words):
        read_cron(cron)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("europe/berlin", "did you mean Europe/Berlin[?]"),
        ("Europe/Berln", "did you mean Europe/Berlin[?]"),
        ("Europe", "no time zone"),
        ("../../etc/passwd", "no time zone"),
        ("", "such as UTC or Europe/Berlin"),
        (1, "1 is no time zone"),
        (None, "no time zone"),
    ],
)
def test_what_is_no_time_zone(zone, words):
    with pytest.raises(WordError, match=words):
        read_zone(zone)


def test_a_start_without_an_offset_is_no_instant():
    with pytest.raises(WordError, match="is no instant"):
        instants("* * * * *", "UTC", datetime(2024, 1, 1), DAY_NS)


def test_there_is_a_limit(monkeypatch):
    monkeypatch.setattr(schedules, "INSTANTS_MAX", 1000)
    assert len(instants("* * * * *", "UTC", MONDAY, 1000 * 60 * 10**9)) == 1000
    with pytest.raises(WordError, match="more than 1000 times"):
        instants("* * * * *", "UTC", MONDAY, DAY_NS)


def test_fields_of_a_model():
    assert TypeAdapter(schedules.Cron).validate_python("0 9 * * *") == "0 9 * * *"
    assert TypeAdapter(schedules.Zone).validate_python("Asia/Tokyo") == "Asia/Tokyo"
    for kind, wrong in ((schedules.Cron, "0 9 * *"), (schedules.Zone, "Tokyo")):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(wrong)
