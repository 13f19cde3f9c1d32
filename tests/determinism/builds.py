"""Build the core with other compilers and levels; compare its fingerprints with the installed one.

    python tests/determinism/builds.py [--folder DIR] [--jobs N]

Needs CMake, Ninja and pybind11 beside the installed package. A compiler that is not there is
left out, and said so. Leaves with 1 if a build fails or a fingerprint differs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# g++ -O3 is what is installed: another level, and another compiler.
LEVELS = {"g++": ("-O0",), "clang++": ("-O3",)}


def fingerprints(*options: str) -> dict[str, str]:
    """What fingerprints.py prints, in a process of its own."""
    command = [sys.executable, str(HERE / "fingerprints.py"), *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


def build(compiler: str, level: str, folder: Path, jobs: int) -> Path:
    """Build the module alone, without link-time optimisation; the file that came out."""
    import pybind11  # noqa: PLC0415 - a build requirement, not one of the tests

    configure = {
        "CMAKE_CXX_COMPILER": compiler,
        "CMAKE_BUILD_TYPE": "None",
        "CMAKE_CXX_FLAGS": level,
        "NEPHOSCOPE_LTO": "OFF",
        # Files together take a fraction of the time; what is installed is compiled one by one.
        "CMAKE_UNITY_BUILD": "ON",
        "CMAKE_UNITY_BUILD_BATCH_SIZE": "16",
        "NEPHOSCOPE_WERROR": "ON",
        "Python_EXECUTABLE": sys.executable,
        "pybind11_DIR": pybind11.get_cmake_dir(),
    }
    defines = [f"-D{key}={value}" for key, value in configure.items()]
    for command in (
        ["cmake", "-G", "Ninja", "-S", str(ROOT), "-B", str(folder), *defines],
        ["cmake", "--build", str(folder), "-j", str(jobs)],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            print(done.stdout, done.stderr, sep="\n", flush=True)
            raise SystemExit(f"{compiler} {level}: the build failed")
    (module,) = folder.rglob("_core*.so")
    return module


def compare(name: str, expected: dict[str, str], found: dict[str, str]) -> bool:
    """Print where two builds differ; whether they agree."""
    wrong = [key for key in expected if expected[key] != found.get(key)]
    for key in wrong:
        print(f"  {name}: {key}: {found.get(key)}, installed: {expected[key]}")
    return not wrong and found.keys() == expected.keys()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to build (default: a temporary folder)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    expected = fingerprints()
    agreed = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for compiler, levels in LEVELS.items():
            if shutil.which(compiler) is None:
                print(f"{compiler}: not installed, left out")
                continue
            for level in levels:
                start = time.monotonic()
                name = f"{compiler} {level}"
                module = build(compiler, level, folder / name.replace(" ", ""), options.jobs)
                same = compare(name, expected, fingerprints("--core", str(module)))
                agreed = agreed and same
                seconds = time.monotonic() - start
                print(f"{name}: {'the same' if same else 'DIFFERS'}, {seconds:.0f} s", flush=True)
    print(f"{len(expected)} scenarios")
    sys.exit(0 if agreed and expected else 1)


if __name__ == "__main__":
    main()
