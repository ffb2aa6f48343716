"""What a finished site must not have: links to nowhere, pictures without words, anything from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src"}
FETCHED |= {"link": "href", "object": "data", "embed": "src"}
IN_STYLE = re.compile(r"@import\s+['\"]([^'\"]+)|url\(\s*['\"]?([^'\")]+)")


@dataclass
class Page(HTMLParser):
    """What a page holds: the names of its places, where it leads, what it fetches, its pictures without words."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    wordless: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def read(cls, path: Path) -> Page:
        """Read a file."""
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids |= {has[name] for name in ("id", "name") if name in has}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        if FETCHED.get(tag) in has:
            self.fetched.append(has[FETCHED[tag]])
        if tag == "img" and not has.get("alt", "").strip():
            self.wordless.append(has.get("src", ""))
        self.fetched += in_style(has.get("style", ""))


def in_style(css: str) -> list[str]:
    """What a style asks for."""
    return [first or second for first, second in IN_STYLE.findall(css)]


def faults(site: Path) -> list[str]:
    """What is wrong with the pages and styles in a folder, a line each."""
    pages = {path: Page.read(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        say = [f"has a picture without words: {source}" for source in page.wordless]
        say += [f"asks for {url}, which is not on this machine" for url in page.fetched if is_outside(url)]
        say += [fault for url in [*page.links, *page.fetched] if (fault := leads_nowhere(url, path, pages))]
        found += [f"{path.relative_to(site).as_posix()} {fault}" for fault in say]
    for path in sorted(site.rglob("*.css")):
        for url in in_style(path.read_text(encoding="utf-8")):
            if is_outside(url):
                found.append(f"{path.relative_to(site).as_posix()} asks for {url}, which is not on this machine")
    return found


def is_outside(url: str) -> bool:
    """Whether it takes a network to get this."""
    return bool(urlsplit(url).netloc)


def leads_nowhere(url: str, path: Path, pages: dict[Path, Page]) -> str | None:
    """What is wrong with a link to a file of the site, seen from the page at ``path``; None if nothing is."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return f"links to {url}, which does not exist"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return f"links to {url}, a place that the page does not have"
    return None
