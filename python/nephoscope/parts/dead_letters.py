"""Whose dead letters a queue takes."""

from __future__ import annotations

from typing import Any

from nephoscope.errors import Problem, ScenarioError
from nephoscope.nearest import nearest

# Queues that one may name whose dead letters it takes.
SOURCES_MAX = 10


def read_sources(allowed: Any) -> tuple[bool, tuple[str, ...]]:
    """Whether the dead letters of all queues are taken, and if not, those of which."""
    if isinstance(allowed, str) and allowed in {"all", "none"}:
        return allowed == "all", ()
    names = allowed if isinstance(allowed, list | tuple) else []
    if not 1 <= len(names) <= SOURCES_MAX or not all(isinstance(it, str) for it in names):
        words = f"all, none or the names of 1 to {SOURCES_MAX} queues"
        suggestion = nearest(allowed, ("all", "none")) if isinstance(allowed, str) else None
        problem = Problem("redrive_allow", "is not known", allowed=words, suggestion=suggestion)
        raise ScenarioError([problem])
    return False, tuple(names)
