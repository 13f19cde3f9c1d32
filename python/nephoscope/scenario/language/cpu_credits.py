"""How instances of a burstable type spend their CPU credits."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from nephoscope.scenario.language.fields import PositiveDuration, refusal, within
from nephoscope.scenario.language.model import Model


class CpuCredits(Model):
    """What becomes of an instance whose balance runs out."""

    mode: Literal["standard", "unlimited"]
    """Whether an empty balance holds it to its baseline, or is paid for."""
    lowered_over: Annotated[PositiveDuration, within("1s", "1h")] | None = None
    """Of standard: how long it takes, at full use, to come down to the baseline; by default it is
    there at once."""

    bare = "mode"

    @model_validator(mode="after")
    def _is_lowered(self) -> Self:
        if self.mode == "unlimited" and self.lowered_over is not None:
            raise refusal("unlimited instances never come down", "mode: standard")
        return self
