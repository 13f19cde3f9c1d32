"""The pages that are made from something else: every key, every header, every file on the way."""

import importlib.util
import re

import pytest

from docs.snippets import DOCS, ROOT
from nephoscope.scenario.editor_help import properties_of
from nephoscope.scenario.schema import json_schema

SCHEMA = json_schema()


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("pages", DOCS / "extensions" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_has_every_key(pages):
    text = pages.reference(SCHEMA)
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| `")]
    models = [SCHEMA, *SCHEMA["$defs"].values()]
    keys = [key for model in models for key in properties_of(model)]
    assert sorted(row[0].strip("| `") for row in rows) == sorted(keys)
    assert len(keys) > 300
    for row in rows:
        kind, default, words, example = (cell.strip(" |") for cell in row[1:5])
        assert kind, row
        assert words, row
        assert example.startswith("`"), row
        assert default in {"", "required"} or default.startswith("`")


def test_links_of_the_reference_lead_somewhere(pages):
    text = pages.reference(SCHEMA)
    anchors = re.findall(r"^\(([a-z-]+)\)=$", text, re.M)
    assert len(anchors) == len(set(anchors)) == len(SCHEMA["$defs"]) + 1
    assert set(re.findall(r"\]\(#([a-z-]+)\)", text)) <= set(anchors)


def test_the_reference_says_what_a_reader_looks_up(pages):
    text = pages.reference(SCHEMA)
    rows = [it for it in text.splitlines() if it.startswith("| `visibility_timeout`")]
    assert all("a duration" in row for row in rows)
    assert any(row.endswith("| `30s` |") for row in rows)
    assert "May be written short, as [Target](#target)" not in text
    assert "| `routing` | [Routing](#routing) |" in text
    assert re.search(r"\| a rate \| for each ns, us, .*\|", text)


def test_every_header_is_listed_with_what_it_is_for(pages):
    rows = [row for row in pages.headers().splitlines() if row.startswith("| `")]
    assert len(rows) == len(list((ROOT / "cpp").rglob("*.hpp")))
    assert all(len(row.split(" | ")[1]) > 10 for row in rows)


def test_every_page_is_in_the_order_of_reading():
    listed = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.S)
    named = {line for block in listed for line in block.split("\n") if line and line[0] != ":"}
    there = {
        path.relative_to(DOCS).with_suffix("").as_posix()
        for path in DOCS.rglob("*.md")
        if path.parent.name != "decisions"
    }
    assert named == (there - {"index"}) | {"decisions/index"}


def test_links_between_pages_lead_to_files():
    for path in DOCS.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
