"""Who was on which host, and steal over time, in the HTML report."""

import functools
import re
from pathlib import Path

import pytest

from nephoscope import Scenario
from nephoscope.report.html import hosts, series, tenants
from nephoscope.report.html.tenants import marks_of, marks_text, tenants_of
from nephoscope.report.html.troubles import troubles
from nephoscope.report.terminal import seconds, share
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"


@functools.cache
def noisy():
    return Scenario.load(EXAMPLES / "noisy-neighbour.yaml").run()


@functools.cache
def page():
    return Page(noisy().to_html())


def stolen():
    return noisy()["hosts.hall.by_host.0.steal_s"]


def test_the_host_the_steal_its_cause_and_the_neighbour_are_named():
    (told,) = [it for it in page().words["li"] if it.startswith("host 0: ")]
    assert f"{seconds(sum(stolen().values()))} of vCPU time stolen" in told
    assert f"{seconds(stolen()['contention'])} of it by contention" in told
    there = told.partition("there: ")[2]
    waited = noisy().places("web")
    web_s = waited["steal_ns"][waited["host"] == 0].sum() / 1e9
    assert re.search(r"batch 1, ran [\d.,]+ \w+", there)
    assert re.search(rf"web \d, ran [\d.,]+ \w+, waited {re.escape(seconds(web_s))}", there)
    # Nobody waited on the other hosts, and the neighbour is on none of them.
    assert not [it for it in page().words["li"] if it.startswith("host 1")]
    cells = page().words["td"]
    assert cells.count("batch 1, web 2") == 1
    assert cells.count("web 2") == 3


def test_what_went_wrong_says_where_and_beside_whom():
    told = {it.part: it.words for it in troubles(noisy().to_dict())}
    steal = share(noisy()["fleets.web.steal"])
    words = f"{steal} of its vCPU time was stolen, most of it by contention"
    assert told["fleets.web"] == f"{words}, all of it on host 0 of hall, beside batch"
    assert told["fleets.batch"].endswith(", all of it on host 0 of hall, beside web")


def test_what_is_stolen_on_many_hosts_is_on_none_of_them():
    tree = noisy().to_dict()
    spread = {
        str(i): place | {"host": f"hall/{i}", "steal_s": {"contention": 1.0 + (i == 0)}}
        for i, place in enumerate(tree["fleets"]["web"]["by_instance"].values())
    }
    web = tree["fleets"]["web"]
    note = {"count": 9000, "note": "more than 1000 instances"}
    for listed in (spread, note):
        changed = tree | {"fleets": {"web": web | {"by_instance": listed}}}
        told = {it.part: it.words for it in troubles(changed)}
        assert told["fleets.web"].endswith("most of it by contention")


def test_who_waited_is_not_said_to_have_kept_others_waiting():
    (told,) = [it for it in page().words["li"] if it.startswith("A: batch")]
    waited = sum(noisy()["fleets.batch.steal_s"].values())
    assert f"; its vCPUs waited {seconds(waited)} in all" in told


def test_a_cell_of_the_map_has_the_marks_of_its_tenants():
    (pool,) = hosts.pools(noisy(), noisy().source)
    assert [it.partition(" (")[0] for it in pool.tenants] == ["A: batch", "B: web"]
    assert pool.picture.count(">A1 B2</text>") == 1
    assert pool.picture.count(">B2</text>") == 3
    assert "; batch 1, web 2</title>" in pool.picture


def test_each_instance_has_a_row_and_who_waited_the_most_is_first():
    (pool,) = hosts.pools(noisy(), noisy().source)
    rows = pool.instances.rows
    assert len(rows) == 9
    assert {row[0] for row in rows[:3]} >= {"web 0"}
    assert all(row[1] == "host 0" for row in rows[:2])
    assert {row[2] for row in rows} == {"there"}
    assert rows[0][4].endswith(" by contention")
    assert rows[-1][4] == "-"


def test_of_many_instances_the_first_are_shown_and_all_counted(monkeypatch):
    monkeypatch.setattr(tenants, "ROWS_MAX", 4)
    table = tenants.instance_table(noisy(), "hall", ["batch", "web"])
    assert len(table.rows) == 9
    assert [len(row) for row in table.rows[:5]] == [5, 5, 5, 5, 1]
    assert [row[1] for row in table.rows[:4]] == ["host 0"] * 3 + ["host 1"]


def test_fleets_beyond_the_letters_share_a_mark():
    names = [f"f{i}" for i in range(14)]
    marks = marks_of(names)
    assert (marks["f0"], marks["f11"], len(marks)) == ("A", "L", 12)
    fleet = {"service": "page", "hosts": "hall", "instance_type": {"vcpus": 1, "memory": "1GiB"}}
    result = Scenario(
        duration="2s",
        hosts={"hall": {"count": 1, "type": {"cores": 16, "memory": "64GiB"}}},
        fleets=dict.fromkeys(names, fleet),
        services={"page": {"steps": [{"compute": "1ms"}]}},
        traffic={"users": {"to": "f13", "rate": "50/s"}},
    ).run()
    (here,) = tenants_of(result, marks, names[::-1]).values()
    assert here[0].fleet == "f13"
    assert marks_text(here) == "+1 +1 L1 …"


def test_steal_over_time_is_that_of_the_result():
    result = noisy()
    panels = {panel.key: panel for panel in series.panels(result)}
    lines = {line.name: line.values for line in panels["steal"].lines}
    width_s = float(panels["steal"].ends_s[0])
    measured = panels["steal"].ends_s > result.warmup_s
    for name in ("web", "batch"):
        steal_s = sum(result[f"fleets.{name}.steal_s"].values())
        assert lines[name][measured].sum() * width_s == pytest.approx(steal_s)
        busy = {line.name: line.values for line in panels["busy"].lines}
        assert (lines[name] <= busy[name] + 1e-9).all()


def test_where_nothing_is_stolen_there_is_no_panel():
    quiet = Scenario.load(EXAMPLES / "noisy-neighbour.yaml").replace({"fleets.batch.count": 0})
    result = quiet.replace({"traffic.customers.rate": "100/s", "duration": "2m"}).run()
    assert "steal" not in {panel.key for panel in series.panels(result)}
    assert Page(result.to_html()).broken == []
