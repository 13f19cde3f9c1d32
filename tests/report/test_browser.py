"""The page in a real browser: no error on its console, the script zooms, and it opens at once."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nephoscope import Scenario

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
OPENS_MAX_MS = 2000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]

# What a reader does, and what is then on the page.
DRIVE = """
<script>
const seen = {opened_ms: performance.now(), problems: []};
window.addEventListener("error", (event) => seen.problems.push(event.message));
const plane = () => document.querySelector("svg.plane").getAttribute("viewBox");
const press = (key) => document.querySelector(".panels").dispatchEvent(
  new KeyboardEvent("keydown", {key, bubbles: true}));
seen.all = plane();
document.querySelector("[data-do=in]").click();
seen.half = plane();
seen.halves = new Set([...document.querySelectorAll("svg.plane")].map(
  (it) => it.getAttribute("viewBox"))).size;
seen.ticks = [...document.querySelector("g.time").children].map((it) => it.textContent);
press("0");
press("ArrowRight");
seen.until = document.getElementById("cursor-time").textContent;
seen.value = document.querySelector("[data-value]").textContent;
seen.wide = document.documentElement.scrollWidth > window.innerWidth;
document.body.dataset.seen = JSON.stringify(seen);
</script>
"""


def opened(file, *options):
    """The page after its scripts have run, and what the browser wrote to its console."""
    command = [BROWSER, "--headless", "--disable-gpu", "--enable-logging=stderr", *options]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # which a browser of the superuser asks for
    command += ["--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("name", ["zone-outage", "flash-sale"])
@pytest.mark.parametrize("size", ["1200,900", "500,900"])
def test_the_page_opens_zooms_and_reads_out(name, size, tmp_path):
    scenario = Scenario.load(EXAMPLES / f"{name}.yaml")
    result = scenario.run()
    file = tmp_path / "report.html"
    file.write_text(result.to_html().replace("</body>", f"{DRIVE}</body>"), encoding="utf-8")
    page, console = opened(file, f"--window-size={size}")
    assert console == []
    (written,) = re.findall(r'data-seen="([^"]*)"', page)
    seen = json.loads(html.unescape(written))
    assert seen["problems"] == []
    assert seen["opened_ms"] < OPENS_MAX_MS
    assert seen["all"].split()[::2] == ["0", "1000"]
    assert seen["half"].split()[::2] == ["250", "500"]
    assert seen["halves"] == 1
    quarter, last = {"zone-outage": ("7m30s", "22m30s"), "flash-sale": ("6h", "18h")}[name]
    assert (seen["ticks"][0], seen["ticks"][-1]) == (quarter, last)
    ends, offered = result.series(result.series_names[0])
    assert seen["until"] == {"zone-outage": "until 7.5s", "flash-sale": "until 5m"}[name]
    assert float(seen["value"]) == pytest.approx(offered[0] / ends[0], rel=1e-3)
    assert seen["wide"] is False
