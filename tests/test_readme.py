"""The README says what is there."""

from pathlib import Path

import pytest

import seminar_lib as sl
from seminar_lib.lessons import found, table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_lists_the_lessons():
    assert table(found()) in README


@pytest.mark.parametrize("name", sl.shipped())
def test_it_quotes_the_cards(name):
    card = sl.load(name)[1]
    if "loss" in card["test"]["best"]:  # of a network that gives images
        figures = [f"{card['test']['best']['loss']:.4f}"]
    else:
        figures = map(str, sl.on_card(card).values())
    assert f"| `{name}` | {' | '.join(figures)} |" in README


def test_its_pictures_exist():
    assert (ROOT / "results" / "attack.png").exists()
