"""Cimba for Python as its documentation has it: a server is a process that takes from a store."""

import cimba
from cimba import random
from cimba_model import Balancer, balancer
from peer import Answer, Model, main


class Server(cimba.Model):
    balancer: cimba.Ref[Balancer]
    index: cimba.Param[int] = 0
    queue: cimba.Store[float]

    @cimba.process
    def serve(self):
        while True:
            arrival = self.queue.get()
            cimba.hold(random.exponential(1.0))
            self.balancer.finished(self.index, cimba.now() - arrival)


class Farm(cimba.Model):
    servers: list[Server]
    balancer: Balancer
    gap: cimba.Param[float] = 1.0

    @cimba.process
    def arrivals(self):
        while True:
            cimba.hold(random.exponential(self.gap))
            self.servers[self.balancer.take()].queue.put(cimba.now())


class Single(cimba.Model):
    """The benchmark of its author, ended by the clock."""

    gap: cimba.Param[float] = 1.0
    queue: cimba.Store[float]
    offered: int = 0
    answered: int = 0
    total: float = 0.0
    sent: cimba.Output[int]
    completed: cimba.Output[int]
    mean: cimba.Output[float]

    @cimba.process
    def arrivals(self):
        while True:
            cimba.hold(random.exponential(self.gap))
            self.offered += 1
            self.queue.put(cimba.now())

    @cimba.process
    def serve(self):
        while True:
            arrival = self.queue.get()
            cimba.hold(random.exponential(1.0))
            self.answered += 1
            self.total += cimba.now() - arrival

    @cimba.on_end
    def report(self):
        self.sent = self.offered
        self.completed = self.answered
        self.mean = self.total / max(self.answered, 1)


class Runner:
    """Builds and compiles before the clock starts; runs the trial."""

    def prepare(self, model: Model) -> None:
        if model.instances == 1:
            self.root = self.counts = Single()
        else:
            self.root = Farm()
            self.root.balancer = self.counts = balancer(model.instances)
            self.root.servers = [self.server(index) for index in range(model.instances)]
        self.root.gap = 1.0 / model.rate
        window = cimba.Window(duration=model.end)
        self.experiment = cimba.Experiment(self.root, window=window, seed=model.seed)
        short = cimba.Window(duration=20.0 / model.rate)
        cimba.Experiment(self.root, window=short).run(workers=1)

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
