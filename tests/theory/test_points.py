"""The engine against closed forms at points of our own: no data file is needed."""

from __future__ import annotations

import pytest

from theory import chains, families, models, points
from theory.accept import Comparison
from theory.models import LONGER


def agree(model, theory, scale: float) -> None:
    estimates = models.run(model, scale)
    wrong = {
        figure: str(Comparison(estimates[figure], expected))
        for figure, expected in theory.items()
        if not Comparison(estimates[figure], expected).agrees
    }
    assert theory
    assert not wrong


@pytest.mark.parametrize("model", points.MODELS, ids=lambda model: model.name)
def test_point(model):
    agree(model, model.theory, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("model", points.MODELS, ids=lambda model: model.name)
def test_point_longer(model):
    agree(model, model.theory, LONGER)


@pytest.mark.parametrize(("servers", "rho", "routing", "choice", "cap"), points.SMALL_FLEETS)
def test_small_fleet(servers, rho, routing, choice, cap):
    exact = chains.routed_sojourn(servers, rho, choice, cap)
    agree(families.routed(servers, rho, routing), {"ET": exact}, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(("servers", "rho", "routing", "choice", "cap"), points.SMALL_FLEETS)
def test_small_fleet_longer(servers, rho, routing, choice, cap):
    exact = chains.routed_sojourn(servers, rho, choice, cap)
    agree(families.routed(servers, rho, routing), {"ET": exact}, LONGER)


@pytest.mark.parametrize("discipline", ["fifo", "ps"])
def test_exponential_sizes_make_the_discipline_irrelevant(discipline):
    """Under PS as under FIFO the shortest queue of exponential servers is the same chain."""
    exact = chains.routed_sojourn(3, 0.6, chains.shortest_queue, 26)
    model = families.routed(3, 0.6, "least_connections", discipline=discipline)
    agree(model, {"ET": exact}, 1.0)
