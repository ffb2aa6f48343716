"""A lesson with a question of each kind, as a teacher would write it."""

from pathlib import Path

import pytest
import xmlschema

from seminar_lib import quiz

HERE = Path(__file__).parent
SMALL = """
title: Small & <new>
questions:
  - name: one
    ask: Which sign has $a < b$ in `x & y`?
    options:
      - wrong: The *first*.
        because: It is the second.
      - right: The second, $x^2$.
        because: So it is.
    explanation: Only the second has it.
  - name: several
    ask: Which of these hold?
    options:
      - right: P
        because: P is true.
      - wrong: Q
        because: Q is false.
      - right: R
        because: R is true.
      - wrong: S
        because: S is false.
      - right: T
        because: T is true.
    explanation: P, R and T are true.
  - name: number
    ask: How much is one half?
    number: 0.5
    tolerance: 0.01
    unit: litres
    traps:
      - number: 2
        because: This is the inverse.
    explanation: One over two.
"""


@pytest.fixture
def written(tmp_path):
    """Write a file of questions, with some of its text replaced, and return its path."""

    def write(old="", new="", name="99_small"):
        path = tmp_path / f"{name}.yaml"
        assert old in SMALL
        path.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
        return path

    return write


@pytest.fixture
def small(written):
    return quiz.parse(written())


@pytest.fixture(scope="session")
def schema():
    """The schema in a file of this folder."""
    return lambda name: xmlschema.XMLSchema(HERE / name, allow="local")
