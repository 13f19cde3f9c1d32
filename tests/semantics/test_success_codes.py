"""What health checks are answered with, and which codes tell of success: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import Tree, run
from semantics.test_health import CHECK, door, fails, first_checks, healthy, lab_of


def answering(code: int, codes: Any = None, *, lasting: str | None = None, **where: Any) -> Tree:
    """Two targets, of which the first answers its checks with a code from 50 s on."""
    check = CHECK | ({} if codes is None else {"success_codes": codes})
    fault = {"at": "50s", "lose_health_checks": {"fleet": "web", "code": code} | where}
    fault |= {} if lasting is None else {"for": lasting}
    return lab_of(2, fault, balancers=door(check=check))


def test_a_check_that_is_answered_with_another_code_has_failed():
    """At once, where one that is not answered fails after its timeout; requests go on."""
    turns = 60.0 + first_checks(2)[0]
    tree = answering(503)
    assert healthy(tree) == [2 if second < turns else 1 for second in range(1, 201)]
    result = run(tree)
    assert result["traffic"]["customers"]["failed"] == 0
    assert result["load_balancers"]["door"]["health"]["failed_checks"] == 15


@pytest.mark.parametrize(
    ("code", "codes", "well"),
    [
        (204, None, False),
        (200, None, True),
        (204, "200-299", True),
        (301, "200-299", False),
        (301, "200-399", True),
        (503, "200-503", True),
        (503, 503, True),
    ],
)
def test_a_code_of_success_is_one(code, codes, well):
    """Those that answer otherwise say 200: where that is none, they are ill from the first."""
    health = run(answering(code, codes))["load_balancers"]["door"]["health"]
    others = 1 if codes != 503 else 0
    assert health["healthy"] == others + (1 if well else 0)


def test_it_recovers_when_the_fault_is_over():
    """Checks at 80, 90 and 100 s, and the phase, succeed."""
    phase = first_checks(2)[0]
    lost, back = 60.0 + phase, 100.0 + phase
    found = healthy(answering(503, lasting="30s"))
    assert found == [1 if lost <= second < back else 2 for second in range(1, 201)]


def test_of_several_the_last_counts():
    tree = answering(503)
    tree["faults"].append({"at": "100s", "lose_health_checks": {"fleet": "web", "code": 200}})
    assert run(tree)["load_balancers"]["door"]["health"]["healthy"] == 2


def test_one_node_may_be_told_so_alone():
    tree = answering(503, node=1)
    tree["load_balancers"]["door"]["nodes"] = 2
    nodes = run(tree)["load_balancers"]["door"]["health"]["nodes"]
    assert [node["healthy"] for node in nodes] == [2, 1]


def test_who_is_down_or_says_nothing_has_no_code():
    tree = answering(200)
    tree["faults"].append(fails("60s", None, "web"))
    assert run(tree)["load_balancers"]["door"]["health"]["healthy"] == 1


def test_by_default_of_a_type():
    for kind, codes in (("application", (200, 200)), ("network", (200, 399))):
        tree = answering(503)
        told = {"type": kind, "defaults": "service", "cross_zone": True}
        tree["load_balancers"]["door"] |= told
        found = nph.Scenario.model_validate(tree).load_balancers["door"].health_check
        assert found is not None
        assert found.success_codes == codes


def test_saved_meanwhile_it_goes_on_as_it_would_have():
    sim = nph.Simulation(nph.Scenario.model_validate(answering(503, lasting="30s")), rng=7)
    sim.advance("70s")
    again = nph.Simulation.load(sim.save())
    for each in (sim, again):
        each.advance("130s")
    assert sim.result().fingerprint == again.result().fingerprint


@pytest.mark.parametrize("codes", [99, 600, "200-", "399-200", "2xx", True, "200,301"])
def test_other_codes_are_refused(codes):
    with pytest.raises(ScenarioError, match=r"health_check\.success_codes"):
        run(answering(200, codes))
    with pytest.raises(ScenarioError, match="code"):
        run(answering(600))
