"""What a scenario file takes until it may run: read, checked, made into plain data."""

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from nephoscope import Scenario

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.benchmark(group="loading")
@pytest.mark.parametrize("name", ["coffee-shop", "flash-sale", "ten-million"])
def test_loading(benchmark: BenchmarkFixture, name: str) -> None:
    scenario = benchmark(Scenario.load, EXAMPLES / f"{name}.yaml")
    assert scenario.name == name
