"""Prints every figure that the theory suite compares, with what is expected and how far off it is.

    python tests/theory/report.py              the fast suite's runs
    python tests/theory/report.py --slow       those of the slow suite
    python tests/theory/report.py --brief      one line a model, with its worst figure

The columns: the entry of the reference data (or `own` for a point that needs no data), its model,
the figure, what is expected, the estimate, its standard error over its mean, and the difference
in standard errors. A figure fails when that exceeds Student's t at a false alarm of one in a
million, which is 6.17 for 30 replications.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from theory import bindings, chains, families, formulas, models, oracles, points
from theory.accept import Comparison
from theory.models import Model

SHARP = formulas.power_se(0.005)

Row = tuple[str, Model, float, dict[str, tuple[float, float]]]


def rows(slow: bool) -> Iterator[Row]:
    """(name, model, scale, expected figures) of everything a suite runs."""
    longer = models.LONGER if slow else 1.0
    for name, entry in oracles.entries().items():
        heavy = bindings.is_slow(name)
        if heavy and not slow:
            continue
        for model, expected in bindings.bind(entry):
            yield name, model, 1.0 if heavy else longer, expected
    for model in points.MODELS:
        yield "own", model, longer, {key: (value, 0.0) for key, value in model.theory.items()}
    for servers, rho, routing, choice, cap in points.SMALL_FLEETS:
        exact = chains.routed_sojourn(servers, rho, choice, cap)
        model = families.routed(servers, rho, routing)
        yield "own", model, longer, {"ET": (exact, 0.0)}


def full(name: str, model: Model, found: dict[str, Comparison]) -> Iterator[str]:
    """A line a figure."""
    for key, it in found.items():
        yield (
            f"| {name} | {model.name} | {key} | {it.expected:.7g} | {it.estimate.mean:.7g} "
            f"| {it.estimate.relative:.2g} | {it.z:+.2f}{'' if it.agrees else ' FAILS'} |"
        )


def brief(name: str, model: Model, found: dict[str, Comparison]) -> Iterator[str]:
    """A line a model: its first figure, and the worst of all."""
    key, it = next(iter(found.items()))
    worst = max((abs(x.z) for x in found.values() if x.estimate.se > 0), default=0.0)
    failed = "" if all(x.agrees for x in found.values()) else " FAILS"
    yield (
        f"| {name} | {model.name} | {key} | {it.expected:.7g} | {it.estimate.mean:.7g} "
        f"| {it.estimate.relative:.2g} | {len(found)} | {worst:.2f}{failed} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--brief", action="store_true", help="one line a model")
    parser.add_argument("--only", default="", help="entries and models with this in their names")
    options = parser.parse_args()
    last = "figures | worst z" if options.brief else "z"
    print(f"| entry | model | figure | expected | estimate | SE/mean | {last} |")
    print("|---|---|---|---:|---:|---:|---:|" + ("---:|" if options.brief else ""))
    start, figures, failures, sharp = time.perf_counter(), 0, 0, set()
    for name, model, scale, expected in rows(options.slow):
        if options.only not in f"{name} {model.name}":
            continue
        estimates = models.run(model, scale)
        found = {key: Comparison(estimates[key], x, se) for key, (x, se) in expected.items()}
        print(*(brief if options.brief else full)(name, model, found), sep="\n", flush=True)
        figures += len(found)
        failures += sum(not it.agrees for it in found.values())
        if any(it.estimate.relative <= SHARP for it in found.values()):
            sharp.add(model.name)
    print(
        f"\n{figures} figures, {failures} outside their tolerance. {len(sharp)} models have a "
        f"figure that an error of 0.5 % would move out of it with 99.9 % power. "
        f"{time.perf_counter() - start:.0f} s."
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
