"""Which numbers an experiment is about: by their paths in a result, or a sensible choice."""

from collections.abc import Iterable, Sequence

from nephoscope.errors import PathError
from nephoscope.experiment.outcome import LOST_SHARE, ResultRun, Run
from nephoscope.nearest import ending, listing, nearest


def chosen(runs: Sequence[Run], metrics: Sequence[str] | None) -> list[str]:
    """The metrics asked for, checked; of each source of traffic and of the bill if none are.

    A metric counts as known if one of the runs has it; it may be undefined there.
    """
    if metrics is None:
        return defaults(runs)
    if isinstance(metrics, str):
        metrics = [metrics]
    if not metrics:
        raise PathError("no metrics: at least one path of a result is needed")
    for metric in metrics:
        check_known(runs, metric)
    return list(dict.fromkeys(metrics))


def defaults(runs: Iterable[Run]) -> list[str]:
    """What users feel, how many of them in vain, and what it costs."""
    paths = [path for run in runs for path in run.numbers]
    traffic = [
        path.removesuffix(".offered")
        for path in dict.fromkeys(paths)
        if path.startswith("traffic.") and path.count(".") == 2 and path.endswith(".offered")
    ]
    numbers = ("latency_s.mean", "latency_s.p99", LOST_SHARE)
    bill = ["cost_usd.total"] if "cost_usd.total" in paths else []
    return [f"{part}.{number}" for part in traffic for number in numbers] + bill


def check_known(runs: Sequence[Run], metric: str) -> None:
    """Refuse what no run has, or what is not a number, with the nearest path that is."""
    if any(run.knows(metric) for run in runs):
        return
    paths = list(dict.fromkeys(path for run in runs for path in run.numbers))
    inside = [path for path in paths if path.startswith(f"{metric}.")]
    if inside:
        raise PathError(f"{metric} is not a number (numbers in it: {listing(inside, 6)})")
    # Targets are many, and hardly ever what was meant.
    likely = [path for path in paths if ".targets." not in path and ".by_host." not in path]
    word = (
        ending(metric, likely)
        or nearest(metric, likely)
        or nearest(metric, paths)
        or next((path for path in likely if path.startswith(metric)), None)
    )
    hint = f"; did you mean {word}?" if word else ""
    raise PathError(f"no number {metric!r} in these results{hint}")


def whole_paths(run: ResultRun, path: str) -> list[str]:
    """The path of a number, or where all traffic has what it is the end of: `latency_s.p99`."""
    sections = {it.partition(".")[0] for it in run.numbers}
    if run.knows(path) or path.partition(".")[0] in sections:
        check_known([run], path)
        return [path]
    paths = [f"traffic.{name}.{path}" for name in run.result["traffic"]]
    if known := [it for it in paths if run.knows(it)]:
        return known
    ends = [it.split(".", 2)[2] for it in run.numbers if it.startswith("traffic.")]
    if word := nearest(path, ends):
        where = "in these results, nor at the end of traffic.NAME"
        raise PathError(f"no number {path!r} {where}; did you mean {word}?")
    check_known([run], path)
    return [path]
