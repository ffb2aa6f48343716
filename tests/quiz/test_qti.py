"""QTI packages: valid, complete, and scored by their own rules as the questions are judged here.

The rules are interpreted below, as the specification describes them.
"""

import io
import zipfile
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from seminar_lib import quiz
from seminar_lib.quiz import Choice, letter
from seminar_lib.quiz.qti import ITEM, PACKAGE, item, qti

Q = {"q": ITEM, "p": PACKAGE}


def unpacked(bank):
    with zipfile.ZipFile(io.BytesIO(qti(bank))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("lesson", quiz.lessons())
def test_every_file_of_a_package_is_valid(lesson, schema):
    files = unpacked(quiz.read(lesson))
    schema("imscp.xsd").validate(files.pop("imsmanifest.xml"))
    validate = schema("qti.xsd").validate
    for content in files.values():
        validate(content)


def test_the_schema_can_say_no(small, schema):
    valid = schema("qti.xsd").is_valid
    content = item(small, small.questions[0])
    assert valid(content)
    assert not valid(content.replace(b'showHide="show"', b"", 1))
    assert not valid(content.replace(b"simpleChoice", b"choice"))
    assert not valid(content.replace(b'adaptive="false"', b'adaptive="maybe"'))


def test_manifest_and_test_name_all_that_is_there(small):
    files = unpacked(small)
    manifest, whole = ET.fromstring(files["imsmanifest.xml"]), ET.fromstring(files["test.xml"])
    resources = {resource.get("href"): resource for resource in manifest.iterfind(".//p:resource", Q)}
    assert resources.keys() == files.keys() - {"imsmanifest.xml"}
    items = {ref.get("href"): ref.get("identifier") for ref in whole.iterfind(".//q:assessmentItemRef", Q)}
    assert list(items) == ["one.xml", "several.xml", "number.xml"]
    for href, name in items.items():
        assert ET.fromstring(files[href]).get("identifier") == resources[href].get("identifier") == name
    needed = [dependency.get("identifierref") for dependency in resources["test.xml"].iterfind("p:dependency", Q)]
    assert needed == list(items.values())


def test_feedback_is_shown_which_is_not_the_default(small):
    control = ET.fromstring(unpacked(small)["test.xml"]).find(".//q:itemSessionControl", Q)
    assert control.get("showFeedback") == "true"


def test_the_same_questions_make_the_same_file(small):
    assert qti(small) == qti(small)


def test_texts_keep_their_marks_and_the_space_between_them(small):
    body = ET.fromstring(item(small, small.questions[0])).find("q:itemBody/q:p", Q)
    assert "".join(body.itertext()) == r"Which sign has \(a < b\) in x & y?"
    assert body.find("q:code", Q).text == "x & y"


# The rules


class Session:
    """What becomes of one answer to an item, by the rules written in it."""

    def __init__(self, content, response):
        self.root, self.response = ET.fromstring(content), response
        self.outcomes = {"SCORE": 0.0}
        self.follow(self.root.find("q:responseProcessing", Q))

    def follow(self, rules):
        for rule in rules:
            match tag(rule):
                case "setOutcomeValue":
                    self.outcomes[rule.get("identifier")] = self.value(rule[0])
                case "responseCondition":
                    for case in rule:
                        if self.value(case[0]):
                            self.follow(case[1:])
                            break

    def value(self, expression):
        match tag(expression):
            case "variable":
                return self.response
            case "correct":
                return float(self.root.findtext("q:responseDeclaration/q:correctResponse/q:value", None, Q))
            case "baseValue":
                return float(expression.text) if expression.get("baseType") == "float" else expression.text
            case "equal":
                below, above = map(float, expression.get("tolerance").split())
                first, second = (self.value(child) for child in expression)
                return first - below - 1e-12 <= second <= first + above + 1e-12
            case "mapResponse":
                mapping = self.root.find("q:responseDeclaration/q:mapping", Q)
                worth = {entry.get("mapKey"): float(entry.get("mappedValue")) for entry in mapping}
                total = sum(worth[key] for key in self.response)
                return min(max(total, float(mapping.get("lowerBound"))), float(mapping.get("upperBound")))

    def shown(self):
        """The feedback that a platform opens."""
        opened = {name: outcome if isinstance(outcome, list) else [outcome] for name, outcome in self.outcomes.items()}
        return [
            "".join(box.itertext())
            for box in self.root.iterfind("q:modalFeedback", Q)
            if box.get("identifier") in opened.get(box.get("outcomeIdentifier"), ())
        ]


def tag(element):
    return element.tag.removeprefix(f"{{{ITEM}}}")


@pytest.mark.parametrize("place", [0, 1])
def test_options_are_scored_and_explained_as_here(small, place):
    question: Choice = small.questions[place]
    content = item(small, question)
    most = int(ET.fromstring(content).find(".//q:choiceInteraction", Q).get("maxChoices"))
    assert most == (0 if question.several else 1), "0 says as many as one likes"
    for size in range(1, (most or len(question.options)) + 1):
        for chosen in combinations(range(len(question.options)), size):
            session = Session(content, [letter(option) for option in chosen])
            assert 0 <= session.outcomes["SCORE"] <= 1
            full = session.outcomes["SCORE"] == pytest.approx(1, abs=1e-5)
            assert full == question.judge(chosen).right
            reasons = [question.options[option].because for option in chosen]
            assert session.shown() == [*reasons, question.explanation]


def test_ticking_all_boxes_earns_nothing(small):
    content = item(small, small.questions[1])
    assert Session(content, list("ABCDE")).outcomes["SCORE"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("given", [0.5, 0.49, 0.485, 2, 2.005, 3, -1])
def test_numbers_are_scored_and_explained_as_here(small, given):
    question = small.questions[2]
    session, verdict = Session(item(small, question), given), question.judge(given)
    assert session.outcomes["SCORE"] == verdict.right
    trap = question.traps[0].because
    assert (trap in session.shown()) == (trap in verdict.words)
    assert question.explanation in session.shown()


def test_correct_responses_are_the_right_options(small):
    found = [
        [value.text for value in ET.fromstring(item(small, question)).iterfind(".//q:correctResponse/q:value", Q)]
        for question in small.questions
    ]
    assert found == [["B"], ["A", "C", "E"], ["0.5"]]
