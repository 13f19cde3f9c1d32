"""What devices give follows from the table of types, and every type has an answer."""

import pytest

from nephoscope import catalog
from nephoscope.catalog import devices


@pytest.mark.parametrize("facts", catalog.types(), ids=lambda facts: facts.name)
def test_every_type_has_disks_and_accelerators_of_a_known_speed(facts):
    bandwidth = devices.disk_bandwidth(facts)
    assert 0 < bandwidth.baseline <= bandwidth.peak
    assert (bandwidth.burst > 0) == (bandwidth.peak > bandwidth.baseline)
    assert devices.disk_iops(facts) > 0
    assert devices.accelerator_speed(facts) > 0


def test_the_reference_is_a_t4():
    assert devices.accelerator_speed(catalog.find("g4dn.xlarge")) == 1.0
    assert devices.accelerator_speed(catalog.find("p4d.24xlarge")) == pytest.approx(4.8)


def test_disks_of_a_type_add_up():
    i3 = catalog.find("i3.16xlarge")  # 8 of 1,900 GB: published 16 GB/s and 3.3 million
    assert devices.disk_bandwidth(i3).peak == pytest.approx(16e9, rel=0.06)
    assert devices.disk_iops(i3) == pytest.approx(3.3e6, rel=0.1)
    d3 = catalog.find("d3.8xlarge")
    assert devices.disk_bandwidth(d3).peak == pytest.approx(4.6e9, rel=0.02)


def test_a_volume_is_at_its_peak_for_half_an_hour():
    volume = devices.disk_bandwidth(catalog.find("m5.large"))
    assert (volume.baseline, volume.peak) == (81_250_000, 593_750_000)
    assert volume.seconds == 1800
