"""SimPy as its documentation has it: a request is a process that asks for a resource."""

import random
from collections.abc import Iterator

import simpy
from least_connections import LeastConnections
from peer import Answer, Model, main


class Farm:
    def __init__(self, model: Model) -> None:
        self.env = simpy.Environment()
        self.draw = random.Random(model.seed)
        self.rate = model.rate
        self.router = LeastConnections(model.instances, self.draw)
        self.servers = [simpy.Resource(self.env) for _ in range(model.instances)]
        self.offered = 0
        self.completed = 0
        self.sum = 0.0

    def arrivals(self) -> Iterator[simpy.Event]:
        while True:
            yield self.env.timeout(self.draw.expovariate(self.rate))
            self.offered += 1
            self.env.process(self.request())

    def request(self) -> Iterator[simpy.Event]:
        arrival = self.env.now
        target = self.router.take()
        with self.servers[target].request() as turn:
            yield turn
            yield self.env.timeout(self.draw.expovariate(1.0))
        self.router.answered(target)
        self.completed += 1
        self.sum += self.env.now - arrival


def run(model: Model) -> Answer:
    farm = Farm(model)
    farm.env.process(farm.arrivals())
    farm.env.run(until=model.end)
    return Answer(farm.offered, farm.completed, farm.sum / farm.completed)


if __name__ == "__main__":
    main("simpy", run)
