"""Placement against plain loops over all hosts (placement_model.py), on random sequences."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute.placement_model import Cloud, Instance, Request, random_cloud, random_request
from nephoscope import parts

RESOURCES = {"vcpus": "vcpus", "memory": "memory_bytes", "accelerators": "accelerators"}
RESOURCES["disks"] = "disks"
Alive = list[tuple[int, Instance]]


def launch(cloud: Cloud, request: Request, alive: Alive) -> str:
    """Launch in both and compare; the reason."""
    got = cloud.part.launch(**request.keywords())
    legal = (
        []
        if cloud.model.group_refusal(request)
        else [
            (host.number, partition)
            for partition in cloud.model.partitions(request)
            for host in cloud.model.legal(request, partition)
        ]
    )
    instance, reason = cloud.model.place(request)
    assert parts.REFUSALS[got.refusals[0]] == reason, request
    if instance is None:
        # The refusal is complete: by no rule is there a host for it.
        assert legal == []
        assert (got.hosts[0], got.placements[0]) == (parts.NOWHERE, parts.NOWHERE)
    else:
        partition = parts.NOWHERE if instance.partition is None else instance.partition
        assert (got.hosts[0], got.partitions[0]) == (instance.host.number, partition), request
        assert (instance.host.number, instance.partition) in legal
        alive.append((int(got.placements[0]), instance))
    return reason


def release(cloud: Cloud, alive: Alive, at: int) -> None:
    placement, instance = alive.pop(at)
    cloud.part.release(placement)
    instance.host.instances.remove(instance)


def step(
    cloud: Cloud, rng: random.Random, alive: Alive, filling: float, palette: list[Request]
) -> str:
    """One operation in both."""
    hosts = cloud.model.hosts
    chance = rng.random()
    host = hosts[rng.randrange(len(hosts))]
    if chance < 0.04:
        host.open = not host.open
        (cloud.part.reopen if host.open else cloud.part.close)(host.number)
        return "door"
    if chance < 0.06:
        account, auto = rng.randrange(3), rng.random() < 0.5
        had = cloud.part.allocate_host(host.number, account, auto_placement=auto)
        assert had == (not host.instances and host.account is None)
        if had:
            host.account, host.auto_placement = account, auto
        return "allocate"
    if chance < 0.08:
        had = cloud.part.release_host(host.number)
        assert had == (not host.instances and host.account is not None)
        if had:
            host.account = None
        return "give back"
    if alive and chance < 1 - filling:
        release(cloud, alive, rng.randrange(len(alive)))
        return "release"
    return launch(cloud, rng.choice(palette), alive)


def requests(cloud: Cloud, rng: random.Random, count: int) -> list[Request]:
    """So many different launches; half of those with tenancy host name one."""
    made = [random_request(rng, len(cloud.model.hosts)) for _ in range(count)]
    for at, request in enumerate(made):
        named = [h.number for h in cloud.model.hosts if h.pool == request.pool]
        if request.tenancy == "host" and named and rng.random() < 0.5:
            made[at] = replace(request, host=rng.choice(named))
    return made


def check_conservation(cloud: Cloud, alive: Alive) -> None:
    """What a host has given away is what is on it, and never more than it has."""
    hosts = cloud.part.hosts()
    assert len(cloud.part) == len(alive)
    for word, column in RESOURCES.items():
        room, left = hosts[column].astype(np.int64), hosts[f"{column}_left"].astype(np.int64)
        used = np.zeros_like(room)
        for _, instance in alive:
            used[instance.host.number] += getattr(instance.request, word)
        assert (room - left == used).all()
        assert (used <= room).all()
        assert room.tolist() == [getattr(h, word) for h in cloud.model.hosts]
    assert hosts["instances"].tolist() == [len(h.instances) for h in cloud.model.hosts]


@pytest.mark.parametrize("policy", parts.PLACE_POLICIES)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    hosts=st.integers(1, 24),
    operations=st.integers(1, 120),
    filling=st.sampled_from([0.55, 0.7, 0.9]),
    shapes=st.sampled_from([1, 2, 4, 16, 200]),
    zones=st.integers(1, 3),
    racks=st.integers(1, 16),
)
def test_policy_is_the_plain_loop(policy, seed, hosts, operations, filling, shapes, zones, racks):
    """Few shapes have their indexes catch up with changes, many have them built anew."""
    rng = random.Random(seed)
    cloud = random_cloud(rng, policy, hosts, 2 * operations, zones, racks)
    palette = requests(cloud, rng, shapes)
    alive: Alive = []
    for _ in range(operations):
        step(cloud, rng, alive, filling, palette)
    check_conservation(cloud, alive)
    while alive:
        release(cloud, alive, len(alive) // 2)
    check_conservation(cloud, alive)


@pytest.mark.parametrize("policy", parts.PLACE_POLICIES)
def test_a_long_run_meets_every_rule(policy):
    rng = random.Random(4)
    cloud = random_cloud(rng, policy, 40, 2000, zones=2, racks=21)
    palette = requests(cloud, rng, 60)
    palette += [Request(group=4, zones=(zone,)) for zone in (0, 1)] * 3  # the spread group
    palette += [Request(group=0, burstable=True)]  # the cluster
    alive: Alive = []
    met = [step(cloud, rng, alive, 0.7, palette) for _ in range(800)]
    check_conservation(cloud, alive)
    assert set(met) >= set(parts.REFUSALS) | {"release", "door", "allocate", "give back"}
    counters = [cloud.part.counters(pool) for pool in (0, 1)]
    assert sum(c["placements"] for c in counters) == met.count("none")
    assert sum(c["releases"] for c in counters) == met.count("release")
    for word in parts.REFUSALS[1:]:
        assert sum(c["refused"][word] for c in counters) == met.count(word)
