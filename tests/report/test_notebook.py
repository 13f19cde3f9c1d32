"""What a notebook shows of each thing that a user may have in hand."""

import base64
import re

import pytest

from experiment.small import COUNT, LOST, MEAN, P99, small
from nephoscope import compare, explain, frontier, replicate, size, sweep
from nephoscope.report.notebook import notebook_html
from report.pages import Page

SCENARIO = small(name="small")
SWEEP = sweep(SCENARIO, {COUNT: [1, 2, 3]}, 3, metrics=[MEAN, LOST])
SHOWN = {
    "scenario": SCENARIO,
    "explanation": explain(SCENARIO),
    "result": SCENARIO.run(),
    "replications": replicate(SCENARIO, 3),
    "comparison": compare(SCENARIO, {COUNT: [2, 4]}, 4, metrics=[MEAN, P99]),
    "sweep": SWEEP,
    "frontier": frontier(SWEEP, MEAN, LOST),
    "sizing": size(SCENARIO, COUNT, f"{MEAN} < 0.3", replications=4),
}


def rows(page):
    return len([it for it in page.named("tr") if "tbody" in it.around])


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_html_that_needs_nothing(name):
    text = SHOWN[name]._repr_html_()
    page = Page(text)
    assert page.broken == []
    assert page.named("script", "link", "style", "iframe") == []
    assert "://" not in text
    assert {it.attributes.get("scope") for it in page.named("th")} <= {"col", "row"}
    for image in page.named("img"):
        assert image.attributes["alt"]
        head, data = image.attributes["src"].split(",")
        assert head == "data:image/svg+xml;base64"
        drawing = base64.b64decode(data).decode()
        assert drawing.startswith("<svg xmlns")
        assert Page(drawing).broken == []
    assert text == SHOWN[name]._repr_html_()


def test_a_result_tells_latencies_losses_and_fingerprint():
    result = SHOWN["result"]
    page = Page(result._repr_html_())
    users = result["traffic.users"]
    for words in ("traffic users", f"{users['offered']}", result.fingerprint, "p99.9"):
        assert words in page.text
    assert len(page.named("img")) == 1


def test_a_scenario_shows_its_parts():
    text = SCENARIO._repr_html_()
    (image,) = Page(text).named("img")
    drawing = base64.b64decode(image.attributes["src"].split(",")[1]).decode()
    assert all(name in drawing for name in ("users", "door", "web"))
    assert "page: fifo, backlog 5: compute exponential 150ms" in text


def test_experiments_have_a_row_for_all_they_found():
    comparison, sweep_, sizing = (SHOWN[it] for it in ("comparison", "sweep", "sizing"))
    page = Page(comparison._repr_html_())
    assert rows(page) == len(comparison.differences) == 2
    assert len(page.named("img")) == len(comparison.metrics)
    assert all(it.verdict in page.text for it in comparison.differences)
    assert rows(Page(sweep_._repr_html_())) == 3
    assert rows(Page(SHOWN["frontier"]._repr_html_())) == len(SHOWN["frontier"].kept)
    page = Page(sizing._repr_html_())
    assert rows(page) == len(sizing.trials)
    assert f"{COUNT} = {sizing.value}" in page.text
    assert "±" in SHOWN["replications"]._repr_html_()


def test_names_are_words_and_not_markup():
    shown = explain(SCENARIO)._repr_html_()
    assert "M/M/" in shown or "no formula" in shown
    text = compare(SCENARIO, {"name": ["a", "b"]}, 2, metrics=[MEAN])._repr_html_()
    assert re.search(r"not distinguishable|undefined", text)
    with pytest.raises(TypeError, match="does not show itself"):
        notebook_html(object())
