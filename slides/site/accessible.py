"""What Sphinx and its theme leave out for readers who hear a page or have no mouse."""

from __future__ import annotations

import re
from typing import Any

NESTED = re.compile(r"(?<=</li>\n)<ul>|</ul>(?=<li>)")
# Pictures are made narrower to fit into the column; who needs larger letters follows a link to the file.
PICTURE = re.compile(r'(?P<link><a [^>]*>)?<img [^>]*src="(?P<file>[^"]*)"[^>]*>')
SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.DOTALL)
# A list of definitions without terms, in which Sphinx sets out the parameters of a signature, is none.
PARAMETERS = {"<dl>": '<div class="parameters">', "</dl>": "</div>", "<dd>": "<div>", "</dd>": "</div>"}


def process(app: object, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Sphinx's event ``html-page-context``, after that of the theme."""
    context["body"] = PICTURE.sub(_linked, SIGNATURE.sub(_parameters, context.get("body", "")))
    if page == "_modules/index":  # where lists stand between the items of another one
        context["body"] = NESTED.sub("", context["body"])
    tree = context["furo_navigation_tree"]
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def _linked(picture: re.Match[str]) -> str:
    return picture[0] if picture["link"] else f'<a href="{picture["file"]}">{picture[0]}</a>'


def _parameters(signature: re.Match[str]) -> str:
    text = signature[0]
    for old, new in PARAMETERS.items():
        text = text.replace(old, new)
    return text
