"""SimPy at its fastest: no processes, timeouts with callbacks, queues of our own."""

import random
from collections import deque
from functools import partial

import simpy
from least_connections import LeastConnections
from peer import Answer, Model, main


class Farm:
    def __init__(self, model: Model) -> None:
        self.env = simpy.Environment()
        self.draw = random.Random(model.seed)
        self.rate = model.rate
        self.router = LeastConnections(model.instances, self.draw)
        self.present: list[deque[float]] = [deque() for _ in range(model.instances)]
        self.depart = [partial(self.departure, target) for target in range(model.instances)]
        self.offered = 0
        self.completed = 0
        self.sum = 0.0

    def expect_arrival(self) -> None:
        gap = self.env.timeout(self.draw.expovariate(self.rate))
        gap.callbacks.append(self.arrival)

    def arrival(self, _: simpy.Event) -> None:
        self.expect_arrival()
        self.offered += 1
        target = self.router.take()
        present = self.present[target]
        present.append(self.env.now)
        if len(present) == 1:
            self.serve(target)

    def serve(self, target: int) -> None:
        work = self.env.timeout(self.draw.expovariate(1.0))
        work.callbacks.append(self.depart[target])

    def departure(self, target: int, _: simpy.Event) -> None:
        present = self.present[target]
        self.sum += self.env.now - present.popleft()
        self.completed += 1
        self.router.answered(target)
        if present:
            self.serve(target)


def run(model: Model) -> Answer:
    farm = Farm(model)
    farm.expect_arrival()
    farm.env.run(until=model.end)
    return Answer(farm.offered, farm.completed, farm.sum / farm.completed)


if __name__ == "__main__":
    main("simpy", run)
