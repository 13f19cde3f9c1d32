"""What scaling policies are made of, alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.specs.scaling import scaling_spec
from nephoscope.scenario.steering import read_part


class Forecast:
    """The load of the next hours from that of the last days, as predictive scaling sees it.

    It needs a day of hourly history, uses at most 14 days, and looks 48 hours ahead. A forecast is
    the mean of that hour over the days of the history, scaled to the last day; weeks take the place
    of days once there are two and they look alike.

    >>> from nephoscope import parts
    >>> forecast = parts.Forecast([10] * 12 + [30] * 12)
    >>> forecast.next(14).tolist()[10:]
    [10.0, 10.0, 30.0, 30.0]
    >>> forecast.add([20] * 12 + [60] * 12)
    >>> forecast.next(1).tolist()
    [20.0]
    """

    HOURS_LEAST = 24
    """Hours of history without which there is no forecast."""
    HOURS_MOST = 14 * 24
    """What is older is forgotten."""
    HORIZON = 48
    """Hours that are forecast at most."""

    def __init__(self, loads: npt.ArrayLike = ()) -> None:
        """The loads of hours that have ended, the oldest first; any unit, none below 0."""
        self._core = _core.scaling.Forecast()
        self.add(loads)

    def add(self, loads: npt.ArrayLike) -> None:
        """The loads of the hours that came next; those before one that is refused have counted."""
        self._core.add_hours(loads)

    def next(self, hours: int = HORIZON) -> npt.NDArray[np.float64]:
        """The loads to expect, the first that of the hour after the last that was added."""
        return self._core.next(hours)

    @property
    def ready(self) -> bool:
        """Whether there is a day of history."""
        return self._core.ready

    @property
    def season(self) -> int:
        """Hours after which the forecast repeats itself: 24 or 168."""
        return self._core.season

    @property
    def hours(self) -> int:
        """Hours of history it has."""
        return self._core.hours


class ScalingGroup:
    """How many instances a fleet should have, from what its policies measured.

    Policies are in the words of a scenario file, without those that follow a clock or a forecast.
    What they observe may be a metric of one's own: any number is taken for that of the policy.

    >>> from nephoscope import parts
    >>> rule = {"metric": "cpu", "target": 0.5, "out_periods": 1}
    >>> group = parts.ScalingGroup(1, 20, [{"target_tracking": rule}])
    >>> group.observe(0, 0.9)
    >>> group.decide(desired=4, warm=4)
    8
    """

    def __init__(self, least: int, most: int, policies: Sequence[Mapping[str, Any]]) -> None:
        """Raises ScenarioError where a policy is wrong."""
        bounds = {"min": least, "max": most}
        fleet = read_part("policies", Fleet, _fleet_of(bounds, list(policies)))
        if not policies or any(it.scheduled or it.predictive for it in fleet.scaling):
            problem = Problem("policies", "not made of policies that look at a metric")
            raise ScenarioError([problem])
        self._core = _core.scaling.ScalingGroup(scaling_spec(fleet))

    def observe(self, policy: int, value: float | None) -> None:
        """The newest datapoint of a policy's metric; None where nobody could be measured."""
        self._core.observe(policy, value)

    def decide(
        self,
        desired: int,
        warm: int,
        *,
        warming: int = 0,
        changing: bool = False,
        settled_ns: int = -(2**62),
        now_ns: int = 0,
    ) -> int:
        """The size there should be, from what is desired and how many instances are warm.

        `warming` have been launched and are not warm yet. Of simple policies: whether a change is
        under way, and when the last one ended.
        """
        return self._core.decide(desired, warm, warming, changing, settled_ns, now_ns)


def _fleet_of(bounds: dict[str, int], policies: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"service": "any", "count": bounds, "scaling": policies}
