"""Exercise 8.4 accepts the statements that hold, and gives the reason against each wrong choice."""

from seminar_lib.exercises import embedding

from ..conftest import praises, refuses

test_the_statements_that_hold_are_praised = praises(
    embedding.check_reading, lambda: "ad", lambda: {"d", "a"}, lambda: ["A", "D"], lambda: "a, d"
)

test_a_wrong_choice_gets_its_reason = refuses(
    embedding.check_reading,
    (lambda: None, "return the letters"),
    (lambda: [1, 4], "return the letters"),
    (lambda: "az", "no statement 'z'"),
    (lambda: "d", "about a: a shadow never lengthens"),
    (lambda: "abd", "about b: what lies one behind the other"),
    (lambda: "acd", "about c: t-SNE keeps neighbours"),
    (lambda: "a", "about d: keeping neighbours"),
    (lambda: "ade", "about e: each map has axes of its own"),
    (lambda: "adf", "about f: a clean map says nothing"),
)
