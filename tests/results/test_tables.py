"""Results as Arrow tables: what is in them is what the results say, and libraries read them."""

import sys

import numpy as np
import pytest

import nephoscope as nph
from experiment.small import COUNT, MEAN, P99, small
from nephoscope.errors import ExtraError, PathError
from nephoscope.tables import numbers

pyarrow = pytest.importorskip("pyarrow", reason="tables need pyarrow (the extra `parquet`)")

SAMPLED = small(series="1s")
RUNS = nph.replicate(SAMPLED, 3)
RESULT = RUNS.results[0]
ROUTING = "load_balancers.door.routing"
COMPARED = nph.compare(small(), {ROUTING: ["round_robin", "random"]}, 3, metrics=[MEAN, P99])
SWEPT = nph.sweep(small(), {COUNT: [2, 3], ROUTING: ["random", {"power_of_two": {}}]}, 3)


def test_a_result_is_its_numbers():
    table = RESULT.to_arrow()
    assert table.column_names == ["path", "value"]
    assert dict(zip(*table.to_pydict().values(), strict=True)) == dict(RESULT.scalars())
    origin = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert origin["fingerprint"] == RESULT.fingerprint
    assert (origin["scenario"], origin["seed"]) == ("small", "3")


def test_a_result_has_its_series():
    table = RESULT.to_arrow("series")
    assert table.column_names == ["time_s", *RESULT.series_names]
    times, offered = RESULT.series("traffic.users.offered")
    assert table["time_s"].to_pylist() == times.tolist()
    assert table["traffic.users.offered"].to_pylist() == offered.tolist()
    assert table.num_rows == 60
    empty = small().run().to_arrow("series")
    assert (empty.column_names, empty.num_rows) == (["time_s"], 0)


def test_replications_are_their_intervals_runs_and_series():
    rows = {row["path"]: row for row in RUNS.to_arrow().to_pylist()}
    assert rows.keys() == RUNS.intervals.keys()
    for path, interval in RUNS.intervals.items():
        assert {key: getattr(interval, key) for key in rows[path] if key != "path"} == {
            key: value for key, value in rows[path].items() if key != "path"
        }
    each = RUNS.to_arrow("runs").to_pylist()
    p99s = [(row["replication"], row["value"]) for row in each if row["path"] == P99]
    assert p99s == [(i, result[P99]) for i, result in enumerate(RUNS.results)]
    series = RUNS.to_arrow("series")
    assert series.num_rows == 180
    assert series["replication"].to_pylist() == [i for i in range(3) for _ in range(60)]
    last = series["traffic.users.offered"].to_pylist()[120:]
    assert last == RUNS.results[2].series("traffic.users.offered")[1].tolist()


def test_a_comparison_is_its_differences_and_estimates():
    rows = COMPARED.to_arrow().to_pylist()
    assert [row["verdict"] for row in rows] == [it.verdict for it in COMPARED.differences]
    assert [row["low"] for row in rows] == [it.interval.low for it in COMPARED.differences]
    estimates = COMPARED.to_arrow("estimates").to_pylist()
    assert len(estimates) == 4
    assert estimates[1]["alternative"] == "random"
    assert estimates[1]["value"] == COMPARED.estimate(MEAN, "random").value


def test_a_sweep_has_a_row_a_cell():
    table = SWEPT.to_arrow()
    assert table.column_names == SWEPT.to_csv().splitlines()[0].split(",")
    assert table[COUNT].to_pylist() == [2, 2, 3, 3]
    assert table[ROUTING].to_pylist() == ["random", "{power_of_two: {}}"] * 2
    ends = [cell.intervals[P99].high for cell in SWEPT.cells]
    assert table[f"{P99}.high"].to_pylist() == ends


def test_what_is_undefined_is_null():
    nobody = small(**{"traffic.users.rate": "0.001/s", "duration": "11s"})
    table = nph.sweep(nobody, {COUNT: [2, 3]}, 2, metrics=[MEAN]).to_arrow()
    assert table[MEAN].null_count == 2
    assert table[f"{MEAN}.n"].to_pylist() == [0, 0]
    assert nph.replicate(small(), 1).to_arrow()["low"].null_count > 0


@pytest.mark.parametrize("found", [RESULT, RUNS, COMPARED, SWEPT], ids=lambda it: type(it).__name__)
def test_libraries_read_the_stream(found):
    assert pyarrow.table(found).equals(found.to_arrow())
    rows = found.to_arrow().num_rows
    assert rows > 1
    # Read record batch by record batch, as DuckDB does.
    assert pyarrow.RecordBatchReader.from_stream(found).read_all().num_rows == rows


def test_polars_reads_the_stream():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame(SWEPT)
    assert frame.filter(polars.col(COUNT) == 3).height == 2
    assert frame[P99].to_list() == SWEPT.to_arrow()[P99].to_pylist()


def test_pandas_reads_the_stream():
    pandas = pytest.importorskip("pandas", "3.0", reason="pandas 3 is not installed")
    frame = pandas.DataFrame.from_arrow(RUNS)
    assert frame.set_index("path").loc[P99, "value"] == RUNS[P99].value


def test_duckdb_reads_the_stream():
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    assert len(SWEPT) == 4  # the query finds it by the name of the variable
    assert duckdb.sql(f'select sum("{COUNT}") from SWEPT').fetchall() == [(10,)]


def test_arrays_are_not_copied():
    values = np.arange(1000, dtype=np.float64)
    column = pyarrow.array(numbers("x", values).values, pyarrow.float64())
    assert column.buffers()[1].address == values.ctypes.data


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    SWEPT.to_parquet(tmp_path / "sweep.parquet")
    RUNS.to_parquet(tmp_path / "series.parquet", "series")
    again = parquet.read_table(tmp_path / "sweep.parquet")
    assert again.equals(SWEPT.to_arrow())
    assert again.schema.metadata[b"engine"].decode().startswith("nephoscope")
    assert parquet.read_table(tmp_path / "series.parquet").num_rows == 180


def test_a_table_that_there_is_not():
    with pytest.raises(PathError, match=r"no table 'seires'; did you mean series\?"):
        RUNS.to_arrow("seires")


def test_without_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtraError, match=r"pip install 'nephoscope\[parquet\]'"):
        RESULT.to_arrow()
