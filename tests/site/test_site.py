"""The site is built without a warning, and holds no broken link, no picture without words, nothing from elsewhere."""

import os
import re

import pytest
from PIL import Image

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
    lessons = (tmp_path / "site" / "notebooks").glob("*.html")
    assert [page.stem for page in lessons if "| clean |" in page.read_text(encoding="utf-8")] == []  # a table is one


def test_an_entry_shows_names_of_types_and_no_words_of_another(tmp_path):
    for folder in ("sources", "decks"):
        (tmp_path / folder).mkdir()
    entries = (
        "autoproperty:: seminar_lib.goals.Goal.models",
        "autofunction:: seminar_lib.attacks.base.slopes",
        "autodata:: seminar_lib.detection.REJECT",
        "autodata:: seminar_lib.models.ImageArchitecture",
        "autoclass:: seminar_lib.objectives.Batch\n   :members:",
    )
    text = "A page\n======\n\n" + "".join(f".. {entry}\n" for entry in entries)
    (tmp_path / "sources" / "index.rst").write_text(text, encoding="utf-8")
    page = build.run(tmp_path / "sources", tmp_path / "site", tmp_path / "decks").read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]*>|\s", "", page)
    assert "models:tuple[Model,...]" in shown
    assert "&#x2192;list[Images]" in shown
    assert "REJECT=-1" in shown
    assert "integer" not in shown
    assert "PEP604" not in shown
    assert "howmanystepsofadiffusion" in shown
    assert "Aliasforfieldnumber" not in shown


def test_a_picture_leads_to_its_file_once(tmp_path):
    for folder in ("sources", "decks"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (900, 300)).save(tmp_path / "sources" / "dark.png")
    text = "# A page\n\n![a dark field](dark.png)\n\n```{image} dark.png\n:alt: the same field\n:width: 900px\n```\n"
    (tmp_path / "sources" / "index.md").write_text(text, encoding="utf-8")
    page = build.run(tmp_path / "sources", tmp_path / "site", tmp_path / "decks").read_text(encoding="utf-8")
    assert len(re.findall(r'<a [^>]*href="_images/dark.png"[^>]*><img [^>]*>\s*</a>', page)) == 2
    assert page.count("<img") == 2


def test_pages_that_an_older_builder_has_read_are_read_again(tmp_path):
    for folder in ("sources", "decks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "sources" / "index.md").write_text("# A page\n", encoding="utf-8")
    places = (tmp_path / "sources", tmp_path / "site", tmp_path / "decks")
    page, environment = build.run(*places), tmp_path / "site-doctrees" / "environment.pickle"
    fresh = page.read_text(encoding="utf-8")
    page.write_text("stale", encoding="utf-8")
    build.run(*places)
    assert page.read_text(encoding="utf-8") == "stale"
    os.utime(environment, (0, 0))
    build.run(*places)
    assert page.read_text(encoding="utf-8") == fresh


def test_a_broken_link_ends_the_build(tmp_path):
    for folder in ("sources", "decks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "sources" / "index.md").write_text("# A page\n\n[nowhere](nothing.md)\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="The site has faults"):
        build.run(tmp_path / "sources", tmp_path / "site", tmp_path / "decks")
