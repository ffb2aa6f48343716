"""The glossary: its source is in order, its page is current, and a word that it lacks leads to one that it has."""

import re
from collections import Counter

import pytest
import yaml
from slide_checks import ROOT

import seminar_lib
from seminar_lib.glossary import SOURCE, lookup, page, terms
from seminar_lib.lessons import found

FIELDS = {"term", "lesson", "symbol", "also", "means"}
WORDS = {
    lesson.name: " ".join(re.sub(r"^# ?|[*`$\\]", "", lesson.source.read_text("utf-8"), flags=re.MULTILINE).split())
    for lesson in found()
}


def test_the_page_is_what_the_source_makes():
    """`python -m slides glossary` writes it."""
    assert (ROOT / "slides" / "teacher" / "glossary.md").read_text(encoding="utf-8") == page()


def test_terms_are_sorted_and_every_name_stands_for_one():
    names = [term.name.lower() for term in terms()]
    assert names == sorted(names)
    assert [name for name, n in Counter(name.lower() for term in terms() for name in term.names).items() if n > 1] == []


@pytest.mark.parametrize("entry", yaml.safe_load(SOURCE.read_text(encoding="utf-8")), ids=lambda entry: entry["term"])
def test_an_entry_has_known_fields_and_one_or_two_sentences(entry):
    assert FIELDS - {"symbol", "also"} <= set(entry) <= FIELDS
    assert entry["means"][0].isupper()
    assert 1 <= len(re.findall(r"[.](?:\s|$)", entry["means"].strip())) <= 2
    assert entry["means"].strip().endswith(".")


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.name)
def test_the_lesson_of_a_term_uses_it(term):
    assert any(name.lower() in WORDS[term.lesson].lower() for name in term.names)


@pytest.mark.parametrize("word", ["threat model", "Threat  Model", "THREAT MODEL"])
def test_a_term_is_found_in_capitals_or_not(word):
    assert lookup(word).name == "threat model"
    assert seminar_lib.lookup is lookup


def test_a_term_is_found_by_its_other_names():
    assert lookup("obfuscated gradients") is lookup("gradient masking")


def test_a_notebook_shows_a_term_with_symbol_other_names_and_lesson():
    shown = lookup("embedding")._repr_markdown_()
    assert shown.startswith("**embedding** ($z$): The list of numbers")
    assert shown.endswith("Also called feature vector or representation. *Lesson 5.*")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("thraet model", "threat model"),
        ("obfuscated gradient", "gradient masking"),
        ("norm", "dual norm"),
        ("pdg", "PGD"),
    ],
)
def test_an_unknown_term_is_answered_with_the_nearest(word, near):
    with pytest.raises(ValueError, match=rf"no term '{word}'\. The nearest are .*{near}"):
        lookup(word)


@pytest.mark.parametrize("word", ["", "zzzz", None])
def test_what_is_like_no_term_leads_to_the_list(word):
    with pytest.raises(ValueError, match=r"terms\(\)` lists all"):
        lookup(word)
