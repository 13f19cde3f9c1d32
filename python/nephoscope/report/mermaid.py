"""A topology as the text of a Mermaid flowchart, which many editors and forges draw."""

from collections.abc import Iterator

from nephoscope.report.html.topology import Node, Topology

# The brackets that make the shape of each kind of part.
_SHAPES = {
    "traffic": ("([", "])"),
    "load_balancers": ("{{", "}}"),
    "queues": ("[(", ")]"),
    "topics": (">", "]"),
    "buses": ("[/", "/]"),
    "pipes": ("[\\", "\\]"),
    "fleets": ("[", "]"),
    "hosts": ("[[", "]]"),
}

_ARROWS = {
    "requests": "-->",
    "messages": "-.->",
    "dead letters": "-. dead letters .->",
    "runs on": "-. runs on .-",
}


def mermaid(topology: Topology) -> Iterator[str]:
    """The lines of the chart, from left to right as requests go."""
    yield "flowchart LR"
    keys = {node.path: f"n{i}" for i, node in enumerate(topology.nodes)}
    for node in topology.nodes:
        start, end = _SHAPES[node.section]
        yield f'  {keys[node.path]}{start}"{_label(node)}"{end}'
    for edge in topology.edges:
        yield f"  {keys[edge.source]} {_ARROWS[edge.kind]} {keys[edge.target]}"


def _label(node: Node) -> str:
    words = [f"{node.kind} {node.name}", node.load, *node.troubles]
    # Mermaid has entities of its own; a quotation mark would end the label.
    return "<br>".join(word.replace("#", "#35;").replace('"', "#quot;") for word in words)
