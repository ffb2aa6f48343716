"""How the texts of questions are shown: ``$LaTeX$``, ```code``` and ``*emphasis*`` as HTML."""

from __future__ import annotations

import re
from html import escape

_MARKED = re.compile(r"\$(?P<maths>[^$]+)\$|`(?P<code>[^`]+)`|\*(?P<em>[^*\s](?:[^*]*[^*\s])?)\*")


def html(text: str) -> str:
    r"""A text as HTML that is well-formed XML too; maths stays LaTeX, between ``\(`` and ``\)``.

    Notebooks, Moodle and most platforms have MathJax look for these; a dollar would be one of the price tags to some.
    """
    parts, end = [], 0
    for match in _MARKED.finditer(text):
        parts += [escape(text[end : match.start()], quote=False), _element(match)]
        end = match.end()
    return "".join([*parts, escape(text[end:], quote=False)])


def _element(match: re.Match[str]) -> str:
    inner = escape(match[match.lastgroup or 0], quote=False)
    return {"maths": rf"\({inner}\)", "code": f"<code>{inner}</code>", "em": f"<em>{inner}</em>"}[match.lastgroup or ""]
