"""Sizes of the benchmarks, and the compiled limit kernels."""

import pytest

import kernels
from pairs import HEADER, line
from sizes import Size


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> Size:
    return Size(full=not request.config.getoption("benchmark_disable"))


@pytest.fixture(scope="session")
def limit_kernels() -> kernels.Kernels:
    try:
        return kernels.load()
    except kernels.NoCompilerError as reason:
        pytest.skip(str(reason))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What was compared with what, when times were taken."""
    session = getattr(config, "_benchmarksession", None)
    if session is None or config.getoption("benchmark_disable"):
        return
    measured = [b for b in session.benchmarks if "ratio" in b.extra_info]
    if measured:
        terminalreporter.section("compared, medians of interleaved pairs, ns a request")
        terminalreporter.write_line(HEADER)
    for benchmark in measured:
        terminalreporter.write_line(line(benchmark.name, benchmark.extra_info))
