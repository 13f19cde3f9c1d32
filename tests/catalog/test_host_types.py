"""The table of host types: whole machines, of which the instance types of a family are parts."""

import pytest

from nephoscope import catalog
from nephoscope.errors import CatalogError

HOSTS = catalog.hosts()


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_the_largest_instance_of_a_family_fits_on_its_host(host):
    prefix = host.name.partition(".")[0]
    largest = max(catalog.select(prefix), key=lambda facts: facts.vcpus)
    assert largest.vcpus <= host.threads
    assert largest.memory_gib <= host.memory_gib
    assert largest.disks <= host.disks
    assert largest.accelerators <= host.accelerators
    assert host.threads_per_core == (1 if largest.architecture == "arm64" else 2)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_facts_are_sane(host):
    assert host.name.endswith(".metal")
    assert 1 <= host.sockets <= 2
    assert host.threads == host.sockets * host.cores * host.threads_per_core
    assert host.memory_gib / host.threads in {2, 4, 8, 16, 32, 512 / 72}
    assert host.speed == pytest.approx(host.clock_ghz / 3.1)
    assert (host.disks == 0) == (host.disk_gb is None) == (host.disk_kind is None)
    assert (host.accelerators == 0) == (host.accelerator is None)
    assert host.to_dict()["threads"] == host.threads


def test_names_find_their_hosts():
    assert catalog.find_host("m5.metal").threads == 96
    assert [host.name for host in catalog.select_hosts("c5")] == ["c5.metal"]
    assert catalog.select_hosts() == HOSTS
    with pytest.raises(CatalogError, match=r"m5\.metal"):
        catalog.find_host("m5.mettal")
    with pytest.raises(CatalogError, match="no host type of"):
        catalog.select_hosts("t3")
