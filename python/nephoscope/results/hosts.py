"""What a run found on the hosts and on the machines of a fleet, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

# Why a vCPU that wanted to run did not: others ran, its cap forbade it, or a thread was kept idle
# to keep tenants apart.
_CAUSES = ("contention", "cap", "smt")

# By the number of the reason.
REFUSALS = {
    1: "no host has room",
    2: "no host in the zones asked for",
    3: "the spread group has its seven instances a zone",
    4: "only racks that the group forbids have room",
    5: "the tenancy does not allow it",
    6: "no burstable types in a cluster",
}

# A list of more hosts helps nobody; the ones with the most steal are what is looked for.
HOSTS_LISTED_MAX = 1000


def causes(numbers: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that there can be; where instances migrate, what they wanted while they did."""
    return (*_CAUSES, "migration") if "steal_migration_ns" in numbers else _CAUSES


def steal_ns(numbers: Mapping[str, Any]) -> int:
    """Of all causes together."""
    return sum(int(numbers[f"steal_{cause}_ns"]) for cause in causes(numbers))


def steal_s(numbers: Mapping[str, Any]) -> Tree:
    """VCPU time that was wanted and not given, by cause, in seconds."""
    return {cause: int(numbers[f"steal_{cause}_ns"]) / 1e9 for cause in causes(numbers)}


def steal_at(columns: Mapping[str, Any], i: int) -> Tree:
    """The same of one of many."""
    return {cause: int(columns[f"steal_{cause}_ns"][i]) / 1e9 for cause in causes(columns)}


def interference_s(slowed_ns: Any) -> Tree:
    """VCPU time that was run and lost to what neighbours do in caches and memory bandwidth."""
    return {} if slowed_ns is None else {"interference_s": int(slowed_ns) / 1e9}


def credit_tree(numbers: Mapping[str, Any]) -> Tree:
    """CPU credits of the instances of a fleet, of the whole run; nothing if it has none.

    A credit is one vCPU at full use for a minute. `charged` are those of a surplus that is billed,
    as if the run ended now.
    """
    if "credits_earned" not in numbers:
        return {}
    keys = ("earned", "launch", "spent", "balance", "charged")
    return {"cpu_credits": {key: float(numbers[f"credits_{key}"]) for key in keys}}


def device_tree(numbers: Mapping[str, Any]) -> Tree:
    """What the requests of a fleet asked of devices since the warm-up; nothing if they never do.

    Bytes and operations that were asked for, accelerator time of batches that have begun, and
    requests that failed for want of memory. Where some steps receive, `received_bytes` are those of
    `network_bytes` that came in.
    """
    if "network_bytes" not in numbers:
        return {}
    counts = ("network_bytes", "disk_bytes", "disk_ops", "out_of_memory")
    told: Tree = {key: int(numbers[key]) for key in counts}
    if "received_bytes" in numbers:
        told["received_bytes"] = int(numbers["received_bytes"])
    return {"devices": told | {"gpu_s": int(numbers["gpu_ns"]) / 1e9}}


def pool_tree(numbers: Mapping[str, Any], measured_s: float) -> Tree:
    """A pool of hosts as a whole."""
    run = numbers["run_ns"]
    slowed = numbers.get("slowed_ns")
    thread_s = measured_s * int(numbers["threads"])
    stolen = {cause: numbers[f"steal_{cause}_ns"] for cause in causes(numbers)}
    return {
        "hosts": len(run),
        "utilization": float(run.sum()) / 1e9 / (thread_s * len(run)) if thread_s else None,
        "steal_s": {cause: float(column.sum()) / 1e9 for cause, column in stolen.items()},
        **interference_s(None if slowed is None else slowed.sum()),
        "placements": int(numbers["placements"]),
        "rejected_launches": int(numbers["rejected_launches"]),
        **({"migrations": int(numbers["migrations"])} if "migrations" in numbers else {}),
    }


def host_trees(numbers: Mapping[str, Any], measured_s: float) -> Tree:
    """Each host of a pool that was ever used; of very many those with the most steal."""
    run = numbers["run_ns"]
    slowed = numbers.get("slowed_ns")
    thread_s = measured_s * int(numbers["threads"])
    stolen = [numbers[f"steal_{cause}_ns"] for cause in causes(numbers)]
    used = [i for i in range(len(run)) if run[i] or numbers["instances"][i]]
    worst = sorted(used, key=lambda i: -sum(int(column[i]) for column in stolen))
    return {
        str(i): {
            "instances": int(numbers["instances"][i]),
            "utilization": int(run[i]) / 1e9 / thread_s if thread_s else None,
            "steal_s": steal_at(numbers, i),
            **interference_s(None if slowed is None else slowed[i]),
        }
        for i in sorted(worst[:HOSTS_LISTED_MAX])
    }
