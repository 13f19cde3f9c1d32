"""Kills sweeps of 200 runs 200 times each way: `python tests/experiment/kills.py [--kills 200]`.

A sweep is started again and again with one journal and killed (SIGKILL) at a random instant of its
runs, until it has come to its end; then the next begins with a new journal. Runs are made by
threads, by processes and by a Dask cluster in turn. After each kill the journal must hold all that
it held before, bit for bit; in the end each run once, and the table must be that of a sweep that
nobody killed. Takes a quarter of an hour or more, and is no part of the tests.
"""

import argparse
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import nephoscope as nph
from experiment.journals import copied, has_tables, log_of
from experiment.small import COUNT, small

COUNTS = list(range(2, 22))
REPLICATIONS = 10
RUNS = len(COUNTS) * REPLICATIONS
# So long that 200 of them take some seconds.
LONG = {"duration": "600s"}


class Place:
    """A folder with a scenario, a journal and a table, and the sweep that joins them."""

    def __init__(self, folder: Path, maker: list[str]) -> None:
        folder.mkdir()
        self.journal, self.table = folder / "runs.sqlite", folder / "table.csv"
        file = folder / "small.json"
        file.write_text(json.dumps(small(**LONG).to_dict()))
        grid = f"{COUNT}={','.join(map(str, COUNTS))}"
        files = ["--csv", str(self.table), "--journal", str(self.journal)]
        command = [sys.executable, "-m", "nephoscope", "sweep", str(file), "--grid", grid]
        self.command = [*command, "--replications", str(REPLICATIONS), *files, *maker]

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def recorded_ns(self) -> int:
        """When a run has been recorded last; 0 of a journal without one, or that was closed."""
        log = log_of(self.journal)
        return log.stat().st_mtime_ns if log.exists() and log.stat().st_size else 0

    def held(self) -> dict:
        if not self.journal.exists():
            return {}
        with copied(self.journal) as database:
            if not has_tables(database):
                return {}
            rows = database.execute("SELECT scenario, replication, outcome FROM runs").fetchall()
        return {(scenario, replication): outcome for scenario, replication, outcome in rows}


def begun(process: subprocess.Popen, place: Place, before: int) -> None:
    """Wait until runs are being made: one more has been recorded."""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            if place.recorded_ns() > before:
                return
        time.sleep(0.002)


def killed_until_done(place: Place, draws: random.Random, usual_s: float, kills: int) -> Counter:
    """One sweep, killed at most so often; what happened."""
    seen: Counter[str] = Counter()
    held: dict = {}
    while True:
        before = place.recorded_ns()
        process = place.start()
        if seen["kills"] < kills:
            begun(process, place, before)
            time.sleep(draws.uniform(0.0, 0.25 * usual_s))
            if process.poll() is None:
                process.kill()
                seen["kills"] += 1
        out, err = process.communicate(timeout=600)
        now = place.held()
        assert held.items() <= now.items(), "a run that had ended is lost, or another"
        if process.returncode == 0:
            made = re.search(rf"([0-9]+) of {RUNS} runs made now", out)
            assert made is not None, out
            assert int(made[1]) == RUNS - len(held), "a run was made twice"
            assert len(now) == RUNS
            return seen
        assert process.returncode == -9, err
        seen["in the middle"] += len(held) < len(now) < RUNS
        held = now


@contextlib.contextmanager
def maker_of(name: str):
    """The options of `nephoscope sweep` that have the runs made so."""
    if name == "threads":
        yield ["--workers", "2"]
    elif name == "processes":
        yield ["--executor", "processes", "--workers", "2"]
    else:
        import distributed  # noqa: PLC0415

        local = {"processes": True, "dashboard_address": None, "protocol": "tcp"}
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **local) as cluster:
            yield ["--executor", f"dask:{cluster.scheduler_address}"]


def orphans() -> int:
    """Worker processes of sweeps whose parent is gone."""
    found = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True)
    mine = f"{sys.executable} -c from multiprocessing.spawn"
    return sum(
        line.split()[0] == "1" and mine in line and "resource_tracker" not in line
        for line in found.stdout.splitlines()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--makers", default="threads,processes,dask")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draws = random.Random(options.seed)
    whole = nph.sweep(small(**LONG), {COUNT: COUNTS}, REPLICATIONS).to_csv()
    for name in options.makers.split(","):
        start = time.monotonic()
        total: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder, maker_of(name) as maker:
            usual = Place(Path(folder) / "usual", maker)
            process = usual.start()
            begun(process, usual, 0)
            began = time.monotonic()
            _, err = process.communicate(timeout=600)
            assert process.returncode == 0, err
            usual_s = time.monotonic() - began
            while total["kills"] < options.kills:
                place = Place(Path(folder) / str(total["sweeps"]), maker)
                left = options.kills - total["kills"]
                total += killed_until_done(place, draws, usual_s, left)
                total["sweeps"] += 1
                assert place.table.read_text() == whole, "another table"
        time.sleep(1.0)
        print(
            f"{name}: {total['kills']} kills, {total['in the middle']} of them with runs made, in "
            f"{total['sweeps']} sweeps; nothing lost, none twice, the same table; "
            f"{orphans()} orphans; {time.monotonic() - start:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
