"""Look at pages in a browser: faults of accessibility, and what is wider than its place.

    python docs/audit.py site                         # all pages below a folder
    python docs/audit.py runs/study.html --width 390  # a report, as wide as a phone

Needs the extra `audit` and Chromium; `make audit` installs the one and finds the other. Every page
is opened from the disk and given to axe-core, in the first scheme with all rules, in the others
with those that look at colours. The search of a site is asked for a word too. Prints a line per
fault; the exit status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

WORD = "rewire"
# axe would fetch style sheets, which a browser does not allow of a page from the disk. And it would
# describe every part without a fault.
OPTIONS = {"preload": False, "resultTypes": ["violations"]}

# The contrast of a text takes axe milliseconds, and a page has thousands of them. Of all with the
# same colours, backgrounds and font five are marked, which are enough.
MARK_LOOKS = """
() => {
  const seen = {};
  const visit = (part, under) => {
    const style = getComputedStyle(part);
    const { backgroundColor, backgroundImage, opacity } = style;
    if (backgroundColor !== "rgba(0, 0, 0, 0)" || backgroundImage !== "none" || opacity !== "1")
      under = [under, backgroundColor, backgroundImage, opacity].join();
    const look = [under, style.color, style.fontSize, style.fontWeight].join();
    const text = [...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (part.matches("input") || text && part.checkVisibility({ visibilityProperty: true })) {
      seen[look] = (seen[look] ?? 0) + 1;
      part.toggleAttribute("data-look", seen[look] <= 5);
    }
    for (const inner of part.children) visit(inner, under);
  };
  visit(document.body, "");
}
"""

TOO_WIDE = """
() => [document.documentElement, ...document.querySelectorAll(".md-typeset :is(pre > code, table)")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 || each.clientWidth > innerWidth)
  .map((each) => `${each.scrollWidth} px in ${each.clientWidth}: `
    + each.innerText.trim().slice(0, 60).replaceAll("\\n", " "))
"""


def faults(page: Page, every_rule: bool) -> Iterator[str]:
    """Faults of the page that is open, by the rules that look at colours or by all."""
    page.evaluate(MARK_LOOKS)
    others = {"rules": {"color-contrast": {"enabled": False}}}
    for context, rules in (
        ({"include": [["[data-look]"]]}, {"runOnly": ["color-contrast"]}),
        (None, others if every_rule else {"runOnly": ["link-in-text-block"]}),
    ):
        for rule in Axe().run(page, context, OPTIONS | rules).response["violations"]:
            places = [" ".join(map(str, node["target"])) for node in rule["nodes"]]
            yield f"{rule['id']} ({rule['impact']}), {len(places)} places: {', '.join(places[:3])}"
    if page.viewport_size and page.viewport_size["width"] >= 1280:
        yield from (f"too wide: {told}" for told in page.evaluate(TOO_WIDE))


def search_faults(page: Page) -> Iterator[str]:
    """What is wrong with the search of the page that is open, if it has one."""
    field = page.locator(".md-search__input")
    if not field.count():
        return
    field.fill(WORD)
    try:
        found = page.locator(".md-search-result__item").first
        found.wait_for(state="attached", timeout=180_000)
    except TooLate:
        yield f"search: nothing found for {WORD!r}"


def audit(page: Page, paths: Sequence[Path], every_rule: bool) -> Iterator[str]:
    """Open one page after the other, and give its faults; of the first also those of its search."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.set_default_timeout(300_000)
    for path in paths:
        problems.clear()
        page.goto(path.as_uri())
        found = [*faults(page, every_rule)]
        if path == paths[0]:
            found += search_faults(page)
        yield from (f"{path}: {fault}" for fault in (*found, *problems))


def main() -> int:
    """Audit what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path, help="pages, or folders of pages")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    parser.add_argument("--schemes", nargs="+", default=["light", "dark"])
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        parser.error("no Chromium here; Debian has it: apt-get install chromium")
    paths = [
        path.resolve()
        for given in arguments.pages
        for path in (sorted(given.rglob("*.html")) if given.is_dir() else [given])
        if path.name != "404.html"  # only a server shows it, and its links are those of a server
    ]
    count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        size = {"width": arguments.width, "height": 900}
        for scheme in arguments.schemes:
            first = scheme == arguments.schemes[0]
            context = browser.new_context(color_scheme=scheme, viewport=size)
            for fault in audit(context.new_page(), paths, every_rule=first):
                print(f"{scheme}, {fault}", flush=True)
                count += 1
        browser.close()
    print(f"{len(paths)} pages, {' and '.join(arguments.schemes)}: {count} faults")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
