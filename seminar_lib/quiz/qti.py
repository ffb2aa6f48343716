"""The questions of a lesson as a QTI 2.1 package: a ZIP file with a test, an item for each question, and a manifest.

IMS Global, *Question and Test Interoperability: Assessment Test, Section and Item Information Model*, version 2.1
Final, 2012. Of the versions it is the one that most platforms import today: OpenOlat and OPAL/ONYX keep their
questions in it, Canvas and Blackboard read it beside the old 1.2, TAO beside 2.2 and 3.0. Version 1.2 cannot say how
several right options are scored without a language of its own; 3.0 is read by few. Moodle reads none of them.

Each item scores itself from 0 to 1, says why the answer is right or wrong, and then the explanation. Formulas stay
LaTeX for MathJax, as in Moodle: platforms turn it on more often than they show MathML.
"""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree as ET

from seminar_lib.quiz.bank import Bank
from seminar_lib.quiz.markup import html
from seminar_lib.quiz.question import Choice, Number, Option, Question, letter

ITEM = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
SCHEMAS = {
    ITEM: "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
    PACKAGE: "http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd",
}
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DAY = (1980, 1, 1, 0, 0, 0)  # the first that ZIP knows: the same questions make the same file


def qti(bank: Bank) -> bytes:
    """The ZIP file."""
    files = {"imsmanifest.xml": manifest(bank), "test.xml": test(bank)}
    files |= {f"{question.name}.xml": item(bank, question) for question in bank.questions}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, DAY), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def manifest(bank: Bank) -> bytes:
    """``imsmanifest.xml``: what is in the package."""
    root = _root("manifest", PACKAGE, identifier=f"manifest-{bank.lesson}")
    metadata = _add(root, "metadata")
    _add(metadata, "schema").text = "QTIv2.1 Package"
    _add(metadata, "schemaversion").text = "1.0.0"
    _add(root, "organizations")
    resources = _add(root, "resources")
    whole = _resource(resources, f"test-{bank.lesson}", "imsqti_test_xmlv2p1", "test.xml")
    for question in bank.questions:
        _add(whole, "dependency", identifierref=_name(bank, question))
        _resource(resources, _name(bank, question), "imsqti_item_xmlv2p1", f"{question.name}.xml")
    return _xml(root)


def test(bank: Bank) -> bytes:
    """``test.xml``: all questions in one section, in any order, as often as one likes."""
    root = _root("assessmentTest", ITEM, identifier=f"test-{bank.lesson}", title=_title(bank))
    _outcome(root, "SCORE", "single", "float")
    part = _add(root, "testPart", identifier="part", navigationMode="nonlinear", submissionMode="individual")
    _add(part, "itemSessionControl", maxAttempts="0", showFeedback="true")  # by default there is none
    section = _add(part, "assessmentSection", identifier="section", title=_title(bank), visible="true")
    for question in bank.questions:
        _add(section, "assessmentItemRef", identifier=_name(bank, question), href=f"{question.name}.xml")
    total = _set(_add(root, "outcomeProcessing"), "SCORE")
    _add(_add(total, "sum"), "testVariables", variableIdentifier="SCORE")
    return _xml(root)


def item(bank: Bank, question: Question) -> bytes:
    """The file of one question."""
    names = {"identifier": _name(bank, question), "title": f"{_title(bank)}: {question.name}"}
    root = _root("assessmentItem", ITEM, **names, adaptive="false", timeDependent="false")
    if isinstance(question, Choice):
        _choice(root, question)
        said = {letter(place): option.because for place, option in enumerate(question.options)}
    else:
        _number(root, question)
        said = {_trap(place): trap.because for place, trap in enumerate(question.traps)}
    for name, words in said.items():
        _feedback(root, "FEEDBACK", name, words)
    _feedback(root, "EXPLANATION", "explanation", question.explanation)
    return _xml(root)


def _choice(root: ET.Element, question: Choice) -> None:
    cardinality = "multiple" if question.several else "single"
    response = _add(root, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality, baseType="identifier")
    named = {letter(place): option for place, option in enumerate(question.options)}
    _correct(response, [name for name, option in named.items() if option.right])
    _mapping(response, question, named)
    _outcomes(root, cardinality)
    body = _body(root, question)
    most = "0" if question.several else "1"  # 0: as many as one likes
    choices = _add(body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="true", maxChoices=most)
    for name, option in named.items():
        _words(choices, "simpleChoice", option.text, identifier=name)
    processing = _add(root, "responseProcessing")
    _add(_set(processing, "SCORE"), "mapResponse", identifier="RESPONSE")
    _add(_set(processing, "FEEDBACK"), "variable", identifier="RESPONSE")
    _explain(processing)


def _mapping(response: ET.Element, question: Choice, named: dict[str, Option]) -> None:
    mapping = _add(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
    for name, option in named.items():
        _add(mapping, "mapEntry", mapKey=name, mappedValue=f"{question.credit(option):.7g}")


def _number(root: ET.Element, question: Number) -> None:
    response = _add(root, "responseDeclaration", identifier="RESPONSE", cardinality="single", baseType="float")
    _correct(response, [f"{question.number:.10g}"])
    _outcomes(root, "single")
    line = _add(_body(root, question), "p")
    field = _add(line, "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="12")
    field.tail = f" {question.unit}" if question.unit else None
    processing = _add(root, "responseProcessing")
    cases = _add(processing, "responseCondition")
    right = _add(cases, "responseIf")
    _add(_near(right, question), "correct", identifier="RESPONSE")
    _value(_set(right, "SCORE"), "float", "1")
    for place, trap in enumerate(question.traps):
        case = _add(cases, "responseElseIf")
        _value(_near(case, question), "float", f"{trap.number:.10g}")
        _value(_set(case, "FEEDBACK"), "identifier", _trap(place))
    _explain(processing)


def _near(case: ET.Element, question: Number) -> ET.Element:
    reach = f"{question.tolerance:.10g}"
    equal = _add(case, "equal", toleranceMode="absolute", tolerance=f"{reach} {reach}")
    _add(equal, "variable", identifier="RESPONSE")
    return equal


def _body(root: ET.Element, question: Question) -> ET.Element:
    body = _add(root, "itemBody")
    _words(body, "p", question.ask)
    return body


def _outcomes(root: ET.Element, cardinality: str) -> None:
    _outcome(root, "SCORE", "single", "float").set("normalMaximum", "1")
    _outcome(root, "FEEDBACK", cardinality, "identifier")
    _outcome(root, "EXPLANATION", "single", "identifier")


def _outcome(root: ET.Element, name: str, cardinality: str, kind: str) -> ET.Element:
    outcome = _add(root, "outcomeDeclaration", identifier=name, cardinality=cardinality, baseType=kind)
    if kind == "float":
        _add(_add(outcome, "defaultValue"), "value").text = "0"
    return outcome


def _explain(processing: ET.Element) -> None:
    _value(_set(processing, "EXPLANATION"), "identifier", "explanation")


def _feedback(root: ET.Element, outcome: str, name: str, words: str) -> None:
    box = _add(root, "modalFeedback", outcomeIdentifier=outcome, identifier=name, showHide="show")
    _words(box, "p", words)


def _correct(response: ET.Element, values: list[str]) -> None:
    correct = _add(response, "correctResponse")
    for value in values:
        _add(correct, "value").text = value


def _set(parent: ET.Element, outcome: str) -> ET.Element:
    return _add(parent, "setOutcomeValue", identifier=outcome)


def _value(parent: ET.Element, kind: str, text: str) -> None:
    _add(parent, "baseValue", baseType=kind).text = text


def _resource(resources: ET.Element, name: str, kind: str, path: str) -> ET.Element:
    resource = _add(resources, "resource", identifier=name, type=kind, href=path)
    _add(resource, "file", href=path)
    return resource


def _words(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    """A child that holds a text with its markup."""
    element = ET.fromstring(f"<{tag}>{html(text)}</{tag}>")
    element.attrib.update(attributes)
    parent.append(element)


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _name(bank: Bank, question: Question) -> str:
    return f"item-{bank.lesson}-{question.name}"  # an identifier begins with a letter


def _title(bank: Bank) -> str:
    return f"{bank.lesson.split('_')[0]} {bank.title}"


def _trap(place: int) -> str:
    return f"trap-{place + 1}"


def _root(tag: str, space: str, **attributes: str) -> ET.Element:
    """An element that puts all below it into a namespace, and says where its schema is."""
    where = f"{space} {SCHEMAS[space]}"
    return ET.Element(tag, {"xmlns": space, "xmlns:xsi": XSI, "xsi:schemaLocation": where}, **attributes)


def _xml(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
