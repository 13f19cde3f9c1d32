"""The catalogue: every row makes sense, and every type is found by what it is called."""

import csv
import dataclasses
import itertools
import pickle
from importlib import resources

import pytest

from nephoscope import catalog
from nephoscope.catalog import FAMILIES, InstanceTypeFacts
from nephoscope.catalog.instance_types import REFERENCE_CLOCK_GHZ
from nephoscope.errors import CatalogError

TYPES = catalog.types()
ROWS = list(
    csv.reader(
        resources.files("nephoscope.catalog")
        .joinpath("instance_types.csv")
        .read_text(encoding="utf-8")
        .splitlines()
    )
)


def test_the_columns_are_the_facts():
    assert ROWS[0] == [field.name for field in dataclasses.fields(InstanceTypeFacts)]
    assert {len(row) for row in ROWS} == {len(ROWS[0])}
    assert all(cell == cell.strip() for row in ROWS for cell in row)


def test_every_row_is_a_type_of_its_own():
    assert len(TYPES) == len(ROWS) - 1 >= 73
    assert [facts.name for facts in TYPES] == [row[0] for row in ROWS[1:]]


def test_families_stand_together_in_their_order():
    families = [family for family, _ in itertools.groupby(TYPES, key=lambda facts: facts.family)]
    assert families == list(dict.fromkeys(FAMILIES.values()))


@pytest.mark.parametrize("facts", TYPES, ids=lambda facts: facts.name)
def test_facts_agree(facts):
    prefix, dot, size = facts.name.partition(".")
    assert (facts.prefix, dot) == (prefix, ".")
    assert size
    assert 1 <= facts.vcpus <= 192
    assert 0 < facts.memory_gib <= 2048
    assert facts.memory_gib * 2**30 == round(facts.memory_gib * 2**30)
    assert facts.hypervisor in {"xen", "nitro"}
    assert facts.architecture in {"x86_64", "arm64"}
    assert 2 <= facts.clock_ghz <= 4
    assert 0.7 < facts.speed < 1.2
    assert facts.burstable == (prefix in {"t2", "t3", "t4g"})


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("m7g.large", "general purpose"),
        ("c4.large", "compute optimised"),
        ("r6i.large", "memory optimised"),
        ("x2idn.16xlarge", "memory optimised"),
        ("p5.48xlarge", "accelerated"),
        ("g4dn.xlarge", "accelerated"),
        ("inf2.xlarge", "accelerated"),
        ("trn1.2xlarge", "accelerated"),
        ("i4i.large", "storage optimised"),
        ("im4gn.large", "storage optimised"),
        ("d3.xlarge", "storage optimised"),
        ("t4g.micro", "burstable"),
    ],
)
def test_families(name, family):
    assert catalog.find(name).family == family


@pytest.mark.parametrize("facts", TYPES, ids=lambda facts: facts.name)
def test_devices_agree(facts):
    if facts.network_baseline_gbps is not None:
        assert 0 < facts.network_baseline_gbps <= facts.network_peak_gbps
    assert facts.network_peak_gbps > 0
    assert (facts.ebs_baseline_mbps is None) == (facts.ebs_peak_mbps is None)
    if facts.ebs_baseline_mbps is not None:
        assert 0 < facts.ebs_baseline_mbps <= facts.ebs_peak_mbps
    assert (facts.disks > 0) == (facts.disk_gb is not None) == (facts.disk_kind is not None)
    assert facts.disk_gb is None or facts.disk_gb > 0
    assert facts.disk_kind in {None, "ssd", "hdd"}
    assert (facts.accelerators > 0) == (facts.accelerator is not None)
    assert (facts.accelerators > 0) == (facts.family == "accelerated")
    assert facts.accelerator_memory_gib is None or facts.accelerator_memory_gib > 0


@pytest.mark.parametrize("facts", TYPES, ids=lambda facts: facts.name)
def test_prices_agree(facts):
    assert facts.linux_usd_per_hour > 0
    if facts.windows_usd_per_hour is not None:
        assert facts.windows_usd_per_hour >= facts.linux_usd_per_hour
        assert facts.architecture == "x86_64"


def test_prices_grow_with_the_size():
    for _, sizes in itertools.groupby(TYPES, key=lambda facts: facts.prefix):
        for small, large in itertools.pairwise(sizes):
            assert small.vcpus <= large.vcpus
            assert small.memory_gib < large.memory_gib
            assert small.linux_usd_per_hour < large.linux_usd_per_hour


def test_a_row_as_it_is_published():
    assert catalog.find("g4dn.xlarge") == InstanceTypeFacts(
        name="g4dn.xlarge",
        vcpus=4,
        memory_gib=16.0,
        hypervisor="nitro",
        architecture="x86_64",
        clock_ghz=2.5,
        network_baseline_gbps=5.0,
        network_peak_gbps=25.0,
        disks=1,
        disk_gb=125,
        disk_kind="ssd",
        accelerators=1,
        accelerator="T4",
        accelerator_memory_gib=16,
        ebs_baseline_mbps=950,
        ebs_peak_mbps=3500,
        linux_usd_per_hour=0.526,
        windows_usd_per_hour=0.71,
    )
    assert catalog.find("c7g.large").windows_usd_per_hour is None
    assert catalog.find("p3.2xlarge").network_baseline_gbps is None


def test_speed_is_relative_to_m5():
    assert {facts.clock_ghz for facts in catalog.select("m5")} == {REFERENCE_CLOCK_GHZ}
    assert catalog.find("m5.large").speed == 1.0
    assert catalog.find("c5.large").speed == pytest.approx(1.0968, abs=1e-4)


@pytest.mark.parametrize(
    ("word", "field", "value"),
    [
        ("general purpose", "family", "general purpose"),
        ("general", "family", "general purpose"),
        ("compute", "family", "compute optimised"),
        ("memory optimised", "family", "memory optimised"),
        ("accelerated", "family", "accelerated"),
        ("storage", "family", "storage optimised"),
        ("burstable", "family", "burstable"),
        ("m5", "prefix", "m5"),
        ("im4gn", "prefix", "im4gn"),
        ("m5.large", "name", "m5.large"),
    ],
)
def test_select(word, field, value):
    expected = tuple(facts for facts in TYPES if getattr(facts, field) == value)
    assert expected
    assert catalog.select(word) == expected


@pytest.mark.parametrize(
    ("ask", "word", "suggestion"),
    [
        (catalog.find, "m5.lrage", "m5.large"),
        (catalog.find, "c55.large", "c5.large"),
        (catalog.find, "m5", None),
        (catalog.find, "", None),
        (catalog.select, "computer", "compute"),
        (catalog.select, "memory_optimized", "memory optimised"),
        (catalog.select, "C7G", "c7g"),
        (catalog.select, "", None),
        (catalog.select, "cheap", None),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(ask, word, suggestion):
    with pytest.raises(CatalogError) as caught:
        ask(word)
    assert caught.value.suggestion == suggestion
    assert caught.value.allowed
    assert isinstance(caught.value, LookupError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
