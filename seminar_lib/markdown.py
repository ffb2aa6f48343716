"""Tables in Markdown: what reports show in a notebook, and what results are written down as."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The heads of the columns, a rule, and a line for each row; every cell as ``str`` writes it.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.
    """
    lines = [_line(head), "|" + "---|" * len(head)]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"The table has {len(head)} columns, {', '.join(map(repr, head))}; got the row {row!r}.")
        lines.append(_line(row))
    return "\n".join(lines)


class Tabular(ABC):
    """A report that shows itself as its table, in a notebook and in a terminal."""

    @abstractmethod
    def table(self) -> str:
        """What it has to say, in Markdown."""

    def _repr_markdown_(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return self.table()


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"
