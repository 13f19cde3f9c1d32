"""Run the fixed scenarios and print the fingerprint of each: `fingerprints.py [--core FILE]`.

`--core` names another build of nephoscope._core to use in place of the installed one.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

CORE = "nephoscope._core"
Tree = dict[str, Any]


class CoreFinder(MetaPathFinder):
    """Finds nephoscope._core in a file of one's own choice."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_file_location(name, self.file) if name == CORE else None


def use_core(file: Path) -> None:
    """Make every later import of the core take this file."""
    if CORE in sys.modules:
        raise RuntimeError("the core is imported already")
    sys.meta_path.insert(0, CoreFinder(file.resolve(strict=True)))


def fingerprints(trees: dict[str, Tree], threads: int = 1, seed: int = 7) -> dict[str, str]:
    """The fingerprint of each scenario, run by so many threads at once."""
    from nephoscope import Scenario  # noqa: PLC0415 - only now, so that --core has its say

    def one(tree: Tree) -> str:
        return str(Scenario.model_validate(tree).run(rng=seed).fingerprint)

    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(trees, pool.map(one, trees.values()), strict=True))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=Path)
    core = parser.parse_args().core
    if core:
        use_core(core)
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from determinism.scenarios import all_scenarios  # noqa: PLC0415

    found = fingerprints(all_scenarios())
    used = Path(str(sys.modules[CORE].__file__))
    if core and used != core.resolve():
        raise RuntimeError(f"{used} was used")
    for name, fingerprint in found.items():
        print(name, fingerprint)


if __name__ == "__main__":
    main()
