"""Distributions of durations, each named by its mean."""

import functools
from typing import Annotated, Any, Self

from pydantic import model_validator

from nephoscope.errors import UnitError
from nephoscope.nearest import nearest
from nephoscope.scenario.language.fields import (
    AnyDuration,
    ColumnScale,
    Items,
    PositiveDuration,
    Share,
    Text,
    Weight,
    as_refusal,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.units import Duration

Variation = Annotated[float, number(0.0, 1000.0, open_low=True)]


class MeanCv(Model):
    """A mean and a coefficient of variation (standard deviation over mean)."""

    mean: PositiveDuration
    cv: Variation


class MeanPhases(Model):
    """A sum of `k` exponentials with this mean in all."""

    mean: PositiveDuration
    k: Annotated[int, whole(1, 10_000)]


class WeibullOptions(Model):
    """Weibull: shape below 1 for a heavy tail, 1 for exponential, above for a light one."""

    mean: PositiveDuration
    shape: Annotated[float, number(0.05, 1000.0)]


class ParetoOptions(Model):
    """Pareto: the mean is finite only for shapes above 1."""

    mean: PositiveDuration
    shape: Annotated[float, number(1.0, 1000.0, open_low=True)]


class Bounds(Model):
    """Anything between two durations, all alike."""

    min: AnyDuration
    max: AnyDuration

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise refusal(f"max {self.max} is below min {self.min}", "min at most max")
        return self


class Phases(Model):
    """Exponentials mixed: mean and cv with balanced means, or every phase."""

    mean: PositiveDuration | None = None
    cv: Annotated[float, number(1.0, 1000.0)] | None = None
    probabilities: Items[Share] | None = None
    means: Items[PositiveDuration] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        pair = (self.mean is not None, self.cv is not None)
        phases = (self.probabilities is not None, self.means is not None)
        if not (all(pair) and not any(phases)) and not (all(phases) and not any(pair)):
            raise refusal("not the options of one form", "mean and cv, or probabilities and means")
        if self.probabilities is not None and self.means is not None:
            same_length(self.probabilities, self.means, "probabilities", "means")
            if abs(sum(self.probabilities) - 1.0) > 1e-6:
                raise refusal(f"probabilities add up to {sum(self.probabilities):g}", "a sum of 1")
        return self


class Column(Model):
    """Durations in a column of a CSV file: seconds, or whatever `scale` says one unit is worth."""

    file: Text
    column: Text
    scale: ColumnScale = 1.0


class Sample(Model):
    """Draws from given durations, or from a column of a CSV file."""

    values: Items[AnyDuration] | None = None
    weights: Items[Weight] | None = None
    file: Text | None = None
    column: Text | None = None
    scale: ColumnScale = 1.0

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        of_file = {"file", "column", "scale"} & self.model_fields_set
        if self.values is None and not (self.file and self.column):
            raise refusal("not the options of one form", "values and weights, or file and column")
        if self.values is not None and of_file:
            raise refusal("values and a file", "values and weights, or file, column and scale")
        if self.weights is not None:
            if self.values is None:
                raise refusal("weights without values", "values and weights")
            same_length(self.values, self.weights, "values", "weights")
            if not sum(self.weights):
                raise refusal("every weight is 0", "at least one weight above 0")
        return self


class Distribution(OneOf):
    """How long something takes: a bare duration, or `{NAME: options}`."""

    constant: AnyDuration | None = None
    """Always the same; a bare duration means this."""
    exponential: PositiveDuration | None = None
    """Memoryless, with this mean."""
    lognormal: MeanCv | None = None
    gamma: MeanCv | None = None
    erlang: MeanPhases | None = None
    weibull: WeibullOptions | None = None
    pareto: ParetoOptions | None = None
    uniform: Bounds | None = None
    normal: MeanCv | None = None
    """Values below 0 are drawn again."""
    hyperexponential: Phases | None = None
    empirical: Sample | None = None
    replay: Column | None = None
    """Request k takes the value of row k, wrapping round at the end of the column."""

    bare = "constant"

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A bare duration is a constant; what cannot be read is refused with every form."""
        if isinstance(value, dict):
            return super().expand(value)
        try:
            return {"constant": Duration.parse(value)}
        except UnitError as error:
            word = _meant_form(value) if isinstance(value, str) else None
            hint = error.suggestion or (f"{{{word}: ...}}" if word else None)
            allowed = f"a duration such as 40ms, or {{NAME: ...}} with {', '.join(cls.forms())}"
            raise as_refusal(UnitError(error.message, allowed, hint)) from None


@functools.lru_cache(maxsize=256)
def _meant_form(word: str) -> str | None:
    return nearest(word, Distribution.forms())


def same_length(a: tuple[Any, ...], b: tuple[Any, ...], name_a: str, name_b: str) -> None:
    """Refuse lists that belong together and are not of one length."""
    if len(a) != len(b):
        raise refusal(f"{len(a)} {name_a} and {len(b)} {name_b}", "as many of one as of the other")
