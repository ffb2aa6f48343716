"""Exercise 11.4 accepts the statements that hold, gives the reason against each wrong choice, and quotes the table."""

import json

from benchmarks.report import RESULTS
from seminar_lib.exercises import detection
from seminar_lib.exercises.detection.reading import STATEMENTS

from ..conftest import praises, refuses

test_the_statements_that_hold_are_praised = praises(detection.check_reading, lambda: "bdf", lambda: ["F", "d", "b"])

test_a_wrong_choice_gets_its_reason = refuses(
    detection.check_reading,
    (lambda: None, "return the letters"),
    (lambda: "bdg", "no statement 'g'; they are a to f"),
    (lambda: "abdf", "about a: an AUROC is a share of pairs"),
    (lambda: "df", "about b: *safe* is right or rejected"),
    (lambda: "bcdf", "about c: each detector of the first table"),
    (lambda: "bf", "about d: other images were drawn"),
    (lambda: "bdef", "about e: a lower threshold"),
    (lambda: "bd", "about f: an attack can only show"),
)


def test_the_reasons_quote_what_was_measured():
    measured = json.loads((RESULTS / "detection-cpu.json").read_text())["models"]["signs/standard"]
    rows = {kind: found["rows"] for kind, found in measured.items() if kind != "none"}

    def percent(share):
        return f"{share:.1%}".replace("%", " %")

    density = rows["kernel density"]["oblivious"]
    assert f"{density['auroc of the wrong']['auroc']:.3f}" in STATEMENTS["a"][1]
    assert percent(density["caught"]["accuracy"]) in STATEMENTS["a"][1]
    assert min(row["oblivious"]["caught"]["accuracy"] for row in rows.values()) >= 0.68
    assert percent(max(row["adaptive"]["caught"]["accuracy"] for row in rows.values())) in STATEMENTS["c"][1]
    alarms = [row["clean"]["rejected"]["accuracy"] for row in rows.values()]
    assert f"from {100 * min(alarms):.1f} to {percent(max(alarms))}" in STATEMENTS["d"][1]
