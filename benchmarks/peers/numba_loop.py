"""A loop written by hand for one model and compiled by Numba.

Binary heap, rings, counted partition. NumPy's old random functions, for Numba compiles those best.
"""
# ruff: noqa: NPY002

from dataclasses import replace

import numpy as np
from numba import njit
from peer import Answer, Model, main

RING = 1024  # requests that can be present at an instance


@njit(cache=True)
def heap_push(times, ids, size, time, index):
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if times[parent] <= time:
            break
        times[at] = times[parent]
        ids[at] = ids[parent]
        at = parent
    times[at] = time
    ids[at] = index


@njit(cache=True)
def heap_pop(times, ids, size):
    """Move the last of `size` events to where the first was."""
    last = size - 1
    time = times[last]
    index = ids[last]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and times[child + 1] < times[child]:
            child += 1
        if times[child] >= time:
            break
        times[at] = times[child]
        ids[at] = ids[child]
        at = child
    times[at] = time
    ids[at] = index


@njit(cache=True)
def swap_to(order, place, target, edge):
    other = order[edge]
    at = place[target]
    order[at] = other
    place[other] = at
    order[edge] = target
    place[target] = edge


@njit(cache=True)
def simulate(instances, rate, end, seed):
    np.random.seed(seed)
    times = np.empty(instances + 1)
    ids = np.empty(instances + 1, np.int32)
    order = np.arange(instances).astype(np.int32)
    place = np.arange(instances).astype(np.int32)
    count = np.zeros(instances, np.int32)
    ends = np.full(RING + 1, instances, np.int32)
    ring = np.empty((instances, RING))
    head = np.zeros(instances, np.int32)
    pending = 0
    offered = 0
    completed = 0
    total = 0.0
    arrival = np.random.exponential(1.0 / rate)
    while True:
        if pending > 0 and times[0] <= arrival:
            now = times[0]
            if now >= end:
                break
            target = ids[0]
            heap_pop(times, ids, pending)
            pending -= 1
            total += now - ring[target, head[target] & (RING - 1)]
            head[target] += 1
            completed += 1
            count[target] -= 1
            level = count[target]
            ends[level] += 1
            swap_to(order, place, target, ends[level] - 1)
            if level > 0:
                heap_push(times, ids, pending, now + np.random.exponential(1.0), target)
                pending += 1
        else:
            now = arrival
            if now >= end:
                break
            offered += 1
            least = count[order[0]]
            target = order[int(np.random.random() * ends[least])]
            count[target] = least + 1
            ends[least] -= 1
            swap_to(order, place, target, ends[least])
            if least + 1 == RING:
                raise OverflowError("too many requests at an instance")
            ring[target, (head[target] + least) & (RING - 1)] = now
            if least == 0:
                heap_push(times, ids, pending, now + np.random.exponential(1.0), target)
                pending += 1
            arrival = now + np.random.exponential(1.0 / rate)
    return offered, completed, total / max(completed, 1)


def run(model: Model) -> Answer:
    return Answer(*simulate(model.instances, model.rate, model.end, model.seed))


def compile_first(model: Model) -> None:
    run(replace(model, end=10.0 / model.rate))


if __name__ == "__main__":
    main("numba", run, prepare=compile_first)
