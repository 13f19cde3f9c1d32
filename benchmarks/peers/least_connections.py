"""Least connections for peers written in Python: targets sorted by count, ties at random."""

import random


class LeastConnections:
    """To count a target up or down is one swap with the edge of its group: O(1)."""

    def __init__(self, targets: int, draw: random.Random) -> None:
        self._order = list(range(targets))
        self._place = list(range(targets))
        self._count = [0] * targets
        self._ends = [targets] * 10_000  # of the targets with a count
        self._random = draw.random

    def take(self) -> int:
        least = self._count[self._order[0]]
        target = self._order[int(self._random() * self._ends[least])]
        self._count[target] = least + 1
        self._ends[least] -= 1
        self._swap(target, self._ends[least])
        return target

    def answered(self, target: int) -> None:
        count = self._count[target] - 1
        self._count[target] = count
        edge = self._ends[count]
        self._ends[count] = edge + 1
        self._swap(target, edge)

    def _swap(self, target: int, edge: int) -> None:
        order, place = self._order, self._place
        other, at = order[edge], place[target]
        order[at], place[other] = other, at
        order[edge], place[target] = target, edge
