"""The pinned scheduler: a thread for every vCPU, and neighbours that do not exist."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compute.fair_machines import MS, NEVER, SECOND, account, add, want
from nephoscope import _core
from nephoscope.errors import ScenarioError


def pinned(hosts: int = 1, *, cores=1, threads_per_core=1, smt_gain=0.25, speed=1.0):
    made = _core.hypervisor.PinnedHypervisor()
    for _ in range(hosts):
        made.add_host(cores, threads_per_core, smt_gain, speed)
    return made


def test_what_does_not_fit_is_refused_and_changes_nothing():
    made = pinned(cores=4, threads_per_core=2)
    add(made, [0, 0], vcpus=[3, 2])  # two cores and one
    assert made.free_cores(0) == 1
    with pytest.raises(ScenarioError, match="vcpus"):
        add(made, 0, vcpus=3)
    assert (made.tenants, made.free_cores(0)) == (2, 1)
    add(made, 0, vcpus=1)
    with pytest.raises(ScenarioError, match="vcpus"):
        add(made, 0, vcpus=1)
    made.remove(0)
    assert made.free_cores(0) == 2
    add(made, 0, vcpus=4)
    assert made.free_cores(0) == 0


def test_nothing_is_stolen_and_without_a_cap_nothing_happens():
    made = pinned(cores=8)
    add(made, [0] * 4, vcpus=2, weight=[1.0, 10.0, 100.0, 1000.0])
    want(made, [0, 1, 2, 3], [2, 1, 2, 0])
    made.advance(SECOND)
    assert made.next_event_ns() == NEVER
    assert account(made).tolist() == [2 * SECOND, SECOND, 2 * SECOND, 0]
    assert account(made, "idle_ns").tolist() == [0, SECOND, 0, 2 * SECOND]
    assert not account(made, "steal_by_contention_ns").any()


def test_a_tenant_is_slowed_by_its_own_siblings_alone():
    made = pinned(cores=4, threads_per_core=2, smt_gain=0.5, speed=2.0)
    add(made, [0, 0], vcpus=4)
    want(made, [0, 1], [2, 4])
    assert made.rates([0, 1]).tolist() == [4.0, 6.0]
    assert made.speeds([0]).tolist() == [10 / 6]
    want(made, 0, 3)
    assert made.rates([0, 1]).tolist() == [5.0, 6.0]
    want(made, [0, 1], 0)
    assert made.speeds([0]).tolist() == [2.0]


@pytest.mark.parametrize(
    ("cap", "vcpus", "lead"), [(0.5, 1, 25.0), (2.0, 4, 100.0), (1.0, 8, 87.5)]
)
def test_a_cap_is_a_bucket(cap, vcpus, lead):
    """Service less the average lies in [0, Q (1 - Q / (n P))]."""
    made = pinned(cores=16)
    add(made, 0, vcpus=vcpus, cap=cap)
    want(made, 0, vcpus)
    leads = []
    for at in range(0, 1000 * MS, MS // 2):
        made.advance(at)
        leads.append((int(account(made)[0]) - cap * at) / MS)
    assert (min(leads), max(leads)) == (0.0, lead)


def test_a_migration_takes_account_and_bucket_along():
    made = pinned(2, cores=2)
    made.add_host(2, 1, 0.25, 3.0)
    add(made, 0, vcpus=2, cap=0.5)
    want(made, 0, 2)
    made.advance(10 * MS)
    made.move(0, 1)
    made.advance(20 * MS)
    made.move(0, 2)
    made.advance(100 * MS)
    assert account(made).tolist() == [50 * MS]
    assert account(made, "work_ns").tolist() == [40 * MS + 3 * 10 * MS]
    assert [made.free_cores(host) for host in range(3)] == [2, 2, 0]
    add(made, 0, vcpus=2)
    with pytest.raises(ScenarioError, match="vcpus"):
        made.move(0, 0)
    assert account(made)[0] == 50 * MS


deeds = st.lists(
    st.tuples(st.integers(0, 40 * MS), st.integers(0, 3), st.integers(0, 4)), max_size=25
)


def check_neighbours(script, caps) -> None:
    """What a tenant is told is the same to the nanosecond whoever is beside it."""
    together = pinned(cores=8, threads_per_core=2)
    add(together, [0] * 4, vcpus=4, cap=caps, phase=[0, 3 * MS, 50 * MS, 99 * MS])
    alone = pinned(cores=8, threads_per_core=2)
    add(alone, 0, vcpus=4, cap=caps[0])
    for wait, tenant, wanted in script:
        want(together, tenant, wanted)
        if tenant == 0:
            want(alone, 0, wanted)
        for made in (together, alone):
            made.advance(made.now_ns + wait)
        assert together.rates([0]) == alone.rates([0])
        for cause, values in alone.accounts([0]).items():
            assert together.accounts([0])[cause] == values, cause
    found = together.accounts(np.arange(4))
    total = found["run_ns"] + found["steal_by_cap_ns"] + found["idle_ns"]
    assert np.array_equal(total, np.full(4, 4 * together.now_ns))


def test_neighbours_change_nothing_to_the_nanosecond():
    caps = st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5]), min_size=4, max_size=4)
    settings(
        max_examples=60,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )(given(deeds, caps)(check_neighbours))()


def test_a_copy_goes_its_own_way():
    made = pinned(cores=2)
    add(made, 0, vcpus=2)
    want(made, 0, 2)
    made.advance(SECOND)
    twin = made.copy()
    want(twin, 0, 1)
    for each in (made, twin):
        each.advance(2 * SECOND)
    assert (account(made)[0], account(twin)[0]) == (4 * SECOND, 3 * SECOND)


def test_a_tenant_that_has_gone_keeps_its_account_and_its_number():
    made = pinned(cores=2)
    add(made, [0, 0])
    want(made, [0, 1], 1)
    made.advance(SECOND)
    made.remove(0)
    made.advance(2 * SECOND)
    assert account(made).tolist() == [SECOND, 2 * SECOND]
    assert made.shares([0, 1]).tolist() == [0.0, 1.0]
    with pytest.raises(ScenarioError, match="removed"):
        made.move(0, 0)
    with pytest.raises(ScenarioError, match="host"):
        add(made, 1)
