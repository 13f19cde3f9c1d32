"""Distributions, as the core takes them."""

import math

from nephoscope import _core
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.language.distribution import Distribution


def distribution_spec(law: Distribution, files: DataFiles) -> _core.Distribution:
    """A distribution as the core takes it, in nanoseconds."""
    spec = _core.Distribution()
    spec.kind = _core.DistributionKind[law.form]
    if law.constant is not None:
        spec.mean = float(law.constant)
    elif law.exponential is not None:
        spec.mean = float(law.exponential)
    elif law.uniform is not None:
        spec.values = [float(law.uniform.min), float(law.uniform.max)]
    elif law.hyperexponential is not None:
        spec.values, spec.weights = _phases(law)
    elif law.replay is not None:
        spec.values = files.durations_ns(law.replay)
    elif law.empirical is not None and law.empirical.values is not None:
        spec.values = [float(value) for value in law.empirical.values]
        spec.weights = list(law.empirical.weights or ())
    elif law.empirical is not None:
        spec.values = files.durations_ns(law.empirical)
    else:
        options = law.options
        spec.mean = float(options.mean)
        shape = {"erlang": "k", "weibull": "shape", "pareto": "shape"}.get(law.form, "cv")
        spec.shape = float(getattr(options, shape))
    return spec


def _phases(law: Distribution) -> tuple[list[float], list[float]]:
    """Means and probabilities of the phases; of mean and cv, two phases with balanced means."""
    options = law.hyperexponential
    assert options is not None
    if options.means is not None and options.probabilities is not None:
        return [float(mean) for mean in options.means], list(options.probabilities)
    assert options.mean is not None
    assert options.cv is not None
    square = options.cv**2
    first = (1.0 + math.sqrt((square - 1.0) / (square + 1.0))) / 2.0
    # 1 - first would lose the digits of a great cv.
    second = 1.0 / ((square + 1.0) * 2.0 * first)
    mean = float(options.mean)
    return [mean / (2.0 * first), mean / (2.0 * second)], [first, second]
