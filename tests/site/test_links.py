"""Faults planted in a small site are found, and a healthy one has none."""

import pytest

from slides.site import links

HEALTHY = {
    "index.html": '<h1 id="top">A</h1><a href="sub/b.html#there">b</a><a href="https://example.org">c</a>'
    '<img src="a.png" alt="a sign"><link rel="stylesheet" href="a.css"><a href="#top">up</a>',
    "sub/b.html": '<p id="there"></p><a href="../index.html">home</a>',
    "a.png": "",
    "a.css": 'p { background: url("data:image/png;base64,") }',
}


@pytest.fixture
def faults(tmp_path):
    """What is wrong with the healthy site once a piece is put at the end of one of its files."""

    def look(name="index.html", piece=""):
        for path, text in HEALTHY.items():
            file = tmp_path / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text + (piece if path == name else ""), encoding="utf-8")
        return links.faults(tmp_path)

    return look


def test_a_healthy_site_has_none(faults):
    assert faults() == []


@pytest.mark.parametrize(
    ("name", "piece", "fault"),
    [
        ("sub/b.html", '<a href="c.html">c</a>', "sub/b.html links to c.html, which does not exist"),
        ("sub/b.html", '<a href="../index.html#deep">c</a>', "a place that the page does not have"),
        ("index.html", '<a href="#deep">c</a>', "a place that the page does not have"),
        ("index.html", '<a href="sub">c</a>', "links to sub, which does not exist"),
        ("index.html", '<img src="a.png">', "has a picture without words: a.png"),
        ("index.html", '<img src="a.png" alt=" ">', "has a picture without words: a.png"),
        ("index.html", '<img src="b.png" alt="b">', "links to b.png, which does not exist"),
        ("index.html", '<script src="https://example.org/a.js"></script>', "asks for https://example.org/a.js"),
        ("index.html", '<link rel="stylesheet" href="//example.org/a.css">', "asks for //example.org/a.css"),
        ("index.html", '<p style="background: url(https://example.org/a.png)">', "asks for https://example.org/a.png"),
        ("a.css", "@import 'https://example.org/a.css';", "a.css asks for https://example.org/a.css"),
        ("a.css", "@font-face { src: url(https://example.org/a.woff2) }", "asks for https://example.org/a.woff2"),
    ],
)
def test_a_planted_fault_is_found(faults, name, piece, fault):
    found = faults(name, piece)
    assert len(found) == 1, found
    assert fault in found[0]
