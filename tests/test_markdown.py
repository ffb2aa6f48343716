"""A Markdown table: what a parser of Markdown reads in it."""

import mistune
import pytest

from seminar_lib import markdown


def test_a_parser_reads_every_cell_where_it_belongs():
    text = markdown.table(("", "a", "b|c"), [("first", 1, 0.5), ("second", "x | y", None)])
    (table,) = mistune.create_markdown(renderer="ast", plugins=["table"])(text)
    head, body = table["children"]
    read = [
        [cell["children"] for cell in row["children"]] for row in ({"children": head["children"]}, *body["children"])
    ]
    words = [["".join(part["raw"] for part in cell) for cell in row] for row in read]
    assert words == [["", "a", "b|c"], ["first", "1", "0.5"], ["second", "x | y", "None"]]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"has 2 columns, 'a', 'b'; got the row \(1,\)"):
        markdown.table(("a", "b"), [(1,)])


def test_a_report_shows_itself_as_its_table():
    class Found(markdown.Tabular):
        def table(self) -> str:
            return markdown.table(("a",), [(1,)])

    assert repr(Found()) == Found()._repr_markdown_() == "| a |\n|---|\n| 1 |"
