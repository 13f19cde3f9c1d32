"""What scaling policies are made of, alone."""

import numpy as np
import numpy.typing as npt

from nephoscope import _core


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
