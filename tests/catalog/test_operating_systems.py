"""Operating systems: names, laws that the scenario language reads, and billing."""

import pytest

from nephoscope import catalog, parts
from nephoscope.catalog.operating_systems import LAWS
from nephoscope.errors import CatalogError

SYSTEMS = catalog.operating_systems()
SECOND = 1e9


def test_names_and_aliases_are_of_one_system_each():
    words = [word for system in SYSTEMS for word in (system.name, *system.aliases)]
    assert len(words) == len(set(words))
    for system in SYSTEMS:
        for word in (system.name, *system.aliases):
            assert catalog.operating_system(word) is system


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Linux", "linux"),
        ("Linux/UNIX", "linux"),
        ("Amazon Linux", "linux"),
        ("ubuntu", "linux"),
        ("Windows Server", "windows"),
        ("windows-fast-launch", "windows_fast_launch"),
    ],
)
def test_usual_spellings(word, name):
    assert catalog.operating_system(word).name == name


@pytest.mark.parametrize(("word", "suggestion"), [("linus", "linux"), ("windws", "windows")])
def test_what_is_not_there_is_told_with_the_nearest(word, suggestion):
    with pytest.raises(CatalogError) as caught:
        catalog.operating_system(word)
    assert caught.value.suggestion == suggestion


def mean_s(system: catalog.OperatingSystem, law: str) -> float:
    return float(parts.sample(system.laws[law], 4000, name=law).mean() / SECOND)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_law_is_there_and_can_be_drawn_from(system):
    assert set(system.laws) == set(LAWS)
    for law in LAWS:
        assert 0.0 < mean_s(system, law) <= 15 * 60


def test_linux_serves_within_what_is_published():
    """A launch of about half a minute: pending 5 s and a boot of 20 to 40 s."""
    linux = catalog.operating_system("linux")
    assert mean_s(linux, "pending") == pytest.approx(5.0, rel=0.03)
    assert mean_s(linux, "boot") == pytest.approx(30.0, rel=0.03)
    assert mean_s(linux, "restart") < mean_s(linux, "boot")


def test_windows_takes_longer_in_everything_but_its_end():
    linux, windows, fast = (catalog.operating_system(n) for n in ("linux", "windows", "win"))
    assert fast is windows
    fast = catalog.operating_system("windows_fast_launch")
    for law in set(LAWS) - {"terminate"}:
        assert mean_s(windows, law) > mean_s(linux, law)
    assert mean_s(windows, "boot") == pytest.approx(750, rel=0.03)
    assert mean_s(fast, "boot") == pytest.approx(300, rel=0.03)
    assert mean_s(windows, "restart") < mean_s(windows, "boot")


def test_both_are_billed_by_the_second_with_a_minimum_of_a_minute():
    for system in SYSTEMS:
        assert (system.billing_unit_s, system.billing_minimum_s) == (1, 60)
    licences = {system.name: system.licence_included for system in SYSTEMS}
    assert licences == {"linux": False, "windows": True, "windows_fast_launch": True}
