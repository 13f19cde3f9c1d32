"""Parameter points of our own, for a clone without the reference data and beyond what it lists.

The points were chosen to spread over the parameters, once, before the engine ran them.
"""

from __future__ import annotations

from theory import chains, clients, families, systems
from theory.models import Model

SINGLE = [
    families.mm1(0.3),
    families.mm1(0.5),
    families.mm1(0.7, requests=1e7),
    families.copies(0.6),
    families.copies(0.7, "weibull", 0.6),
    families.copies(0.65, "gamma", 2.0),
    families.waiting(0.6),
    families.waiting(0.5, "det"),
    families.waiting(0.7, "h2", 6.0),
    families.waiting(0.75, "erlang", 3),
    families.waiting(0.6, "lognormal", 2.0),
    families.waiting(0.8, "weibull", 0.7),
    families.waiting(0.7, "gamma", 0.3),
    families.constant_arrivals(0.7),
    families.constant_arrivals(0.85),
    systems.modulated([1.2, 0.3], [0.2, 0.1]),
    systems.modulated([0.0, 2.0, 0.5], [0.5, 0.7, 0.3]),
    systems.batches(0.3, 2.0),
    systems.from_empty(0.5, [0.5, 2.0, 8.0, 30.0]),
    systems.from_empty(1.2, [1.0, 5.0, 20.0]),
]

MANY_SERVERS = [
    families.mmc(2, 0.7),
    families.mmc(7, 0.8),
    families.mmc(40, 0.85),
    families.waiting(0.8, servers=3),
    families.waiting(0.75, servers=12),
    families.waiting(0.7, "det", servers=3),
    families.waiting(0.85, "det", servers=6),
    families.loss(3, 3, 2.0),
    families.loss(30, 30, 33.0, "uniform"),
    families.loss(12, 12, 9.0, "h2", 5.0),
    families.loss(2, 7, 2.4),
    families.loss(6, 30, 5.5),
    systems.crowd(8.0, "exp"),
    systems.crowd(20.0, "weibull", 0.8),
    systems.wave(40.0, 0.8, 12.0, (0.0, 3.0, 6.0, 9.0)),
]

SHARING = [
    families.sharing(1, 0.6, "exp"),
    families.sharing(1, 0.7, "uniform"),
    families.sharing(1, 0.75, "weibull", 0.8),
    families.sharing(2, 0.8, "h2", 3.0),
    families.sharing(3, 0.7, "det"),
    families.sharing(16, 0.85, "lognormal", 2.0),
    families.sharing_by_size(0.6, 0.1),
    families.sharing_by_size(0.7, 1.0),
    families.sharing_by_size(0.75, 6.0),
]

ROUTED = [
    families.round_robin(2, 0.8),
    families.round_robin(7, 0.7),
    families.round_robin(40, 0.85),
    families.split(10, 0.7),
    families.unequal_split(2.2, (0.35, 0.3, 0.25, 0.1)),
    systems.spread(0.6, 2, 4),
    systems.spread(0.75, 4, 4),
]

PEOPLE = [
    systems.impatient(2, 1.9, [1.0, 3.0], [1.0, 2.0]),
    systems.impatient(6, 7.5, [0.5], [1.0]),
    systems.exponential_patience(3, 3.3, 0.4, 150),
    systems.bucket(0.8, 4),
    systems.bucket(1.3, 2),
    systems.tandem(0.6, [1.0, 0.9, 1.5]),
    systems.feedback(0.4, 0.3),
    systems.feedback(0.25, 0.6),
    systems.closed([0.3, 0.7], 4.0, 6),
    systems.closed([1.0, 1.0, 0.5], 0.0, 4),
    systems.closed([0.2, 0.2, 0.2, 0.8], 10.0, 12),
]

AGAIN = [
    clients.retries(0.3, 2, requests=1e6),
    clients.retries(0.7, 20, requests=1e6),
    clients.backoff(0.5, 3.0, 5, "equal", requests=1e6),
    clients.retrial(0.3, 0.5, requests=2e6),
    clients.retrial(0.6, 2.0),
]

# Small fleets behind a policy, whose chain is solved exactly: (servers, rho, routing, choice, cap).
SMALL_FLEETS = [
    (2, 0.7, "least_connections", chains.shortest_queue, 50),
    (3, 0.6, "least_connections", chains.shortest_queue, 26),
    (2, 0.8, "join_idle_queue", chains.idle_queue, 90),
    (3, 0.7, "join_idle_queue", chains.idle_queue, 40),
    (3, 0.7, families.power(2), chains.power_of(2), 40),
    (4, 0.6, families.power(2), chains.power_of(2), 22),
    (4, 0.7, families.power(3), chains.power_of(3), 22),
    (3, 0.6, "random", chains.uniform_choice, 30),
]

MODELS: list[Model] = [*SINGLE, *MANY_SERVERS, *SHARING, *ROUTED, *PEOPLE, *AGAIN]
