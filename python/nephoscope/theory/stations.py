"""One instance as a queueing station: its servers, its line, and the model that they make."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.service import Service
from nephoscope.theory import single_server as one
from nephoscope.theory.answer import Fit
from nephoscope.theory.demand import Demand
from nephoscope.theory.many_servers import (
    erlang_b,
    mgc_wait,
    mmc_sojourn,
    mmc_sojourn_quantile,
    mmc_sojourn_tail,
    mmck,
)
from nephoscope.theory.moments import Law

LEVELS = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))

# More requests than this may be in no system whose states are all looked at.
_STATES_MAX = 1_000_000


@dataclass(frozen=True)
class Station:
    """An instance of a fleet, for one request after the other."""

    servers: int
    service: Law
    """Of the time that holds a server."""
    in_order: bool
    """Whether a server works on one request from its beginning to its end, in their order."""
    shared: bool = False
    """Processor sharing: means do not depend on the law of the work."""
    delay: float = 0.0
    """Mean sleep, which holds no server."""
    room: int | None = None
    """Requests that it holds at most."""

    @property
    def exponential(self) -> bool:
        """Whether what is left of a service does not depend on its age."""
        return self.service.exponential


def station_of(fleet: Fleet, service: Service, demand: Demand) -> Station | str:
    """The station that an instance is, or why it is none that theory knows."""
    vcpus, workers = fleet.instance_type.vcpus, service.concurrency
    room = None if service.backlog is None else (workers or vcpus) + service.backlog
    law = demand.hold
    if service.discipline == "ps":
        if workers is None:
            # The mean is all that counts; `hold` has the sleep in it, which no vCPU feels.
            delay = law.m1 - demand.compute
            work = law if not demand.sleeps else Law(demand.compute, math.inf, math.inf)
            if demand.compute == 0.0:
                return "its requests use no CPU"
            return Station(vcpus, work, in_order=False, shared=True, delay=max(delay, 0.0))
        if not law.exponential or demand.sleeps:
            return "it shares its vCPUs among a limited number, and its work is not exponential"
        return Station(min(vcpus, workers), law, in_order=False, room=room)
    workers = workers or vcpus
    if workers <= vcpus or demand.compute == 0.0:
        return Station(workers, law, in_order=True, room=room)
    if law.exponential and not demand.sleeps:
        return Station(vcpus, law, in_order=False, room=room)
    return "its workers are more than its vCPUs, and its work is not exponential"


def fit_of(station: Station, rate: float) -> Fit | str:
    """The model of a station with Poisson arrivals, or why there is none."""
    load = rate * station.service.m1
    if station.room is not None:
        return _finite(station, load)
    if load >= station.servers:
        grows = rate - station.servers / station.service.m1
        return f"it cannot keep up: its line grows by {grows:.3g} requests a second, without end"
    if station.shared:
        return _sharing(station, rate, load)
    if station.servers == 1:
        return _single(station, rate)
    return _several(station, rate, load)


def _single(station: Station, rate: float) -> Fit:
    law, order = station.service, "" if station.in_order else ", served by turns"
    settles = one.relaxation(rate, law)
    if law.exponential:
        mean = one.mm1_sojourn(rate, law.m1)
        points = [(key, one.exponential_quantile(mean, p)) for key, p in LEVELS]
        return Fit(
            f"M/M/1{order}",
            "Kleinrock I (1975), ch. 3",
            (mean, mean),
            quantiles=tuple(points) if station.in_order else (),
            tail=(lambda t: math.exp(-t / mean)) if station.in_order else None,
            relaxation=settles,
            reversible=True,
        )
    mean = law.m1 + one.mg1_wait(rate, law)
    if math.isinf(mean):
        return Fit("M/G/1", "Pollaczek and Khinchine", (mean, mean), relaxation=settles)
    variance = one.mg1_sojourn_variance(rate, law)
    return Fit(
        "M/G/1",
        "Pollaczek and Khinchine; Kleinrock I (1975), ch. 5",
        (mean, mean),
        tail=_cantelli(mean, variance),
        relaxation=settles,
    )


def _cantelli(mean: float, variance: float) -> Callable[[float], float]:
    """The one-sided inequality of Chebyshev."""

    def tail(t: float) -> float:
        if t <= mean or math.isinf(variance):
            return 1.0 if t <= mean else mean / t
        return min(variance / (variance + (t - mean) ** 2), mean / t)

    return tail


def _several(station: Station, rate: float, load: float) -> Fit:
    law, c = station.service, station.servers
    settles = one.relaxation(rate, law, c)
    if not law.exponential:
        mean = law.m1 * (1.0 + mgc_wait(c, load, law.scv))
        return Fit(
            f"M/G/{c}",
            "Lee and Longton (1959)",
            (mean, mean),
            "approximation",
            relaxation=settles,
        )
    mean = law.m1 * mmc_sojourn(c, load)
    points: tuple[tuple[str, float], ...] = ()
    tail = None
    if station.in_order:
        beyond = mmc_sojourn_tail(c, load)
        tail = lambda t: beyond(t / law.m1)  # noqa: E731  (a function of seconds)
        points = tuple((key, law.m1 * mmc_sojourn_quantile(c, load, p)) for key, p in LEVELS)
    order = "" if station.in_order else ", served by turns"
    return Fit(
        f"M/M/{c}{order}",
        "Erlang C; Kleinrock I (1975), ch. 3",
        (mean, mean),
        quantiles=points,
        tail=tail,
        relaxation=settles,
        reversible=True,
    )


def _sharing(station: Station, rate: float, load: float) -> Fit:
    law, c = station.service, station.servers
    mean = law.m1 * mmc_sojourn(c, load) + station.delay
    vague = Law(law.m1, 2.0 * law.m1**2, 6.0 * law.m1**3)
    return Fit(
        f"M/G/{c}-PS",
        "insensitive: Sakata, Noguchi and Oizumi (1971); Cohen (1979)",
        (mean, mean),
        relaxation=one.relaxation(rate, vague, c),
        reversible=True,
    )


def _finite(station: Station, load: float) -> Fit | str:
    law, c, room = station.service, station.servers, station.room
    assert room is not None
    settles = law.m1 * room
    if room == c:
        loss = erlang_b(c, load)
        source = "Erlang B, for any law of the work"
        return Fit(f"M/G/{c}/{c}", source, (law.m1, law.m1), loss=loss, relaxation=settles)
    if not law.exponential:
        return "its backlog is bounded and its work is not exponential"
    if room > _STATES_MAX:
        return "its backlog is too large to count its states"
    held = mmck(c, room, load)
    mean = law.m1 * held.sojourn
    tail = None
    if station.in_order and load < c:
        beyond = mmc_sojourn_tail(c, load)
        # Who finds room waits for less than in an endless line.
        tail = lambda t: beyond(t / law.m1)  # noqa: E731
    name = f"M/M/{c}/{room}"
    source = "Kleinrock I (1975), ch. 3"
    return Fit(name, source, (mean, mean), tail=tail, loss=held.loss, relaxation=settles)
