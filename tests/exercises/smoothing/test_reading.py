"""Exercise 9.4 accepts the statements that hold, and gives the reason against each wrong choice."""

from seminar_lib.exercises import smoothing

from ..conftest import praises, refuses

test_the_statements_that_hold_are_praised = praises(smoothing.check_reading, lambda: "be", lambda: ["E", "b"])

test_a_wrong_choice_gets_its_reason = refuses(
    smoothing.check_reading,
    (lambda: 2, "return the letters"),
    (lambda: "bh", "no statement 'h'; they are a to g"),
    (lambda: "abe", "about a: the certificate is about g"),
    (lambda: "e", "about b: the theorem holds for every image"),
    (lambda: "bce", "about c: an answer that stays"),
    (lambda: "bde", "about d: to abstain"),
    (lambda: "b", "about e: where all votes agree"),
    (lambda: "bef", "about f: 8/255 in every value"),
    (lambda: "beg", "about g: rounding"),
)
