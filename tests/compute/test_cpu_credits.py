"""CPU credits: published figures to the millionth credit, each rule once, and conservation."""

import copy
import pickle
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import catalog, parts
from nephoscope.errors import ScenarioError

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UNIT = parts.CpuCredits.UNITS_PER_CREDIT
BURSTABLE = catalog.burstable_types()


def running(kind: str, mode: str | None = None, **how) -> parts.CpuCredits:
    vm = parts.CpuCredits(kind, mode)
    vm.start(**how)
    return vm


def full(kind: str, mode: str = "standard") -> parts.CpuCredits:
    """After a day of rest, without launch credits."""
    vm = running(kind, mode, launch_credits=False)
    vm.advance(DAY)
    return vm


def after(vm: parts.CpuCredits, vcpus: float, ns: int) -> None:
    vm.use(vcpus)
    vm.advance(vm.now_ns + ns)


def minutes_until_empty(vm: parts.CpuCredits) -> Fraction:
    """At full use; the nanosecond is the first one."""
    vm.use(vm.facts.vcpus)
    then = vm.exhausted_at()
    before = copy.deepcopy(vm)
    before.advance(then - 1)
    assert before.limit == vm.facts.vcpus
    after_it = copy.deepcopy(vm)
    after_it.advance(then)
    assert after_it.limit < vm.facts.vcpus
    assert after_it.exhausted_at() == then
    return Fraction(then - vm.now_ns, MINUTE)


def conserved(account: dict[str, int]) -> bool:
    into = sum(account[n] for n in ("earned", "granted", "surplus", "overflow", "closing"))
    return into == sum(account[n] for n in ("spent", "balance", "launch", "discarded", "lost"))


# --- published figures ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        ("t2.micro", 160.0),
        ("t3.micro", 160.0),
        ("t3.nano", 75.789474),
        ("t2.small", 360.0),
        ("t2.medium", 360.0),
        ("t3.small", 360.0),
        ("t3.medium", 360.0),
        ("t3.large", 617.142857),
        ("t3.xlarge", 960.0),
        ("t3.2xlarge", 960.0),
        ("t4g.micro", 160.0),
        ("t3a.large", 617.142857),
    ],
)
def test_minutes_of_full_use_of_a_full_balance(kind, minutes):
    assert float(minutes_until_empty(full(kind))) == pytest.approx(minutes, abs=1e-6)


@pytest.mark.parametrize("facts", BURSTABLE, ids=lambda facts: facts.name)
def test_a_full_balance_lasts_to_the_nanosecond(facts):
    """Burns vCPUs - earned/60 a minute."""
    exact = facts.credits_max / (facts.vcpus - facts.credits_per_hour / 60) * MINUTE
    found = minutes_until_empty(full(facts.name)) * MINUTE
    assert found == -(-exact.numerator // exact.denominator)


@pytest.mark.parametrize(
    ("kind", "minutes"), [("t2.micro", 33.333333), ("t2.small", 37.5), ("t2.medium", 37.5)]
)
def test_minutes_of_full_use_of_launch_credits_alone(kind, minutes):
    assert float(minutes_until_empty(running(kind))) == pytest.approx(minutes, abs=1e-6)


@pytest.mark.parametrize("facts", BURSTABLE, ids=lambda facts: facts.name)
def test_an_idle_instance_is_full_after_24_hours_and_discards_then(facts):
    vm = running(facts.name, launch_credits=False)
    assert vm.full_at() == DAY
    vm.advance(DAY - 1)
    assert vm.full_at() == DAY
    assert vm.account()["discarded"] == 0
    vm.advance(2 * DAY)
    assert vm.account()["balance"] == facts.credits_max * UNIT
    assert vm.account()["discarded"] == vm.account()["balance"]


def test_an_idle_t2_micro_has_174_credits_after_24_hours():
    vm = running("t2.micro")
    vm.advance(DAY)
    assert vm.balance + vm.launch_credits == 174


def test_a_t3_nano_at_2_percent_gains_3_6_an_hour():
    vm = running("t3.nano")
    after(vm, 2 * 0.02, HOUR)
    assert vm.balance == pytest.approx(3.6, abs=1e-6)
    assert vm.reaches(3.6) == pytest.approx(HOUR, abs=20)


def test_the_worked_example_of_the_guide_without_its_rounding():
    """A t3.nano in standard mode: a day of rest, 12 h at 2 %, 12 h at 7 % are 122.4 (not 122)."""
    vm = full("t3.nano")
    after(vm, 2 * 0.02, 12 * HOUR)
    assert vm.balance == 144
    assert vm.account()["discarded"] == pytest.approx(12 * 3.6 * UNIT, rel=1e-9)
    after(vm, 2 * 0.07, 9 * HOUR)
    assert vm.balance == pytest.approx(144 - 9 * 2.4, abs=1e-6)
    assert vm.balance == pytest.approx(122.4, abs=1e-6)
    assert float(minutes_until_empty(vm)) / 60 == pytest.approx(1.0737, abs=1e-4)


def test_baselines_are_exact():
    for facts in BURSTABLE:
        vm = running(facts.name, "standard", launch_credits=False)
        vm.use(vm.limit)
        vm.advance(1000 * DAY)
        found = vm.account()
        assert found["balance"] == found["uncovered"] == 0
        assert found["spent"] == found["earned"]
        assert vm.limit == pytest.approx(facts.baseline_vcpus, abs=2**-36)


# --- the rules, one by one --------------------------------------------------------------------


def test_default_modes():
    assert parts.CpuCredits("t2.micro").mode == "standard"
    for kind in ("t3.micro", "t3a.micro", "t4g.micro"):
        assert parts.CpuCredits(kind).mode == "unlimited"


def test_a_dedicated_host_is_standard_only():
    vm = parts.CpuCredits("t3.micro", tenancy="host")
    assert vm.mode == "standard"
    with pytest.raises(ScenarioError, match="Dedicated Host"):
        vm.switch("unlimited")
    with pytest.raises(ScenarioError, match="Dedicated Host"):
        parts.CpuCredits("t3.micro", "unlimited", tenancy="host")


def test_t3_starts_with_nothing_and_unlimited_covers_it():
    vm = running("t3.micro")
    assert vm.balance == vm.launch_credits == 0
    assert vm.limit == 2
    after(vm, 2, 10 * MINUTE)
    assert vm.surplus == 20 - 2
    assert running("t3.micro", "standard").limit == pytest.approx(0.2)


def test_launch_credits_are_30_a_vcpu_for_t2_in_standard_mode():
    assert running("t2.medium").launch_credits == 60
    assert running("t2.2xlarge").launch_credits == 240
    assert running("t2.micro", "unlimited").launch_credits == 0
    assert running("t3.micro", "standard").launch_credits == 0


def test_launch_credits_are_spent_first():
    vm = running("t2.micro")
    after(vm, 1, 10 * MINUTE)
    assert (vm.launch_credits, vm.balance) == (20, 1)
    after(vm, 1, 20 * MINUTE)
    assert (vm.launch_credits, vm.balance) == (0, 3)
    after(vm, 1, MINUTE)
    assert vm.balance == pytest.approx(2.1, abs=1e-12)


def test_launch_credits_do_not_count_for_the_maximum():
    vm = running("t2.micro")
    vm.advance(2 * DAY)
    assert (vm.launch_credits, vm.balance) == (30, 144)
    after(vm, 1, 30 * MINUTE)
    assert (vm.launch_credits, vm.balance) == (0, 144)
    assert vm.account()["discarded"] == (144 + 3) * UNIT


def test_launch_credits_come_with_each_start_and_are_lost_at_a_stop():
    vm = running("t2.micro")
    vm.advance(DAY)
    vm.stop()
    assert (vm.balance, vm.launch_credits) == (0, 0)
    assert vm.account()["lost"] == 174 * UNIT
    vm.start()
    assert (vm.balance, vm.launch_credits) == (0, 30)


def test_launch_credits_are_lost_at_the_switch_to_unlimited_and_do_not_come_back():
    vm = running("t2.micro")
    vm.advance(DAY)
    vm.switch("unlimited")
    assert (vm.balance, vm.launch_credits) == (144, 0)
    vm.switch("standard")
    assert (vm.balance, vm.launch_credits) == (144, 0)
    assert vm.account()["lost"] == 30 * UNIT


def test_launch_credits_are_for_100_launches_in_24_hours():
    account = parts.LaunchCreditLimit()
    assert all(account.grant(k * MINUTE) for k in range(100))
    assert not account.grant(100 * MINUTE)
    assert not account.grant(DAY - 1)
    assert account.grant(DAY)
    assert not account.grant(DAY + MINUTE - 1)
    assert account.grant(DAY + MINUTE)
    assert running("t2.micro", launch_credits=account.grant(DAY + MINUTE)).launch_credits == 0
    again = pickle.loads(pickle.dumps(account))
    assert [again.grant(DAY + k * MINUTE) for k in (1, 2, 3)] == [False, True, True]
    with pytest.raises(ScenarioError, match="launches"):
        parts.LaunchCreditLimit(0)


@pytest.mark.parametrize("kind", ["t3.micro", "t3a.micro", "t4g.micro"])
def test_a_stopped_t3_keeps_its_balance_for_7_days_and_earns_nothing(kind):
    vm = full(kind)
    vm.stop()
    vm.advance(vm.now_ns + 7 * DAY - 1)
    assert vm.balance == 288
    again = copy.deepcopy(vm)
    again.start()
    assert again.balance == 288
    vm.advance(vm.now_ns + 1)
    assert vm.balance == 0
    assert vm.account()["lost"] == 288 * UNIT
    vm.start()
    assert vm.limit == pytest.approx(0.2)


def test_standard_mode_holds_use_to_the_baseline_once_empty():
    vm = full("t3.micro")
    vm.use(2)
    vm.advance(vm.exhausted_at())
    assert vm.limit == pytest.approx(0.2, abs=1e-9)
    after(vm, vm.limit, DAY)
    assert vm.limit == pytest.approx(0.2, abs=1e-9)
    assert vm.exhausted_at() is None
    after(vm, 0.1, HOUR)
    assert vm.limit == 2
    assert vm.balance == pytest.approx(6.0)


def test_use_beyond_an_empty_balance_is_told_and_not_paid():
    vm = running("t3.micro", "standard")
    after(vm, 2, 10 * MINUTE)
    found = vm.account()
    assert found["spent"] == found["earned"] == 2 * UNIT
    assert found["uncovered"] == 18 * UNIT


def test_surplus_is_paid_back_by_earning():
    vm = running("t3.micro")
    after(vm, 2, 60 * MINUTE)
    assert vm.surplus == pytest.approx(108)
    after(vm, 0, 9 * HOUR)
    assert (vm.surplus, vm.balance, vm.billed) == (0, 0, 0)
    assert vm.full_at() == 34 * HOUR
    after(vm, 0, HOUR)
    assert vm.balance == 12


def test_surplus_beyond_24_hours_of_earning_is_billed_at_the_end_of_the_hour():
    vm = running("t3.micro")  # 108 an hour: 288 are reached after 2 h 40 min
    after(vm, 2, 2 * HOUR + 40 * MINUTE)
    assert (vm.surplus, vm.billed) == (288, 0)
    vm.advance(3 * HOUR - 1)
    assert (vm.surplus, vm.billed) == (288, 0)
    vm.advance(3 * HOUR)
    assert (vm.surplus, vm.billed) == (288, 36)
    vm.advance(4 * HOUR)
    assert vm.billed == 36 + 108
    assert vm.billed_usd() == pytest.approx(144 / 60 * 0.05)
    assert vm.billed_usd(windows=True) == pytest.approx(144 / 60 * 0.096)


@pytest.mark.parametrize("end", ["stop", "terminate", "switch"])
def test_surplus_is_billed_in_full_at_a_stop_at_the_end_and_at_a_switch(end):
    vm = running("t3.micro")
    after(vm, 2, 3 * HOUR + 10 * MINUTE)
    assert (vm.surplus, vm.billed) == (288, 36)
    if end == "switch":
        vm.switch("standard")
        assert vm.limit == pytest.approx(0.2, abs=1e-9)
    else:
        getattr(vm, end)()
    assert (vm.surplus, vm.balance) == (0, 0)
    assert vm.billed == 36 + 18 + 288
    assert vm.account()["closing"] == 288 * UNIT


def test_a_switch_keeps_the_balance():
    vm = full("t3.micro")
    vm.switch("unlimited")
    vm.switch("unlimited")
    assert vm.balance == 288
    vm.switch("standard")
    assert (vm.balance, vm.billed) == (288, 0)


def test_the_five_minute_formula_of_unlimited_mode():
    """At each period's end the published recurrence, with use constant within each period."""
    vm = running("t3.nano")
    balance = surplus = charged = Fraction(0)
    most, earned = Fraction(144), Fraction(6 * 5, 60)
    pattern = [0, 2, 0.5, 2, 0.0625, 1.75, 2, 2]
    for hour in range(60):
        use = pattern[hour % len(pattern)] if hour < 40 else 0
        for _ in range(12):
            after(vm, use, 5 * MINUTE)
            adjusted = balance - surplus + earned - 5 * Fraction(use)
            balance, surplus = min(most, max(adjusted, 0)), min(most, max(-adjusted, 0))
            charged += max(-adjusted - most, 0)
            found = vm.account()
            assert Fraction(found["balance"], UNIT) == balance
            assert Fraction(found["surplus"], UNIT) == surplus
            assert Fraction(found["overflow"], UNIT) == charged
        assert Fraction(vm.account()["billed"], UNIT) == charged
    assert charged > 0


def test_the_24_hour_average_decides_what_is_billed():
    """At 10 % above the baseline for 24 h, the surplus is just paid back by 10 % below it."""
    vm = running("t3.large")
    after(vm, 2 * 0.4, 12 * HOUR)
    after(vm, 2 * 0.2, 12 * HOUR)
    assert vm.balance - vm.surplus == pytest.approx(0, abs=1e-6)
    assert vm.billed == 0


# --- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "match"),
    [
        (lambda c: c.use(2.5), "usage"),
        (lambda c: c.use(-0.1), "usage"),
        (lambda c: c.use(float("nan")), "usage"),
        (lambda c: c.start(), "running"),
        (lambda c: (c.stop(), c.use(1)), "not running"),
        (lambda c: (c.stop(), c.stop()), "not running"),
        (lambda c: (c.terminate(), c.start()), "terminated"),
        (lambda c: (c.terminate(), c.terminate()), "terminated"),
        (lambda c: (c.advance(5), c.advance(4)), "past"),
        (lambda c: c.switch("boundless"), "boundless"),
    ],
)
def test_what_cannot_be_is_refused(do, match):
    with pytest.raises(ScenarioError, match=match):
        do(running("t3.micro"))


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("vcpus", {"vcpus": 0}),
        ("vcpus", {"vcpus": 1025}),
        ("millicredits_per_hour", {"credits_per_hour": Fraction(0)}),
        ("millicredits_per_hour", {"credits_per_hour": Fraction(121)}),
        ("launch_credits", {"launch_credits": -1}),
        ("launch_credits", {"launch_credits": 10**7}),
    ],
)
def test_facts_that_cannot_be_are_refused(field, facts):
    with pytest.raises(ScenarioError, match=field):
        parts.CpuCredits(replace(catalog.cpu_credits("t3.micro"), **facts))


def test_an_instance_may_end_while_it_is_stopped():
    vm = full("t3.micro")
    vm.stop()
    vm.terminate()
    assert vm.balance == 0
    assert vm.account()["lost"] == 288 * UNIT
    assert not vm.running


def test_a_balance_that_is_out_of_reach():
    vm = running("t3.micro")
    assert vm.reaches(289) is None
    assert vm.reaches(0) == 0
    vm.use(1)
    assert vm.reaches(1) is None
    vm.stop()
    assert vm.full_at() is None


def test_launch_credits_let_the_balance_grow_while_much_is_used():
    vm = running("t2.micro")
    vm.use(1)
    assert vm.reaches(2) == 20 * MINUTE
    assert vm.reaches(3) == 30 * MINUTE
    assert vm.reaches(3.001) is None


# --- properties -------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.integers(0, 3 * HOUR) | st.integers(0, 3 * DAY)),
        st.tuples(st.just("use"), st.floats(0, 1) | st.sampled_from([0.0, 0.05, 0.1, 1.0])),
        st.tuples(st.just("switch"), st.sampled_from(["standard", "unlimited"])),
        st.tuples(st.just("stop or start"), st.booleans()),
    ),
    max_size=25,
)
KINDS = st.sampled_from(["t2.nano", "t2.micro", "t2.2xlarge", "t3.nano", "t4g.xlarge"])


def play(vm, actions, cuts=(), watch=None):
    """The actions; an advance is cut at these fractions (of 1000) of its length."""
    for name, value in actions:
        if name == "advance":
            begin = vm.now_ns
            for cut in sorted(cuts):
                vm.advance(begin + value * cut // 1000)
            vm.advance(begin + value)
        elif name == "use":
            if vm.running:
                vm.use(value * vm.facts.vcpus)
        elif name == "switch":
            vm.switch(value)
        elif vm.running:
            vm.stop()
        else:
            vm.start(launch_credits=value)
        if watch:
            watch()


@given(KINDS, ACTIONS, st.lists(st.integers(0, 1000), max_size=4))
def test_how_time_is_cut_changes_nothing(kind, actions, cuts):
    whole = running(kind)
    cut = copy.deepcopy(whole)
    play(whole, actions)
    play(cut, actions, cuts)
    assert whole.account() == cut.account()
    assert whole.exhausted_at() == cut.exhausted_at()


def units_a_ns(vm, vcpus):
    """Of such a use: what equals the baseline to 2**-36 of a vCPU is the baseline."""
    grains = round(vcpus * 2**36)
    if grains == round(vm.facts.baseline_vcpus * 2**36):
        return UNIT * vm.facts.credits_per_hour / HOUR
    return Fraction(grains, 2**36) * UNIT / MINUTE


@given(KINDS, ACTIONS)
def test_earning_and_use_are_rates_times_times(kind, actions):
    vm = running(kind)
    use, then = Fraction(0), 0
    earned = wanted = Fraction(0)
    for name, value in actions:
        play(vm, [(name, value)])
        if name == "advance" and vm.running:
            earned += UNIT * vm.facts.credits_per_hour / HOUR * (vm.now_ns - then)
            wanted += use * (vm.now_ns - then)
        elif name == "use" and vm.running:
            use = units_a_ns(vm, value * vm.facts.vcpus)
        elif name == "stop or start":
            use = Fraction(0)
        then = vm.now_ns
        found = vm.account()
        assert found["earned"] == earned
        assert found["spent"] + found["uncovered"] == wanted


@given(KINDS, ACTIONS)
def test_every_credit_is_told(kind, actions):
    vm = running(kind)
    most = int(vm.facts.credits_max * UNIT)
    fresh = vm.account()

    def watch():
        found = vm.account()
        assert conserved(found)
        assert 0 <= found["balance"] <= most
        assert 0 <= found["surplus"] <= most
        assert found["balance"] == 0 or found["surplus"] == 0
        assert found["launch"] <= vm.facts.launch_credits * UNIT
        assert found["billed"] <= found["overflow"] + found["closing"]
        if vm.mode == "standard":
            assert found["surplus"] == 0

    assert conserved(fresh)
    play(vm, actions, watch=watch)
    if vm.running:
        vm.stop()
    assert vm.account()["billed"] == sum(vm.account()[n] for n in ("overflow", "closing"))


@given(KINDS, ACTIONS)
def test_in_any_window_no_more_is_used_than_was_there_and_came(kind, actions):
    """In standard mode: use <= balance and launch credits + earned + granted, in all windows."""
    vm = running(kind, "standard")
    seen = [vm.account()]
    only = [action for action in actions if action[0] != "switch"]
    play(vm, only, watch=lambda: seen.append(vm.account()))
    for begin, first in enumerate(seen):
        for last in seen[begin:]:
            came = sum(last[name] - first[name] for name in ("earned", "granted"))
            assert last["spent"] - first["spent"] <= first["balance"] + first["launch"] + came


@given(KINDS, ACTIONS, st.floats(0, 1))
def test_who_keeps_to_the_limit_uses_nothing_that_is_not_covered(kind, actions, use):
    """Held to the limit at each event, use is uncovered for less than a nanosecond each time."""
    vm = running(kind, "standard")
    play(vm, [action for action in actions if action[0] != "switch"])
    if not vm.running:
        vm.start()
    start, times = vm.account()["uncovered"], 0
    wanted = use * vm.facts.vcpus
    end = vm.now_ns + DAY
    vm.use(min(wanted, vm.limit))
    while (then := vm.exhausted_at()) is not None and then <= end:
        assert then > vm.now_ns
        vm.advance(then)
        vm.use(min(wanted, vm.limit))
        times += 1
    vm.advance(end)
    a_ns = UNIT // 60 // SECOND * vm.facts.vcpus
    assert times <= 1
    assert vm.account()["uncovered"] - start <= times * a_ns


@settings(max_examples=60)
@given(KINDS, ACTIONS, st.floats(0.01, 1), st.integers(1, 4000))
def test_the_instants_told_are_the_first(kind, actions, use, millicredits):
    vm = running(kind)
    play(vm, actions)
    if vm.running:
        vm.use(use * vm.facts.vcpus)
    target = UNIT // 1000 * millicredits
    for then, reached in (
        (vm.exhausted_at(), lambda c: c.account()["balance"] + c.account()["launch"] == 0),
        (
            vm.reaches(Fraction(millicredits, 1000)),
            lambda c: c.account()["balance"] >= target,
        ),
    ):
        if then is None:
            continue
        later, before = copy.deepcopy(vm), copy.deepcopy(vm)
        later.advance(then)
        assert reached(later)
        if then > vm.now_ns:
            before.advance(then - 1)
            assert not reached(before)


def test_the_nanosecond_in_which_launch_credits_run_out_is_settled_as_one():
    """Ticked through by the nanosecond around it, beside one long step."""
    ticked = running("t2.micro")
    ticked.use(0.7)
    whole = copy.deepcopy(ticked)
    edge = int(30 / 0.7 * MINUTE)
    ticked.advance(edge - 50)
    for at in range(edge - 50, edge + 50):
        ticked.advance(at)
    whole.advance(edge + 49)
    found = whole.account()
    assert ticked.account() == found
    assert whole.launch_credits == 0
    assert found["spent"] == units_a_ns(whole, 0.7) * whole.now_ns
    assert found["earned"] == UNIT * 6 * whole.now_ns // HOUR
    assert conserved(whole.account())


def test_a_copy_goes_its_own_way():
    vm = full("t3.micro")
    again = pickle.loads(pickle.dumps(vm))
    after(again, 2, MINUTE)
    assert vm.balance == 288
    assert again.balance == pytest.approx(286.2)
