"""The still pictures show what they were given, and say it in words as well as in colour."""

import matplotlib.pyplot as plt
import pytest
import torch

from seminar_lib.plots import RIGHT, WRONG, gallery, probability_bars, training_curve, triptych

CLASSES = ("ant", "bee", "cat")


@pytest.fixture
def x():
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1


@pytest.fixture
def change(x):
    signs = torch.randint(-1, 2, x.shape, generator=torch.Generator().manual_seed(1))
    return signs * torch.tensor([0.02, 0.05])[:, None, None, None]


P = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
P_ADV = torch.tensor([[0.1, 0.81, 0.09], [0.05, 0.05, 0.9]])
Y = torch.tensor([0, 2])


def pixels(ax):
    return torch.from_numpy(ax.images[0].get_array().copy()).permute(2, 0, 1)


def test_a_triptych_shows_the_images_it_was_given(x, change):
    axes = triptych(x, x + change, P, P_ADV, Y, CLASSES).axes
    for row in range(2):
        torch.testing.assert_close(pixels(axes[3 * row]), x[row])
        torch.testing.assert_close(pixels(axes[3 * row + 2]), x[row] + change[row])


def test_the_perturbation_spans_the_grey_scale_about_mid_grey(x, change):
    axes = triptych(x, x + change, P, P_ADV, Y, CLASSES).axes
    for row, factor in enumerate((25, 10)):  # 0.5 / 0.02 and 0.5 / 0.05
        torch.testing.assert_close(pixels(axes[3 * row + 1]), 0.5 + 0.5 * change[row].sign(), atol=1e-4, rtol=0)
        assert axes[3 * row + 1].get_title().endswith(f" {factor}")


def test_no_perturbation_is_all_grey(x):
    perturbation = triptych(x, x, P, P, Y, CLASSES).axes[1]
    assert (pixels(perturbation) == 0.5).all()


def test_a_triptych_says_truth_answers_and_confidence(x, change):
    axes = triptych(x, x + change, P, P_ADV, Y, CLASSES).axes
    assert [ax.get_title() for ax in axes[::3]] == [f"{RIGHT} ant 70%", f"{RIGHT} cat 60%"]
    assert [ax.get_title() for ax in axes[2::3]] == [f"{WRONG} bee 81%", f"{RIGHT} cat 90%"]
    assert [ax.texts[0].get_text() for ax in axes[::3]] == ["ant", "cat"]


@pytest.mark.parametrize(
    ("name", "bad", "words"),
    [
        ("x_adv", torch.full((1, 3, 8, 8), 0.5), "x_adv must have shape"),
        ("p", torch.full((2, 4), 0.25), r"p must have shape \(2, 3\)"),
        ("p_adv", torch.full((3,), 0.25), r"p_adv must have shape \(2, 3\)"),
        ("y", torch.tensor([0, 3]), "3 classes"),
    ],
)
def test_a_triptych_refuses_what_does_not_fit(x, name, bad, words):
    fitting = {"x": x, "x_adv": x, "p": P, "p_adv": P, "y": Y, "classes": CLASSES}
    with pytest.raises(ValueError, match=words):
        triptych(**fitting | {name: bad})


def test_tensors_with_a_gradient_and_grey_images_can_be_drawn():
    grey = torch.rand(2, 1, 4, 4).requires_grad_()
    logits = grey.flatten(1)[:, :3]
    axes = triptych(grey, grey, logits.softmax(1), logits.softmax(1), Y, CLASSES).axes
    torch.testing.assert_close(pixels(axes[0]), grey[0].detach().expand(3, 4, 4))


def test_a_gallery_fills_its_rows_in_order():
    images = torch.rand(5, 3, 4, 4)
    axes = gallery(images, list("abcde"), columns=3).axes
    assert [ax.get_title() for ax in axes] == ["a", "b", "c", "d", "e", ""]
    for ax, image in zip(axes[:5], images, strict=True):
        torch.testing.assert_close(pixels(ax), image)
    assert not axes[5].images
    assert len(gallery(images[:2], ["a", "b"], columns=3).axes) == 2


def test_a_gallery_wants_a_caption_for_each_image():
    with pytest.raises(ValueError, match="2 images, 1 captions"):
        gallery(torch.rand(2, 3, 4, 4), ["a"])


def test_figures_are_left_to_the_notebook_to_show_once(x):
    before = plt.get_fignums()
    triptych(x, x, P, P, Y, CLASSES)
    gallery(x, ["a", "b"])
    assert plt.get_fignums() == before


def test_bars_show_the_highest_probabilities_and_mark_the_true_class():
    figure, ax = plt.subplots()
    p = torch.tensor([0.05, 0.5, 0.3, 0.15])
    assert probability_bars(p, ["ant", "bee", "cat", "dog"], label=2, ax=ax, top=3) is ax
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.5, 0.3, 0.15])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["bee", f"{RIGHT} cat", "dog"]
    assert [text.get_fontweight() for text in ax.get_yticklabels()] == ["normal", "bold", "normal"]
    assert [text.get_text() for text in ax.texts] == ["50%", "30%", "15%"]
    assert ax.yaxis_inverted()  # the highest at the top
    plt.close(figure)


@pytest.mark.parametrize(
    ("p", "words"), [(torch.tensor([3.0, -1.0, 2.0]), "softmax"), (torch.tensor([0.5, 0.5]), "each of 3 classes")]
)
def test_bars_refuse_what_are_no_probabilities(p, words):
    with pytest.raises(ValueError, match=words):
        probability_bars(p, CLASSES)


# --- trainings ------------------------------------------------------------------------------------------------------

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


def test_a_training_curve_marks_the_first_of_the_best_epochs(panels):
    for panel in panels(HISTORY):
        assert [line.get_xdata() for line in panel.lines if line.get_label().startswith("_")] == [[2, 2]]
    assert "best epoch 2: 40.0%" in [text.get_text() for text in panels(HISTORY)[0].get_legend().get_texts()]


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
