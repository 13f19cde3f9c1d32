"""Closed users at the instances of one fleet."""

from nephoscope.theory.answer import Fit
from nephoscope.theory.closed_users import split_stations
from nephoscope.theory.many_servers import machine_repair
from nephoscope.theory.stations import Station

# Mean value analysis goes through the users one by one; the other keeps a number for each.
_USERS_MAX = 1_000_000
_SPLIT_MAX = 100_000


def closed_fit(
    station: Station, users: int, think: float, stations: int
) -> tuple[Fit, float] | str:
    """The model, and the requests a second, of users at one station or at several at random."""
    service, delay = station.service.m1, station.delay
    if station.room is not None and users > station.room:
        return "its backlog is bounded, and users may fill it"
    if not station.shared and not station.exponential:
        return "users are closed, and its work is neither exponential nor shared by all"
    if users > (_USERS_MAX if stations == 1 else _SPLIT_MAX):
        return f"{users:,} users are too many to count their states"
    if stations > 1 and station.servers > 1:
        return "users are closed, and its instances have several servers"
    if stations == 1:
        found = machine_repair(users, (think + delay) / service, station.servers)
        through, response = found.throughput / service, found.response * service
        model, source = f"M/M/{station.servers}//{users:,}", "machine repair; Palm (1947)"
        if station.shared:
            model, source = f"M/G/{station.servers}-PS//{users:,}", "BCMP (1975)"
    else:
        both = split_stations(users, think + delay, service, stations)
        through, response = both.throughput, both.response
        model = f"{users:,} user{'s' if users > 1 else ''} at {stations:,} stations"
        source = "mean value analysis; Reiser and Lavenberg (1980)"
    mean = response + delay
    settles = 3.0 * (think + mean)
    return Fit(model, source, (mean, mean), relaxation=settles), through
