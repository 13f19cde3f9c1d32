"""The picture of a topology: columns from left to right, as requests go."""

from nephoscope.report.html import svg
from nephoscope.report.html.topology import Edge, Node, Topology

_BOX_WIDTH, _BOX_HEIGHT = 196.0, 76.0
_GAP_X, _GAP_Y = 48.0, 22.0
_MARGIN = 12.0
_NAME_LENGTH_MAX = 22

# A picture of more parts than this is a wall of boxes; the table has them all.
NODES_MAX = 60

Places = dict[str, svg.Point]


def topology_picture(topology: Topology) -> str:
    """All boxes and arrows; nothing where there are too many."""
    if len(topology.nodes) > NODES_MAX:
        return ""
    columns = _columns(topology)
    places = _places(columns)
    height = _MARGIN + max(y for _, y in places.values()) + _BOX_HEIGHT + _MARGIN
    width = max(x for x, _ in places.values()) + _BOX_WIDTH + _MARGIN
    under = height
    if any(_passes(edge, places) for edge in topology.edges):
        height += _GAP_Y
    arrows = [_arrow(edge, places, under) for edge in topology.edges]
    boxes = [_box(node, places[node.path]) for node in topology.nodes]
    marked = sum(1 for node in topology.nodes if node.troubles)
    label = f"{len(topology.nodes)} parts and the ways between them; {marked} marked with trouble"
    drawn = (_head(), *arrows, *boxes)
    return svg.picture(width, height, label, *drawn, class_="topology", least=0.8 * width)


def _columns(topology: Topology) -> list[list[str]]:
    """By the longest way from where requests come from; a way that leads back does not count."""
    after: dict[str, list[str]] = {node.path: [] for node in topology.nodes}
    for edge in topology.edges:
        after[edge.source].append(edge.target)
    depth = dict.fromkeys(after, 0)

    def walk(path: str, at: int, trail: frozenset[str]) -> None:
        if path in trail or (at <= depth[path] and at > 0):
            return
        depth[path] = at
        for target in after[path]:
            walk(target, at + 1, trail | {path})

    for node in topology.nodes:
        if node.section == "traffic":
            walk(node.path, 0, frozenset())
    last = max(depth.values())
    hosts = [node.path for node in topology.nodes if node.section == "hosts"]
    if hosts:
        last = max([d for path, d in depth.items() if path not in hosts], default=0) + 1
        depth |= dict.fromkeys(hosts, last)
    columns: list[list[str]] = [[] for _ in range(last + 1)]
    for path, at in depth.items():
        columns[at].append(path)
    return _untangled([column for column in columns if column], topology)


def _untangled(columns: list[list[str]], topology: Topology) -> list[list[str]]:
    """Each column in the order of where its parts are reached from."""
    rank: dict[str, float] = {}
    for column in columns:
        for path in column:
            before = [
                rank[e.source] for e in topology.edges if e.target == path and e.source in rank
            ]
            rank[path] = sum(before) / len(before) if before else float(column.index(path))
        column.sort(key=lambda path: rank[path])
        rank |= {path: float(i) for i, path in enumerate(column)}
    return columns


def _places(columns: list[list[str]]) -> Places:
    tallest = max(len(column) for column in columns)
    places = {}
    for i, column in enumerate(columns):
        spare = (tallest - len(column)) * (_BOX_HEIGHT + _GAP_Y) / 2
        for j, path in enumerate(column):
            x = _MARGIN + i * (_BOX_WIDTH + _GAP_X)
            places[path] = (x, _MARGIN + spare + j * (_BOX_HEIGHT + _GAP_Y))
    return places


def _box(node: Node, at: svg.Point) -> str:
    x, y = at
    words = f"{node.kind} {node.name}: {node.load}"
    if node.troubles:
        words += f". Trouble: {'; '.join(node.troubles)}"
    name = node.name
    if len(name) > _NAME_LENGTH_MAX:
        name = f"{name[: _NAME_LENGTH_MAX - 1]}…"
    radius = 38 if node.section == "traffic" else 6
    inside = [
        svg.title(words),
        svg.element("rect", x=x, y=y, width=_BOX_WIDTH, height=_BOX_HEIGHT, rx=radius),
        svg.text(node.kind, x + _BOX_WIDTH / 2, y + 18, class_="kind", text_anchor="middle"),
        svg.text(name, x + _BOX_WIDTH / 2, y + 38, class_="name", text_anchor="middle"),
        svg.text(node.load, x + _BOX_WIDTH / 2, y + 57, class_="load", text_anchor="middle"),
    ]
    if node.full is not None:
        inside += _bar(node.full, x + 12, y + _BOX_HEIGHT - 11, _BOX_WIDTH - 24)
    if node.troubles:
        inside.append(_warning(x + _BOX_WIDTH - 20, y + 18))
    marked = " troubled" if node.troubles else ""
    return svg.element("g", *inside, class_=f"node {node.section}{marked}")


def _bar(full: float, x: float, y: float, width: float) -> list[str]:
    part = width * min(max(full, 0.0), 1.0)
    return [
        svg.element("rect", x=x, y=y, width=width, height=5.0, class_="bar"),
        svg.element("rect", x=x, y=y, width=part, height=5.0, class_="full"),
    ]


def _warning(x: float, y: float) -> str:
    triangle = svg.element("path", d=f"M{x:g} {y - 11:g} l12 20 h-24 z")
    mark = svg.text("!", x, y + 6, text_anchor="middle")
    return svg.element("g", triangle, mark, class_="warning")


def _passes(edge: Edge, places: Places) -> bool:
    """Whether an arrow has to get by a column that it has nothing to do with."""
    return places[edge.target][0] - places[edge.source][0] > 1.5 * (_BOX_WIDTH + _GAP_X)


def _arrow(edge: Edge, places: Places, under: float) -> str:
    """From side to side; past a column under all boxes; back or in a column round their bottoms."""
    (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
    if _passes(edge, places):
        start, end = (x1 + _BOX_WIDTH, y1 + _BOX_HEIGHT / 2), (x2 - 6, y2 + _BOX_HEIGHT / 2)
        left, right = start[0] + _GAP_X, end[0] - _GAP_X
        path = f"M{start[0]:g} {start[1]:g} C{start[0] + 24:g} {start[1]:g} "
        path += f"{left - 24:g} {under:g} {left:g} {under:g} L{right:g} {under:g} "
        path += f"C{right + 24:g} {under:g} {end[0] - 24:g} {end[1]:g} {end[0]:g} {end[1]:g}"
    elif x2 > x1:
        start = (x1 + _BOX_WIDTH, y1 + _BOX_HEIGHT / 2)
        end = (x2 - 6, y2 + _BOX_HEIGHT / 2)
        bend = (end[0] - start[0]) / 2
        path = f"M{start[0]:g} {start[1]:g} C{start[0] + bend:g} {start[1]:g} "
        path += f"{end[0] - bend:g} {end[1]:g} {end[0]:g} {end[1]:g}"
    else:
        start, end = (x1 + 60, y1 + _BOX_HEIGHT), (x2 + 100, y2 + _BOX_HEIGHT + 6)
        deep = max(start[1], end[1]) + 40
        path = f"M{start[0]:g} {start[1]:g} C{start[0]:g} {deep:g} {end[0]:g} {deep:g} "
        path += f"{end[0]:g} {end[1]:g}"
    kind = edge.kind.replace(" ", "-")
    return svg.element("path", d=path, class_=f"edge {kind}", marker_end="url(#arrow)")


def _head() -> str:
    marker = svg.element(
        "marker",
        svg.element("path", d="M0 0 L10 5 L0 10 z"),
        id="arrow",
        viewBox="0 0 10 10",
        refX=8,
        refY=5,
        markerWidth=7,
        markerHeight=7,
        orient="auto-start-reverse",
    )
    return svg.element("defs", marker)
