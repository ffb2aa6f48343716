"""Exercise 10.4 accepts the statements that hold, and gives the reason against each wrong choice."""

from seminar_lib.exercises import purification

from ..conftest import praises, refuses

test_the_statements_that_hold_are_praised = praises(purification.check_reading, lambda: "bdf", lambda: ["F", "d", "b"])

test_a_wrong_choice_gets_its_reason = refuses(
    purification.check_reading,
    (lambda: None, "return the letters"),
    (lambda: "bdh", "no statement 'h'; they are a to g"),
    (lambda: "abdf", "about a: 98.8 % is what an attack leaves"),
    (lambda: "df", "about b: each adversary"),
    (lambda: "bcdf", "about c: a secret purifier"),
    (lambda: "bf", "about d: where all draws are right"),
    (lambda: "bdef", "about e: the interval is that of the images"),
    (lambda: "bd", "about f: in the worst case"),
    (lambda: "bdfg", "about g: an adversary can send"),
)
