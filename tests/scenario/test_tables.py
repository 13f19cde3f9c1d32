"""Columns of data files: read exactly, scaled, shifted, and refused with the row and the cell."""

import numpy as np
import pytest

from nephoscope import Scenario
from nephoscope.errors import ScenarioError, TraceError
from nephoscope.scenario.files.tables import Tables, counts_of, durations_ns, instants_ns


@pytest.fixture
def table(tmp_path):
    def write(text):
        file = tmp_path / "data.csv"
        file.write_text(text, encoding="utf-8")
        return Tables().table(file)

    return write


def scenario_with(arrivals, directory, **compute):
    return Scenario.from_dict(
        {
            "nephoscope": 1,
            "duration": "1m",
            "services": {"page": {"steps": [{"compute": compute or "1ms"}]}},
            "fleets": {"web": {"service": "page", "count": 2}},
            "traffic": {"users": {"to": "web", "arrivals": {"trace": arrivals}}},
        },
        directory=directory,
    )


def test_seconds_are_exact(table):
    data = table("t\n0\n0.1\n0.123456789\n1e1\n1700000000.000000001\n")
    exact = [0, 100_000_000, 123_456_789, 10 * 10**9, 1_700_000_000_000_000_001]
    assert instants_ns(data, "t", 1.0, 0).tolist() == exact


@pytest.mark.parametrize(
    "times",
    [
        ["2026-11-23 12:00:00", "2026-11-23 12:00:00.1234567", "2026-11-24 12:00:01"],
        ["2026-11-23T12:00:00Z", "2026-11-23T12:00:00.1234567Z", "2026-11-24T12:00:01Z"],
        ["2026-11-23T12:00:00+01:00", "2026-11-23T11:00:00.1234567Z", "2026-11-24T13:00:01+02:00"],
        ["2026-11-23 12:00", "2026-11-23 12:00:00,123456700", "20261124T120001"],
    ],
)
def test_date_times_are_relative_to_the_first(table, times):
    data = table("when;\n".replace(";", "") + "".join(f'"{t}"\n' for t in times))
    assert instants_ns(data, "when", 1.0, 0).tolist() == [0, 123_456_700, 86_401 * 10**9]


def test_scale_and_shift(table):
    data = table("t,x\n1,5\n2,6\n\n4,7\n")
    assert instants_ns(data, "t", 0.5, 10).tolist() == [500_000_010, 1_000_000_010, 2_000_000_010]
    assert instants_ns(data, "t", 1.0, -2 * 10**9).tolist() == [0, 2 * 10**9]
    assert durations_ns(data, "x", 1e-3).tolist() == [5e6, 6e6, 7e6]


def test_counts_have_edges_and_keep_their_total_when_scaled(table):
    data = table("t,n\n10,3\n20,0\n40,7\n")
    edges, counts = counts_of(data, "t", "n", 1.0, 0)
    assert edges.tolist() == [10**10, 2 * 10**10, 4 * 10**10, 6 * 10**10]
    assert counts.tolist() == [3, 0, 7]
    many = table("t,n\n" + "".join(f"{i},{i % 7}\n" for i in range(1000)))
    raw = np.cumsum([i % 7 for i in range(1000)])
    for scale in (0.1, 1 / 3, 2.5):
        _, scaled = counts_of(many, "t", "n", scale, 0)
        assert np.abs(np.cumsum(scaled) - raw * scale).max() <= 0.5
    edges, counts = counts_of(data, "t", "n", 1.0, -15 * 10**9)
    assert edges.tolist() == [5 * 10**9, 25 * 10**9, 45 * 10**9]
    assert counts.tolist() == [0, 7]


INSTANTS = {"file": "data.csv", "column": "t"}
COUNTS = {"file": "data.csv", "time_column": "t", "count_column": "n"}


@pytest.mark.parametrize(
    ("text", "trace", "words"),
    [
        ("", INSTANTS, "first line"),
        ("t\n", INSTANTS, "no rows"),
        ("t,t\n1,2\n", INSTANTS, "first line"),
        ("time\n1\n", INSTANTS, "no column 't'"),
        ("t2\n1\n", INSTANTS, "did you mean t2"),
        ("t\n1\nx\n", INSTANTS, "line 3: column 't': 'x' is not a number"),
        ("t\n1\nnan\n", INSTANTS, "line 3"),
        ("t\n1\ninf\n", INSTANTS, "line 3"),
        ("t\n1\n1_0\n", INSTANTS, "line 3"),
        ("t\n1\n\n\n0\n", INSTANTS, "line 5: column 't': '0' is earlier"),
        ("t\n1\n1e30\n", INSTANTS, "line 3"),
        ("t\n1,2\n", INSTANTS, "2 cells under 1 columns"),
        ("t\n-5\n-4\n", INSTANTS, "no instant at or after the start"),
        ("t\n2026-11-23\n2026-11-22\n", INSTANTS, "earlier"),
        ("t\n2026-11-23\n5\n", INSTANTS, "line 3"),
        ("t\n2026-11-23\n2026-11-23T00:00:01Z\n", INSTANTS, "line 3"),
        ("t\nnow\n", INSTANTS, "'now'"),
        ("t\n2026-13-01\n", INSTANTS, "line 2"),
        ("t,n\n1,1\n", COUNTS, "one row"),
        ("t,n\n1,1\n1,1\n", COUNTS, "line 3: column 't': '1' is not later"),
        ("t,n\n1,1\n2,-1\n", COUNTS, "line 3: column 'n': '-1' is not a count"),
        ("t,n\n1,1\n2,1.5\n", COUNTS, "1.5"),
        ("t,n\n1,1\n2,many\n", COUNTS, "'many'"),
        ("t,n\n1,1\n2,1e12\n3,1e13\n", COUNTS, "line 4"),
        ("t,n\n-9,1\n-8,2\n", COUNTS, "no interval"),
        ("t,m\n1,1\n2,1\n", COUNTS, "no column 'n'"),
        ('t\n"1\n', INSTANTS, "unexpected end"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_row(text, trace, words, tmp_path):
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        scenario_with(trace, tmp_path)
    (problem,) = caught.value.problems
    assert problem.path == "traffic.users.arrivals.trace.file"
    assert words in problem.render()
    assert "data.csv" in problem.message


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "data.csv").write_bytes(b"t\n\xff\xfe\n")
    with pytest.raises(ScenarioError, match="cannot be read"):
        scenario_with(INSTANTS, tmp_path)
    with pytest.raises(TraceError):
        Tables().table(tmp_path / "data.csv")


def test_durations_of_a_file_are_refused_with_their_row(tmp_path):
    (tmp_path / "data.csv").write_text("t,d\n0,5\n1,-1\n")
    for law in ("replay", "empirical"):
        with pytest.raises(ScenarioError, match="line 3: column 'd': '-1' is negative"):
            scenario_with(INSTANTS, tmp_path, **{law: {"file": "data.csv", "column": "d"}})
    (tmp_path / "data.csv").write_text("t,d\n0,5\n1,1e20\n")
    with pytest.raises(ScenarioError, match="too long"):
        scenario_with(INSTANTS, tmp_path, replay={"file": "data.csv", "column": "d"})


def test_request_k_takes_row_k(tmp_path):
    (tmp_path / "data.csv").write_text("t,d\n0,5\n10,7\n20,2\n50,11\n")
    law = {"replay": {"file": "data.csv", "column": "d", "scale": "10ms"}}
    result = scenario_with(INSTANTS, tmp_path, **law).run()
    lower, _, counts = result.histogram("traffic.users").buckets()
    assert counts.tolist() == [1, 1, 1, 1]
    assert np.round(lower / 1e7).tolist() == [2, 5, 7, 11]
    assert result.histogram("traffic.users").sum == 250_000_000


def test_counts_arrive_within_their_intervals(tmp_path):
    (tmp_path / "data.csv").write_text("t,n\n0,30\n15,0\n30,12\n45,1\n")
    scenario = scenario_with(COUNTS, tmp_path).replace({"series": "15s"})
    _, offered = scenario.run().series("traffic.users.offered")
    assert offered.tolist() == [30, 0, 12, 1]


def test_a_file_is_read_once_for_all_variants(tmp_path):
    (tmp_path / "data.csv").write_text("t\n1\n2\n")
    scenario = scenario_with(INSTANTS, tmp_path)
    before = scenario.run().fingerprint
    (tmp_path / "data.csv").unlink()
    assert scenario.run().fingerprint == before
    assert scenario.replace({"fleets.web.count": 1}).run()["traffic.users.completed"] == 2
