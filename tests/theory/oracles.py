"""Reader of the reference data that lies beside a development tree; absent from a plain clone."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "oracles.jsonl"
ABSENT = "the reference data (../shared/data/oracles.jsonl) is not here"

Entry = dict[str, Any]


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Every entry by name; empty where the file is absent."""
    if not FILE.exists():
        return {}
    with FILE.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    return {row["name"]: row for row in rows}


def names(*prefixes: str) -> list[str]:
    """Names of the entries that begin with one of the prefixes, in the order of the file."""
    return [name for name in entries() if name.startswith(prefixes)]


def cases(*prefixes: str) -> list[Any]:
    """The same for a parametrised test, which says why it is skipped where the file is absent."""
    return names(*prefixes) or [pytest.param("", marks=pytest.mark.skip(reason=ABSENT))]
