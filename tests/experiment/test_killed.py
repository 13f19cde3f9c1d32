"""Sweeps that are killed at any moment, or find the disk full: nothing is lost or run twice."""

import json
import random
import re
import resource
import sqlite3
import subprocess
import sys
import time

import pytest

import nephoscope as nph
from experiment.small import COUNT, small
from nephoscope import sweep
from nephoscope.experiment.journal import Journal, scenario_hash

COUNTS = list(range(2, 12))
REPLICATIONS = 10
RUNS = len(COUNTS) * REPLICATIONS


class Place:
    """A folder with a scenario, a journal and a table, and the sweep that joins them."""

    def __init__(self, folder):
        folder.mkdir()
        self.journal = folder / "runs.sqlite"
        self.table = folder / "table.csv"
        file = folder / "small.json"
        file.write_text(json.dumps(small().to_dict()))
        self.command = [
            *(sys.executable, "-m", "nephoscope", "sweep", str(file)),
            *("--grid", f"{COUNT}={','.join(map(str, COUNTS))}"),
            *("--replications", str(REPLICATIONS), "--workers", "2"),
            *("--csv", str(self.table), "--journal", str(self.journal)),
        ]

    def start(self, **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(self.command, **pipes, **options)

    def killed(self, share, usual_s):
        """Runs that are in the journal when the sweep has been killed in the middle of them.

        That is after this share of the time that it usually takes from its first look at the
        journal on: how long an interpreter needs to get there is nobody's concern.
        """
        process = self.start()
        while not self.journal.exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(share * usual_s)
        process.kill()
        process.communicate()
        return self.there()

    def there(self):
        if not self.journal.exists():
            return 0
        database = sqlite3.connect(self.journal)
        try:
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            return database.execute("SELECT count(*) FROM runs").fetchone()[0] if tables else 0
        finally:
            database.close()

    def finished(self):
        """The table in the end, and how many runs were made for it now."""
        process = self.start()
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        made = re.search(rf"([0-9]+) of {RUNS} runs made now", out)
        return self.table.read_text(), int(made[1])


@pytest.fixture(scope="module")
def whole():
    return sweep(small(), {COUNT: COUNTS}, REPLICATIONS).to_csv()


@pytest.fixture(scope="module")
def usual_s(tmp_path_factory):
    """From the first look at the journal to the end of a sweep."""
    place = Place(tmp_path_factory.mktemp("usual") / "place")
    process = place.start()
    while not place.journal.exists() and process.poll() is None:
        time.sleep(0.001)
    began = time.perf_counter()
    process.communicate(timeout=120)
    return time.perf_counter() - began


def test_killed(tmp_path, whole, usual_s):
    place = Place(tmp_path / "fast")
    there = place.killed(random.Random(7).uniform(0.3, 0.7), usual_s)
    found = sweep(small(), {COUNT: COUNTS}, REPLICATIONS, journal=place.journal)
    assert found.to_csv() == whole
    assert found.simulated == RUNS - there
    assert place.there() == RUNS


@pytest.mark.slow
def test_killed_again_and_again(tmp_path, whole, usual_s):
    draws = random.Random(11)
    between = 0
    for i in range(8):
        place = Place(tmp_path / str(i))
        counts = [place.killed(draws.uniform(0.0, 0.6), usual_s) for _ in range(5)]
        assert counts == sorted(counts)  # no run that has ended is lost
        assert place.finished() == (whole, RUNS - counts[-1])  # and none is made twice
        between += sum(0 < count < RUNS for count in counts)
    assert between > 8  # many kills were in the middle of a sweep


def test_a_full_database(tmp_path, whole, monkeypatch):
    prepare = Journal._prepare

    def small_disk(journal):
        prepare(journal)
        journal._db.execute("PRAGMA max_page_count = 20")

    file = tmp_path / "runs.sqlite"
    monkeypatch.setattr(Journal, "_prepare", small_disk)
    with pytest.raises(nph.ExperimentError) as caught:
        sweep(small(), {COUNT: COUNTS}, REPLICATIONS, journal=file)
    monkeypatch.undo()
    full = r"cannot be written: database or disk is full; (\d+) of 100"
    told = re.search(full, str(caught.value))
    with Journal(file) as journal:
        scenarios = [scenario_hash(small(**{COUNT: count}), 3) for count in COUNTS]
        there = sum(len(journal.replications(scenario)) for scenario in scenarios)
    assert 0 < there == int(told[1]) < RUNS
    found = sweep(small(), {COUNT: COUNTS}, REPLICATIONS, journal=file)
    assert (found.to_csv(), found.simulated) == (whole, RUNS - there)


@pytest.mark.slow
def test_a_full_disk(tmp_path, whole):
    place = Place(tmp_path / "full")
    room = 100 * 1024  # a file may be no longer than that: as full as a disk can be

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    process = place.start(preexec_fn=limit)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.match(
        r"error: the journal \S+ cannot be written: .*; \d+ of 100 runs are in the journal ", err
    )
    assert "Traceback" not in err
    told = int(re.search(r"(\d+) of 100", err)[1])
    there = place.there()
    assert 0 < there == told < RUNS
    found = sweep(small(), {COUNT: COUNTS}, REPLICATIONS, journal=place.journal)
    assert (found.to_csv(), found.simulated) == (whole, RUNS - there)
