"""What all checks share: how a mistake is shown, when Run All goes on, and the example that answers are tried on."""

import pytest

from seminar_lib.exercises.marking import Example, Mistake, ask, marks

from .conftest import stub


def test_a_mistake_is_shown_without_a_traceback():
    assert Mistake("clip it")._render_traceback_() == ["Not yet: clip it"]


def test_run_all_in_jupyterlab_passes_over_an_exercise_that_nobody_tried(monkeypatch, capsys):
    @marks
    def check(answer):
        if ask("1.2", answer) != 2:
            raise Mistake("nothing was added.")

    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/01_fgsm.ipynb")
    check(stub)
    assert "Not yet: exercise 1.2 is not written yet" in capsys.readouterr().out
    with pytest.raises(Mistake, match="nothing was added"):
        check(lambda: 1)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")  # from a notebook, `!nbgrader autograde` inherits the name
    with pytest.raises(Mistake, match="is not written yet"):
        check(stub)


def test_the_example_holds_images_that_the_model_takes_for_another_class():
    """Otherwise climbing the loss of the prediction would pass for climbing that of the label."""
    example = Example()
    assert (example.model(example.x).argmax(1) != example.y).any()
