"""Sweeps: every combination, by any executor; what a journal has is not run again."""

import re
import sqlite3
from concurrent.futures import CancelledError, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

import nephoscope as nph
from experiment.executors import Dying, InTurn
from experiment.small import COUNT, LOST, MEAN, P99, small
from nephoscope.experiment import alternatives, labour
from nephoscope.experiment.journal import Journal, Recorded, scenario_hash

RATE = "traffic.users.rate"
GRID = {COUNT: [2, 3], RATE: ["5/s", "10/s", "15/s"]}
FOUND = nph.sweep(small(), GRID, 3)


def test_a_cell_is_the_replications_of_its_scenario():
    assert len(FOUND) == 6
    for cell in FOUND.cells:
        runs = nph.replicate(small(**cell.values), 3)
        assert cell.intervals == {metric: runs[metric] for metric in (MEAN, P99, LOST)}
        assert cell.fingerprint == runs.fingerprint
        assert list(cell.flags) == runs.flags
    assert FOUND["count=3, rate=15/s"].values == {COUNT: 3, RATE: "15/s"}
    assert FOUND.simulated == 18


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(workers):
    assert nph.sweep(small(), GRID, 3, workers=workers).to_dict() == FOUND.to_dict()


def test_any_executor_will_do():
    for executor in (InTurn(), ThreadPoolExecutor(2)):
        with executor:
            found = nph.sweep(small(), GRID, 3, executor=executor)
            assert found.to_dict() == FOUND.to_dict()
            assert found.to_csv() == FOUND.to_csv()
            # It is the caller's: it still takes work.
            assert executor.submit(abs, -1).result() == 1


def test_few_runs_and_scenarios_are_held_at_a_time(monkeypatch):
    monkeypatch.setattr(labour, "AHEAD", 2)
    monkeypatch.setattr(alternatives, "SCENARIOS_HELD", 1)
    assert nph.sweep(small(), GRID, 3, workers=2).to_dict() == FOUND.to_dict()


def test_what_is_in_the_journal_is_not_run_again(tmp_path):
    file = tmp_path / "runs.sqlite"
    executor = InTurn()
    assert nph.sweep(small(), GRID, 3, executor=executor, journal=file).simulated == 18
    assert executor.runs == 18
    again = nph.sweep(small(), GRID, 3, executor=executor, journal=file)
    assert (executor.runs, again.simulated) == (18, 0)
    assert again.to_dict() == FOUND.to_dict()
    # Other metrics, more replications and a larger grid need only what is new.
    nph.sweep(small(), GRID, 3, executor=executor, journal=file, metrics=["in_flight"])
    assert executor.runs == 18
    nph.sweep(small(), GRID, 5, executor=executor, journal=file)
    assert executor.runs == 30
    nph.sweep(small(), {COUNT: [3, 4], RATE: ["5/s"]}, 5, executor=executor, journal=file)
    assert executor.runs == 35
    nph.sweep(small(), GRID, 3, executor=executor, journal=file, rng=99)
    assert executor.runs == 53


def test_another_engine_has_runs_of_its_own(tmp_path, monkeypatch):
    file = tmp_path / "runs.sqlite"
    nph.sweep(small(), GRID, 1, journal=file)
    monkeypatch.setattr("nephoscope.experiment.journal.engine_version", lambda: "another")
    assert nph.sweep(small(), GRID, 1, journal=file).simulated == 6
    monkeypatch.undo()
    assert nph.sweep(small(), GRID, 1, journal=file).simulated == 0


def test_a_sweep_whose_worker_dies_goes_on(tmp_path):
    file = tmp_path / "runs.sqlite"
    for after in (0, 4, 10):
        dying = Dying(after)
        with pytest.raises(nph.ExperimentError) as caught:
            nph.sweep(small(), GRID, 3, executor=dying, journal=file)
        text = str(caught.value)
        assert text.startswith("a worker died (its worker was killed); ")
        assert text.endswith("of 18 runs are in the journal "
                             f"{file}, and the same sweep goes on from there")  # fmt: skip
    # 0, 4 and 10 runs more.
    assert "14 of 18 runs" in text
    rest = InTurn()
    found = nph.sweep(small(), GRID, 3, executor=rest, journal=file)
    assert (rest.runs, found.simulated) == (4, 4)
    assert found.to_csv() == FOUND.to_csv()


def test_a_sweep_whose_cluster_goes(tmp_path):
    file = tmp_path / "runs.sqlite"
    with pytest.raises(nph.ExperimentError) as caught:
        nph.sweep(small(), GRID, 3, executor=Dying(4, CancelledError()), journal=file)
    told = r"the executor gave up replication 0 of .*; 4 of 18 runs are in the journal "
    assert re.match(told, str(caught.value))
    found = nph.sweep(small(), GRID, 3, journal=file)
    assert (found.simulated, found.to_csv()) == (14, FOUND.to_csv())


def test_processes_even_if_they_are_killed(tmp_path):
    file = tmp_path / "runs.sqlite"
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as executor:
        assert nph.sweep(small(), GRID, 3, executor=executor).to_dict() == FOUND.to_dict()

        # A worker needs no data file of the scenario.
        table = tmp_path / "work.csv"
        table.write_text("s\n0.02\n0.15\n")
        replay = {"replay": {"file": str(table), "column": "s"}}
        replayed = small(**{"services.page.steps.0.compute": replay})
        table.unlink()
        there = nph.sweep(replayed, GRID, 1, executor=executor)
        assert there.to_dict() == nph.sweep(replayed, GRID, 1).to_dict()

        def kill(done):
            # Each cell has been run once, and the next runs are about to be submitted.
            if done == 6:
                for process in list(executor._processes.values()):
                    process.kill()

        with pytest.raises(
            nph.ExperimentError, match=r"a worker died .* 6 of 18 runs are in the j"
        ):
            nph.sweep(small(), GRID, 3, executor=executor, journal=file, progress=kill)
    found = nph.sweep(small(), GRID, 3, journal=file)
    assert found.simulated == 12
    assert found.to_csv() == FOUND.to_csv()


def test_a_run_that_fails_is_named():
    failing = Dying(5, nph.NephoscopeError("out of wits"))
    with pytest.raises(nph.ExperimentError) as caught:
        nph.sweep(small(), GRID, 3, executor=failing)
    assert str(caught.value) == (
        "replication 0 of count=3, rate=15/s failed, NephoscopeError: out of wits; "
        "nothing is kept without a journal"
    )
    with pytest.raises(KeyboardInterrupt):
        nph.sweep(small(), GRID, 3, executor=Dying(5, KeyboardInterrupt()))


def test_a_pilot_is_run_once(tmp_path, monkeypatch):
    file = tmp_path / "runs.sqlite"
    auto = small(warmup="auto", series="auto", duration="120s")
    grid = {RATE: ["5/s", "13/s"]}
    first = nph.sweep(auto, grid, 2, journal=file)
    for cell in first.cells:
        assert cell.fingerprint == nph.replicate(auto.replace(cell.values), 2).fingerprint
    monkeypatch.setattr(labour, "warmup_of", None)
    assert nph.sweep(auto, grid, 3, journal=file, metrics=[LOST]).simulated == 2


def test_what_some_cells_lack_is_empty():
    grid = {RATE: ["5/s", "0.00001/s"], COUNT: [2]}
    found = nph.sweep(small(), grid, 2)
    nobody = found.cells[1]
    assert nobody.intervals == {MEAN: None, P99: None, LOST: None}
    assert found.to_csv().splitlines()[2] == "0.00001/s,2" + ",,,,0" * 3
    assert any("no request completed" in flag for flag in nobody.flags)


def test_a_wrong_metric_costs_one_replication_of_each():
    executor = InTurn()
    with pytest.raises(nph.PathError, match=r"did you mean traffic\.users\.latency_s\.p99"):
        nph.sweep(small(), GRID, 50, executor=executor, metrics=["traffic.users.latency_s.p98"])
    assert executor.runs == 6
    with pytest.raises(nph.PathError, match="targets"):
        nph.sweep(small(), GRID, 1, metrics=["load_balancers.door.targets.0.requests"])


def test_refusals():
    for options, words in (
        ({"replications": 0}, "at least one replication"),
        ({"workers": 0}, "at least one thread"),
        ({"workers": 1, "executor": InTurn()}, "those of the executor"),
        ({"confidence": 0.0}, "above 0"),
    ):
        with pytest.raises(ValueError, match=words):
            nph.sweep(small(), GRID, **options)
    with pytest.raises(TypeError, match="no executor"):
        nph.sweep(small(), GRID, executor="ray")
    with pytest.raises(nph.PathError, match=r"did you mean count=2, rate=5/s\?"):
        FOUND["count=2, rate=5"]


def test_progress_begins_with_what_is_there(tmp_path):
    file = tmp_path / "runs.sqlite"
    nph.sweep(small(), GRID, 1, journal=file)
    seen = []
    nph.sweep(small(), GRID, 2, journal=file, progress=seen.append)
    assert seen[0] == 6
    assert seen == sorted(set(seen))
    assert seen[-1] == 12


def test_the_hash_knows_all_that_matters(tmp_path):
    table = tmp_path / "work.csv"
    table.write_text("ms\n1\n2\n")
    replay = {"replay": {"file": str(table), "column": "ms"}}
    one = small(**{"services.page.steps.0.compute": replay})
    hashes = {scenario_hash(small(), 3), scenario_hash(small(), 4), scenario_hash(one, 3)}
    hashes.add(scenario_hash(small(**{COUNT: 3}), 3))
    assert scenario_hash(nph.Scenario.from_dict(one.to_dict()), 3) in hashes
    table.write_text("ms\n1\n3\n")
    hashes.add(scenario_hash(nph.Scenario.from_dict(one.to_dict()), 3))
    assert len(hashes) == 5
    # What was read stays what is run, whatever becomes of the file.
    assert scenario_hash(one, 3) in hashes


def test_a_journal_is_written_by_one_at_a_time(tmp_path):
    file = tmp_path / "runs.sqlite"
    with (
        Journal(file),
        pytest.raises(nph.ExperimentError, match="another experiment is using it"),
    ):
        nph.sweep(small(), GRID, 1, journal=file)
    assert nph.sweep(small(), GRID, 1, journal=file).simulated == 6


def test_files_that_are_no_journal(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be looked at" * 100)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE things (name TEXT)")
    database.close()
    newer = tmp_path / "newer.sqlite"
    Journal(newer).__exit__()
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 1000000")
    database.close()
    for file, words in (
        (text, "file is not a database"),
        (other, "not a journal of nephoscope"),
        (newer, "another version"),
        (tmp_path / "none" / "x", "unable to open"),
        (tmp_path, "unable to open"),
    ):
        with pytest.raises(nph.ExperimentError, match=words):
            nph.sweep(small(), GRID, 1, journal=file)
    assert text.read_text().startswith("not a database")


def test_a_damaged_outcome_is_told(tmp_path):
    file = tmp_path / "runs.sqlite"
    with Journal(file) as journal:
        one = scenario_hash(small(), 3)
        journal.record([Recorded(one, 0, b"rubbish")])
        with pytest.raises(nph.ExperimentError, match="cannot be read: not an outcome"):
            journal.outcomes(one, 1)
        # All of a record or none of it.
        with pytest.raises(nph.ExperimentError, match="UNIQUE"):
            journal.record([Recorded(one, 1, b"x"), Recorded(one, 0, b"x")])
        assert journal.replications(one) == {0}
