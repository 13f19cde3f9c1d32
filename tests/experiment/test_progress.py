"""Progress: what has been done, the time left and the widest interval, wherever it is shown."""

import io
import re

from rich.console import Console

import nephoscope as nph
from experiment.small import COUNT, MEAN, small
from nephoscope.experiment.widest import Widest


def test_the_widest_is_that_of_the_results():
    seen = []

    class Spy:
        widest = Widest()

        def __call__(self, done):
            seen.append((done, self.widest.text()))

        def saw(self, of, means):
            self.widest.saw(of, means)

    found = nph.replicate(small(), 8, threads=1, progress=Spy())
    assert [done for done, _ in seen] == list(range(1, 9))
    assert seen[0][1] is None
    share = found[MEAN].half_width / found[MEAN].value
    assert seen[-1][1] == f"widest ±{100 * share:.2g} % ({MEAN})"

    # Of several cells, that of the worst.
    Spy.widest = Widest()
    table = nph.sweep(small(), {COUNT: [2, 6]}, 5, metrics=[MEAN], progress=Spy(), workers=1)
    shares = [cell.intervals[MEAN].half_width / cell.intervals[MEAN].value for cell in table.cells]
    assert seen[-1] == (10, f"widest ±{100 * max(shares):.2g} % ({MEAN})")


def shown(**options):
    text = io.StringIO()
    with nph.Progress(6, "runs", file=text, **options) as progress:
        nph.sweep(small(), {COUNT: [2, 3]}, 3, progress=progress)
    return text.getvalue()


def test_lines_in_a_log():
    lines = shown(every_s=0.0).splitlines()
    last = rf"runs: 6 of 6  widest ±[0-9.]+ % \({re.escape(MEAN)}\)  0:00:00 left"
    assert re.fullmatch(last, lines[-1])
    assert lines[0].startswith("runs: ")
    assert len(lines) <= 6


def test_a_short_experiment_says_nothing_in_a_log():
    assert shown() == ""
    assert shown(every_s=0.0, show=False) == ""


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    text = shown()
    assert "6 of 6" in text
    assert "\x1b" in text


def test_lines_on_a_terminal_that_cannot_be_written_over(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    assert "runs: 6 of 6" in shown(every_s=0.0)


def test_a_bar_in_a_notebook(monkeypatch):
    """What is drawn goes to the notebook's own display, whatever the file."""
    drawn = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.live.Live.refresh", lambda live: drawn.append(live.renderable))
    with nph.Progress(6, "runs") as progress:
        progress(6)
        assert progress.note(6) == "6 of 6"
    assert drawn
