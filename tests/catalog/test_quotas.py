"""What an account may have in each region."""

import pytest

from nephoscope import catalog
from nephoscope.errors import CatalogError

SOURCES = {"documentation", "recalled", "inferred"}


def test_every_quota_is_a_number_with_a_source_and_stands_once():
    rows = catalog.quota_table()
    assert all(row.most > 0 and row.source in SOURCES for row in rows)
    assert {row.region for row in rows} == {"any", *catalog.REGIONS}
    places = [(row.name, row.region) for row in rows]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(
    ("region", "puts", "invocations", "publishes", "fifo_calls"),
    [
        ("us-east-1", 10_000, 18_750, 30_000, 70_000),
        ("us-west-2", 10_000, 18_750, 9_000, 70_000),
        ("eu-west-1", 10_000, 18_750, 9_000, 70_000),
        ("us-east-2", 2_400, 4_500, 300, 19_000),
        ("eu-central-1", 2_400, 4_500, 300, 19_000),
        ("af-south-1", None, 750, 300, 19_000),
        ("eu-south-1", None, 750, 300, 19_000),
    ],
)
def test_each_region_has_rates_of_its_own(region, puts, invocations, publishes, fifo_calls):
    quotas = catalog.quotas(region)
    assert quotas.get("puts_per_second") == puts
    assert quotas["invocations_per_second"] == invocations
    assert quotas["publishes_per_second"] == publishes
    assert quotas["fifo_queue_calls_per_second"] == fifo_calls


def test_a_region_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(CatalogError, match="did you mean eu-west-1"):
        catalog.quotas("eu-west-9")
