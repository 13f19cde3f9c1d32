"""Cimba for Python at its fastest: no processes, scheduled events, rings of our own."""

import cimba
from cimba import random
from cimba_model import Balancer, balancer
from peer import Answer, Model, main

RING = 1024  # requests that can be present at a server


class Server(cimba.Model):
    balancer: cimba.Ref[Balancer]
    index: cimba.Param[int] = 0
    ring: cimba.Array[float] = cimba.Array(RING)
    head: int = 0
    tail: int = 0

    @cimba.function
    def enter(self) -> None:
        self.ring[self.tail % RING] = cimba.now()
        self.tail += 1
        if self.tail - self.head == 1:
            cimba.schedule(self.depart, random.exponential(1.0))

    @cimba.event
    def depart(self):
        response = cimba.now() - self.ring[self.head % RING]
        self.head += 1
        if self.head != self.tail:
            cimba.schedule(self.depart, random.exponential(1.0))
        self.balancer.finished(self.index, response)


class Farm(cimba.Model):
    servers: list[Server]
    balancer: Balancer
    gap: cimba.Param[float] = 1.0
    end: cimba.Param[float] = 1.0

    @cimba.event
    def arrive(self):
        cimba.schedule(self.arrive, random.exponential(self.gap))
        self.servers[self.balancer.take()].enter()

    @cimba.event
    def stop(self):
        cimba.end_trial()

    @cimba.on_start
    def begin(self):
        cimba.schedule(self.arrive, random.exponential(self.gap))
        cimba.schedule(self.stop, self.end)


class Runner:
    """Builds and compiles before the clock starts; runs the trial."""

    def prepare(self, model: Model) -> None:
        self.root = Farm()
        self.root.balancer = self.counts = balancer(model.instances)
        self.root.servers = [self.server(index) for index in range(model.instances)]
        self.root.gap = 1.0 / model.rate
        self.root.end = 20.0 / model.rate
        cimba.Experiment(self.root).run(workers=1)
        self.root.end = model.end
        self.experiment = cimba.Experiment(self.root, seed=model.seed)

    def server(self, index: int) -> Server:
        server = Server()
        server.index = index
        server.balancer = self.counts
        return server

    def run(self, _: Model) -> Answer:
        results = self.experiment.run(workers=1, on_failure="raise")[self.counts]
        values = (results.sent, results.completed, results.mean)
        sent, completed, mean = (float(value.values[0, 0]) for value in values)
        return Answer(int(sent), int(completed), mean)


if __name__ == "__main__":
    runner = Runner()
    main("cimba", runner.run, prepare=runner.prepare)
