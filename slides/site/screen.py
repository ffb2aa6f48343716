"""Pages as a browser shows them: axe-core looks for what keeps people out, and every request is noted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Browser

from slides.npm import MODULES

AXE = MODULES / "axe-core" / "axe.min.js"
LOOKS = {"light": (1400, 900), "dark": (400, 800)}  # each theme on a screen of another size
WORST = ("serious", "critical")  # of axe-core's four degrees of impact
# Formulas are typeset after the page has loaded.
READY = "() => window.MathJax?.startup?.promise ?? true"
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


def faults(browser: Browser, pages: Iterable[Path]) -> list[str]:
    """What is wrong with pages in both themes, and each request for anything but a file."""
    return [
        f"{page.parent.name}/{page.name}, {theme}: {fault}"
        for page in pages
        for theme in LOOKS
        for fault in look(browser, page, theme)
    ]


def look(browser: Browser, page: Path, theme: str) -> list[str]:
    """What is wrong with one page, a line each."""
    width, height = LOOKS[theme]
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    tab = context.new_page()
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(page.as_uri())
    tab.evaluate(READY)
    tab.evaluate(SETTLED)
    found = [f"asks for {url}" for url in requests if not url.startswith(("file:", "data:", "blob:"))]
    if tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("is wider than the window")
    tab.add_script_tag(path=AXE)
    for violation in tab.evaluate(RUN):
        if violation["impact"] in WORST:
            places = [" ".join(map(str, node["target"])) for node in violation["nodes"]]
            found.append(f"{violation['id']}: {violation['help']}; {len(places)} places, the first {places[0]}")
    context.close()
    return found
