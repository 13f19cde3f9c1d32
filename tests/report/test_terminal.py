"""The summary of a run on a terminal: its size, its lines over time, its colours."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from nephoscope import Scenario
from nephoscope.report.sparkline import LETTERS, courses, over_time, sparkline
from nephoscope.report.terminal import print_result
from nephoscope.report.theory_words import theory_text

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDINARY = ("coffee-shop", "zone-outage", "retry-storm", "three-counters", "unequal-servers")


def result_of(name, **changes):
    return Scenario.load(EXAMPLES / f"{name}.yaml").replace(changes).run()


def printed(result, encoding="utf-8", **options):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, **({"width": 80, "height": 24} | options))
    theory = theory_text(result.source, result.to_dict())
    print_result(result, console, courses=over_time(result, console), theory=theory)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_summary_fits_one_screen(name):
    result = result_of(name, duration="10m", warmup="1m")
    lines = printed(result).splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    assert f"fingerprint {result.fingerprint}" in printed(result)
    for part in ("traffic", "fleets"):
        assert all(any(name in line for line in lines) for name in result[part])


def test_where_there_is_room_the_tables_stand_apart():
    result = result_of("coffee-shop", duration="15m")
    tall = printed(result, height=60, force_terminal=True, no_color=True).splitlines()
    assert len([line for line in tall if not line.strip()]) >= 6
    low = printed(result, height=24, force_terminal=True, no_color=True).splitlines()
    assert [line for line in tall if line.strip()] == low


def test_a_narrow_screen_leaves_latencies_out_and_cuts_nothing():
    result = result_of("retry-storm", duration="4m")
    wide, narrow = printed(result, width=160), printed(result, width=80)
    assert "p99.9" in wide.splitlines()[2]
    assert "p99.9" not in narrow.splitlines()[1]
    row = next(line for line in narrow.splitlines() if line.startswith("  customers"))
    offered, lost = (result[f"traffic.customers.{key}"] for key in ("offered", "rejected"))
    assert row.split()[1] == f"{offered:,}"
    assert f"{100 * lost / offered:.1f} %" in row
    assert f"{lost:,} ({100 * lost / offered:.1f} %)" in wide
    assert "…" not in narrow


def test_colours_are_for_terminals_and_for_those_who_want_them(monkeypatch):
    result = result_of("retry-storm", duration="3m")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in printed(result)
    terminal = {"force_terminal": True, "color_system": "standard"}
    assert "\x1b[31m" in printed(result, **terminal)  # what was lost is red
    assert "\x1b[36m" in printed(result, **terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = printed(result, **terminal)
    assert "\x1b[31m" not in plain
    assert "\x1b[36m" not in plain


def test_a_line_rises_with_its_values():
    assert sparkline(np.arange(8.0), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.arange(8.0), 8, LETTERS) == "_.:-=+*#"
    assert sparkline(np.arange(16.0), 4, LETTERS) == "_-+#"  # means 1.5, 5.5, 9.5, 13.5 of 13.5
    assert sparkline(np.zeros(3), 8) == "▁▁▁"
    assert sparkline(np.array([5.0]), 8) == "█"
    assert sparkline(np.array([]), 8) == ""


def test_the_lines_are_those_of_the_series():
    result = result_of("coffee-shop")
    found = {course.name: course.values for course in courses(result)}
    _, offered = result.series("traffic.customers.offered")
    assert np.array_equal(found["offered a second"], offered / 15)
    _, depth = result.series("queues.order-board.depth")
    assert np.array_equal(found["order-board: depth"], depth)
    assert "baristas: instances" in found  # the cashiers are always three
    assert not any("cashiers" in name or name == "lost a second" for name in found)
    text = printed(result)
    line = next(line for line in text.splitlines() if "order-board: depth" in line)
    assert line.split()[-2:] == [str(depth.min()), str(depth.max())]
    assert "▃" in line


def test_an_encoding_without_blocks_gets_letters():
    text = printed(result_of("retry-storm", duration="3m"), encoding="ascii")
    line = next(line for line in text.splitlines() if "in flight" in line)
    assert set(line.split()[2]) <= set(LETTERS)


def test_without_series_there_are_no_lines():
    result = result_of("retry-storm", duration="1m", series="none")
    assert "over time" not in printed(result)
    assert over_time(result, Console()) is None
