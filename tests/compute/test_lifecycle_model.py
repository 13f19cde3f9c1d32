"""Random requests, legal and not, against a small model of the life of one instance.

The model is written from the rules and knows nothing of the part: a state, the instant of the next
transition, and a list of the times billed.
"""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compute.lifecycle_lab import INCORRECT, LAWS, SECOND
from nephoscope import parts

T = {law: int(text.removesuffix("s")) for law, text in LAWS.items()}
GONE = ("shutting-down", "terminated")


class Model:
    """Times in seconds."""

    def __init__(self, root: str, interruption: str | None, hibernation: bool) -> None:
        self.root, self.interruption, self.hibernation = root, interruption, hibernation
        self.now = self.reboots = 0
        self.host_losses = self.memory_losses = 0
        self.runs: list[list[float]] = []  # [begin, end or None]
        self.spared: list[list[float]] = []
        self.saved = self.provider_stopped = self.first_done = False
        self.taken_at: float = math.inf
        self._start("boot")

    def _start(self, law: str) -> None:
        self.boot, self.saved = law, False
        self.broken = False
        self._become("pending", T["pending"])

    def _become(self, state: str, lasts: float = math.inf) -> None:
        self.state, self.due = state, self.now + lasts
        self.up_at: float = math.inf

    def _meter_off(self, *, free: bool = False) -> None:
        if self.runs and self.runs[-1][1] is None:
            self.runs[-1][1] = self.now
            if free and self.now - self.runs_begin < 3600:
                self.spared.append(self.runs.pop())

    def advance(self, until: float) -> None:
        while min(self.due, self.taken_at) <= until:
            if self.taken_at < self.due:
                self.now, self.taken_at = self.taken_at, math.inf
                self._take()
            else:
                self.now = self.due
                self._transition()
        self.now = until

    def _transition(self) -> None:
        self.due = math.inf
        if self.state == "pending":
            self.state = "running"
            self.provider_stopped = False
            if not self.first_done:
                self.first_done, self.runs_begin = True, self.now
            self.runs.append([self.now, None])
            self.up_at = self.now + T[self.boot]
        elif self.state == "stopping":
            self._meter_off(free=self.provider_stopped)
            self.host_losses += 1
            self.memory_losses += not self.saved
            self._become("stopped")
        else:
            self.state = "terminated"

    def _take(self) -> None:
        if self.state == "pending" or self.interruption == "terminate":
            self._end(free=True)
        elif self.state == "running":
            save = self.interruption == "hibernate" and self.serving
            self._stop(save=save, provider=True)

    def _stop(self, *, save: bool, provider: bool = False) -> None:
        self.saved, self.provider_stopped, self.taken_at = save, provider, math.inf
        if not save:
            self._meter_off(free=provider)
        self._become("stopping", T["hibernate" if save else "stop"])

    def _end(self, *, free: bool = False) -> None:
        self._meter_off(free=free)
        self.taken_at = math.inf
        self._become("shutting-down", T["terminate"])

    @property
    def serving(self) -> bool:
        return self.state == "running" and self.up_at <= self.now

    @property
    def billed(self) -> int:
        ends = [(begin, self.now if end is None else end) for begin, end in self.runs]
        return sum(max(60, math.ceil(end - begin)) for begin, end in ends)

    # Requests.

    def _may(self, behaviour: str) -> str | None:
        if self.root != "ebs" or self.interruption not in (None, behaviour):
            return "UnsupportedOperation"
        if behaviour == "hibernate" and not self.hibernation:
            return "UnsupportedHibernationConfiguration"
        return None

    def stop(self, save: bool = False) -> str:
        if refused := self._may("hibernate" if save else "stop"):
            return refused
        if self.state in ("stopping", "stopped"):
            return "unchanged"
        if self.state != "running" or (save and not self.serving):
            return INCORRECT
        self._stop(save=save)
        return "accepted"

    def hibernate(self) -> str:
        return self.stop(save=True)

    def start(self) -> str:
        if self.state in ("pending", "running"):
            return "unchanged"
        if self.state != "stopped" or self.provider_stopped:
            return INCORRECT
        self._start("resume" if self.saved else "restart")
        return "accepted"

    def resume(self) -> str:
        if self.state != "stopped" or not self.provider_stopped:
            return INCORRECT
        self._start("resume" if self.saved else "restart")
        return "accepted"

    def reboot(self) -> str:
        if self.state != "running":
            return INCORRECT
        self.memory_losses += 1
        self.broken = False
        self.up_at = self.now + T["reboot"]
        return "accepted"

    def terminate(self) -> str:
        if self.state in GONE:
            return "unchanged"
        self._end()
        return "accepted"

    def shut_down(self) -> str:
        if not self.serving:
            return INCORRECT
        if self._may("stop"):
            self._end()
        else:
            self._stop(save=False)
        return "accepted"

    def break_guest(self) -> str:
        if self.state != "running":
            return INCORRECT
        if self.broken:
            return "unchanged"
        self.broken, self.up_at = True, math.inf
        return "accepted"

    def repair(self) -> str:
        if self.state != "running":
            return INCORRECT
        return self.reboot() if self.broken else "unchanged"

    def fail_launch(self) -> str:
        if self.state != "pending":
            return INCORRECT
        self.taken_at = math.inf
        if self.boot == "boot":
            self._become("terminated")
        else:
            self.saved = self.boot == "resume"
            self._become("stopped")
        return "accepted"

    def modifiable(self) -> str:
        return "accepted" if self.state == "stopped" else INCORRECT

    def interrupt(self, at: float) -> str:
        if self.interruption is None:
            return "UnsupportedOperation"
        if self.state not in ("pending", "running"):
            return INCORRECT
        self.taken_at = at
        return "accepted"


REQUESTS = [
    *("stop", "hibernate", "start", "resume", "reboot", "shut_down", "break_guest"),
    *("repair", "fail_launch", "modifiable", "interrupt"),
]
# A name, seconds before it, and for an interruption seconds until it takes place. Those instants
# end in a quarter of a second, all others of a pending instance in none: they never meet.
steps = st.lists(
    st.tuples(st.sampled_from(REQUESTS), st.integers(0, 80), st.integers(0, 300)),
    min_size=1,
    max_size=25,
)


@st.composite
def facts(draw) -> dict:
    root = draw(st.sampled_from(["ebs", "ebs", "ebs", "instance_store"]))
    hibernation = root == "ebs" and draw(st.booleans())
    behaviours = ["terminate"] + (["stop"] if root == "ebs" else [])
    behaviours += ["hibernate"] if hibernation else []
    interruption = draw(st.sampled_from([None, *behaviours]))
    return {"root": root, "hibernation": hibernation, "interruption": interruption}


def launched(told: dict) -> parts.Lifecycle:
    life = parts.Lifecycle()
    given_facts = {"root": told["root"], "hibernation": told["hibernation"]}
    if told["interruption"]:
        given_facts |= {"purchase": "spot", "interruption": told["interruption"]}
    life.launch(life.add_system(laws=LAWS), **given_facts)
    return life


def ask(life: parts.Lifecycle, request: str, *arguments: int) -> str:
    (answer,) = getattr(life, request)(0, *arguments).tolist()
    return answer


def same(life: parts.Lifecycle, model: Model) -> None:
    life.check()
    figures = {name: column[0] for name, column in life.figures().items()}
    assert figures["state"] == model.state
    assert figures["serving"] == model.serving
    assert figures["billed_s"] == model.billed
    if model.state not in GONE:
        assert life.lost()["host"].tolist() == [model.host_losses]
        assert life.lost()["memory"].tolist() == [model.memory_losses]


@settings(max_examples=300, deadline=None)
@given(facts(), steps, st.booleans())
def test_a_life_is_the_models(told, sequence, end):
    life, model = launched(told), Model(**told)
    now = 0.0
    for request, pause, ahead in sequence + [("terminate", 1, 0)] * (2 * end):
        now += pause
        life.advance(round(now * SECOND))
        model.advance(now)
        same(life, model)
        if request == "interrupt":
            at = now + ahead + 0.25
            answers = ask(life, request, round(at * SECOND)), model.interrupt(at)
        else:
            answers = ask(life, request), getattr(model, request)()
        assert answers[0] == answers[1]
        same(life, model)
    life.advance(10_000 * SECOND)
    model.advance(10_000)
    same(life, model)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), steps, st.lists(st.integers(0, 1000 * SECOND), max_size=30))
def test_how_time_is_cut_changes_nothing(seed, sequence, looks):
    """Twenty instances with laws of the catalogue, each with requests of its own."""

    def run(extra: list[int]) -> dict[str, list]:
        life = parts.Lifecycle(seed=seed)
        facts_ = {"purchase": "spot", "interruption": "hibernate", "hibernation": True}
        life.launch(life.add_system(), 20, **facts_)
        now, wanted = 0, []
        for place, (request, pause, ahead) in enumerate(sequence):
            now += pause * SECOND + 12_345
            wanted.append((now, place % 20, request, ahead))
        requests = sorted([*wanted, *((look, 0, "", 0) for look in extra)])
        for at, instance, request, ahead in requests:
            life.advance(at)
            if request:
                arguments = (at + ahead * SECOND,) if request == "interrupt" else ()
                getattr(life, request)(instance, *arguments)
        life.advance(2000 * SECOND)
        life.check()
        told = {name: column.tolist() for name, column in life.changes().items()}
        return told | {name: column.tolist() for name, column in life.figures().items()}

    assert run([]) == run(looks)


def test_ten_thousand_instances_come_up_and_are_billed():
    """Every instance by itself: no draw of one is another's, and nothing is lost on the way."""
    life = parts.Lifecycle(seed=11)
    every = life.launch(life.add_system(), 10_000)
    life.advance(200 * SECOND)
    changes = life.changes()
    for what in ("serving", "check"):
        told = changes["instance"][changes["what"] == what]
        assert sorted(told.tolist()) == every.tolist()
    figures = life.figures()
    assert len(np.unique(figures["ready_at_ns"])) == 10_000
    ran = 200 * SECOND - figures["running_since_ns"]
    assert figures["billed_s"].tolist() == parts.seconds_due(ran).tolist()
