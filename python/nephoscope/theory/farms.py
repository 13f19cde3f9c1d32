"""Equal instances behind a balancer: what a routing makes of Poisson requests."""

import math
from dataclasses import replace

from nephoscope.scenario.language.balancer import Routing
from nephoscope.theory import single_server as one
from nephoscope.theory.answer import Fit
from nephoscope.theory.choices import power_of_d_sojourn
from nephoscope.theory.many_servers import mmc_sojourn
from nephoscope.theory.stations import LEVELS, Station, fit_of

# Of more servers than this a line is never felt, and the lower bound is the service itself.
_SERVERS_MAX = 100_000

# From so many servers on the limit law is within a few per cent at the loads of practice.
_MANY = 50

_IN_TURN = "round robin of Poisson requests; GI/M/1, Kleinrock I (1975), ch. 6"
_BOUNDS = "one line for all (Erlang C), and no choice at all; Winston (1977), Johri (1989)"
_EMPTY = f"{_BOUNDS}; of ever more instances the lower bound, Stolyar (2015), Mukherjee (2018)"


def farm_fit(
    station: Station, rate: float, count: int, targets: int, routing: Routing
) -> Fit | str:
    """The model of `count` stations that get `rate` together, of all the `targets` there are."""
    each, form = rate / count, routing.form
    if targets == 1:
        return fit_of(station, rate)
    if form in ("random", "weighted_random"):
        fit = fit_of(station, each)
        if isinstance(fit, str):
            return fit
        source = f"a random split of Poisson requests is Poisson; {fit.source}"
        model = fit.model if count == 1 else f"{count:,} x {fit.model}"
        return replace(fit, model=model, source=source)
    if form == "ip_hash":
        return "a hash decides which client goes where, and no formula knows it"
    if station.room is not None:
        return f"its backlog is bounded, under {form.replace('_', ' ')}"
    if not station.exponential:
        return f"its work is not exponential, under {form.replace('_', ' ')}"
    if each * station.service.m1 >= station.servers:
        return "it cannot keep up: all its lines grow without end"
    if form == "round_robin":
        if station.servers > 1 or not station.in_order:
            return "its instances have several servers, under round robin"
        return _in_turn(station, each, targets)
    if targets != count:
        return f"{form.replace('_', ' ')} chooses among several fleets by their state"
    return _chosen(station, each, count, routing)


def _in_turn(station: Station, each: float, targets: int) -> Fit:
    service = station.service.m1
    sigma = one.round_robin_sigma(targets, each * service)
    mean = service / (1.0 - sigma)
    return Fit(
        f"E{targets}/M/1",
        _IN_TURN,
        (mean, mean),
        quantiles=tuple((key, one.exponential_quantile(mean, p)) for key, p in LEVELS),
        tail=lambda t: math.exp(-t / mean),
        relaxation=one.relaxation(each, station.service),
    )


def _chosen(station: Station, each: float, count: int, routing: Routing) -> Fit:
    """Between the best that any choice could do and what none does."""
    law, c = station.service, station.servers
    load, alone = each * law.m1, fit_of(station, each)
    assert isinstance(alone, Fit)
    servers = c * count
    low = law.m1 * (mmc_sojourn(servers, load * count) if servers <= _SERVERS_MAX else 1.0)
    bounded = Fit(
        f"{count:,} x M/M/{c}, {routing.form.replace('_', ' ')}",
        _EMPTY if routing.form in ("least_connections", "join_idle_queue") else _BOUNDS,
        (low, alone.mean[1]),
        "bounds",
        tail=alone.tail,
        relaxation=alone.relaxation,
    )
    if routing.least_response_time is not None or routing.compiled is not None:
        note = "nothing says how bad this routing may be: there is a lower bound only"
        return replace(bounded, mean=(low, math.inf), tail=None, notes=(note,))
    if routing.power_of_two is not None and c == 1 and count > routing.power_of_two.choices:
        d = routing.power_of_two.choices
        mean = law.m1 * power_of_d_sojourn(d, load)
        few = f"the limit of many instances, and there are {count:,}"
        return replace(
            bounded,
            model=f"power of {d} choices",
            source="Vvedenskaya et al. (1996), Mitzenmacher (2001)",
            mean=(mean, mean),
            kind="limit",
            notes=(few,) if count < _MANY else (),
        )
    return bounded
