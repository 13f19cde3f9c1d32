"""Which numbers an experiment is about: by their paths in a result, or a sensible choice."""

from collections.abc import Iterable, Sequence
from typing import Any

from nephoscope.errors import PathError
from nephoscope.nearest import listing, nearest
from nephoscope.results import Result

# The one number of experiments that a result does not have: what came to nothing, of all offered.
LOST_SHARE = "lost_share"
_LOST = ("rejected", "failed", "timed_out")

# Of the run, not of what was simulated: nothing to compare.
_OF_THE_RUN = ("format", "seed", "replication", "events", "wall_s", "steady")


def number_at(result: Result, path: str) -> Any:
    """What a result has at a path, lost shares too; raises PathError where there is nothing."""
    section, _, name = path.removesuffix(f".{LOST_SHARE}").partition(".")
    if section != "traffic" or not path.endswith(f".{LOST_SHARE}"):
        return result[path]
    account = result[f"traffic.{name}"]
    lost = sum(account[key] for key in _LOST)
    return lost / account["offered"] if account["offered"] else None


def numbers_of(result: Result) -> dict[str, float]:
    """Every number of a result by its path, lost shares too; what is undefined is left out."""
    numbers = dict(result.scalars())
    for path in [path for path in numbers if path.startswith("traffic.")]:
        if path.count(".") == 2 and path.endswith(".offered") and numbers[path]:
            share = path.removesuffix("offered") + LOST_SHARE
            numbers[share] = number_at(result, share)
    return numbers


def chosen(results: Sequence[Result], metrics: Sequence[str] | None) -> list[str]:
    """The metrics asked for, checked; of each source of traffic and of the bill if none are.

    A metric counts as known if one of the results has it; it may be undefined there.
    """
    if metrics is None:
        return defaults(results)
    if isinstance(metrics, str):
        metrics = [metrics]
    if not metrics:
        raise PathError("no metrics: at least one path of a result is needed")
    for metric in metrics:
        check_known(results, metric)
    return list(dict.fromkeys(metrics))


def defaults(results: Sequence[Result]) -> list[str]:
    """What users feel, how many of them in vain, and what it costs."""
    found = {}
    for result in results:
        tree = result.to_dict()
        for name in tree["traffic"]:
            for number in ("latency_s.mean", "latency_s.p99", "lost_share"):
                found[f"traffic.{name}.{number}"] = True
        if "total" in tree.get("cost_usd", {}):
            found["cost_usd.total"] = True
    # The bill last, and all numbers of one source of traffic together.
    return sorted(found, key=lambda path: path.startswith("cost_usd"))


def check_known(results: Sequence[Result], metric: str) -> None:
    """Refuse what no result has, with the nearest word, and what is not a number."""
    values = []
    for result in results:
        try:
            values.append(number_at(result, metric))
        except PathError:
            continue
    known = [path for result in results for path in numbers_of(result)]
    if not values or metric in _OF_THE_RUN:
        raise _unknown(metric, known)
    for value in values:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            inside = [path for path in dict.fromkeys(known) if path.startswith(f"{metric}.")]
            there = f" (numbers in it: {listing(inside, 6)})" if inside else ""
            raise PathError(f"{metric} is not a number{there}")


def is_missing(results: Iterable[Result], metric: str) -> bool:
    """Whether no result even has such a number, rather than an undefined one."""
    for result in results:
        try:
            number_at(result, metric)
        except PathError:
            continue
        return False
    return True


def _unknown(metric: str, known: Iterable[str]) -> PathError:
    paths = list(dict.fromkeys(known))
    # Targets are many, and hardly ever what was meant.
    likely = [path for path in paths if ".targets." not in path and ".by_host." not in path]
    word = nearest(metric, likely) or nearest(metric, paths)
    hint = f"; did you mean {word}?" if word else ""
    return PathError(f"no number {metric!r} in these results{hint}")
