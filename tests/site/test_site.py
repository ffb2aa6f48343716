"""The site is built without a warning, and holds no broken link, no picture without words, nothing from elsewhere."""

import pytest

from slides import npm
from slides.deck import names
from slides.site import build, links, sources

pytestmark = [
    pytest.mark.skipif(npm.installed() != npm.pinned(), reason="run `npm ci` in slides/"),
    # Those that Sphinx and its theme give each other; what Sphinx says of a page is no warning of Python's.
    pytest.mark.filterwarnings("default"),
]


@pytest.mark.slow
def test_the_site_has_no_fault(tmp_path):
    sources.lay(sources.pages(), tmp_path / "sources")
    for name in names():  # marp's own work is looked at in tests/slides
        deck = tmp_path / "decks" / "slides" / f"{name}.html"
        deck.parent.mkdir(parents=True, exist_ok=True)
        deck.write_text("<h1>a deck</h1>", encoding="utf-8")
    first = build.run(tmp_path / "sources", tmp_path / "site", tmp_path / "decks")
    assert first.is_file()
    assert links.faults(tmp_path / "site") == []


def test_a_broken_link_ends_the_build(tmp_path):
    for folder in ("sources", "decks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "sources" / "index.md").write_text("# A page\n\n[nowhere](nothing.md)\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="The site has faults"):
        build.run(tmp_path / "sources", tmp_path / "site", tmp_path / "decks")
