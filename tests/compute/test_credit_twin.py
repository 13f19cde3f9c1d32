"""The credit scheduler against its slow twin, and against itself: to the nanosecond and credit."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compute.credit_twin import Twin
from nephoscope import _core, parts

MS = 1_000_000
CAUSES = (
    "run_ns",
    "steal_by_contention_ns",
    "steal_by_cap_ns",
    "steal_by_smt_ns",
    "idle_ns",
)


@dataclass
class Script:
    cores: int
    tenants: list[tuple[int, int, int]]  # vCPUs, weight, cap in percent
    changes: list[tuple[int, int, int]]  # wait in ns, tenant, want
    options: dict


@st.composite
def scripts(draw):
    cores = draw(st.sampled_from([1, 2, 3, 4, 7]))
    tenant = st.tuples(
        st.integers(1, 4),
        st.sampled_from([1, 100, 256, 256, 512, 2048]),
        st.sampled_from([0, 0, 0, 20, 50, 130]),
    )
    tenants = draw(st.lists(tenant, min_size=1, max_size=6))
    # Whole ms meet timers at the instant they are due; odd ones fall between.
    wait = st.one_of(
        st.integers(0, 40).map(lambda ms: ms * MS),
        st.integers(1, 15 * MS),
        st.sampled_from([500 * MS, 3_000 * MS]),
    )
    change = st.tuples(wait, st.integers(0, len(tenants) - 1), st.integers(0, 4))
    changes = draw(st.lists(change, min_size=1, max_size=25))
    options = draw(
        st.fixed_dictionaries(
            {
                "aligned": st.booleans(),
                "seed": st.integers(0, 5),
                "ratelimit_ns": st.sampled_from([0, MS, 5 * MS]),
                "slice_ns": st.sampled_from([30 * MS, 30 * MS, 5 * MS]),
                "boost": st.sampled_from([True, True, False]),
                "exact_debit": st.sampled_from([True, True, False]),
                "activate_at_decision": st.booleans(),
            }
        )
    )
    return Script(cores, tenants, changes, options)


def built(script: Script, **more) -> parts.Hypervisor:
    made = parts.Hypervisor(
        1, scheduler="credit", cores=script.cores, dither_ns=0, **script.options, **more
    )
    vcpus, weights, caps = zip(*script.tenants, strict=True)
    made.add([0] * len(vcpus), vcpus=vcpus, weight=weights, cap=np.array(caps) / 100)
    return made


def twin_of(script: Script, made: parts.Hypervisor) -> Twin:
    rules = {k: v for k, v in script.options.items() if k not in ("aligned", "seed")}
    twin = Twin(made.tick_phases(0).tolist(), made._core.accounting_ns(0), **rules)
    for vcpus, weight, cap in script.tenants:
        # A cap of all the vCPUs and more is one of all the vCPUs.
        twin.add(vcpus, weight, min(cap, 100 * vcpus))
    return twin


def check_twin(script: Script) -> None:
    made = built(script)
    twin = twin_of(script, made)
    for wait, tenant, want in script.changes:
        wanted = min(want, script.tenants[tenant][0])
        made.advance(made.now_ns + wait)
        twin.advance(made.now_ns)
        made.want(tenant, wanted)
        twin.want(tenant, wanted)
        found = made.accounts()
        for number, its in enumerate(twin.tenants):
            assert found["run_ns"][number] == sum(it.run_ns for it in its.vcpus)
            assert found["steal_by_cap_ns"][number] == sum(it.parked_ns for it in its.vcpus)
    made.advance(made.now_ns + 7 * MS)
    twin.advance(made.now_ns)
    for number in range(len(script.tenants)):
        made.want(number, 0)
        twin.want(number, 0)
    for number, its in enumerate(twin.tenants):
        found = made.vcpus(number)
        assert found["credit"].tolist() == [it.credit for it in its.vcpus]
        assert found["carried_ns"].tolist() == [it.carried for it in its.vcpus]
        assert found["priority"].tolist() == [it.priority for it in its.vcpus]
        assert found["active"].tolist() == [it.active for it in its.vcpus]
        assert found["parked"].tolist() == [it.parked for it in its.vcpus]


@pytest.mark.parametrize("activate_at_decision", [True, False])
@pytest.mark.parametrize(
    ("cores", "tenants"),
    [
        (2, [(3, 256, 0)]),
        (3, [(2, 256, 0), (2, 512, 0), (1, 100, 0), (1, 2048, 0)]),
        (4, [(4, 256, 0), (4, 128, 0), (1, 512, 0)]),
        (2, [(4, 256, 0), (4, 100, 0), (3, 512, 0)]),  # queues that fill a word
    ],
)
def test_saturated_hosts_that_nothing_changes_for_long(cores, tenants, activate_at_decision):
    """Decisions in rounds, looked at between any two of them, and then a change."""
    options = {"seed": cores, "activate_at_decision": activate_at_decision}
    script = Script(cores, tenants, [], options)
    made = built(script)
    twin = twin_of(script, made)
    for until in [*range(7 * MS, 700 * MS, 7 * MS + 1), 1_500 * MS]:
        want = 1 if until > 600 * MS else 4
        for number, (vcpus, _, _) in enumerate(tenants):
            made.want(number, min(want, vcpus))
            twin.want(number, min(want, vcpus))
        made.advance(until)
        twin.advance(until)
        assert made.accounts()["run_ns"].tolist() == [
            sum(it.run_ns for it in its.vcpus) for its in twin.tenants
        ]
        for number, its in enumerate(twin.tenants):
            found = made.vcpus(number)
            running = [any(c.current is it for c in twin.cpus) for it in its.vcpus]
            assert found["running"].tolist() == running
            queued = [any(it in c.queue for c in twin.cpus) for it in its.vcpus]
            assert found["queued"].tolist() == queued
            # Of who runs it is as of the last decision, for ticks are counted when they matter.
            waiting = np.flatnonzero(queued)
            assert found["priority"][waiting].tolist() == [its.vcpus[k].priority for k in waiting]
    assert made.decisions > 15 * cores


def test_a_queue_is_sorted_at_its_tick_though_nothing_is_decided_before_the_next_accounting():
    """One runs from an accounting to the next; in the queue somebody has come above OVER."""
    changes = [(4 * MS, 3, 1), (0, 0, 2), (0, 1, 1), (500 * MS, 0, 2)]
    options = {"seed": 0, "ratelimit_ns": 0, "activate_at_decision": False}
    script = Script(1, [(2, 1, 0), (1, 1, 0), (1, 1, 0), (1, 1, 20)], changes, options)
    check_twin(script)


def test_saturated_hosts_drawn_at_random():
    """Beside the queues that decisions sort, those that a tick does and no decision looks at."""
    rng = random.Random(11)
    for _ in range(400):
        cores = rng.randint(1, 4)
        weights = [rng.choice([1, 100, 256, 256, 512, 2048]) for _ in range(rng.randint(2, 5))]
        tenants = [(rng.randint(1, 4), weight, 0) for weight in weights]
        starts = [(rng.randint(0, 20 * MS), number, 4) for number in range(len(tenants))]
        later = [(100 * MS, 0, tenants[0][0])] * 8  # looks; nothing changes
        options = {
            "aligned": rng.random() < 0.2,
            "seed": rng.randint(0, 99),
            "ratelimit_ns": rng.choice([0, MS]),
            "activate_at_decision": rng.random() < 0.5,
        }
        check_twin(Script(cores, tenants, starts + later, options))


def test_a_host_in_rounds_is_cut_copied_and_saved_like_any_other():
    script = Script(32, [(4, 128, 0), (4, 256, 0), (4, 512, 0)] * 5, [], {"seed": 3})
    whole, cut = built(script), built(script)
    for made in (whole, cut):
        made.want(range(15), 4)
        made.advance(333 * MS)
    for step in range(40):
        cut.advance(cut.now_ns + (1 + 3 * step) * MS // 2)
        cut = cut.copy()
        cut._core = _core.hypervisor.CreditHypervisor.restore(cut._core.save())
        cut.changed()
    whole.advance(cut.now_ns)
    assert whole.decisions == cut.decisions
    assert whole.shares().tolist() == cut.shares().tolist()
    assert whole.changed().tolist() == np.flatnonzero(whole.rates()).tolist()
    for made in (whole, cut):
        made.want(range(15), 1)
        made.advance(made.now_ns + 50 * MS)
    assert whole.accounts()["run_ns"].tolist() == cut.accounts()["run_ns"].tolist()
    for number in range(15):
        for fact, values in whole.vcpus(number).items():
            assert cut.vcpus(number)[fact].tolist() == values.tolist()


def check_conservation(script: Script) -> None:
    """Every vCPU's time is told once; nothing waits while a thread is idle."""
    made = built(script)
    vcpus = np.array([it[0] for it in script.tenants])
    wants = np.zeros(len(vcpus), dtype=int)
    for wait, tenant, want in script.changes:
        made.advance(made.now_ns + wait)
        wants[tenant] = min(want, vcpus[tenant])
        made.want(tenant, wants[tenant])
        found = made.accounts()
        assert np.array_equal(sum(found[cause] for cause in CAUSES), vcpus * made.now_ns)
        assert all(np.all(found[cause] >= 0) for cause in CAUSES)
        assert np.array_equal(found["run_ns"], found["work_ns"])
        parked = [
            int((it["parked"] * (np.arange(len(it["parked"])) < want)).sum())
            for it, want in zip(map(made.vcpus, range(len(vcpus))), wants, strict=True)
        ]
        assert made.shares().sum() == min(script.cores, wants.sum() - sum(parked))


def check_cuts(script: Script) -> None:
    """However a run is cut, copied and saved, the same happens."""
    whole, cut = built(script), built(script)
    for wait, tenant, want in script.changes:
        end = whole.now_ns + wait
        for part in (7, 3, 2):
            cut.advance(cut.now_ns + (end - cut.now_ns) // part)
        cut = cut.copy()
        cut._core = _core.hypervisor.CreditHypervisor.restore(cut._core.save())
        cut.accounts()
        cut.advance(end)
        whole.advance(end)
        for made in (whole, cut):
            made.want(tenant, min(want, script.tenants[tenant][0]))
    for cause, values in whole.accounts().items():
        assert np.array_equal(cut.accounts()[cause], values), cause
    assert whole.decisions == cut.decisions


def check_events(script: Script) -> None:
    """Between the instants that next_event_ns names nothing changes, and who changes is told."""
    made = built(script)
    told = np.zeros(len(script.tenants))
    for wait, tenant, want in script.changes:
        end = made.now_ns + min(wait, 200 * MS)
        while (event := made.next_event_ns) is not None and event <= end:
            before = made.rates()
            made.advance(event - 1)
            assert np.array_equal(made.rates(), before)
            made.advance(event)
            changed = made.changed()
            assert changed.tolist() == np.flatnonzero(made.rates() != told).tolist()
            told = made.rates()
        made.advance(end)
        made.want(tenant, min(want, script.tenants[tenant][0]))


CHECKS = [check_twin, check_conservation, check_cuts, check_events]


def examples(count: int):
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("check", CHECKS)
def test_random_scripts(check):
    examples(60 if check is check_twin else 25)(given(scripts())(check))()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_many_more_random_scripts(check):
    examples(400 if check is check_twin else 150)(given(scripts())(check))()
