"""A laboratory for one life whose durations are easy to add up."""

from __future__ import annotations

from nephoscope import parts

SECOND = 1_000_000_000

# Constants that are easy to add up.
LAWS = {
    "pending": "5s",
    "boot": "30s",
    "restart": "20s",
    "resume": "10s",
    "reboot": "15s",
    "stop": "40s",
    "hibernate": "50s",
    "terminate": "7s",
}
INCORRECT = "IncorrectInstanceState"


class Lab:
    """One life, in seconds, that asks an instance by its number."""

    def __init__(self, count: int = 1, *, initially: str = "running", laws=None, **facts):
        self.life = parts.Lifecycle()
        self.system = self.life.add_system(laws=LAWS | (laws or {}))
        self.life.launch(self.system, count, initially=initially, **facts)

    def to(self, second: float) -> Lab:
        self.life.advance(round(second * SECOND))
        self.life.check()
        return self

    def ask(self, request: str, instance: int = 0, *arguments, **options) -> str:
        (answer,) = getattr(self.life, request)(instance, *arguments, **options).tolist()
        return answer

    def __getitem__(self, figure: str):
        return self.life.figures(0)[figure][0]

    def told(self, *whats: str) -> list[tuple]:
        """(second, what or the state's name, reason or the checks' result) since the last call."""
        found = []
        for row in zip(*(column.tolist() for column in self.life.changes().values()), strict=True):
            time, _, what, state, reason, check = row
            if not whats or what in whats:
                word = state if what == "state" else what
                found.append((time / SECOND, word, check if what == "check" else reason))
        return found


def instance_in(state: str, **facts) -> Lab:
    """An instance that has just got into a state."""
    lab = Lab(initially="pending", **facts)
    if state != "pending":
        lab.to(5)
    if state in {"stopping", "stopped"}:
        lab.ask("stop")
    if state in {"shutting-down", "terminated"}:
        lab.ask("terminate")
    lab.to({"stopped": 45, "terminated": 12}.get(state, lab.life.now_ns / SECOND))
    assert lab["state"] == state
    return lab
