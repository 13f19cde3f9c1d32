"""Prints every figure that the theory suite compares, with what is expected and how far off it is.

    python tests/theory/report.py              the fast suite's runs
    python tests/theory/report.py --slow       those of the slow suite
    python tests/theory/report.py --only MM1   entries and models whose name contains a text

The columns: the entry of the reference data (or `own` for a point that needs no data) and its model,
the figure, what is expected, the estimate, its standard error over its mean, and the difference in
standard errors. A figure fails when that exceeds Student's t at a false alarm of one in a million,
which is 6.17 for 30 replications.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from theory import bindings, chains, families, models, oracles, points
from theory.accept import Comparison
from theory.models import Model

Row = tuple[str, Model, float, dict[str, tuple[float, float]]]


def rows(slow: bool) -> Iterator[Row]:
    """(name, model, scale, expected figures) of everything a suite runs."""
    longer = 10.0 if slow else 1.0
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
        model = families.routed(servers, rho, routing, quantiles=())
        yield "own", model, longer, {"ET": (exact, 0.0)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    print("| entry | model | figure | expected | estimate | SE/mean | z |")
    print("|---|---|---|---:|---:|---:|---:|")
    start, figures, failures, sharp = time.perf_counter(), 0, 0, set()
    for name, model, scale, expected in rows(options.slow):
        if options.only not in f"{name} {model.name}":
            continue
        estimates = models.run(model, scale)
        for key, (value, se) in expected.items():
            found = Comparison(estimates[key], value, se)
            figures += 1
            failures += not found.agrees
            if found.estimate.relative <= 0.000626:
                sharp.add((name, model.name))
            mark = "" if found.agrees else " FAILS"
            print(
                f"| {name} | {model.name} | {key} | {value:.7g} | {found.estimate.mean:.7g} "
                f"| {found.estimate.relative:.2g} | {found.z:+.2f}{mark} |",
                flush=True,
            )
    print(
        f"\n{figures} figures, {failures} outside their tolerance; {len(sharp)} models sharp enough "
        f"to see 0.5 % with 99.9 % power; {time.perf_counter() - start:.0f} s"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
