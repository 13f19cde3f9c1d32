"""Executors of our own: in turn, in a strange order, and one whose workers die."""

from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool


class InTurn(Executor):
    """Each task is run when it is submitted; counts them."""

    def __init__(self):
        self.tasks = []

    def submit(self, task, /, *arguments, **named):
        self.tasks.append((task.__name__, *arguments[1:]))
        future = Future()
        try:
            future.set_result(task(*arguments, **named))
        except BaseException as error:
            future.set_exception(error)
        return future

    @property
    def runs(self):
        return sum(name == "simulate" for name, *_ in self.tasks)


class Dying(InTurn):
    """The worker dies in a certain run, and takes the pool with it."""

    def __init__(self, after, error=None):
        super().__init__()
        self.after = after
        self.error = error or BrokenProcessPool("its worker was killed")

    def submit(self, task, /, *arguments, **named):
        if self.runs >= self.after:
            future = Future()
            future.set_exception(self.error)
            return future
        return super().submit(task, *arguments, **named)
