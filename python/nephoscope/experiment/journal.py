"""A journal of runs in an SQLite file: what has been run once is not run again.

A run is known by the hash of its scenario (with its seed, and the contents of its data files), the
version of the engine and the number of its replication; those three say all about its outcome. A
run is in the journal when its transaction has been committed, and from then on whatever becomes of
the process or the machine. One process at a time writes a journal: the file is locked for as long
as it is open, and the lock goes with its process.

What is committed is written, once, to the end of a second file (`-wal`: SQLite's write-ahead log),
which goes into the first every now and then and when the journal is closed. After a kill it is
still there, belongs to the journal, and is read when that is next opened.

No outcome is ever unpickled from the file: outcomes are data, and reading a journal runs nothing.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from nephoscope.errors import ExperimentError
from nephoscope.experiment.outcome import Outcome
from nephoscope.results import FORMAT, engine_version
from nephoscope.scenario import Scenario
from nephoscope.scenario.data_files import data_arrays
from nephoscope.scenario.language.compiled_policy import RoutingPolicy

# "neph", by which SQLite and `file` tell the file from others; and the version of the tables.
_APPLICATION_ID = 0x6E657068
_VERSION = 8

_TABLES = """
CREATE TABLE runs (
    scenario TEXT, engine TEXT, replication INTEGER, outcome BLOB NOT NULL,
    PRIMARY KEY (scenario, engine, replication)
) WITHOUT ROWID;
CREATE TABLE pilots (
    scenario TEXT, engine TEXT, warmup_ns INTEGER NOT NULL, PRIMARY KEY (scenario, engine)
) WITHOUT ROWID;
"""


class Recorded(NamedTuple):
    """A run that has ended."""

    scenario: str
    """The hash of its scenario."""
    replication: int
    outcome: bytes


def scenario_hash(scenario: Scenario, seed: int) -> str:
    """128 bits over everything that decides about the runs of a scenario but their number."""
    tree = scenario.to_dict()
    words = json.dumps([FORMAT, seed, tree], default=_text, separators=(",", ":"))
    digest = hashlib.blake2b(words.encode(), digest_size=16)
    for array in data_arrays(tree, scenario.files):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _text(value: object) -> str:
    return value.identity if isinstance(value, RoutingPolicy) else str(value)


class Journal:
    """The runs in a file, or in memory where there is none."""

    def __init__(self, path: str | Path | None) -> None:
        self.path = path
        self.engine = engine_version()
        with self._told("be opened"):
            target = ":memory:" if path is None else str(path)
            # Statements commit by themselves unless a transaction is begun.
            self._db = sqlite3.connect(target, timeout=0.0, isolation_level=None)
        try:
            with self._told("be opened"):
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def replications(self, scenario: str) -> set[int]:
        """Which replications of a scenario there are."""
        with self._told("be read"):
            rows = self._db.execute(
                "SELECT replication FROM runs WHERE scenario = ? AND engine = ?",
                (scenario, self.engine),
            )
            return {int(replication) for (replication,) in rows}

    def outcomes(self, scenario: str, replications: int) -> list[Outcome]:
        """The outcomes of the first replications of a scenario, in order, which are all there."""
        with self._told("be read"):
            rows = self._db.execute(
                "SELECT outcome FROM runs WHERE scenario = ? AND engine = ? AND replication < ?"
                " ORDER BY replication",
                (scenario, self.engine, replications),
            ).fetchall()
            return [Outcome.unpack(outcome) for (outcome,) in rows]

    def record(self, runs: Iterable[Recorded]) -> None:
        """Keep runs, all of them or none."""
        rows = [(run.scenario, self.engine, run.replication, run.outcome) for run in runs]
        self._write("INSERT INTO runs VALUES (?, ?, ?, ?)", rows)

    def warmup_ns(self, scenario: str) -> int | None:
        """What a pilot has found, if one has been run."""
        with self._told("be read"):
            row = self._db.execute(
                "SELECT warmup_ns FROM pilots WHERE scenario = ? AND engine = ?",
                (scenario, self.engine),
            ).fetchone()
        return None if row is None else int(row[0])

    def record_warmups(self, warmups: Iterable[tuple[str, int]]) -> None:
        """Keep what pilots have found."""
        rows = [(scenario, self.engine, warmup_ns) for scenario, warmup_ns in warmups]
        self._write("INSERT INTO pilots VALUES (?, ?, ?)", rows)

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._told("be written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(statement, rows)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA synchronous = FULL")
        # The lock is taken by the first transaction, and kept.
        self._db.execute("BEGIN EXCLUSIVE")
        (ours,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and ours != _APPLICATION_ID:
            raise ExperimentError(f"{self.path} is a database, but not a journal of nephoscope")
        if tables and version != _VERSION:
            raise ExperimentError(f"{self.path} is a journal of another version of nephoscope")
        if not tables:
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
        self._db.execute("COMMIT")
        # Only now: a file that is not ours stays as it is.
        self._db.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what SQLite and damaged rows raise into what a user can act on."""
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            reason = str(error)
            if "locked" in reason:
                reason = "another experiment is using it"
            place = "the journal" if self.path is None else f"the journal {self.path}"
            raise ExperimentError(f"{place} cannot {what}: {reason}") from error
