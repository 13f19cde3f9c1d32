"""What an account may have in a region, and how fast it may call, by `quotas.csv`.

A quota of `any` region is that of all that have none of their own. Where no figure of a region is
published it is `inferred`: the puts of a region are those of the region with the same invocations,
and otherwise the least figure that is published counts. Puts have none in af-south-1 and
eu-south-1.
"""

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest

ANY = "any"

# Those of which figures are published.
Region = Literal[
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "af-south-1",
    "eu-south-1",
]
REGIONS: tuple[str, ...] = get_args(Region)


@dataclass(frozen=True, slots=True)
class Quota:
    """The most there may be of something."""

    name: str
    region: str
    most: int
    source: str
    """`documentation`; `recalled`, as widely told; or `inferred`, where nothing is published."""


def quota_table() -> tuple[Quota, ...]:
    """Every row."""
    return _rows()


@functools.cache
def quotas(region: str) -> dict[str, int]:
    """The quotas of a region by name; raises CatalogError, with the nearest, where there is none.

    >>> quotas("us-east-2")["puts_per_second"]
    2400
    """
    if region not in REGIONS:
        message = f"no region {shorten(region)}"
        raise CatalogError(message, listing(REGIONS), nearest(region, REGIONS))
    everywhere = {row.name: row.most for row in _rows() if row.region == ANY}
    return everywhere | {row.name: row.most for row in _rows() if row.region == region}


@functools.cache
def _rows() -> tuple[Quota, ...]:
    text = resources.files("nephoscope.catalog").joinpath("quotas.csv").read_text(encoding="utf-8")
    return tuple(
        Quota(row["name"], row["region"], int(row["most"]), row["source"])
        for row in csv.DictReader(text.splitlines())
    )
