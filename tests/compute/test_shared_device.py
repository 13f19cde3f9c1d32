"""Shared links and disks: closed forms, each rule once, and a slow exact model beside it."""

import copy
import pickle
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import catalog, parts
from nephoscope.errors import ScenarioError

SECOND = 10**9
FEMTO = 10**15
MB = 10**6


def run_out(device: parts.SharedDevice) -> list[tuple[int, int]]:
    """Every event until nothing more comes: (time, transfer) of all completions."""
    while (then := device.next_event()) is not None:
        device.advance(then)
    found = device.completed()
    return list(zip(found["time_ns"].tolist(), found["transfer"].tolist(), strict=True))


def link(capacity: int, *tenants: tuple[int, int, int], flow_limit: int = 0):
    """Of (baseline, peak, tokens) each."""
    device = parts.SharedDevice(capacity, flow_limit)
    for baseline, peak, tokens in tenants:
        device.add(baseline=baseline, peak=peak, tokens=tokens)
    return device


# --- closed forms -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gib", "seconds"), [(34, 1863), (100, 2000), (250, 2400), (500, 3600), (750, 7200)]
)
def test_a_gp2_volume_bursts_and_falls_to_its_baseline(gib, seconds):
    disk = parts.SharedDevice(capacity=64_000)
    volume = disk.add(catalog.gp2_volume(gib))
    disk.stream(volume, 16_000)
    assert disk.rate(volume) == 3000
    then = disk.next_event()
    assert round(then / SECOND) == seconds
    disk.advance(then - 1)
    assert disk.rate(volume) == 3000
    disk.advance(then)
    assert disk.rate(volume) == max(100, 3 * gib)
    assert disk.next_event() is None


def test_a_network_interface_bursts_as_long_as_its_bucket_says():
    facts = catalog.network_interface(catalog.find("t3.nano"), burst_seconds=600)
    wire = parts.SharedDevice(10 * facts.peak)
    card = wire.add(facts)
    wire.stream(card, facts.peak)
    assert wire.next_event() == 600 * SECOND
    wire.advance(600 * SECOND)
    assert wire.rate(card) == facts.baseline
    wire.stream(card, 0)
    wire.advance(wire.now_ns + facts.burst // facts.baseline * SECOND)
    assert wire.account(card)["level"] == facts.burst * FEMTO


@pytest.mark.parametrize("size", [1, 999_983, 7 * MB, 12_345_678_901])
def test_a_transfer_alone_takes_size_over_rate_to_the_nanosecond(size):
    device = link(3 * MB, (3 * MB, 3 * MB, 0))
    device.send(0, size)
    assert run_out(device) == [(-(-size * SECOND // (3 * MB)), 0)]
    assert device.account(0)["transferred"] == size * FEMTO


def test_a_transfer_over_the_end_of_the_bucket():
    """10 MB at 4 MB/s until 6 MB are spent beyond 1 MB/s, so 2 s; then 2 MB at 1 MB/s."""
    device = link(100 * MB, (MB, 4 * MB, 6 * MB))
    device.send(0, 10 * MB)
    assert run_out(device) == [(4 * SECOND, 0)]


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_equal_transfers_share_equally_and_end_together(count):
    device = link(64 * 7 * MB, (64 * 7 * MB, 64 * 7 * MB, 0))
    device.send([0] * count, 64 * 7 * MB)
    assert run_out(device) == [(count * SECOND, number) for number in range(count)]


def test_staggered_transfers_by_processor_sharing():
    """Sizes 1, 2, 3 at rate 1: 1 x 3, then 1 x 2 more, then 1 x 1 more."""
    device = link(6 * MB, (6 * MB, 6 * MB, 0))
    device.send(0, [18 * MB, 12 * MB, 6 * MB])
    assert run_out(device) == [(3 * SECOND, 2), (5 * SECOND, 1), (6 * SECOND, 0)]


def test_the_limit_of_a_single_flow_is_5_gbps_and_10_in_a_cluster():
    link_rate = 25 * 10**9 // 8
    for limit, flows, gbps in (
        (catalog.buckets.FLOW_BYTES_PER_SECOND, 1, 5),
        (catalog.buckets.FLOW_BYTES_PER_SECOND, 3, 15),
        (catalog.buckets.FLOW_BYTES_PER_SECOND, 8, 25),
        (catalog.buckets.FLOW_BYTES_PER_SECOND_IN_CLUSTER, 1, 10),
    ):
        wire = link(10 * link_rate, (link_rate, link_rate, 0), flow_limit=limit)
        wire.send([0] * flows, 10**12)
        assert wire.rate(0) == gbps * 10**9 / 8


# --- sharing ----------------------------------------------------------------------------------


def test_tenants_share_by_weight_whatever_their_flows():
    device = parts.SharedDevice(100 * MB)
    for weight in (1.0, 1.0, 2.0):
        device.add(baseline=100 * MB, weight=weight)
    device.send([0] * 50 + [1, 2], 10**9)
    assert [device.rate(tenant) for tenant in range(3)] == [25 * MB, 25 * MB, 50 * MB]


def test_what_one_does_not_want_goes_to_the_others():
    device = link(90 * MB, *[(90 * MB, 90 * MB, 0)] * 3)
    device.stream(0, 10 * MB)
    device.send([1, 2], 10**9)
    assert [device.rate(tenant) for tenant in range(3)] == [10 * MB, 40 * MB, 40 * MB]
    device.stop(2)
    assert [device.rate(tenant) for tenant in range(3)] == [10 * MB, 80 * MB, 0]


def test_a_stream_gets_as_much_as_a_transfer_or_what_it_wants():
    device = link(30 * MB, (30 * MB, 30 * MB, 0))
    device.send([0, 0], 10**9)
    device.stream(0, 4 * MB)
    device.advance(SECOND)
    assert device.account(0)["streamed"] == 4 * MB * FEMTO
    assert device.account(0)["transferred"] == 26 * MB * FEMTO
    device.stream(0, 20 * MB)
    device.advance(2 * SECOND)
    assert device.account(0)["streamed"] == 14 * MB * FEMTO
    assert device.account(0)["transferred"] == 46 * MB * FEMTO


def test_a_stream_gets_what_limited_flows_leave():
    device = link(30 * MB, (30 * MB, 30 * MB, 0), flow_limit=5 * MB)
    device.send([0, 0], 10**9)
    device.stream(0, 25 * MB)
    device.advance(SECOND)
    assert device.account(0)["streamed"] == 20 * MB * FEMTO
    assert device.account(0)["transferred"] == 10 * MB * FEMTO


def test_who_was_left_less_than_the_baseline_may_burst_again():
    device = link(100, (60, 100, 40), (100, 100, 0))
    device.stream(0, 100)
    assert device.next_event() == SECOND
    device.advance(SECOND)
    assert device.rate(0) == 60
    device.stream(1, 100)
    assert device.rate(0) == 50
    device.advance(3 * SECOND)  # 2 s x 10 earned
    device.stream(1, 0)
    assert device.rate(0) == 100
    assert device.next_event() == 3 * SECOND + SECOND // 2
    device.advance(4 * SECOND)
    assert device.rate(0) == 60


def test_a_bucket_is_spent_only_by_what_is_granted():
    """Two at a peak of 80 share 100: each has 50 and spends 50 - 20 = 30 a second."""
    device = link(100, (20, 80, 300), (20, 80, 300))
    device.stream(0, 1000)
    device.stream(1, 1000)
    assert device.next_event() == 10 * SECOND
    device.advance(10 * SECOND)
    assert [device.rate(0), device.rate(1)] == [20, 20]


def test_who_weighs_next_to_nothing_waits_for_the_others():
    device = parts.SharedDevice(1000)
    for weight in (1e-9, 1e6):
        device.add(baseline=1000, weight=weight)
    device.send([0, 1], 1000)
    assert device.rate(0) == 0
    (first, heavy), (last, light) = run_out(device)
    assert (heavy, light) == (1, 0)
    assert first == pytest.approx(SECOND, rel=2e-6)  # a thousandth of 1000 a second is left over
    assert last == first + SECOND


def test_a_stopped_tenant_drops_its_flows_earns_nothing_and_starts_full():
    device = link(100, (10, 100, 900))
    device.send(0, 10**6)
    device.advance(5 * SECOND)
    device.stop(0)
    assert device.under_way(0) == 0
    assert device.next_event() is None
    assert device.account(0)["transferred"] == 500 * FEMTO
    device.advance(50 * SECOND)
    assert device.account(0)["level"] == 450 * FEMTO
    device.start(0)
    assert device.account(0)["level"] == 900 * FEMTO
    assert device.account(0)["refilled"] == (5 * 10 + 450) * FEMTO
    device.send(0, 100)
    assert run_out(device) == [(51 * SECOND, 1)]


def test_what_ends_together_is_told_in_the_order_of_sending():
    """Whatever was asked meanwhile, which may have shared the capacity out already."""
    device = link(20, (20, 20, 0), (20, 20, 0))
    device.send([1, 1, 0, 1, 0, 0], 30)
    device.next_event()
    device.send([1, 0], 30)
    assert run_out(device) == [(12 * SECOND, number) for number in range(8)]


def test_a_flow_that_is_limited_leaves_the_rest_to_others():
    device = link(12 * MB, (10 * MB, 10 * MB, 0), (10 * MB, 10 * MB, 0), flow_limit=7 * MB)
    device.send(0, 10**9)
    assert device.rate(0) == 7 * MB
    device.stream(1, 5 * MB)
    assert [device.rate(0), device.rate(1)] == [7 * MB, 5 * MB]


def test_more_transfers_of_a_tenant_are_no_matter_of_the_others():
    device = link(12 * MB, (10 * MB, 10 * MB, 0), (10 * MB, 10 * MB, 0))
    device.send([0, 1], 10**9)
    assert [device.rate(0), device.rate(1)] == [6 * MB, 6 * MB]
    device.send([0, 0, 0, 1], 10**9)
    assert [device.rate(0), device.rate(1)] == [6 * MB, 6 * MB]
    assert device.solves == 1


def test_nothing_to_send_is_sent_at_once():
    device = link(100, (10, 10, 0))
    device.send(0, [0, 5])
    assert device.next_event() == 0
    device.advance(0)
    assert device.completed()["transfer"].tolist() == [0]
    assert run_out(device) == [(SECOND // 2, 1)]


def test_uncontended_transfers_need_no_solve():
    device = link(1000 * MB, *[(MB, 10 * MB, 5 * MB)] * 50)
    device.send([*range(50)] * 40, MB)
    assert len(run_out(device)) == 2000
    assert device.solves == 0


# --- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "match"),
    [
        (lambda _: parts.SharedDevice(0), "capacity"),
        (lambda _: parts.SharedDevice(2**41), "capacity"),
        (lambda _: parts.SharedDevice(1, -1), "flow_limit"),
        (lambda d: d.add(baseline=0, peak=5), "baseline"),
        (lambda d: d.add(baseline=5, peak=4), "peak"),
        (lambda d: d.add(baseline=5, tokens=-1), "burst"),
        (lambda d: d.add(baseline=5, weight=0), "weight"),
        (lambda d: d.add(baseline=5, weight=2e6), "weight"),
        (lambda d: d.add(baseline=5, weight=float("nan")), "weight"),
        (lambda d: d.send(1, 1), "tenant"),
        (lambda d: d.send(0, -1), "tokens"),
        (lambda d: d.stream(0, -1), "demand"),
        (lambda d: d.start(0), "not stopped"),
        (lambda d: (d.stop(0), d.stop(0)), "stopped"),
        (lambda d: (d.stop(0), d.send(0, 1)), "stopped"),
        (lambda d: (d.stop(0), d.stream(0, 1)), "stopped"),
        (lambda d: (d.advance(2), d.advance(1)), "past"),
    ],
)
def test_what_cannot_be_is_refused(do, match):
    with pytest.raises(ScenarioError, match=match):
        do(link(10, (1, 2, 3)))


# --- a slow exact model -----------------------------------------------------------------------


@dataclass
class Tenant:
    baseline: int
    peak: int
    most: int
    weight: int
    level: Fraction = Fraction(0)
    demand: int = 0
    left: dict[int, Fraction] = field(default_factory=dict)


class Model:
    """The same rules in fractions, each transfer on its own, all rates anew after every event."""

    def __init__(self, capacity: int, limit: int, tenants: list[Tenant]) -> None:
        self.capacity, self.limit, self.tenants = capacity, limit, tenants
        self.now, self.sent, self.done = Fraction(0), 0, {}
        for it in tenants:
            it.level = Fraction(it.most)

    def ceiling(self, it: Tenant) -> Fraction:
        allowed = it.peak if it.level > 0 else it.baseline
        flows = len(it.left) * self.limit if self.limit else (it.peak if it.left else 0)
        return Fraction(min(allowed, it.demand + flows))

    def shares(self) -> list[Fraction]:
        ceilings = [self.ceiling(it) for it in self.tenants]
        shares = [Fraction(0)] * len(ceilings)
        open_, left = set(range(len(ceilings))), Fraction(self.capacity)
        while open_:
            level = left / sum(self.tenants[i].weight for i in open_)
            full = {i for i in open_ if ceilings[i] <= level * self.tenants[i].weight}
            for i in full or open_:
                shares[i] = ceilings[i] if full else level * self.tenants[i].weight
                left -= shares[i]
            open_ -= full or open_
        return shares

    def of_transfer(self, it: Tenant, share: Fraction) -> Fraction:
        flows = len(it.left)
        each = max(share / (flows + 1), (share - it.demand) / flows)
        return min(each, Fraction(self.limit)) if self.limit else each

    def advance(self, until: Fraction) -> None:
        while True:
            shares = self.shares()
            step = until - self.now
            for it, share in zip(self.tenants, shares, strict=True):
                if it.left:
                    step = min(step, min(it.left.values()) / self.of_transfer(it, share))
                if it.level > 0 and share > it.baseline:
                    step = min(step, it.level / (share - it.baseline))
            self.now += step
            for it, share in zip(self.tenants, shares, strict=True):
                each = self.of_transfer(it, share) if it.left else 0
                it.level = min(Fraction(it.most), it.level + (it.baseline - share) * step)
                for number in list(it.left):
                    it.left[number] -= each * step
                    if it.left[number] <= 0:
                        del it.left[number]
                        self.done[number] = self.now * SECOND
            if self.now == until:
                return


RATES = st.integers(1, 40).map(lambda x: x * MB)
TENANTS = st.lists(
    st.tuples(RATES, RATES, st.integers(0, 60).map(lambda x: x * MB), st.integers(1, 4)),
    min_size=1,
    max_size=4,
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 3), st.integers(1, 50_000_000)),
        st.tuples(st.just("stream"), st.integers(0, 3), st.integers(0, 30).map(lambda x: x * MB)),
        st.tuples(st.just("advance"), st.integers(0, 3 * SECOND), st.just(0)),
    ),
    max_size=15,
)
LIMITS = st.sampled_from([0, 3 * MB, 11 * MB])


def built(capacity, limit, tenants) -> parts.SharedDevice:
    device = parts.SharedDevice(capacity, limit)
    for baseline, more, tokens, weight in tenants:
        device.add(baseline=baseline, peak=baseline + more, tokens=tokens, weight=weight)
    return device


def play(device, actions, count, cuts=()):
    for name, first, second in actions:
        if name == "advance":
            begin = device.now_ns
            for cut in sorted(cuts):
                device.advance(begin + first * cut // 1000)
            device.advance(begin + first)
        else:
            getattr(device, name)(first % count, second)
        if cuts:
            device.next_event()


@settings(max_examples=60, deadline=None)
@given(RATES, LIMITS, TENANTS, ACTIONS)
def test_completions_are_those_of_the_slow_model(capacity, limit, tenants, actions):
    device = built(capacity, limit, tenants)
    model = Model(capacity, limit, [Tenant(b, b + more, n, w) for b, more, n, w in tenants])
    play(device, actions, len(tenants))
    for name, first, second in actions:
        if name == "advance":
            model.advance(model.now + Fraction(first, SECOND))
        elif name == "stream":
            model.tenants[first % len(tenants)].demand = second
        else:
            model.tenants[first % len(tenants)].left[model.sent] = Fraction(second)
            model.sent += 1
    later = device.now_ns + 5 * SECOND
    device.advance(later)
    model.advance(Fraction(later, SECOND))
    found = device.completed()
    done = dict(zip(found["transfer"].tolist(), found["time_ns"].tolist(), strict=True))
    # Rates are rounded to thousandths of a token a second, so by a billionth.
    edge = 2000
    assert set(done) ^ set(model.done) <= {n for n, t in model.done.items() if later - t < edge}
    for number in set(done) & set(model.done):
        assert abs(done[number] - model.done[number]) < edge
    for number, it in enumerate(model.tenants):
        level = Fraction(device.account(number)["level"], FEMTO)
        assert abs(level - it.level) < 1


@settings(deadline=None)
@given(RATES, LIMITS, TENANTS, ACTIONS, st.lists(st.integers(0, 1000), max_size=4))
def test_how_time_is_cut_and_who_asks_changes_nothing(capacity, limit, tenants, actions, cuts):
    whole = built(capacity, limit, tenants)
    cut = copy.deepcopy(whole)
    play(whole, actions, len(tenants))
    play(cut, actions, len(tenants), cuts)
    assert [whole.account(t) for t in range(len(tenants))] == [
        cut.account(t) for t in range(len(tenants))
    ]
    assert whole.next_event() == cut.next_event()
    again = pickle.loads(pickle.dumps(whole))
    later = whole.now_ns + SECOND
    for device in (whole, cut, again):
        device.advance(later)
    found = [device.completed() for device in (whole, cut, again)]
    for key in found[0]:
        assert found[0][key].tolist() == found[1][key].tolist() == found[2][key].tolist()


@settings(deadline=None)
@given(RATES, LIMITS, TENANTS, ACTIONS)
def test_invariants_at_every_event(capacity, limit, tenants, actions):
    device = built(capacity, limit, tenants)
    play(device, actions, len(tenants))
    for _ in range(20):
        rates = [device.rate(tenant) for tenant in range(len(tenants))]
        assert sum(rates) <= capacity + 1e-3
        for number, (baseline, more, tokens, _) in enumerate(tenants):
            found = device.account(number)
            assert rates[number] <= baseline + more
            if found["level"] == 0:
                assert rates[number] <= baseline
            # In any window since the start: use <= a full bucket + what came in.
            used = found["transferred"] + found["streamed"]
            assert 0 <= used <= found["spent"] + found["unmet"]
            assert found["spent"] <= tokens * FEMTO + found["refilled"]
            dust = device.now_ns * 100 + (device.now_ns and 60 * 80 * 10**12)
            assert found["spent"] - used <= dust
        then = device.next_event()
        if then is None:
            break
        device.advance(then)


@settings(deadline=None)
@given(RATES, TENANTS)
def test_nothing_is_left_idle_that_somebody_wants(capacity, tenants):
    device = built(capacity, 0, tenants)
    device.send(range(len(tenants)), 10**12)
    for _ in range(6):
        wants = [
            (b + (more if device.account(t)["level"] else 0)) * device.under_way(t)
            for t, (b, more, _, _) in enumerate(tenants)
        ]
        rates = sum(device.rate(tenant) for tenant in range(len(tenants)))
        assert rates == pytest.approx(min(capacity, sum(wants)), abs=0.005)
        then = device.next_event()
        if then is None:
            break
        device.advance(then)
