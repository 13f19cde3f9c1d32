"""The fair scheduler under random scripts: time adds up exactly, and cuts change nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compute.fair_machines import MS, NEVER, SECOND, SLICE, account, add, fair, hogs, want

CAUSES = (
    "run_ns",
    "steal_by_contention_ns",
    "steal_by_cap_ns",
    "steal_by_smt_ns",
    "idle_ns",
)


@dataclass
class Script:
    """Two equal hosts, tenants on them, and what happens to them: (wait ns, tenant, deed)."""

    cores: int
    threads_per_core: int
    options: dict
    vcpus: list[int]
    weights: list[float]
    caps: list[float]
    phases: list[int]
    deeds: list[tuple[int, int, int]] = field(default_factory=list)

    def built(self):
        made = fair(2, cores=self.cores, threads_per_core=self.threads_per_core, **self.options)
        size = len(self.vcpus)
        add(
            made,
            np.arange(size) % 2,
            vcpus=self.vcpus,
            weight=self.weights,
            cap=self.caps,
            period=10 * MS,
            phase=self.phases,
        )
        return made

    def do(self, made, tenant: int, deed: int) -> None:
        """Deeds below 8 are wants, 8 and 9 a move to that host less 8."""
        if deed >= 8:
            made.move(tenant, deed - 8)
        else:
            want(made, tenant, min(deed, self.vcpus[tenant]))


@st.composite
def scripts(draw):
    size = draw(st.integers(1, 7))

    def each(of):
        return draw(st.lists(of, min_size=size, max_size=size))

    return Script(
        cores=draw(st.integers(1, 3)),
        threads_per_core=draw(st.integers(1, 2)),
        options={
            "slice_ns": draw(st.sampled_from([100_000, 750_000, SLICE])),
            "switch_cost_ns": draw(st.sampled_from([0, 0, 5_001])),
            "seed": draw(st.integers(0, 3)),
            "wake_preemption": draw(st.booleans()),
            "weight_per_vcpu": draw(st.booleans()),
            "core_scheduling": draw(st.booleans()),
        },
        vcpus=each(st.integers(1, 5)),
        weights=each(st.sampled_from([0.0625, 1.0, 100.0, 256.0, 1000.0, 65_536.0])),
        caps=each(st.sampled_from([0.0, 0.0, 0.0, 0.2, 0.5, 1.5, 0.0000005])),
        phases=each(st.integers(0, 10 * MS - 1)),
        deeds=draw(
            st.lists(
                st.tuples(
                    st.integers(0, 15) | st.integers(0, 15 * MS),
                    st.integers(0, size - 1),
                    st.integers(0, 9),
                ),
                max_size=25,
            )
        ),
    )


def check_time(script: Script) -> None:
    """To the nanosecond every vCPU's time is told once; what runs fits; wants bound what runs."""
    made = script.built()
    threads = script.cores * script.threads_per_core
    vcpus = np.array(script.vcpus)
    tenants = np.arange(len(vcpus))
    for wait, tenant, deed in script.deeds:
        script.do(made, tenant, deed)
        made.advance(made.now_ns + wait)
        found = made.accounts(tenants)
        assert np.array_equal(sum(found[cause] for cause in CAUSES), vcpus * made.now_ns)
        assert all(np.all(found[cause] >= 0) for cause in CAUSES)
        assert np.all(found["work_ns"] <= found["run_ns"])
        assert found["run_ns"].sum() <= 2 * threads * made.now_ns
        shares = made.shares(tenants)
        assert np.all(shares <= vcpus)
        assert np.all(shares == np.round(shares))
        assert shares.sum() <= 2 * threads
        for cap, run, vcpu in zip(script.caps, found["run_ns"], vcpus, strict=True):
            periods = made.now_ns // (10 * MS) + 2
            assert cap == 0.0 or run <= periods * round(cap * 10 * MS) + vcpu


def check_cuts(script: Script) -> None:
    """However time is cut, and whatever is asked meanwhile, the same comes out, exactly."""
    whole, cut, stepped = script.built(), script.built(), script.built()
    tenants = np.arange(len(script.vcpus))
    for wait, tenant, deed in script.deeds:
        for made in (whole, cut, stepped):
            script.do(made, tenant, deed)
        end = whole.now_ns + wait
        whole.advance(end)
        for part in (7, 3, 2, 1):
            cut.advance(cut.now_ns + (end - cut.now_ns) // part)
            cut.accounts(tenants)
            cut.speeds([0, 1])
        while (stop := stepped.next_event_ns()) <= end:
            stepped.advance(stop)
            stepped.take_changed()
        stepped.advance(end)
        for other in (cut, stepped):
            for cause, values in whole.accounts(tenants).items():
                assert np.array_equal(other.accounts(tenants)[cause], values), cause
            assert other.shares(tenants).tolist() == whole.shares(tenants).tolist()
            assert other.next_event_ns() == whole.next_event_ns()
            assert other.decisions == whole.decisions


def check_changed(script: Script) -> None:
    """Whose rate is not listed as changed has kept it; the work is the integral of the rates."""
    made = script.built()
    tenants = np.arange(len(script.vcpus))
    rates = made.rates(tenants)
    made.take_changed()
    work = np.zeros(len(tenants))
    for wait, tenant, deed in script.deeds:
        script.do(made, tenant, deed)
        end = made.now_ns + wait
        while True:
            told = made.take_changed()
            fresh = made.rates(tenants)
            rest = np.setdiff1d(tenants, told)
            assert np.array_equal(fresh[rest], rates[rest])
            rates = fresh
            stop = min(end, made.next_event_ns())
            work += rates * (stop - made.now_ns)
            made.advance(stop)
            if stop == end:
                break
        assert np.allclose(account(made, "work_ns"), work, rtol=1e-8, atol=2)


def check_room(script: Script) -> None:
    """With a thread for everybody and no cap nothing is stolen and nothing ever happens."""
    script.caps = [0.0] * len(script.vcpus)
    script.threads_per_core = 1
    script.cores = sum(script.vcpus)
    made = script.built()
    for wait, tenant, deed in script.deeds:
        script.do(made, tenant, deed)
        assert made.next_event_ns() == NEVER
        made.advance(made.now_ns + wait)
    assert not account(made, "steal_by_contention_ns").any()
    assert np.array_equal(account(made), account(made, "work_ns"))


def check_scale(script: Script) -> None:
    """Twice the weights change nothing; twice the speed is twice the work."""
    script.options["switch_cost_ns"] = 0
    script.weights = [min(it, 32_768.0) for it in script.weights]
    once = script.built()
    script.weights = [2 * it for it in script.weights]
    twice = fair(
        2,
        cores=script.cores,
        threads_per_core=script.threads_per_core,
        speed=2.0,
        **script.options,
    )
    size = len(script.vcpus)
    add(
        twice,
        np.arange(size) % 2,
        vcpus=script.vcpus,
        weight=script.weights,
        cap=script.caps,
        period=10 * MS,
        phase=script.phases,
    )
    for wait, tenant, deed in script.deeds:
        for made in (once, twice):
            script.do(made, tenant, deed)
            made.advance(made.now_ns + wait)
    for cause in CAUSES:
        assert np.array_equal(account(once, cause), account(twice, cause)), cause
    assert np.allclose(2 * account(once, "work_ns"), account(twice, "work_ns"), atol=2)


CHECKS = [check_time, check_cuts, check_changed, check_room, check_scale]


def examples(count: int):
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("check", CHECKS)
def test_random_scripts(check):
    examples(60)(given(scripts())(check))()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_many_more_random_scripts(check):
    examples(500)(given(scripts())(check))()


def test_the_order_of_tenants_changes_no_share():
    """Which of them begins differs, by a slice at most at each end."""
    weights = [100.0, 256.0, 300.0, 512.0, 77.0]
    forward = hogs(weights, cores=2)
    backward = hogs(weights[::-1], cores=2)
    for made in (forward, backward):
        made.advance(10 * SECOND)
    assert np.all(np.abs(account(forward) - account(backward)[::-1]) <= 4 * SLICE)
