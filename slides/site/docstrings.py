r"""Docstrings for Sphinx, which wants reStructuredText; ours are text with ``code`` and indented formulas.

Between double backticks and in indented blocks everything means itself. Elsewhere reStructuredText would take a star, a
bar or an underscore at the end of a word as a mark of its own: |w|* would be a substitution.
"""

from __future__ import annotations

import inspect
import re

CODE = re.compile(r"(``.+?``|:\w+:`[^`]+`)")
MARK = re.compile(r"[*|\\]|(?<=\w)_(?!\w)|(?<!`)`(?!`)")
# Types in signatures that have no page here: those of Python and of other libraries, and some that serve within ours.
WITHIN = (
    "attacks.ensemble.Cascade attacks.minimum_norm.Nearest markdown.Tabular widgets.images.ImageDemo widgets.demo.S"
)
ELSEWHERE = [
    (r"py:.*", r"(?!seminar_lib\.).*"),
    (r"py:.*", rf"seminar_lib\.({'|'.join(map(re.escape, WITHIN.split()))}|widgets\..*\.State)"),
]
# Names that a signature shows as the code has them, not as what they stand for.
ALIASES = {name: name for name in ("Images", "Labels", "Logits", "Embeddings", "PerExample", "Flags", "Model")}


def process(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Sphinx's event ``autodoc-process-docstring``, which changes the lines in place.

    A number, a text or a union has no docstring of its own, and Python hands out that of ``int``, ``str`` or the union.
    """
    borrowed = what == "data" and "\n".join(lines).split() == (inspect.getdoc(obj) or "").split()
    lines[:] = [] if borrowed else as_rest(lines)


def skip(app: object, what: str, name: str, obj: object, passed_over: bool, options: object) -> bool | None:
    """Sphinx's event ``autodoc-skip-member``: a named tuple's fields stand among its attributes, with their meaning."""
    return True if (inspect.getdoc(obj) or "").startswith("Alias for field number") else None


def as_rest(lines: list[str]) -> list[str]:
    """The lines of a docstring with indented blocks marked as such, and marks taken at their word elsewhere."""
    out: list[str] = []
    base = 0  # how far the line before is indented
    literal = False
    for number, line in enumerate(lines):
        if not line.strip():
            out.append("")
            continue
        indent = len(line) - len(line.lstrip())
        if literal and indent > base:
            out.append(line)
            continue
        literal = number > 0 and not lines[number - 1].strip() and indent >= base + 4
        if literal:
            if not _last(out).endswith("::"):
                out += [" " * base + "::", ""]
            out.append(line)
            continue
        base = indent
        out.append(_plain(line))
    return out


def _last(lines: list[str]) -> str:
    return next((line for line in reversed(lines) if line), "")


def _plain(line: str) -> str:
    """The line with a backslash before each character that reStructuredText would read as a mark."""
    parts = CODE.split(line)
    return "".join(part if number % 2 else MARK.sub(r"\\\g<0>", part) for number, part in enumerate(parts))
