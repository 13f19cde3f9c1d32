"""Prices by type, system, purchase and tenancy, and bills by line."""

import random

import pytest

from nephoscope import catalog
from nephoscope.errors import CatalogError


@pytest.mark.parametrize(
    ("name", "system", "usd", "licence"),
    [
        ("m5.large", "linux", 0.096, 0.0),
        ("m5.large", "windows", 0.188, 0.092),
        ("t3.micro", "windows", 0.0196, 0.0092),
        ("p3.2xlarge", "windows", 3.428, 0.368),
        ("c7g.large", "linux", 0.0725, 0.0),
    ],
)
def test_on_demand_prices_are_the_lists(name, system, usd, licence):
    found = catalog.price(name, system)
    assert found.usd_per_hour == pytest.approx(usd, rel=1e-12)
    assert found.licence_usd_per_hour == pytest.approx(licence, rel=1e-12)


def test_the_licence_is_46_thousandths_a_vcpu_outside_the_burstable_family():
    for facts in catalog.types():
        if facts.windows_usd_per_hour is not None and not facts.burstable:
            licence = catalog.price(facts, "windows").licence_usd_per_hour
            assert licence == pytest.approx(0.046 * facts.vcpus, rel=0.02), facts.name


def test_types_without_a_price_are_not_sold_with_windows():
    for facts in catalog.types():
        if facts.windows_usd_per_hour is None:
            with pytest.raises(CatalogError, match=facts.name):
                catalog.price(facts, "windows")


def test_spot_is_a_part_of_the_machine_and_all_of_the_licence():
    assert catalog.price("m5.large", purchase="spot").usd_per_hour == pytest.approx(0.096 * 0.3)
    found = catalog.price("m5.large", "windows", "spot", spot_factor=0.5)
    assert found.usd_per_hour == pytest.approx(0.048 + 0.092)
    assert found.licence_usd_per_hour == pytest.approx(0.092)


def test_dedicated_costs_more_and_a_hosts_instances_their_licence():
    dedicated = catalog.price("m5.large", "windows", tenancy="dedicated")
    assert dedicated.usd_per_hour == pytest.approx(0.096 * 1.06 + 0.092)
    assert catalog.price("m5.large", tenancy="dedicated", dedicated_factor=1.0) == catalog.price(
        "m5.large"
    )
    assert catalog.price("m5.large", tenancy="host").usd_per_hour == 0.0
    assert catalog.price("m5.large", "windows", tenancy="host").usd_per_hour == pytest.approx(0.092)


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (("m5.lrage",), "m5.large"),
        (("m5.large", "linus"), "linux"),
        (("m5.large", "linux", "on-demand"), "on_demand"),
        (("m5.large", "linux", "spot", "dedicate"), "dedicated"),
    ],
)
def test_unknown_words_are_told_with_the_nearest(words, suggestion):
    with pytest.raises(CatalogError) as caught:
        catalog.price(*words)
    assert caught.value.suggestion == suggestion


def test_a_bill_worked_out_by_hand():
    """Two m5.large of 1800 s and 5400 s: 2 h x 0.096 = 0.192 USD.

    A Windows m5.large of 60 s: 0.188 / 60 = 0.0031333 USD, of which 0.092 / 60 licence. A spot
    c5.large of an hour: 0.085 x 0.3 = 0.0255 USD.
    """
    usages = [
        catalog.Usage("m5.large", "linux", 1800),
        catalog.Usage("c5.large", "ubuntu", 3600, "spot"),
        catalog.Usage("m5.large", "windows", 60),
        catalog.Usage("m5.large", "amazon_linux", 5400),
    ]
    lines = catalog.bill(usages)
    assert [(line.name, line.instances, line.billed_s) for line in lines] == [
        ("c5.large linux spot", 1, 3600),
        ("m5.large linux on_demand", 2, 7200),
        ("m5.large windows on_demand", 1, 60),
    ]
    assert [line.usd for line in lines] == pytest.approx([0.0255, 0.192, 0.188 / 60])
    assert [line.licence_usd for line in lines] == pytest.approx([0.0, 0.0, 0.092 / 60])


def test_the_order_of_usages_changes_no_bit():
    chance = random.Random(4)
    usages = [
        catalog.Usage(
            chance.choice(["m5.large", "c5.large"]),
            chance.choice(["linux", "windows"]),
            chance.randrange(60, 10**6),
            chance.choice(catalog.PURCHASES),
            chance.choice(catalog.TENANCIES),
        )
        for _ in range(300)
    ]
    bill = catalog.bill(usages)
    assert sum(line.instances for line in bill) == 300
    assert len({line.name for line in bill}) == len(bill) == 24
    chance.shuffle(usages)
    assert catalog.bill(usages) == bill
