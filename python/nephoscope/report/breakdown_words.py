"""What latencies are made of, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from nephoscope.results.breakdown import QUANTILES, Part, parts_of

# What happens at the instances of a fleet, and what elsewhere.
_AT_FLEET = {
    "waiting": "waiting for a worker of {}",
    "work": "computing at {}",
    "sharing": "sharing the vCPUs of {}",
    "steal": "steal on the hosts of {}",
    "sleeping": "sleeping at {}",
    "network": "network of {}",
    "disk": "disks of {}",
    "accelerator": "accelerators of {}",
    "not_answering": "instances of {} that do not answer",
}
_ELSEWHERE = {
    "balancer": "waiting at a load balancer for room",
    "retry": "attempts in vain and the waits between",
}

QUANTILE_NAMES = {key: "p99.9" if key == "p999" else key for key in ("mean", *QUANTILES)}

# So many parts are named in a line, none of them below this share.
_NAMED_MAX = 3
_FELT = 0.02


def part_words(part: Part) -> str:
    """What a part of a latency is: `waiting for a worker of web`."""
    return _AT_FLEET[part.what].format(part.fleet) if part.fleet else _ELSEWHERE[part.what]


def tail_words(name: str, breakdown: Mapping[str, Any]) -> Iterator[str]:
    """One line: what the highest quantile that is told, p99 at most, is made of."""
    for key in ("p99", "p90", "p50"):
        told = breakdown.get(key)
        if told is None or not told["latency_s"]:
            continue
        parts = [(part_words(part), value / told["latency_s"]) for part, value in parts_of(told)]
        felt = [f"{share:.0%} {words}" for words, share in parts if share >= _FELT]
        rest = ", .." if len(felt) > _NAMED_MAX else ""
        yield f"{key} of {name}: {', '.join(felt[:_NAMED_MAX])}{rest}".replace("%", " %")
        return
