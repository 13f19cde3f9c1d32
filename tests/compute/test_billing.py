"""Seconds billed: whole units, a minimum each start, whatever the instants of looking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import parts
from nephoscope.errors import NephoscopeError, ScenarioError

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def life(**options) -> tuple[parts.Lifecycle, int]:
    """Nothing takes time but what the test lets pass."""
    laws = dict.fromkeys(parts.lifecycle.LAWS, "0s")
    made = parts.Lifecycle()
    system = made.add_system(laws=laws | options.pop("laws", {}), **options)
    return made, system


def billed(made: parts.Lifecycle) -> list[int]:
    return made.figures()["billed_s"].tolist()


@pytest.mark.parametrize(
    ("ran_ns", "seconds"),
    [
        (0, 60),
        (1, 60),
        (30 * SECOND, 60),
        (60 * SECOND, 60),
        (60 * SECOND + 1, 61),
        (61 * SECOND, 61),
        (HOUR - 1, 3600),
        (HOUR, 3600),
        (2**61, -(-(2**61) // SECOND)),
    ],
)
def test_by_the_second_with_a_minimum_of_a_minute(ran_ns, seconds):
    assert parts.seconds_due(ran_ns).tolist() == [seconds]


@pytest.mark.parametrize(
    ("ran_ns", "hours"), [(0, 1), (1, 1), (HOUR, 1), (HOUR + 1, 2), (25 * HOUR, 25)]
)
def test_by_the_hour_every_hour_begun(ran_ns, hours):
    assert parts.seconds_due(ran_ns, "hour").tolist() == [3600 * hours]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 10**16), min_size=1, max_size=20))
def test_the_formula_in_whole_numbers(lengths):
    expected = [max(60, -(-length // SECOND)) for length in lengths]
    assert parts.seconds_due(lengths).tolist() == expected
    hourly = [max(3600, 3600 * -(-length // HOUR)) for length in lengths]
    assert parts.seconds_due(lengths, "hour").tolist() == hourly


@pytest.mark.parametrize(("ran", "unit"), [(-1, "second"), (5, "minute")])
def test_what_cannot_be_billed_is_refused(ran, unit):
    with pytest.raises(ScenarioError):
        parts.seconds_due(ran, unit)


def test_two_starts_of_thirty_seconds_cost_two_minimums():
    made, system = life()
    one = made.launch(system)
    made.advance(30 * SECOND)
    made.stop(one)
    made.advance(40 * SECOND)
    made.start(one)
    made.advance(70 * SECOND)
    made.stop(one)
    made.advance(100 * HOUR)
    assert billed(made) == [120]
    assert made.figures()["metered_ns"].tolist() == [60 * SECOND]


def test_a_reboot_begins_no_new_minimum():
    made, system = life()
    one = made.launch(system)
    for second in (10, 20, 30):
        made.advance(second * SECOND)
        made.reboot(one)
    made.advance(40 * SECOND)
    made.stop(one)
    made.advance(50 * SECOND)
    assert billed(made) == [60]


def test_only_running_is_billed():
    made, system = life(laws={"pending": "100s", "boot": "50s", "stop": "40s", "terminate": "30s"})
    one = made.launch(system)
    seen = {}
    for at, request in [(100, None), (200, made.stop), (240, None), (500, made.terminate)]:
        made.advance(at * SECOND)
        if request:
            request(one)
        seen[at] = billed(made)[0]
    made.advance(600 * SECOND)
    # Running from 100 s (the boot is billed) to 200 s; a minimum is due as soon as it runs.
    assert seen == {100: 60, 200: 100, 240: 100, 500: 100}
    assert billed(made) == [100]


def test_hibernating_is_billed_until_it_is_stopped_and_a_plain_stop_is_not():
    laws = {"stop": "90s", "hibernate": "90s"}
    made, system = life(laws=laws)
    both = made.launch(system, 2, hibernation=True)
    made.advance(100 * SECOND)
    made.stop(both[0])
    made.hibernate(both[1])
    made.advance(140 * SECOND)
    assert billed(made) == [100, 140]
    made.advance(1000 * SECOND)
    assert billed(made) == [100, 190]


def test_a_hibernation_cut_short_by_termination_is_billed_so_far():
    made, system = life(laws={"hibernate": "90s"})
    one = made.launch(system, hibernation=True)
    made.advance(100 * SECOND)
    made.hibernate(one)
    made.advance(130 * SECOND)
    made.terminate(one)
    made.advance(500 * SECOND)
    assert billed(made) == [130]


def test_an_instance_that_never_ran_costs_nothing():
    made, system = life(laws={"pending": "10s"})
    failed, ended = made.launch(system, 2)
    made.advance(5 * SECOND)
    made.fail_launch(failed)
    made.terminate(ended)
    made.advance(HOUR)
    assert billed(made) == [0, 0]


def test_hourly_systems_bill_every_hour_begun_of_each_start():
    made, system = life(billed_by="hour")
    one = made.launch(system)
    made.advance(61 * 60 * SECOND)
    made.stop(one)
    made.start(one)  # unheard: it is stopping until time passes
    made.advance(62 * 60 * SECOND)
    made.start(one)
    made.advance(63 * 60 * SECOND)
    made.stop(one)
    made.advance(100 * HOUR)
    assert billed(made) == [2 * 3600 + 3600]


@pytest.mark.parametrize(
    ("at_s", "free", "due", "spared"),
    [
        (3599, "1h", 0, 3599),
        (3600, "1h", 3600, 0),  # all of it, the first hour too
        (1800, "0s", 1800, 0),
        (30, "1h", 0, 60),
    ],
)
def test_a_first_hour_that_the_provider_ends_is_free(at_s, free, due, spared):
    made, system = life(free_if_interrupted=free)
    made.launch(system, purchase="spot")
    made.advance(0)
    made.interrupt(0, at_s * SECOND)
    made.advance(2 * HOUR)
    assert billed(made) == [due]
    assert made.figures()["spared_s"].tolist() == [spared]


def test_a_first_hour_that_the_user_ends_is_paid():
    made, system = life()
    one = made.launch(system, purchase="spot")
    made.interrupt(one, 600 * SECOND)
    made.advance(599 * SECOND)
    made.terminate(one)
    made.advance(2 * HOUR)
    assert billed(made) == [599]


def test_the_free_hour_counts_from_the_first_start():
    made, system = life()
    one = made.launch(system, purchase="spot", interruption="stop")
    made.advance(0)
    made.interrupt(one, 1800 * SECOND)
    made.advance(5000 * SECOND)
    made.resume(one)
    made.advance(5000 * SECOND)
    made.interrupt(one, 5600 * SECOND)
    made.advance(6000 * SECOND)
    assert billed(made) == [600]
    assert made.figures()["spared_s"].tolist() == [1800]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 50)), min_size=1, max_size=8),
    st.lists(st.integers(0, 4000 * SECOND), max_size=20),
    st.sampled_from(["second", "hour"]),
)
def test_the_bill_is_the_sum_of_its_starts_however_time_is_cut(runs, looks, unit):
    """Runs and pauses of whole seconds and a bit; `looks` are further instants to advance to."""
    made, system = life(billed_by=unit)
    one = made.launch(system)
    now, lengths, events = 0, [], []
    for run, pause in runs:
        lengths.append(run * SECOND + run)
        events += [(now + lengths[-1], made.stop), (now + lengths[-1] + pause * SECOND, made.start)]
        now = events[-1][0]
    last = 0
    for at, request in sorted([*events, *((look, None) for look in looks)], key=lambda e: e[0]):
        made.advance(at)
        now_due = billed(made)[0]
        assert now_due >= last
        last = now_due
        if request:
            assert request(one).tolist() == ["accepted"]
            made.advance(at)
    made.stop(one)
    last_run = max(0, made.now_ns - now)
    assert billed(made)[0] == parts.seconds_due([*lengths, last_run], unit).sum()


def test_many_instances_are_billed_each_by_itself():
    made, system = life()
    each = made.launch(system, 500)
    lengths = np.random.default_rng(5).integers(1, 600 * SECOND, 500)
    for place in np.argsort(lengths):
        made.advance(int(lengths[place]))
        made.stop(each[place])
    made.advance(700 * SECOND)
    assert billed(made) == parts.seconds_due(lengths).tolist()


@pytest.mark.parametrize("options", [{"billed_by": "minute"}, {"free_if_interrupted": "1000d"}])
def test_rules_that_make_no_sense_are_refused(options):
    with pytest.raises(NephoscopeError):
        life(**options)
