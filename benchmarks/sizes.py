"""How much a benchmark runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """All of it when times are wanted, a taste when only the bodies are tried."""

    full: bool

    @property
    def rounds(self) -> int:
        return 9 if self.full else 1

    def of(self, count: int) -> int:
        return count if self.full else max(count // 50, 10_000)
