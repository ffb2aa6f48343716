"""What all detectors promise, the threshold that follows from a rate of false alarms, and what is refused."""

from dataclasses import replace

import pytest
import torch

from seminar_lib.attacks import FGSM
from seminar_lib.data.dataset import Dataset
from seminar_lib.detection import Detector, FeatureSqueezing, KernelDensity, LearnedDetector, Mahalanobis
from seminar_lib.detection.base import quantile
from seminar_lib.goals import StayUnder
from seminar_lib.types import Images, PerExample

FITTED = {
    "squeezing": lambda model, data: FeatureSqueezing(model),
    "mahalanobis": Mahalanobis.fit,
    "density": KernelDensity.fit,
    "learned": lambda model, data: LearnedDetector.fit(model, data, FGSM(stop_when_fooled=False)),
}


class Brightness(Detector):
    """A detector whose scores are known: the mean of the pixels."""

    def score(self, x: Images) -> PerExample:
        return x.mean((1, 2, 3))


@pytest.fixture(params=FITTED)
def detector(request, tiny, task) -> Detector:
    return FITTED[request.param](tiny, task)


def test_scores_belong_to_their_image_alone_and_have_a_slope(detector, x):
    whole = detector.scores(x)
    assert whole.shape == (8,)
    torch.testing.assert_close(detector.scores(x[3:5]), whole[3:5], rtol=1e-4, atol=1e-5)
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(detector.opened().score(x)[3], x)
    assert slope[3].any()
    assert not slope[:3].any()
    assert not slope[4:].any()


def test_opening_a_detector_changes_no_score(detector, x):
    torch.testing.assert_close(detector.opened().scores(x), detector.scores(x))


def test_the_network_is_left_as_it_was(detector, tiny, x):
    tiny.train()
    before = {name: part.clone() for name, part in tiny.state_dict().items()}
    detector.scores(x)
    FGSM().run(StayUnder(detector.opened().score, float(detector.scores(x).median())), x)
    assert all(torch.equal(before[name], part) for name, part in tiny.state_dict().items())
    assert all(module.training for module in tiny.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in tiny.parameters())


@pytest.mark.parametrize("name", ["mahalanobis", "density", "learned"])
def test_only_training_images_are_fitted_on(name, tiny, task, x):
    def read(split: str):
        return getattr(task, split) if split == "train" else pytest.fail(f"{split} was read")

    first = FITTED[name](tiny, task).scores(x)
    assert torch.equal(FITTED[name](tiny, replace(task, read=read)).scores(x), first)


@pytest.mark.parametrize("fpr", [0.05, 0.1, 0.29, 0.5])
def test_the_threshold_rejects_the_share_of_validation_images(fpr, task):
    detector = Brightness()
    scores = detector.scores(task.validation.x)
    rejected = int((scores > detector.threshold_at(task, fpr)).sum())
    assert rejected == int(fpr * 60)
    assert (scores >= detector.threshold_at(task, fpr)).sum() == rejected + 1  # the smallest such threshold


def test_equal_scores_are_accepted_together():
    assert quantile(torch.tensor([1.0, 2, 2, 2, 2, 2, 2, 2, 2, 2]), 0.2) == 2
    assert quantile(torch.arange(100.0), 0.29) == 70  # though 0.29 * 100 is a little less than 29 in floats


@pytest.mark.parametrize(("fpr", "enough"), [(0.01, 100), (0.03, 34), (0.3, 4), (1 / 3, 3), (0.4, 3), (0.9, 2)])
def test_so_many_images_are_enough_and_one_less_is_not(fpr, enough):
    with pytest.raises(ValueError, match=f"Of {enough - 1} validation images none .* Take {enough} images or more"):
        quantile(torch.arange(float(enough - 1)), fpr)
    assert quantile(torch.arange(float(enough)), fpr) == enough - 2


REFUSED = {
    "fpr 0": (lambda m, d: Brightness().threshold_at(d, 0.0), "in (0, 1); got fpr=0.0"),
    "fpr in percent": (lambda m, d: Brightness().threshold_at(d, 5), "got fpr=5. Did you mean 0.05?"),
    "fpr NaN": (lambda m, d: Brightness().threshold_at(d, float("nan")), "got fpr=nan"),
    "too rare an alarm": (
        lambda m, d: Brightness().threshold_at(d, 0.01),
        "Of 60 validation images none may be rejected at fpr=0.01: the threshold would be a guess. Take 100 images",
    ),
    "images out of range": (lambda m, d: FeatureSqueezing(m).scores(255 * d.test.x), "Divide by 255"),
    "a broken detector": (
        lambda m, d: type("Broken", (Brightness,), {"score": lambda self, x: x.mean((1, 2, 3)) / 0})().scores(d.test.x),
        "Broken must give a finite score for each of 20 images",
    ),
    "a split": (lambda m, d: Mahalanobis.fit(m, d.train), "of which it takes the training images; got Split"),
    "a plain network": (lambda m, d: KernelDensity.fit(m.backbone, d), "Classifier, which has an embedding; got Sequ"),
    "other classes": (
        lambda m, d: LearnedDetector.fit(m, replace(d, classes=("a", "b"))),
        "The network tells 5 classes and noise has 2",
    ),
    "too few images": (
        lambda m, d: Mahalanobis.fit(m, d, n=60),
        "The covariance of 64 features around 5 means needs 69 or more training images; got 60",
    ),
    "too few of a class": (
        lambda m, d: Mahalanobis.fit(m, without(d, 3)),
        "A covariance needs 2 or more training images of each class; class 3 has 0 of 160",
    ),
    "too few for a density": (lambda m, d: KernelDensity.fit(m, without(d, 2)), "class 2 has 0 of 160"),
    "no bandwidth": (lambda m, d: KernelDensity.fit(m, d, bandwidth=0.0), "finite bandwidth > 0; got 0.0"),
    "no squeezers": (lambda m, d: FeatureSqueezing(m, ()), "at least one squeezer"),
}


def without(data: Dataset, label: int) -> Dataset:
    train = data.train
    return replace(data, read=lambda name: train[train.labels != label])


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("as_users_call_it")
def test_bad_input_is_refused_in_a_sentence(call, words, tiny, task):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(tiny, task)
    assert words in str(caught.value)
