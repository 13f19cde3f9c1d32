"""What the two Cimba scripts share: the balancer and its counts, in Cimba's compiled Python."""

import cimba
from cimba import random


class Balancer(cimba.Model):
    """Targets sorted by their count, ties at random: a change of count is one swap."""

    order: cimba.Array[int]
    place: cimba.Array[int]
    count: cimba.Array[int]
    ends: cimba.Array[int]
    offered: int = 0
    answered: int = 0
    total: float = 0.0
    sent: cimba.Output[int]
    completed: cimba.Output[int]
    mean: cimba.Output[float]

    @cimba.function
    def swap(self, target: int, edge: int) -> None:
        other = self.order[edge]
        at = self.place[target]
        self.order[at] = other
        self.place[other] = at
        self.order[edge] = target
        self.place[target] = edge

    @cimba.function
    def take(self) -> int:
        least = self.count[self.order[0]]
        target = self.order[int(random.uniform(0.0, float(self.ends[least])))]
        self.count[target] = least + 1
        self.ends[least] -= 1
        self.swap(target, self.ends[least])
        self.offered += 1
        return target

    @cimba.function
    def finished(self, target: int, response: float) -> None:
        self.total += response
        self.answered += 1
        level = self.count[target] - 1
        self.count[target] = level
        edge = self.ends[level]
        self.ends[level] = edge + 1
        self.swap(target, edge)

    @cimba.on_end
    def report(self):
        self.sent = self.offered
        self.completed = self.answered
        self.mean = self.total / max(self.answered, 1)


def balancer(targets: int) -> Balancer:
    made = Balancer()
    made.order = cimba.Array(list(range(targets)))
    made.place = cimba.Array(list(range(targets)))
    made.count = cimba.Array(targets)
    made.ends = cimba.Array([targets] * 1000)
    return made
