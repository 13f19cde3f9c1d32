"""The table of CPU credits agrees with itself, with the instance types and with the rules."""

from fractions import Fraction

import pytest

from nephoscope import catalog
from nephoscope.errors import CatalogError

BURSTABLE = catalog.burstable_types()
DAY_NS = 86_400 * 10**9


def test_every_burstable_type_of_the_catalogue_has_credits_and_no_other():
    names = {facts.name for facts in BURSTABLE}
    assert len(names) == len(BURSTABLE) == 28
    for facts in catalog.types():
        assert (facts.name in names) == facts.burstable
        if facts.burstable:
            assert catalog.cpu_credits(facts.name).vcpus == facts.vcpus


@pytest.mark.parametrize("facts", BURSTABLE, ids=lambda facts: facts.name)
def test_the_columns_agree(facts):
    assert facts.credits_max == 24 * facts.credits_per_hour
    assert facts.credits_per_hour == facts.vcpus * facts.baseline_percent / 100 * 60
    assert facts.millicredits_per_hour == 1000 * facts.credits_per_hour
    assert facts.baseline_vcpus == pytest.approx(float(facts.credits_per_hour) / 60)


@pytest.mark.parametrize("facts", BURSTABLE, ids=lambda facts: facts.name)
def test_the_rules_of_the_family(facts):
    t2 = facts.prefix == "t2"
    assert facts.launch_credits == (30 * facts.vcpus if t2 else 0)
    assert facts.default_mode == ("standard" if t2 else "unlimited")
    assert facts.kept_ns == (0 if t2 else 7 * DAY_NS)


def test_rows_as_they_are_published():
    odd = catalog.cpu_credits("t2.2xlarge")
    assert (odd.credits_per_hour, odd.credits_max) == (Fraction("81.6"), Fraction("1958.4"))
    assert (odd.vcpus, odd.baseline_percent, odd.launch_credits) == (8, 17, 240)
    assert catalog.cpu_credits("t2.xlarge").baseline_percent == Fraction("22.5")
    nano = catalog.cpu_credits("t3.nano")
    assert (nano.credits_per_hour, nano.credits_max, nano.baseline_percent) == (6, 144, 5)


def test_t3_t3a_and_t4g_are_alike():
    def rows(prefix):
        return [
            (f.name.partition(".")[2], f.vcpus, f.credits_per_hour, f.credits_max)
            for f in BURSTABLE
            if f.prefix == prefix
        ]

    assert rows("t3") == rows("t3a") == rows("t4g")
    assert len(rows("t3")) == 7


def test_prices_of_surplus():
    price = {name: catalog.cpu_credits(name).surplus_usd_per_vcpu_hour for name in ("t3.nano",)}
    assert price["t3.nano"]() == 0.05
    assert price["t3.nano"](windows=True) == 0.096
    assert catalog.cpu_credits("t4g.nano").surplus_usd_per_vcpu_hour() == 0.04
    with pytest.raises(CatalogError, match="no Windows"):
        catalog.cpu_credits("t4g.nano").surplus_usd_per_vcpu_hour(windows=True)


def test_who_has_no_credits_is_told():
    with pytest.raises(CatalogError, match=r"m5\.large") as caught:
        catalog.cpu_credits("m5.large")
    assert caught.value.allowed
    with pytest.raises(CatalogError) as caught:
        catalog.cpu_credits("t3.mirco")
    assert caught.value.suggestion == "t3.micro"


# --- buckets of volumes, interfaces and calls -------------------------------------------------


@pytest.mark.parametrize(
    ("gib", "baseline", "peak"),
    [(1, 100, 3000), (33, 100, 3000), (34, 102, 3000), (1000, 3000, 3000), (6000, 16000, 16000)],
)
def test_gp2(gib, baseline, peak):
    facts = catalog.gp2_volume(gib)
    assert (facts.baseline, facts.peak, facts.burst) == (baseline, peak, 5_400_000)


@pytest.mark.parametrize("gib", [0, -1, 16_385])
def test_gp2_has_its_sizes(gib):
    with pytest.raises(CatalogError, match="gp2"):
        catalog.gp2_volume(gib)


def test_network_interfaces():
    facts = catalog.network_interface(catalog.find("t3.nano"), burst_seconds=600)
    assert (facts.baseline, facts.peak) == (4_000_000, 625_000_000)
    assert facts.seconds == 600
    fixed = catalog.network_interface(catalog.find("m5.24xlarge"))
    assert fixed.baseline == fixed.peak == 3_125_000_000
    assert fixed.seconds is None
    unknown = catalog.network_interface(catalog.find("p3.2xlarge"))
    assert unknown.baseline == unknown.peak


def test_calls():
    assert catalog.API_BUCKETS["RunInstances/instances"] == (1000, 2)
    assert catalog.API_BUCKETS["DescribeHosts/requests"] == (100, 20)
