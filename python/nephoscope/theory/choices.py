"""Many servers, each with a line of its own, and a balancer that looks before it sends.

Sources: Vvedenskaya, Dobrushin and Karpelevich (1996) and Mitzenmacher (2001) for the limit of the
power of d choices; Winston (1977), Weber (1978) and Johri (1989) for the order of the policies:
the shortest queue is the best that can be done with lines that are chosen on arrival, and no such
choice is better than one line for all servers.
"""

import math


def power_of_d_sojourn(d: int, rho: float) -> float:
    """Mean time in units of the service as the number of servers grows without end."""
    total, i = 0.0, 1
    while True:
        exponent = (d**i - d) // (d - 1)
        if exponent * -math.log(rho) > 60.0:
            return total
        total += rho**exponent
        i += 1
