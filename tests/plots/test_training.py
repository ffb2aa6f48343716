"""The curve of a training shows every figure of its history, and marks the best epoch."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from toy import toy

from seminar_lib.attacks import FGSM
from seminar_lib.data.augment import Augment
from seminar_lib.models import SmallCNN, UNet
from seminar_lib.objectives import DDPM
from seminar_lib.plots import training_curve
from seminar_lib.train import Recipe, fit
from seminar_lib.widgets import LiveCurve

ROBUST = [0.2, 0.4, 0.4, 0.3]
HISTORY = [
    {"epoch": e, "clean": 2 / e, "divergence": 1 / e, "clean accuracy": 0.2 * e, "robust accuracy": robust}
    | {"score": robust, "seconds": 3.0}
    for e, robust in enumerate(ROBUST, 1)
]


def drawn(ax):
    """The points of each curve by the name in its label, but for the last value in it."""
    labelled = [line for line in ax.lines if not line.get_label().startswith("_")]
    return {line.get_label().rsplit(" ", 1)[0]: line.get_xydata().tolist() for line in labelled}


@pytest.fixture
def panels():
    figure, ax = plt.subplots()
    yield lambda history: (training_curve(history, ax), figure.axes[-1])
    plt.close(figure)


def test_a_training_curve_shows_every_figure_of_the_history(panels):
    accuracies, terms = panels(HISTORY)
    assert drawn(terms) == {
        "clean": [[e, 2 / e] for e in range(1, 5)],
        "divergence": [[e, 1 / e] for e in range(1, 5)],
    }
    shown = drawn(accuracies)
    assert shown["clean"] == [[e, 0.2 * e] for e in range(1, 5)]
    assert shown["robust"] == [[e, ROBUST[e - 1]] for e in range(1, 5)]
    assert [text.get_text() for text in terms.get_legend().get_texts()] == ["clean 0.5", "divergence 0.25"]


def test_the_curve_of_a_network_that_gives_images_shows_its_loss(panels):
    losses = [0.5, 0.2, 0.3]
    history = [
        {"epoch": e, "noise": 1 / e, "validation loss": loss, "score": -loss, "seconds": 3.0}
        for e, loss in enumerate(losses, 1)
    ]
    below, terms = panels(history)
    assert drawn(below)["validation loss"] == [[e, loss] for e, loss in enumerate(losses, 1)]
    assert drawn(terms).keys() == {"noise"}
    assert "best epoch 2: 0.2" in [text.get_text() for text in below.get_legend().get_texts()]
    assert below.get_title(loc="left") == "loss, validation images"
    assert below.get_ylim()[0] < 0.2 < 0.5 < below.get_ylim()[1] < 0.6


def test_a_training_curve_marks_the_first_of_the_best_epochs(panels):
    for panel in panels(HISTORY):
        assert [line.get_xdata() for line in panel.lines if line.get_label().startswith("_")] == [[2, 2]]
    assert "best epoch 2: 40.0%" in [text.get_text() for text in panels(HISTORY)[0].get_legend().get_texts()]


CLASSIFIER = Recipe("toy", model=SmallCNN(2), epochs=2, batch_size=16, augment=Augment(crop=0), bf16=False)


@pytest.mark.parametrize(
    ("recipe", "name", "words"),
    [
        (replace(CLASSIFIER, validation="last"), "clean accuracy", "{:.1%}"),
        (replace(CLASSIFIER, validation=FGSM()), "robust accuracy", "{:.1%}"),
        (replace(CLASSIFIER, model=UNet(8), objective=DDPM()), "validation loss", "{:.3g}"),
    ],
    ids=["last", "attacked", "images"],
)
def test_picture_and_sentence_say_what_the_best_epoch_reached(recipe, name, words, panels):
    trained, curve = fit(recipe, toy(), progress=False), LiveCurve()
    best, last = trained.best_epoch, words.format(trained.history[-1][name])
    reached = words.format(trained.history[best - 1][name])
    labels = [text.get_text() for text in panels(trained.history)[0].get_legend().get_texts()]
    assert labels[-1] == f"best epoch {best}: {reached}"
    curve(trained.history)
    said = curve.describe(curve.state)
    assert f"{name} {last}. Best so far: epoch {best} with {reached}." in said


def test_curves_differ_in_more_than_colour(panels):
    for panel in panels([{**row, "third": 1.0, "fourth": 0.5} for row in HISTORY]):
        lines = [line for line in panel.lines if len(line.get_xdata()) == 4]
        assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == len(lines) > 1


def test_an_epoch_under_way_continues_the_terms_alone(panels):
    accuracies, terms = panels([*HISTORY, {"epoch": 4.5, "clean": 0.4, "divergence": 0.2}])
    assert drawn(terms)["clean"][-1] == [4.5, 0.4]
    assert drawn(accuracies)["robust"][-1] == [4, 0.3]


def test_the_first_steps_can_be_drawn(panels):
    accuracies, terms = panels([{"epoch": 0.1, "clean": 2.3}])
    assert drawn(terms) == {"clean": [[0.1, 2.3]]}
    assert drawn(accuracies) == {}


@pytest.mark.parametrize(
    "history", [[], [{"clean": 1.0}], HISTORY[::-1], [HISTORY[0]] * 2], ids=["empty", "no epoch", "backwards", "twice"]
)
def test_what_is_no_history_is_refused(history, panels):
    with pytest.raises(ValueError, match="A history holds a row for each epoch"):
        panels(history)


def test_axes_without_a_place_to_divide_are_refused():
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match=r"take axes of plt\.subplots"):
        training_curve(HISTORY, ax)
    plt.close()
