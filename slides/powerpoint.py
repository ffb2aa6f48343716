"""What marp leaves out of a PowerPoint file, in which each slide is a picture on the background and nothing else.

A title is what PowerPoint's outline and a screen reader call a slide by; the words and what the pictures show are read
out as the description of a shape that covers the slide and cannot be seen.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from slides.deck import IMAGE, Deck, Slide

PART = re.compile(r"ppt/slides/slide(\d+)\.xml")
END = "</p:spTree>"
WIDTH, HEIGHT = 12192000, 6858000  # of a slide, in EMU: 914,400 to an inch
MARKS = re.compile(r"^#+ .*$|^\|[-|]+\|$|^> |[*`]", re.MULTILINE)  # of Markdown, and the heading
# Above the slide, where PowerPoint itself puts a title that is not to be seen.
TITLE = (
    '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Title"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr>'
    '<p:ph type="title"/></p:nvPr></p:nvSpPr><p:spPr><a:xfrm><a:off x="0" y="-914400"/>'
    f'<a:ext cx="{WIDTH}" cy="609600"/></a:xfrm></p:spPr><p:txBody><a:bodyPr/><a:lstStyle/><a:p><a:r>'
    '<a:rPr lang="en-GB" sz="1800"/><a:t>{title}</a:t></a:r></a:p></p:txBody></p:sp>'
)
COVER = (
    '<p:sp><p:nvSpPr><p:cNvPr id="3" name="Slide" descr={words}/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr><a:xfrm>'
    f'<a:off x="0" y="0"/><a:ext cx="{WIDTH}" cy="{HEIGHT}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
    "<a:noFill/><a:ln><a:noFill/></a:ln></p:spPr></p:sp>"
)


def describe(path: Path, deck: Deck) -> None:
    """Give each slide of a file that marp has made of ``deck`` its title and its words."""
    with ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        for name, content in parts.items():
            if number := PART.fullmatch(name):
                shapes = _shapes(deck.slides[int(number[1]) - 1])
                content = content.decode().replace(END, shapes + END).encode()
            file.writestr(name, content)


def words(slide: Slide) -> str:
    """What there is to read and to see on a slide, below its title; formulas as LaTeX has them."""
    text = MARKS.sub("", IMAGE.sub(r"\1", slide.text))
    return "\n".join(line.strip("| ") for line in text.splitlines() if line.strip())


def _shapes(slide: Slide) -> str:
    return TITLE.format(title=escape(slide.title)) + COVER.format(words=quoteattr(words(slide)))
