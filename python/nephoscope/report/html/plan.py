"""A scenario as a topology before it has run: the loads are those that theory expects."""

from collections.abc import Iterator

from nephoscope.report.html.standalone import standalone
from nephoscope.report.html.topology import Node, Topology, balancer_words, edges
from nephoscope.report.html.topology_picture import topology_picture
from nephoscope.report.terminal import count, rate_text, share
from nephoscope.scenario import Scenario
from nephoscope.theory import Explanation
from nephoscope.theory.answer import Load


def plan(scenario: Scenario, explanation: Explanation) -> Topology:
    """All parts with what they have to carry; those that cannot are marked."""
    return Topology(list(_nodes(scenario, explanation)), edges(scenario))


def plan_svg(topology: Topology) -> str:
    """The picture as a file of its own; nothing where there are too many parts."""
    drawn = topology_picture(topology)
    return standalone(drawn) if drawn else ""


def _nodes(scenario: Scenario, explanation: Explanation) -> Iterator[Node]:
    flows = explanation.flows
    for name, source in flows.sources.items():
        yield Node(f"traffic.{name}", _per_second(source.mean, source.at_most), None, ())
    for name, balancer in scenario.load_balancers.items():
        rate = _per_second(flows.means[name], name in flows.at_most)
        words = f"{rate}, {balancer_words(balancer)}"
        yield Node(f"load_balancers.{name}", words, None, ())
    for queue in explanation.queues:
        may = "may take" if queue.at_most else "takes"
        trouble = (f"{may} in more than its consumers can",) if queue.overloaded else ()
        yield Node(f"queues.{queue.queue}", _per_second(queue.sent, queue.at_most), None, trouble)
    for section in ("topics", "buses", "pipes"):
        for name in getattr(scenario, section):
            rate = _per_second(flows.means[name], name in flows.at_most)
            yield Node(f"{section}.{name}", rate, None, ())
    for load in explanation.loads:
        yield _fleet(load)
    for name, hosts in scenario.hosts.items():
        plural = "" if hosts.count == 1 else "s"
        yield Node(f"hosts.{name}", f"{count(hosts.count)} host{plural}", None, ())


def _fleet(load: Load) -> Node:
    number = load.instances + load.spare
    plural = "" if number == 1 else "s"
    most = "up to " if load.at_most else ""
    words = f"{count(number)} instance{plural}, busy {most}{share(load.utilization)}"
    may = "perhaps " if load.at_most else ""
    trouble = (f"{may}more than it can work on",) if load.overloaded else ()
    return Node(f"fleets.{load.fleet}", words, min(load.utilization, 1.0), trouble)


def _per_second(rate: float, at_most: bool) -> str:
    return f"{'up to ' if at_most else ''}{rate_text(rate)}/s"
