"""`nephoscope explain`."""

from pathlib import Path

import click

from nephoscope.commands.common import FILE, SET, guarded, scenario_of, write_text
from nephoscope.errors import ExperimentError
from nephoscope.report.explanation import explanation_lines
from nephoscope.report.html.plan import plan, plan_svg
from nephoscope.report.html.topology_picture import NODES_MAX
from nephoscope.theory import explain


@click.command(name="explain")
@FILE
@SET
@click.option(
    "--svg",
    "svg_file",
    metavar="FILE",
    help="Draw the system into an SVG file, in place of the Mermaid text; - for standard output.",
)
def explain_command(file: Path, overrides: tuple[str, ...], svg_file: str | None) -> None:
    """Say what FILE would simulate, draw it, and tell what queueing theory knows of it."""

    def tell() -> None:
        scenario = scenario_of(file, overrides)
        explanation = explain(scenario)
        topology = plan(scenario, explanation)
        if svg_file is not None:
            drawn = plan_svg(topology)
            if not drawn:
                message = f"--svg: {len(topology.nodes)} parts, of which {NODES_MAX} can be drawn"
                raise ExperimentError(message)
            write_text(drawn, svg_file, "--svg")
            if svg_file == "-":
                return
        chart = topology if svg_file is None else None
        for line in explanation_lines(scenario, explanation, chart):
            click.echo(line)

    guarded(tell)
