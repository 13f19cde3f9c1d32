"""Results as xarray datasets: the numbers of their tables, by what tells rows apart."""

import numpy as np
import pytest

import nephoscope as nph
from experiment.small import COUNT, MEAN, small
from nephoscope import PathError

pytest.importorskip("xarray", reason="needs xarray (the extra `xarray`)")

RATE = "traffic.users.rate"


def test_a_grid_is_its_dimensions():
    grid = {COUNT: [2, 3], RATE: ["8/s", "10/s", "12/s"]}
    found = nph.sweep(small(), grid, 2, metrics=[MEAN])
    data = found.to_xarray()
    assert dict(data.sizes) == {COUNT: 2, RATE: 3}
    for cell in found.cells:
        at = data.sel({COUNT: cell.values[COUNT], RATE: cell.values[RATE]})
        assert float(at[MEAN]) == cell.intervals[MEAN].value
        assert float(at[f"{MEAN}.low"]) == cell.intervals[MEAN].low
    assert data[f"{MEAN}.n"].dtype == np.int64
    assert data.attrs["seed"] == "3"


def test_points_that_are_no_grid_are_rows():
    points = [{COUNT: 2, RATE: "8/s"}, {COUNT: 3, RATE: "10/s"}, {COUNT: 4, RATE: "10/s"}]
    data = nph.sweep(small(), points=points, replications=1, metrics=[MEAN]).to_xarray()
    assert dict(data.sizes) == {"row": 3}
    assert data[COUNT].values.tolist() == [2, 3, 4]


def test_results_and_replications():
    runs = nph.replicate(small(series="5s"), 2)
    series = runs.results[0].to_xarray("series")
    assert dict(series.sizes) == {"time_s": 12}
    times, values = runs.results[0].series("traffic.users.completed")
    assert series["time_s"].values.tolist() == times.tolist()
    assert series["traffic.users.completed"].values.tolist() == values.tolist()
    intervals = runs.to_xarray()
    assert float(intervals["low"].sel(path=MEAN)) == runs[MEAN].low
    both = runs.to_xarray("series")
    assert dict(both.sizes) == {"replication": 2, "time_s": 12}
    assert np.array_equal(
        both["traffic.users.completed"].sel(replication=1),
        runs.results[1].series("traffic.users.completed")[1],
    )
    numbers = runs.to_xarray("runs")["value"]
    assert float(numbers.sel(replication=1, path=MEAN)) == runs.results[1][MEAN]


def test_a_comparison():
    found = nph.compare(small(), {COUNT: [2, 3, 4]}, 3, metrics=[MEAN], all_pairs=True)
    data = found.to_xarray()
    assert list(data.sizes) == ["metric", "alternative", "base"]
    at = data.sel(metric=MEAN, alternative="4", base="3")
    (wanted,) = (it for it in found.differences if (it.alternative, it.base) == ("4", "3"))
    assert at["verdict"].item() == wanted.verdict
    missing = data.sel(metric=MEAN, alternative="3", base="3")
    assert not isinstance(missing["verdict"].item(), str)
    assert np.isnan(missing["value"].item())
    with pytest.raises(PathError, match="no table"):
        found.to_xarray("serie")
