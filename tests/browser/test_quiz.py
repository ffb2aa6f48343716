"""The questions about a lesson at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SHOWN = """
from seminar_lib.widgets import Quiz

Quiz("01_fgsm")
"""


@pytest.fixture
def page(notebook):
    return notebook(SHOWN)


def sentence(page):
    return page.page.get_by_role("status").filter(has_text="solved.")


def press_button(page, words):
    """Tab on to the button with these words, and press Enter."""
    for _ in range(20):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.textContent") == words:
            break
    page.page.keyboard.press("Enter")


def test_a_question_is_answered_with_the_keyboard(page):
    radios = page.page.locator(".widget-radio-box input")
    expect(radios).to_have_count(4)
    radios.first.focus()
    page.page.keyboard.press("Space")
    press_button(page, "Check")
    expect(sentence(page)).to_contain_text("0 of 9 solved.")
    wrong_or_right = sentence(page).inner_text()
    radios.first.focus()
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Space")
    press_button(page, "Check")
    expect(sentence(page)).not_to_have_text(wrong_or_right)
    page.assert_no_traceback()


def test_formulas_are_set_in_questions_and_answers(page):
    """As MathJax draws them; nothing of their LaTeX is left on the page."""
    question = page.page.locator(".widget-htmlmath-content").first
    expect(question.locator("mjx-container").first).to_be_visible()
    expect(question).not_to_contain_text("\\(")
    page.page.locator(".widget-radio-box input").first.focus()
    press_button(page, "Show the answer")
    expect(sentence(page)).to_contain_text("The answer:")
    expect(sentence(page)).not_to_contain_text("\\(")


def test_boxes_and_numbers_take_the_keyboard_too(page):
    page.page.locator(".widget-radio-box input").first.focus()
    press_button(page, "Next")
    press = page.page.keyboard.press
    expect(page.page.locator(".widget-htmlmath-content").first).to_contain_text("Question 2 of 9.")
    press("Enter")  # the focus has stayed on the button
    expect(page.page.locator(".widget-htmlmath-content").first).to_contain_text("Question 3 of 9.")
    page.page.locator(".widget-text input").focus()
    page.page.keyboard.type("1.74")
    press_button(page, "Check")
    expect(sentence(page)).to_contain_text("1 of 9 solved.")
    page.assert_no_traceback()
