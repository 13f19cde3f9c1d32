"""Sweeps that are killed at any moment, or find the disk full: nothing is lost or run twice."""

import json
import random
import re
import resource
import shutil
import subprocess
import sys
import time

import pytest

import nephoscope as nph
from experiment.journals import copied, has_tables, log_of
from experiment.small import COUNT, small
from nephoscope import sweep
from nephoscope.experiment.journal import Journal, Recorded, scenario_hash

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
        with copied(self.journal) as database:
            count = "SELECT count(*) FROM runs"
            return database.execute(count).fetchone()[0] if has_tables(database) else 0

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
    # The sweep finds the runs where the kill has left them.
    assert there in (0, RUNS) or log_of(place.journal).stat().st_size > 0
    found = sweep(small(), {COUNT: COUNTS}, REPLICATIONS, journal=place.journal)
    assert found.to_csv() == whole
    assert found.simulated == RUNS - there
    assert place.there() == RUNS
    assert not log_of(place.journal).exists()


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


def test_a_log_that_was_torn(tmp_path):
    """As a loss of power in the middle of a commit leaves it: what came before is there."""
    file, copy = tmp_path / "runs.sqlite", tmp_path / "copy.sqlite"
    with Journal(file) as journal:
        for replication in range(3):
            journal.record([Recorded("scenario", replication, bytes(5_000))])
        shutil.copy(file, copy)
        log = log_of(file).read_bytes()
    log_of(copy).write_bytes(log[:-1])
    with Journal(copy) as journal:
        assert journal.replications("scenario") == {0, 1}
        journal.record([Recorded("scenario", 2, b"again")])
    for closed in (file, copy):
        assert not log_of(closed).exists()
        with Journal(closed) as journal:
            assert journal.replications("scenario") == {0, 1, 2}


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
