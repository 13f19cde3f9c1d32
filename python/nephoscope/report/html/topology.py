"""The parts of a scenario and who sends to whom, with the load that each of them had."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.report.html.tables import Table
from nephoscope.report.html.troubles import Trouble
from nephoscope.report.terminal import count, rate_text, share
from nephoscope.scenario import Scenario
from nephoscope.scenario.language.balancer import LoadBalancer
from nephoscope.scenario.language.bus import BusTarget
from nephoscope.scenario.language.service import all_steps
from nephoscope.scenario.language.topic import Subscription
from nephoscope.scenario.specs.queue_actions import redrive_targets

Tree = Mapping[str, Any]

KINDS = {
    "traffic": "traffic",
    "load_balancers": "load balancer",
    "queues": "queue",
    "topics": "topic",
    "buses": "event bus",
    "pipes": "pipe",
    "fleets": "fleet",
    "hosts": "hosts",
}


# What topics and buses had beside what was sent there, and what they held back.
_BESIDE = ("scheduled", "replayed", "throttled", "malformed", "delayed", "pending")


@dataclass(frozen=True)
class Node:
    """A part: its path in the results, what it carried, how full it was where that is known."""

    path: str
    load: str
    full: float | None
    troubles: tuple[str, ...]

    @property
    def section(self) -> str:
        """The part of the results that it is in."""
        return self.path.partition(".")[0]

    @property
    def kind(self) -> str:
        """What it is."""
        return KINDS[self.section]

    @property
    def name(self) -> str:
        """What the scenario calls it."""
        return self.path.partition(".")[2]


@dataclass(frozen=True)
class Edge:
    """From part to part: requests, messages, dead letters, or where a fleet runs."""

    source: str
    target: str
    kind: str


@dataclass(frozen=True)
class Topology:
    """All parts and all ways between them, in the order of the scenario."""

    nodes: list[Node]
    edges: list[Edge]

    @property
    def table(self) -> Table:
        """The same in words."""
        rows = []
        for node in self.nodes:
            ways = [
                f"{edge.target.partition('.')[2]} ({edge.kind})"
                for edge in self.edges
                if edge.source == node.path
            ]
            marked = "; ".join(node.troubles)
            rows.append((node.name, node.kind, ", ".join(ways), node.load, marked))
        head = ("part", "kind", "leads to", "load", "trouble")
        return Table("The parts of the system", head, rows)


def topology(scenario: Scenario, tree: Tree, found: list[Trouble]) -> Topology:
    """That of a scenario, with the loads of a run."""
    troubled: dict[str, list[str]] = {}
    for trouble in found:
        troubled.setdefault(trouble.part, []).append(trouble.words)
    nodes = [
        Node(path, load, full, tuple(troubled.get(path, ())))
        for path, load, full in _loads(scenario, tree)
    ]
    return Topology(nodes, edges(scenario))


def edges(scenario: Scenario) -> list[Edge]:
    """Every way between two parts, once."""
    return list(dict.fromkeys(_edges(scenario)))


def _loads(scenario: Scenario, tree: Tree) -> Iterator[tuple[str, str, float | None]]:
    measured_s = tree["measured_s"] or 1.0
    for name, part in tree["traffic"].items():
        yield f"traffic.{name}", f"{rate_text(part['offered'] / measured_s)}/s", None
    for name, part in tree.get("load_balancers", {}).items():
        rate = rate_text(part["requests"] / measured_s)
        words = balancer_words(scenario.load_balancers[name])
        yield f"load_balancers.{name}", f"{rate}/s, {words}", None
    for name, part in tree.get("queues", {}).items():
        depth = part["depth"]
        words = f"depth {count(depth['mean'])}, at most {count(depth['max'])}"
        yield f"queues.{name}", words, None
    for section, taken in (("topics", "published"), ("buses", "put")):
        for name, part in tree.get(section, {}).items():
            told = [f"{count(part[taken])} in", f"{count(part['delivered'])} out"]
            told += [f"{count(part[key])} {key}" for key in _BESIDE if part.get(key)]
            yield f"{section}.{name}", ", ".join(told), None
    for name, part in tree.get("pipes", {}).items():
        told = [f"{count(part['received'])} in", f"{count(part['delivered'])} out"]
        told += [f"{count(part[key])} {key}" for key in ("filtered", "failed") if part[key]]
        yield f"pipes.{name}", ", ".join(told), None
    for name, part in tree["fleets"].items():
        busy = part["utilization"]
        number = count(part["instances"]["mean"])
        plural = "" if number == "1" else "s"
        yield f"fleets.{name}", f"{number} instance{plural}, busy {share(busy)}", busy
    for name, part in tree.get("hosts", {}).items():
        busy = part["utilization"]
        plural = "" if part["hosts"] == 1 else "s"
        yield f"hosts.{name}", f"{count(part['hosts'])} host{plural}, busy {share(busy)}", busy


def balancer_words(balancer: LoadBalancer) -> str:
    """How it chooses, and whose listener it is."""
    whose = "" if balancer.listener_of is None else f", a listener of {balancer.listener_of}"
    return balancer.routing.form.replace("_", " ") + whose


def _edges(scenario: Scenario) -> Iterator[Edge]:
    paths = {
        name: f"{section}.{name}"
        for section in ("fleets", "queues", "topics", "buses", "pipes", "load_balancers")
        for name in getattr(scenario, section)
    }
    for name, traffic in scenario.traffic.items():
        section = paths[traffic.to].partition(".")[0]
        kind = "requests" if section in ("fleets", "load_balancers") else "messages"
        yield Edge(f"traffic.{name}", paths[traffic.to], kind)
    for name, balancer in scenario.load_balancers.items():
        for target in balancer.all_targets:
            yield Edge(f"load_balancers.{name}", paths[target.fleet], "requests")
    for name, queue in scenario.queues.items():
        if queue.dead_letter is not None:
            yield Edge(f"queues.{name}", f"queues.{queue.dead_letter.queue}", "dead letters")
    for action in scenario.actions:
        if (redrive := action.redrive) is not None:
            for to in redrive_targets(scenario, redrive):
                yield Edge(f"queues.{redrive.queue}", f"queues.{to}", "messages")
    yield from _pushes(scenario, paths)
    for name, pipe in scenario.pipes.items():
        yield Edge(f"queues.{pipe.source}", f"pipes.{name}", "messages")
        yield Edge(f"pipes.{name}", paths[pipe.to], "messages")
    for name, fleet in scenario.fleets.items():
        yield from _fleet_edges(scenario, name, paths)
        if fleet.hosts is not None:
            yield Edge(f"fleets.{name}", f"hosts.{fleet.hosts}", "runs on")


def _pushes(scenario: Scenario, paths: Mapping[str, str]) -> Iterator[Edge]:
    """What topics and buses deliver, and what becomes of it where they cannot."""
    pushed: list[tuple[str, Subscription | BusTarget]] = []
    for name, topic in scenario.topics.items():
        pushed += [(f"topics.{name}", each) for each in topic.subscriptions]
    for name, bus in scenario.buses.items():
        pushed += [(f"buses.{name}", each) for rule in bus.rules.values() for each in rule.targets]
    for path, delivery in pushed:
        if delivery.to is None:
            continue
        yield Edge(path, paths[delivery.to], "messages")
        if delivery.dead_letter is not None:
            yield Edge(path, f"queues.{delivery.dead_letter}", "dead letters")


def _fleet_edges(scenario: Scenario, name: str, paths: Mapping[str, str]) -> Iterator[Edge]:
    service = scenario.services[scenario.fleets[name].service]
    if service.consumes is not None:
        yield Edge(f"queues.{service.consumes.queue}", f"fleets.{name}", "messages")
    for step in all_steps(service.steps):
        if step.call is not None:
            yield Edge(f"fleets.{name}", paths[step.call.to], "requests")
        for message in (step.send, step.publish, step.put):
            if message is not None:
                yield Edge(f"fleets.{name}", paths[message.to], "messages")
