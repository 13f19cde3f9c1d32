"""The laws of the fluid hypervisor, each on many random hosts of one hypervisor at once."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from nephoscope import parts
from nephoscope.errors import StateError

MS = 1_000_000
PERIOD = 100 * MS
CAUSES = ("run_ns", "steal_by_contention_ns", "steal_by_cap_ns", "steal_by_smt_ns", "idle_ns")
TIGHT = 1e-12
GRAIN = 2.0**-36
WEIGHT = 2.0**-16  # multiples of it are kept as they are

many = pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass
class Fleet:
    """Hosts, and tenants in the order of their hosts."""

    cores: Whole
    threads: int
    host: Whole
    vcpus: Whole
    weight: Floats
    reservation: Floats
    cap: Floats
    phase: Whole

    @property
    def size(self) -> int:
        return len(self.host)

    @property
    def capacity(self) -> Whole:
        return self.cores * self.threads

    @property
    def first(self) -> Whole:
        """One tenant of each host."""
        return np.searchsorted(self.host, np.arange(len(self.cores)))

    def total(self, values: npt.ArrayLike) -> Floats:
        """Sums over the tenants of each host."""
        return np.bincount(self.host, values, minlength=len(self.cores))

    def build(self) -> parts.Hypervisor:
        made = parts.Hypervisor()
        for cores in self.cores.tolist():
            made._core.add_host(cores, self.threads, 0.25, 1.0)
        made.add(
            self.host,
            vcpus=self.vcpus,
            weight=self.weight,
            reservation=self.reservation,
            cap=self.cap,
            period_ns=PERIOD,
            phase_ns=self.phase,
        )
        return made

    def shares(self, want: npt.ArrayLike) -> Floats:
        made = self.build()
        made.want(np.arange(self.size), want)
        return made.shares()


@dataclass
class Chance:
    """Random fleets and what their tenants do."""

    rng: np.random.Generator

    def fleet(self, count: int, *, caps: bool = False, reserved: bool = True) -> Fleet:
        rng = self.rng
        tenants = rng.integers(1, 9, count)
        host = np.repeat(np.arange(count), tenants)
        cores = rng.integers(1, 9, count)
        vcpus = rng.integers(1, 9, len(host))
        part = rng.choice([0.0, 0.0, 0.5, 0.9], len(host)) * reserved
        room = np.minimum(vcpus, (cores / tenants)[host])
        cap = rng.choice([0.0, 0.2, 0.5, 1.5, 3.0], len(host)) * caps
        return Fleet(
            cores=cores,
            threads=int(rng.integers(1, 3)),
            host=host,
            vcpus=vcpus,
            weight=np.round(np.exp2(rng.uniform(-4.0, 12.0, len(host))) / WEIGHT) * WEIGHT,
            reservation=part * room,
            cap=cap,
            phase=rng.integers(0, 100, len(host)) * MS,
        )

    def want(self, fleet: Fleet) -> Whole:
        return self.rng.integers(0, fleet.vcpus + 1)

    def script(self, fleet: Fleet, steps: int) -> Iterator[tuple[int, Whole, Whole]]:
        """Instants, and tenants that want something else from then on."""
        now = 0
        for _ in range(steps):
            who = np.flatnonzero(self.rng.random(fleet.size) < 0.3)
            yield now, who, self.rng.integers(0, fleet.vcpus[who] + 1)
            now += int(self.rng.integers(1, 80 * MS))


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> Chance:
    seed = sum(map(ord, request.node.originalname))
    return Chance(np.random.default_rng(seed))


def close(a: npt.ArrayLike, b: npt.ArrayLike) -> bool:
    return np.allclose(a, b, rtol=TIGHT, atol=TIGHT)


def not_below(a: Floats, b: Floats) -> bool:
    return bool(np.all(a >= b - TIGHT - TIGHT * np.abs(b)))


# --- shares -----------------------------------------------------------------------------------


@many
def test_what_is_wanted_is_given_as_far_as_there_is_any(count, chance):
    fleet = chance.fleet(count)
    made = fleet.build()
    want = np.zeros(fleet.size, dtype=np.int64)
    for now, who, wanted in chance.script(fleet, 8):
        made.advance(now)
        made.want(who, wanted)
        want[who] = wanted
        used = fleet.total(made.shares())
        assert close(used, np.minimum(fleet.capacity, fleet.total(want)))


@many
def test_a_share_lies_between_reservation_and_want(count, chance):
    fleet = chance.fleet(count)
    want = chance.want(fleet)
    shares = fleet.shares(want)
    assert np.all(shares <= want)
    assert np.all(shares >= np.minimum(fleet.reservation, want) - GRAIN)


@many
def test_those_at_no_bound_have_shares_as_their_weights(count, chance):
    fleet = chance.fleet(count)
    want = chance.want(fleet)
    shares = fleet.shares(want)
    free = (shares < want) & (shares > fleet.reservation + GRAIN)
    level = np.full(len(fleet.cores), np.nan)
    level[fleet.host[free]] = (shares / fleet.weight)[free]
    assert free.sum() > count / 2
    assert np.allclose((shares / fleet.weight)[free], level[fleet.host[free]], rtol=TIGHT, atol=0)


@many
def test_more_weight_never_gives_less_and_takes_only_from_others(count, chance):
    fleet = chance.fleet(count)
    want = chance.want(fleet)
    chosen = fleet.first
    weight = fleet.weight.copy()
    weight[chosen] *= chance.rng.integers(1, 9, len(chosen))
    before, after = fleet.shares(want), replace(fleet, weight=weight).shares(want)
    others = np.ones(fleet.size, dtype=bool)
    others[chosen] = False
    assert not_below(after[chosen], before[chosen])
    assert not_below(before[others], after[others])


@many
def test_more_cores_never_give_anybody_less(count, chance):
    fleet = chance.fleet(count)
    want = chance.want(fleet)
    larger = replace(fleet, cores=fleet.cores + chance.rng.integers(0, 3, count))
    assert not_below(larger.shares(want), fleet.shares(want))


@many
def test_a_newcomer_never_gives_anybody_more(count, chance):
    fleet = chance.fleet(count)
    made = fleet.build()
    made.want(np.arange(fleet.size), chance.want(fleet))
    before = made.shares()
    new = made.add(np.arange(count), vcpus=8, weight=chance.rng.uniform(1.0, 4096.0, count))
    made.want(new, chance.rng.integers(0, 9, count))
    assert not_below(before, made.shares()[: fleet.size])


@many
def test_the_order_of_tenants_changes_no_bit(count, chance):
    fleet = chance.fleet(count)
    want = chance.want(fleet)
    order = np.lexsort((chance.rng.random(fleet.size), fleet.host))
    columns = ("vcpus", "weight", "reservation", "cap", "phase")
    shuffled = replace(fleet, **{name: getattr(fleet, name)[order] for name in columns})
    assert np.array_equal(shuffled.shares(want[order]), fleet.shares(want)[order])


@many
def test_halves_get_together_what_the_whole_gets(count, chance):
    fleet = chance.fleet(count, reserved=False)
    fleet.vcpus *= 2
    fleet.weight *= 2
    want = 2 * chance.rng.integers(0, fleet.vcpus // 2 + 1)
    chosen = fleet.first
    halved, halves = fleet.weight.copy(), want.copy()
    halved[chosen] /= 2
    halves[chosen] //= 2
    made = replace(fleet, weight=halved).build()
    second = made.add(np.arange(count), vcpus=fleet.vcpus[chosen], weight=halved[chosen])
    made.want(np.arange(fleet.size), halves)
    made.want(second, halves[chosen])
    found = made.shares()
    found[chosen] += found[second]
    assert close(found[: fleet.size], fleet.shares(want))


@many
def test_everything_larger_by_a_factor_gives_shares_larger_by_it(count, chance):
    fleet = chance.fleet(count, reserved=False)
    want = chance.want(fleet)
    shares = fleet.shares(want)
    for factor in (2, 3, 7):
        larger = replace(fleet, cores=factor * fleet.cores, vcpus=factor * fleet.vcpus)
        assert close(larger.shares(factor * want), factor * shares)
    # A factor of all weights changes nothing.
    assert np.array_equal(replace(fleet, weight=4 * fleet.weight).shares(want), shares)


# --- isolation --------------------------------------------------------------------------------


def wanted_by(adversary: str, step: int, vcpus: Whole, rng: np.random.Generator) -> Whole:
    """What neighbours of so many vCPUs want at a step."""
    if adversary == "boosters":
        return vcpus * (step % 2)
    if adversary == "forks":
        return np.minimum(step % 9 + 1, vcpus)
    return vcpus if adversary == "hogs" else rng.integers(0, vcpus + 1)


@pytest.mark.parametrize("adversary", ["hogs", "boosters", "forks", "anything"])
@pytest.mark.parametrize("cap", [0.0, 0.5])
@many
def test_no_neighbour_takes_what_a_weight_entitles_to(count, cap, adversary, chance):
    """A cap makes straddlers of the neighbours: all at the ends of two periods."""
    fleet = chance.fleet(count, reserved=False)
    victims = fleet.first
    others = np.setdiff1d(np.arange(fleet.size), victims)
    fleet.cap[others] = cap
    made = fleet.build()
    want = np.minimum(chance.rng.integers(1, 9, count), fleet.vcpus[victims])
    made.want(victims, want)
    entitled = np.minimum(want, fleet.capacity * fleet.weight[victims] / fleet.total(fleet.weight))
    for step in range(12):
        made.want(others, wanted_by(adversary, step, fleet.vcpus[others], chance.rng))
        assert not_below(made.shares(victims), entitled)
        made.advance(made.now_ns + int(chance.rng.integers(1, 60 * MS)))
        run = made.accounts(victims)["run_ns"]
        assert np.all(run >= entitled * made.now_ns * (1 - TIGHT) - 1)


# --- caps -------------------------------------------------------------------------------------


@many
def test_a_cap_bounds_every_window(count, chance):
    """Run in [s, t] <= Q (ceil((t - s) / P) + 1), and 1 ns a vCPU and period for the rounding."""
    fleet = chance.fleet(count, caps=True, reserved=False)
    made = fleet.build()
    quota = np.rint(fleet.cap * PERIOD)
    capped = quota > 0
    times, runs = [], []
    for now, who, wanted in chance.script(fleet, 16):
        made.advance(now)
        made.want(who, np.where(chance.rng.random(len(who)) < 0.5, fleet.vcpus[who], wanted))
        times.append(now)
        runs.append(made.accounts()["run_ns"])
    for start in range(len(times)):
        for end in range(start + 1, len(times)):
            periods = -(-(times[end] - times[start]) // PERIOD) + 1
            run = runs[end] - runs[start]
            assert np.all((run <= periods * (quota + fleet.vcpus))[capped])


# --- accounts ---------------------------------------------------------------------------------


@many
def test_every_nanosecond_is_told_once(count, chance):
    fleet = chance.fleet(count, caps=True)
    made = fleet.build()
    for now, who, wanted in chance.script(fleet, 12):
        made.advance(now)
        made.want(who, wanted)
        found = made.accounts()
        assert np.array_equal(sum(found[cause] for cause in CAUSES), fleet.vcpus * now)
        assert all(np.all(found[cause] >= 0) for cause in CAUSES)
        # Nobody runs on a thread that is not there.
        assert np.all(fleet.total(found["run_ns"]) <= fleet.capacity * now + 1)


@many
def test_accounts_are_integrals_of_shares(count, chance):
    fleet = chance.fleet(count)
    made = fleet.build()
    run, work = np.zeros(fleet.size), np.zeros(fleet.size)
    for now, who, wanted in chance.script(fleet, 12):
        step = now - made.now_ns
        run += made.shares() * step
        work += made.rates() * step
        made.advance(now)
        made.want(who, wanted)
        # Both are whole ns, and what is below one is carried on.
        assert np.allclose(made.accounts()["run_ns"], run, rtol=1e-12, atol=1.0 + 1e-3)
        assert np.allclose(made.accounts()["work_ns"], work, rtol=1e-12, atol=1.0 + 1e-3)


@many
def test_nothing_is_stolen_where_there_is_room(count, chance):
    fleet = chance.fleet(count)
    fleet.cores = np.maximum(fleet.cores, fleet.total(fleet.vcpus).astype(np.int64))
    made = fleet.build()
    wanted_ns = np.zeros(fleet.size, dtype=np.int64)
    want = np.zeros(fleet.size, dtype=np.int64)
    for now, who, wanted in chance.script(fleet, 12):
        wanted_ns += want * (now - made.now_ns)
        made.advance(now)
        made.want(who, wanted)
        want[who] = wanted
    found = made.accounts()
    assert np.array_equal(found["run_ns"], wanted_ns)
    assert not any(found[cause].any() for cause in CAUSES[1:4])
    assert made.solves == count


# --- determinism, copies, changes -------------------------------------------------------------


def played(fleet: Fleet, steps, *, cuts: int = 1, ask: bool = False) -> parts.Hypervisor:
    made = fleet.build()
    for now, who, wanted in steps:
        start = made.now_ns
        for cut in range(1, cuts + 1):
            made.advance(start + (now - start) * cut // cuts)
            if ask:
                made.accounts()
                made.changed()
        made.want(who, wanted)
    made.advance(made.now_ns + 10 * MS)
    return made


def same_accounts(a: parts.Hypervisor, b: parts.Hypervisor) -> bool:
    ours, theirs = a.accounts(), b.accounts()
    return all(np.array_equal(ours[key], theirs[key]) for key in ours)


@many
def test_a_run_that_is_repeated_cut_or_watched_gives_the_same_bits(count, chance):
    fleet = chance.fleet(count, caps=True)
    steps = list(chance.script(fleet, 8))
    made = played(fleet, steps)
    for other in (
        played(fleet, steps),
        played(fleet, steps, cuts=3),
        played(fleet, steps, cuts=2, ask=True),
    ):
        assert same_accounts(made, other)
        assert np.array_equal(made.shares(), other.shares())


@many
def test_other_hosts_change_no_bit(count, chance):
    """The hosts the other way round, or every second one alone."""
    fleet = chance.fleet(count, caps=True)
    steps = list(chance.script(fleet, 8))
    made = played(fleet, steps).accounts()
    turned = replace(fleet, cores=fleet.cores[::-1].copy(), host=count - 1 - fleet.host)
    assert same_accounts(played(fleet, steps), played(turned, steps))
    alone = fleet.host % 2 == 0
    number = np.cumsum(alone) - 1
    columns = ("vcpus", "weight", "reservation", "cap", "phase")
    half = replace(
        fleet,
        cores=fleet.cores[::2],
        host=fleet.host[alone] // 2,
        **{name: getattr(fleet, name)[alone] for name in columns},
    )
    fewer = [(now, number[who[alone[who]]], wanted[alone[who]]) for now, who, wanted in steps]
    found = played(half, fewer).accounts()
    assert all(np.array_equal(found[key], made[key][alone]) for key in made)


@many
def test_a_copy_and_a_saved_hypervisor_go_on_as_the_original(count, chance):
    fleet = chance.fleet(count, caps=True)
    steps = list(chance.script(fleet, 8))
    made = played(fleet, steps)
    copies = [copy.deepcopy(made), pickle.loads(pickle.dumps(made))]
    everyone = np.arange(fleet.size)
    want = chance.want(fleet)
    for it in (made, *copies):
        it.want(everyone, want)
        it.move(0, count - 1)
        it.advance(it.now_ns + 300 * MS)
    for it in copies:
        assert same_accounts(it, made)
        assert it.next_event_ns == made.next_event_ns
    told = made.changed()
    assert all(np.array_equal(it.changed(), told) for it in copies)


def test_a_damaged_state_is_refused():
    made = parts.Hypervisor(1)
    state = made._core.__getstate__()
    again = made._core.__class__.__new__(made._core.__class__)
    with pytest.raises(StateError):
        again.__setstate__(state[:-9] + b"x" + state[-8:])


@many
def test_all_whose_rates_changed_are_told_and_few_others(count, chance):
    fleet = chance.fleet(count, caps=True)
    made = fleet.build()
    before = made.rates()
    made.changed()
    told, moved = 0, 0
    for now, who, wanted in chance.script(fleet, 8):
        made.advance(now)
        made.want(who, wanted)
        changed = made.changed()
        rates = made.rates()
        assert len(np.unique(changed)) == len(changed)
        assert np.isin(np.flatnonzero(rates != before), changed).all()
        told += len(changed)
        moved += int((rates != before).sum())
        before = rates
    assert len(made.changed()) == 0
    # A rate that went and came back has changed, too.
    assert told <= 1.5 * moved


@many
def test_a_migration_takes_everything_along(count, chance):
    """Alone on one of two equal hosts, moved to and fro, a tenant does what it would have done."""
    fleet = chance.fleet(count, caps=True)
    fleet = replace(fleet, cores=np.full(2 * fleet.size, 4), host=np.arange(fleet.size))
    fleet = replace(fleet, reservation=np.minimum(fleet.reservation, 4.0))
    stays, goes = fleet.build(), fleet.build()
    for now, who, wanted in chance.script(fleet, 10):
        for made in (stays, goes):
            made.advance(now)
        before = goes.accounts()
        moving = np.flatnonzero(chance.rng.random(fleet.size) < 0.2)
        away = chance.rng.random(len(moving)) < 0.5
        for tenant, far in zip(moving.tolist(), away.tolist(), strict=True):
            goes.move(tenant, tenant + fleet.size * int(far))
        assert all(np.array_equal(goes.accounts()[key], before[key]) for key in before)
        for made in (stays, goes):
            made.want(who, wanted)
        found, expected = goes.accounts(), stays.accounts()
        # A bucket empties at a whole ns; what is below one may fall on the other side of it.
        assert all(np.allclose(found[key], expected[key], rtol=0, atol=16) for key in found)
