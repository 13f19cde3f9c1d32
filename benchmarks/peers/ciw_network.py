"""Ciw, on what it is made for: M/M/1, and a small farm by its routing to the shortest queue."""

import ciw
from peer import Answer, Model, main


class LeastConnections(ciw.routing.JoinShortestQueue):
    """Ciw's own compares those who wait; this one counts the request in service as well."""

    def get_queue_size(self, node_index: int) -> int:
        return self.simulation.nodes[node_index].number_of_individuals


def network(model: Model) -> ciw.network.Network:
    exponential = ciw.dists.Exponential
    if model.instances == 1:
        return ciw.create_network(
            arrival_distributions=[exponential(rate=model.rate)],
            service_distributions=[exponential(rate=1.0)],
            number_of_servers=[1],
        )
    # A first node without delay, from which every request is routed.
    targets = list(range(2, model.instances + 2))
    leave = [ciw.routing.Leave() for _ in targets]
    return ciw.create_network(
        arrival_distributions=[exponential(rate=model.rate)] + [None] * model.instances,
        service_distributions=[ciw.dists.Deterministic(value=0.0)]
        + [exponential(rate=1.0)] * model.instances,
        number_of_servers=[float("inf")] + [1] * model.instances,
        routing=ciw.routing.NetworkRouting(
            routers=[LeastConnections(destinations=targets), *leave]
        ),
    )


def run(model: Model) -> Answer:
    ciw.seed(model.seed)
    simulation = ciw.Simulation(network(model))
    simulation.simulate_until_max_time(model.end)
    records = [r for r in simulation.get_all_records() if r.node != 1 or model.instances == 1]
    total = sum(r.exit_date - r.arrival_date for r in records)
    offered = simulation.nodes[0].number_of_individuals
    return Answer(offered, len(records), total / len(records))


if __name__ == "__main__":
    main("ciw", run)
