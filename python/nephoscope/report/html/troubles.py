"""What went wrong in a run, part by part, in words."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nephoscope.report.terminal import count, plural, seconds, share

# From here on work waits for long; a fleet beyond it has no room for a bad minute.
SATURATED = 0.9
# Less steal than this nobody feels.
STEAL_FELT = 0.01

# Where more than this share of the requests had no answer yet, there may be a queue that grows.
UNFINISHED_FELT = 0.05
# A queue that was never as deep as this was never in anybody's way.
DEEP = 100

# As many neighbours are named, who ran the most.
_BESIDE_MAX = 3

LOST = ("rejected", "failed", "timed_out")

Tree = Mapping[str, Any]


class Trouble(NamedTuple):
    """Where something went wrong, as a path of the results or nothing, and what."""

    part: str
    words: str


def troubles(tree: Tree) -> list[Trouble]:
    """Everything that a reader should worry about, callers first."""
    return [
        *(Trouble("", flag) for flag in tree["flags"]),
        *_of(tree, "traffic", _traffic),
        *_of(tree, "load_balancers", _balancer),
        *_of(tree, "queues", _queue),
        *_of(tree, "topics", _pushed),
        *_of(tree, "buses", _pushed),
        *_of(tree, "pipes", _piped),
        *_of(tree, "fleets", _fleet),
        *_stolen(tree),
        *_of(tree, "hosts", _hosts),
    ]


def lost_words(part: Tree, sent: str) -> list[str]:
    """What was lost, kind by kind, each with its share."""
    return [
        f"{count(part[key])} {key.replace('_', ' ')} ({share_of(part[key], part[sent])})"
        for key in LOST
        if part[key]
    ]


def share_of(value: float, whole: float) -> str:
    """A share in percent, of which little is not nothing and nearly all is not all."""
    if not whole:
        return "-"
    part = value / whole
    if 0.0 < part < 0.001:
        return "under 0.1 %"
    return "over 99.9 %" if 0.999 < part < 1.0 else share(part)


def _of(tree: Tree, section: str, tell: Any) -> Iterator[Trouble]:
    for name, part in tree.get(section, {}).items():
        for words in tell(part):
            yield Trouble(f"{section}.{name}", words)


def _traffic(part: Tree) -> Iterator[str]:
    if lost := lost_words(part, "offered"):
        yield f"of {count(part['offered'])} requests " + ", ".join(lost)
    if part["in_flight"] >= max(UNFINISHED_FELT * part["offered"], 2):
        yield f"{count(part['in_flight'])} requests were unfinished at the end"
    if opened := part.get("circuit_breaker", {}).get("opened"):
        yield f"its circuit breaker opened {count(opened)} times"


def _balancer(part: Tree) -> Iterator[str]:
    health = part.get("health", {})
    if turned := health.get("turned_unhealthy"):
        now = health.get("unhealthy", 0)
        yield f"{count(turned)} times a target turned unhealthy, {count(now)} are so at the end"
    errors = {code: number for code, number in part.get("errors", {}).items() if number}
    if errors:
        yield "answered by itself: " + ", ".join(f"{count(n)} x {c}" for c, n in errors.items())
    if part.get("spilled"):
        yield f"{count(part['spilled'])} requests found its surge queue full"
    if over := part.get("capacity", {}).get("rejected"):
        yield f"{count(over)} requests were more than it has capacity for"
    if found := part.get("anomalies", {}).get("detected"):
        yield f"{count(found)} times a target failed more often than its peers"


def _queue(part: Tree) -> Iterator[str]:
    for key, words in (("dead_lettered", "became dead letters"), ("expired", "expired")):
        if part[key]:
            yield f"{count(part[key])} messages {words}"
    if part.get("timed_out"):
        yield f"{count(part['timed_out'])} receives outlived their visibility timeout"
    depth = part["depth"]
    if depth["max"] >= DEEP:
        words = f"{count(depth['max'])} deep at most, {count(depth['final'])} at the end"
        oldest = part["age_s"]["max"]
        yield words + ("" if oldest is None else f"; its slowest message took {seconds(oldest)}")


def _pushed(part: Tree) -> Iterator[str]:
    for key, words in (
        ("dropped", "were given up and dropped"),
        ("dead_lettered", "became dead letters"),
        ("pending", "were still tried at the end"),
    ):
        if part[key]:
            yield f"{count(part[key])} deliveries {words}"
    if part.get("throttled"):
        yield f"{count(part['throttled'])} events were more than its limit"
    if part.get("malformed"):
        yield f"{count(part['malformed'])} entries lacked what an entry has to have"


def _piped(part: Tree) -> Iterator[str]:
    if part["failed"]:
        yield f"{count(part['failed'])} times its target did not take a message"


def _fleet(part: Tree) -> Iterator[str]:
    busy = part.get("utilization")
    if busy is not None and busy >= SATURATED:
        yield f"saturated: its vCPUs were busy {share(busy)} of the time"
    failures = part.get("failures", {})
    if failures.get("count"):
        yield f"{plural(failures['count'], 'failure')}, {seconds(failures['down_s'])} down in all"
    for key in ("throttled", "shed"):
        if part.get(key):
            yield f"{count(part[key])} requests were {key}"


def _stolen(tree: Tree) -> Iterator[Trouble]:
    """Fleets whose vCPUs waited: by what, and where they did, beside whom."""
    for name, part in tree["fleets"].items():
        if (part.get("steal") or 0.0) >= STEAL_FELT:
            causes = part["steal_s"]
            first = max(causes, key=lambda cause: causes[cause])
            words = f"{share(part['steal'])} of its vCPU time was stolen, most of it by {first}"
            yield Trouble(f"fleets.{name}", words + _where(tree, name))


def _where(tree: Tree, fleet: str) -> str:
    """The host on which a fleet waited the most, and who else ran there; of many hosts nothing."""
    waited: dict[str, float] = {}
    for place in _instances(tree, fleet):
        waited[place["host"]] = waited.get(place["host"], 0.0) + sum(place["steal_s"].values())
    total = sum(waited.values())
    host = max(waited, key=lambda it: waited[it], default="")
    if not total or waited[host] < total / 2:
        return ""
    pool, _, number = host.rpartition("/")
    words = ", all of it" if waited[host] == total else f", {share_of(waited[host], total)} of it"
    words += f" on host {number} of {pool}"
    ran = {
        other: sum(it["run_s"] for it in _instances(tree, other) if it["host"] == host)
        for other in tree["fleets"]
        if other != fleet
    }
    beside = sorted((it for it in ran if ran[it]), key=lambda it: -ran[it])[:_BESIDE_MAX]
    return words + (f", beside {', '.join(beside)}" if beside else "")


def _instances(tree: Tree, fleet: str) -> list[Tree]:
    """Where the instances of a fleet are, if there are not too many to be listed."""
    listed = tree["fleets"][fleet].get("by_instance", {})
    return [] if "note" in listed else list(listed.values())


def _hosts(part: Tree) -> Iterator[str]:
    if part["rejected_launches"]:
        yield f"{count(part['rejected_launches'])} launches found no room"
