"""Closed users: mean value analysis, and the bounds that hold whatever the laws are.

Sources: Reiser and Lavenberg (1980) for mean value analysis; Muntz and Wong (1974) for the
asymptotic bounds, as in Lazowska et al., Quantitative System Performance (1984), chapter 5.
"""

from nephoscope.theory.many_servers import Repair


def split_stations(users: int, think: float, service: float, stations: int) -> Repair:
    """Users who go to one of several equal stations of a server each, drawn anew every time."""
    queue = throughput = response = 0.0
    for n in range(1, users + 1):
        response = service * (1.0 + queue)  # of one visit; each request makes one
        throughput = n / (think + response)
        queue = throughput / stations * response
    return Repair(throughput, response)


def throughput_bound(users: int, cycle: float, capacity: float) -> float:
    """What users can send at most, when a cycle without waiting takes so long."""
    return min(users / cycle, capacity) if cycle > 0.0 else capacity
