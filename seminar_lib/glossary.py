"""The words of the course: ``lookup("threat model")`` in a notebook, ``slides/teacher/glossary.md`` on paper.

``glossary.yaml`` is their one source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml

SOURCE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Term:
    """A word and what it means; a notebook shows it as text.

    Attributes:
        name: as the field writes it.
        means: a sentence or two.
        lesson: where it is introduced, such as ``"01_fgsm"``.
        symbol: in formulas, as LaTeX; empty where there is none.
        also: other names of the same thing.
    """

    name: str
    means: str
    lesson: str
    symbol: str = ""
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, then the others."""
        return (self.name, *self.also)

    def markdown(self) -> str:
        """The term in one paragraph."""
        symbol = f" (${self.symbol}$)" if self.symbol else ""
        also = f" Also called {' or '.join(self.also)}." if self.also else ""
        return f"**{self.name}**{symbol}: {self.means}{also} *Lesson {int(self.lesson.split('_')[0])}.*"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __repr__(self) -> str:
        return self.markdown()


@cache
def terms() -> tuple[Term, ...]:
    """All terms, in alphabetical order."""
    entries = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return tuple(
        Term(
            entry["term"],
            entry["means"].strip(),
            entry["lesson"],
            entry.get("symbol", ""),
            tuple(entry.get("also", ())),
        )
        for entry in entries
    )


def lookup(term: str) -> Term:
    """What a word of the course means, by its name or another one, in capitals or not.

    Raises:
        ValueError: the glossary has no such word; the message names the nearest ones.
    """
    by_name = {name.lower(): entry for entry in terms() for name in entry.names}
    wanted = " ".join(str(term).lower().split())
    if wanted in by_name:
        return by_name[wanted]
    near = dict.fromkeys(by_name[name].name for name in _nearest(wanted, by_name))
    advice = (
        f"The nearest are {', '.join(near)}." if near else "`seminar_lib.glossary.terms()` lists all that there are."
    )
    raise ValueError(f"The glossary has no term {term!r}. {advice}")


def _nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Names that hold the word or sit in it, then those that are spelt alike."""
    names = list(names)
    holding = [name for name in names if len(wanted) > 2 and (wanted in name or (len(name) > 2 and name in wanted))]
    return (holding + get_close_matches(wanted, names, n=3))[:3]


def page() -> str:
    """The whole glossary as a page in Markdown."""
    head = (
        "# Glossary\n\nWritten by `python -m slides glossary` from `seminar_lib/glossary.yaml`. In a notebook, "
        '`sl.lookup("threat model")` shows one term.\n'
    )
    return "\n".join([head, *(f"{term.markdown()}\n" for term in terms())])
