"""The pages in a real browser, which reports what a reader would see."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest
from scipy.stats import spearmanr

from smallworld_eqprop import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
    "--dump-dom",
]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; Debian has it: apt-get install chromium"
)

#: In the page: runs after the page's own script, and tells the frame around it what it saw.
PROBE = """
<script>
const problems = [];
addEventListener("error", (event) => problems.push(event.message || event.target.outerHTML), true);
addEventListener("securitypolicyviolation", (event) => problems.push(event.violatedDirective));
addEventListener("load", () => setTimeout(() => {
  const seen = { problems, width: innerWidth };
  seen.overflow = document.documentElement.scrollWidth - innerWidth;
  PROBED
  parent.postMessage(JSON.stringify(seen), "*");
}, 100));
</script>
"""

#: Around the page: a window is never as narrow as a phone, a frame may be.
FRAME = """
<!doctype html>
<pre id="seen"></pre>
<script>
addEventListener("message", (event) => document.querySelector("pre").textContent = event.data);
</script>
<iframe style="border: 0; width: WIDTHpx; height: 900px" src="page.htmlFRAGMENT"></iframe>
"""

PICTURES = """
  seen.pictures = [...document.querySelectorAll(".picture svg")].map((svg) => svg.clientWidth);
  seen.image = document.querySelector("svg image").getBoundingClientRect().width;
"""

SCATTER = """
  const svg = document.querySelector(".plot svg");
  const told = () => document.querySelector(".relation").textContent;
  seen.points = svg.querySelectorAll("circle").length;
  seen.told = told();
  const form = document.querySelector("form").elements;
  form.x.value = "metric_global_efficiency";
  form.y.value = "final_training_error";
  form.x.dispatchEvent(new Event("change", { bubbles: true }));
  seen.changed = told();
  seen.hash = location.hash;
  svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  seen.tip = document.querySelector(".tip").innerText.split("\\n");
"""


def look(page, probe, tmp_path, width, fragment=""):
    """What the probe saw of a page at some width."""
    page = page.replace("<head>", "<head>" + PROBE.replace("PROBED", probe), 1)
    (tmp_path / "page.html").write_text(page)
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)).replace("FRAGMENT", fragment))
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *FLAGS, profile, "--window-size=1400,1000", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(html.unescape(re.search(r'<pre id="seen">(.*?)</pre>', done.stdout).group(1)))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_run_is_shown_without_a_problem(run_html, tmp_path, width):
    seen = look(run_html, PICTURES, tmp_path, width)
    assert seen["problems"] == []
    assert (seen["width"], seen["overflow"]) == (width, 0)
    assert len(seen["pictures"]) == 5
    assert all(0.7 * min(width, 500) < shown < width for shown in seen["pictures"])
    assert seen["image"] > 100


def test_the_scatter_shows_every_run_and_obeys(study_html, store_path, tmp_path):
    seen = look(study_html, SCATTER, tmp_path, 390)
    assert seen["problems"] == []
    assert (seen["width"], seen["overflow"]) == (390, 0)
    assert seen["points"] == 6
    with Store(store_path) as store:
        runs = store.runs()
    for told, x, y in (
        (seen["told"], "p", "final_test_error"),
        (seen["changed"], "metric_global_efficiency", "final_training_error"),
    ):
        means = runs.groupby("p")[[*{x, y} - {"p"}]].mean().reset_index()
        expected = f"{spearmanr(means[x], means[y]).statistic:.2f}".replace("-", "\N{MINUS SIGN}")
        assert told == f"Spearman's rank correlation {expected} over 3 settings (6 runs)"
    assert "x=metric_global_efficiency&y=final_training_error" in seen["hash"]
    # The first run from the left, by its settings and by what is shown.
    first = runs.sort_values(["metric_global_efficiency", "final_training_error"]).iloc[0]
    assert f"p: {first.p:g}" in seen["tip"]
    assert any(line.startswith("global efficiency: ") for line in seen["tip"])


def test_runs_are_sorted_and_filtered(study_html, store_path, tmp_path):
    probe = """
      const box = [...document.querySelectorAll(".explored")].at(-1);
      const headings = [...box.querySelectorAll("thead th")].map((cell) => cell.textContent);
      const at = (name) => headings.indexOf(name);
      const shown = (name) => [...box.querySelectorAll("tbody tr")]
        .filter((row) => !row.hidden).map((row) => Number(row.cells[at(name)].textContent));
      const click = () => box.querySelectorAll("th button")[at("test error (%)")].click();
      click();
      seen.up = shown("test error (%)");
      click();
      seen.down = shown("test error (%)");
      const field = box.querySelectorAll("input")[at("p")];
      field.value = ">=0.1";
      field.dispatchEvent(new Event("input"));
      seen.filtered = shown("p");
      seen.count = box.previousElementSibling.textContent;
    """
    seen = look(study_html, probe, tmp_path, 1280)
    assert seen["problems"] == []
    with Store(store_path) as store:
        errors = sorted(store.runs().final_test_error * 100)
    assert seen["up"] == pytest.approx(errors, abs=0.006)
    assert seen["down"] == pytest.approx(errors[::-1], abs=0.006)
    assert sorted(seen["filtered"]) == [0.1, 0.1, 0.2, 0.2]
    assert seen["count"] == "4 of 6 rows"


def test_an_address_names_what_is_shown(study_html, tmp_path):
    fragment = "#x=metric_transitivity&y=final_log_spread&colour=seed&logy=1"
    probe = """
      const form = document.querySelector("form").elements;
      seen.chosen = [form.x.value, form.y.value, form.colour.value];
      seen.logarithmic = [form.logx.checked, form.logy.checked];
    """
    seen = look(study_html, probe, tmp_path, 1280, fragment)
    assert seen["problems"] == []
    assert seen["chosen"] == ["metric_transitivity", "final_log_spread", "seed"]
    assert seen["logarithmic"] == [False, True]
