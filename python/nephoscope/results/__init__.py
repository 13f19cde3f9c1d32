"""What a run found: the numbers by path, a part of them in each file."""

from nephoscope.results.result import (
    FORMAT,
    SECTIONS,
    TARGETS_LISTED_MAX,
    Result,
    engine_version,
)
from nephoscope.results.steady import grows

__all__ = ["FORMAT", "SECTIONS", "TARGETS_LISTED_MAX", "Result", "engine_version", "grows"]
