"""Journals as a kill has left them, read without a change to their files."""

import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def log_of(journal):
    """The file beside an open journal, to whose end runs are written."""
    return journal.with_name(f"{journal.name}-wal")


@contextmanager
def copied(journal):
    """A connection to a copy: who closes the files themselves would bring them in order."""
    with TemporaryDirectory() as folder:
        for file in journal.parent.glob(f"{journal.name}*"):
            shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder) / journal.name)) as database:
            yield database


def has_tables(database):
    """Whether it came to be a journal before the kill."""
    return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
