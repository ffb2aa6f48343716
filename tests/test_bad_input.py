"""Bad input is answered with a sentence, and nothing is changed. The tables say what comes, and words of the answer."""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.attacks import FGSM, PGD, Attack, Transfer, worst_case
from seminar_lib.attacks.base import climb
from seminar_lib.data.augment import Augment
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.data.simclr import SimCLRAugment
from seminar_lib.evaluation import (
    Accuracy,
    accuracy_against_eps,
    certify_set,
    evaluate,
    evaluate_purified,
    gray_box,
)
from seminar_lib.goals import Expectation, Misclassify
from seminar_lib.models import SmallCNN, UNet, ViT
from seminar_lib.objectives import (
    ANCHOR,
    AWP,
    CLEAD,
    DDPM,
    MART,
    TRADES,
    AdversarialTraining,
    Batch,
    CLEADEncoder,
    CLEADHead,
    Consistency,
    CrossEntropy,
    LISArD,
    NoiseTraining,
    SmoothAdv,
)
from seminar_lib.purification import Quantise
from seminar_lib.smoothing import EarlyStop, Smoothed
from seminar_lib.threat import L2, Linf
from seminar_lib.train import Recipe, fit

pytestmark = pytest.mark.usefixtures("as_users_call_it")

NAN, INF = float("nan"), float("inf")
NOISE = Dataset("noise", ("a", "b"), (0.5,) * 3, (0.2,) * 3, lambda name: Split(BYTES, ZEROS))
BYTES, ZEROS = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)

SETTINGS = {
    "eps 0": (lambda: Linf(0), "needs a finite radius eps > 0; got 0. For no attack at all, call the model on x."),
    "eps negative": (lambda: L2(-0.5), "L2 needs a finite radius eps > 0; got -0.5"),
    "eps NaN": (lambda: Linf(NAN), "eps > 0; got nan"),
    "eps infinite": (lambda: L2(INF), "needs a finite radius"),
    "eps in grey levels": (lambda: Linf(8), "eps is measured in pixels of [0, 1], so it is at most 1; got 8."),
    "eps and its mend": (lambda: Linf(8), "Did you mean 8/255?"),
    "eps in place of a threat": (lambda: PGD(8 / 255), "PGD needs a threat model, such as PGD(Linf(8/255))"),
    "steps 0": (lambda: PGD(steps=0), "at least one step and one restart; got steps=0, restarts=1"),
    "restarts 0": (lambda: PGD(restarts=0), "got steps=10, restarts=0"),
    "step_size 0": (lambda: PGD(step_size=0.0), "step_size > 0, in pixels of [0, 1]; got 0.0"),
    "step_size NaN": (lambda: PGD(step_size=NAN), "step_size > 0"),
    "step_size infinite": (lambda: PGD(step_size=INF), "finite step_size"),
    "momentum negative": (lambda: PGD(momentum=-1.0), "momentum >= 0; got -1.0"),
    "momentum NaN": (lambda: PGD(momentum=NAN), "momentum >= 0; got nan"),
    "the same walk twice": (lambda: PGD(restarts=2, random_start=False), "set restarts=1 or random_start=True"),
    "no samples": (lambda: Expectation(None, 0), "at least one sample; got 0"),
    "epochs 0": (lambda: Recipe(epochs=0), "at least one epoch and one image a step; got epochs=0"),
    "batch_size 0": (lambda: Recipe(batch_size=0), "batch_size=0"),
    "rate 0": (lambda: Recipe(rate=0.0), "learning rate > 0; got rate=0.0"),
    "rate NaN": (lambda: Recipe(rate=NAN), "rate=nan"),
    "validation best": (lambda: Recipe(validation="best"), "\"last\", or None for clean accuracy; got 'best'"),
    "ema 1": (lambda: Recipe(ema=1.0), "0 <= ema < 1; got 1.0"),
    "warmup 2": (lambda: AdversarialTraining(warmup=2.0), "share of the training, in [0, 1]; got 2.0"),
    "no attack": (lambda: AdversarialTraining(Linf(8 / 255)), "AdversarialTraining needs an attack, such as PGD(Linf("),
    "smoothing 1": (lambda: CrossEntropy(smoothing=1.0), "spread over all classes, in [0, 1); got 1.0"),
    "smoothing negative": (lambda: AdversarialTraining(smoothing=-0.1), "in [0, 1); got -0.1"),
    "smoothing NaN": (lambda: AdversarialTraining(smoothing=NAN), "in [0, 1); got nan"),
    "TRADES warmup": (lambda: TRADES(warmup=NAN), "share of the training, in [0, 1]; got nan"),
    "TRADES without noise": (lambda: TRADES(PGD(random_start=False)), "start at random; got attack=PGD(Linf(8/255)"),
    "TRADES by an ensemble": (lambda: TRADES(worst_case([PGD(), FGSM()])), "start at random; got attack=WorstCase("),
    "TRADES by FGSM": (lambda: TRADES(FGSM()), "start at random; got attack=FGSM(Linf(8/255))"),
    "MART warmup": (lambda: MART(warmup=-1.0), "in [0, 1]; got -1.0"),
    "AWP of nothing": (lambda: AWP(0.005), "AWP needs an objective, such as AWP(TRADES()); got 0.005."),
    "ANCHOR's temperature 0": (lambda: ANCHOR(temperature=0.0), "it is finite and above 0; got 0.0"),
    "ANCHOR's beta negative": (lambda: ANCHOR(beta=-1.0), "got -1.0. Below 0 the easiest positives would"),
    "ANCHOR without an attack": (lambda: ANCHOR(0.5), "ANCHOR needs an attack, such as PGD(Linf("),
    "CLEAD's temperature infinite": (lambda: CLEAD(temperature=INF), "above 0; got inf"),
    "CLEADEncoder's temperature": (lambda: CLEADEncoder(temperature=-0.1), "got -0.1"),
    "CLEADHead's share 2": (
        lambda: CLEADHead(share=2.0),
        "probability that a batch is adversarial, in [0, 1]; got 2.0",
    ),
    "LISArD's alpha above 1": (lambda: LISArD(alpha=(0.5, 1.5)), "from 0 to 1; got (0.5, 1.5)"),
    "sigma 0": (
        lambda: Smoothed(len, 0),
        "finite sigma > 0, the noise's deviation in pixels of [0, 1]; got 0. Without",
    ),
    "sigma negative": (lambda: Smoothed(len, -0.25), "sigma > 0, the noise's deviation in pixels of [0, 1]; got -0.25"),
    "sigma NaN": (lambda: Smoothed(len, NAN), "got nan"),
    "sigma in grey levels": (lambda: Smoothed(len, 64), "got 64. Did you mean 64/255?"),
    "nothing to smooth": (lambda: Smoothed("resnet", 0.25), "Smoothed needs a model, images to logits; got str"),
    "no draws": (lambda: Smoothed(len, 0.25, samples=0), "of at least one; got samples=0 and chunk=256"),
    "no chunk": (lambda: Smoothed(len, 0.25, chunk=0), "got samples=16 and chunk=0"),
    "target 0": (lambda: EarlyStop(0.0), "a finite target radius > 0, or None; got 0.0"),
    "target infinite": (lambda: EarlyStop(INF), "got inf"),
    "no first look": (lambda: EarlyStop(first=0), "at least one look before it counts; got first=0"),
    "noise without copies": (lambda: NoiseTraining(samples=0), "at least one noisy copy of an image; got samples=0"),
    "SmoothAdv without copies": (lambda: SmoothAdv(samples=0), "SmoothAdv needs at least one noisy copy"),
    "SmoothAdv without an attack": (lambda: SmoothAdv(L2(0.5)), "SmoothAdv needs an attack"),
    "one copy alone": (lambda: Consistency(samples=1), "always agrees with itself: Consistency needs two; got 1"),
    "zoom 0": (lambda: SimCLRAugment(zoom=0.0), "zoom in (0, 1] and grey in [0, 1]; got zoom=0.0, grey=0.2"),
    "grey 2": (lambda: SimCLRAugment(grey=2.0), "grey=2.0"),
    "jitter 2, strong": (lambda: SimCLRAugment(jitter=2.0), "jitter=2.0"),
    "crop negative": (lambda: Augment(crop=-1), "crop >= 0 pixels and jitter in [0, 1]; got crop=-1"),
    "jitter 2": (lambda: Augment(jitter=2.0), "jitter=2.0"),
    "ViT for grey images": (lambda: ViT().build(10, (0.5,), (0.2,)), "Take SmallCNN or ResNet18."),
    "accuracy of nothing": (lambda: Accuracy.of(torch.ones(0).bool()), "at least one image; got none"),
    "float images": (lambda: Split(BYTES / 255, ZEROS), "become bytes with (255 * x).round().to(torch.uint8)"),
    "one image": (lambda: Split(BYTES[0], ZEROS), "uint8 images (N, C, H, W); got torch.uint8 (3, 4, 4)"),
    "int32 labels": (lambda: Split(BYTES, ZEROS.int()), "got torch.int32 (2,). Convert: labels.long()"),
    "one-hot labels": (lambda: Split(BYTES, ZEROS[:, None]), "int64 labels (N,); got torch.int64 (2, 1)"),
    "too few labels": (lambda: Split(BYTES, ZEROS[:1]), "one row of 'labels' per image: 2 images, 1 rows"),
    "too few masks": (lambda: Split(BYTES, ZEROS, {"mask": ZEROS[:1]}), "one row of 'mask' per image"),
    "a sample of none": (lambda: Split(BYTES, ZEROS).sample(0), "at least one image; got n=0"),
    "a sample of a text": (lambda: Split(BYTES, ZEROS).sample("100"), "a whole number of images; got n='100'"),
    "a sample of a broken number": (lambda: Split(BYTES, ZEROS).sample(10.5), "a whole number of images; got n=10.5"),
    "a training by name": (
        lambda: fit("signs_standard", NOISE),
        "recipes.signs_standard() returns; got 'signs_standard'",
    ),
    "a training on a split": (lambda: fit(Recipe(), NOISE.test), "must be a whole Dataset, such as load_data"),
    "a number that watches": (lambda: fit(Recipe("noise"), NOISE, watch=5), "watch must be a function of the history"),
    "batches of none": (lambda: next(Split(BYTES, ZEROS).batches(0)), "at least one image; got size=0"),
}


@pytest.mark.parametrize(("make", "words"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_out_of_range_is_refused(make, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert words in str(caught.value)


# --- attacks --------------------------------------------------------------------------------------------------------


@dataclass
class Call:
    """What an attack is called with, to be spoilt."""

    model: object
    x: Tensor
    y: Tensor
    target: Tensor | None = None
    attack: Attack = PGD(Linf(2 / 255), steps=2)

    def __call__(self) -> Tensor:
        return self.attack(self.model, self.x, self.y, self.target)


class Answers(nn.Module):
    """The model inside, with its answers, or its images, changed."""

    def __init__(self, model, change=lambda logits: logits, images=lambda x: x) -> None:
        super().__init__()
        self.model, self.change, self.images = model, change, images

    def forward(self, x: Tensor) -> object:
        return self.change(self.model(self.images(x)))


def stretched(x: Tensor, low: float, high: float) -> Tensor:
    return (x - x.amin()) / (x.amax() - x.amin()) * (high - low) + low


def with_nan(x: Tensor, i: int) -> Tensor:
    return torch.where(torch.arange(len(x))[:, None, None, None] == i, NAN, x)


IMAGES = {
    "a list": (lambda x: x.tolist(), TypeError, "x must be a torch.Tensor of images; got list"),
    "an array": (lambda x: x.numpy(), TypeError, "got ndarray. Try torch.as_tensor(x)"),
    "uint8": (lambda x: (255 * x).byte(), TypeError, "x holds bytes (uint8, 0 to 255); expected floats in [0, 1]"),
    "int64": (lambda x: x.long(), TypeError, "x must hold floats in [0, 1]; got torch.int64"),
    "float64": (lambda x: x.double(), TypeError, "The model computes in torch.float32 but x is torch.float64"),
    "bfloat16": (lambda x: x.bfloat16(), TypeError, "x holds torch.bfloat16, whose steps are coarser than an attack's"),
    "float16": (lambda x: x.half(), TypeError, "expected float32: x.float()."),
    "0 to 255": (lambda x: stretched(x, 0, 255), ValueError, "spans [0, 255]. Divide by 255."),
    "normalised": (lambda x: stretched(x, -2.1, 2.6), ValueError, "Is it normalised? Pass plain pixels"),
    "a little off": (lambda x: stretched(x, 0, 1.001), ValueError, "Pixels must lie in [0, 1]; image"),
    "NaN": (lambda x: with_nan(x, 3), ValueError, "x holds NaN or infinity, first in image 3"),
    "infinite": (lambda x: x / 0, ValueError, "x holds NaN or infinity"),
    "one image": (lambda x: x[0], ValueError, "A single image becomes a batch with x[None]."),
    "flat": (lambda x: x.flatten(1), ValueError, "(B, C, H, W); got shape (8, 192)"),
    "no images": (lambda x: x[:0], ValueError, "x holds no images: its shape is (0, 3, 8, 8)"),
    "no pixels": (lambda x: x[..., :0], ValueError, "x holds no images: its shape is (8, 3, 8, 0)"),
    "grey": (lambda x: x[:, :1], ValueError, "takes images with 3 channels; got shape (8, 1, 8, 8)"),
}
LABELS = {
    "a list": (lambda y: y.tolist(), TypeError, "must be a torch.Tensor of class indices; got list"),
    "floats": (lambda y: y.float(), TypeError, "must hold class indices (int64); got torch.float32."),
    "int32": (lambda y: y.int(), TypeError, "must hold class indices (int64); got torch.int32."),
    "too short": (lambda y: y[:3], ValueError, "one label for each of 8 images, shape (8,); got shape (3,)"),
    "one-hot": (lambda y: F.one_hot(y, 5), ValueError, "got shape (8, 5)"),
    "too large": (lambda y: y * 0 + 5, ValueError, "[0] is 5, but the model has 5 classes, 0 to 4"),
    "negative": (lambda y: y * 0 - 1, ValueError, "[0] is -1, but the model has 5 classes"),
    "elsewhere": (lambda y: y.to("meta"), ValueError, "is on meta but x is on cpu. Move it"),
}
MODELS = {
    "a name": (lambda m: "resnet", TypeError, "model must be callable, images to logits; got str"),
    "of two inputs": (lambda m: lambda x, t: m(x), TypeError, "images and nothing else; function takes (x, t). Are t"),
    "elsewhere": (lambda m: deepcopy(m).to("meta"), ValueError, "The model is on meta but x is on cpu. Move one"),
    "in bfloat16": (lambda m: deepcopy(m).bfloat16(), TypeError, "too coarse to attack or to judge. Convert: model.fl"),
    "of probabilities": (lambda m: Answers(m, lambda z: z.softmax(1)), ValueError, "attack the layer before it"),
    "of NaN": (lambda m: Answers(m, lambda z: z * NAN), ValueError, "returns NaN or infinity, first for image 0"),
    "of labels": (lambda m: Answers(m, lambda z: z.argmax(1)), ValueError, "(B, K) with B = 8; got shape (8,)"),
    "of one image": (lambda m: Answers(m, lambda z: z[:1]), ValueError, "got shape (1, 5)"),
    "of tuples": (lambda m: Answers(m, lambda z: (z, z)), ValueError, "got tuple"),
    "of one logit": (lambda m: Answers(m, lambda z: z[:, :1]), ValueError, "at least two classes"),
    "that detaches": (lambda m: Answers(m, torch.detach), ValueError, "no gradient with respect to the image"),
    "that detaches x": (lambda m: Answers(m, images=torch.detach), ValueError, "no gradient with respect to"),
    "whose slope is NaN": (
        lambda m: Answers(m, images=lambda x: x + (x - x).sqrt()),
        FloatingPointError,
        "The gradient holds NaN or infinity, first for image 0",
    ),
}
TABLES = {"x": IMAGES, "y": LABELS, "target": LABELS, "model": MODELS}
BAD = {f"{part} {name}": (part, *row) for part, rows in TABLES.items() for name, row in rows.items()}
BAD["target equal to y"] = ("target", lambda y: y, ValueError, "target equals y for some images")


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(("part", "spoil", "error", "words"), BAD.values(), ids=BAD)
def test_an_attack_refuses_bad_input_and_changes_nothing(part, spoil, error, words, training, tiny, x, y):
    tiny.train(training)
    before = deepcopy(tiny), x.clone(), y.clone()
    call = Call(tiny, x, y)
    spoilt = replace(call, **{part: spoil(y if part == "target" else getattr(call, part))})
    with pytest.raises(error) as caught:
        spoilt()
    assert words in str(caught.value)
    if part in ("y", "target"):
        assert str(caught.value).startswith(part)
    assert torch.equal(x, before[1])
    assert torch.equal(y, before[2])
    assert all(map(torch.equal, tiny.state_dict().values(), before[0].state_dict().values()))
    assert all(parameter.requires_grad and parameter.grad is None for parameter in tiny.parameters())
    assert all(module.training == training for module in tiny.modules())


def test_run_checks_the_images_too(tiny, x, y):
    with pytest.raises(ValueError, match=r"Divide by 255"):
        FGSM().run(Misclassify(tiny, y), 255 * x)


def test_rounding_errors_are_forgiven(tiny, x, y):
    assert FGSM()(tiny, x * (1 + 2e-7), y).max() <= 1


def test_a_gradient_that_is_merely_zero_is_no_error(tiny, x, y):
    score, grad = climb(Misclassify(lambda images: tiny(images.round()), y), x)
    assert not grad.any()
    assert score.loss.isfinite().all()


@pytest.mark.parametrize("channels", [1, 4])
def test_a_network_refuses_images_with_other_channels(channels, tiny):
    """One channel would otherwise be broadcast to three, and quietly classified."""
    with pytest.raises(ValueError, match=rf"takes images with 3 channels; got shape \(2, {channels}, 8, 8\)"):
        tiny(torch.rand(2, channels, 8, 8))


# --- objectives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "spoil", "error", "words"), [row for row in BAD.values() if row[0] in "xy"])
@pytest.mark.parametrize("objective", [CrossEntropy(), TRADES(PGD(steps=1)), LISArD()], ids=lambda o: type(o).__name__)
def test_an_objective_refuses_bad_images_and_labels_and_changes_nothing(
    objective, part, spoil, error, words, tiny, x, y
):
    tiny.train()
    before = deepcopy(tiny.state_dict())
    batch = Batch(x, y)._replace(**{part: spoil(x if part == "x" else y)})
    with pytest.raises(error) as caught:
        objective(tiny, batch)
    assert words in str(caught.value)
    assert all(map(torch.equal, tiny.state_dict().values(), before.values()))


NETWORKS = {
    "a layer": (TRADES(), lambda m: m.head, "TRADES trains a Classifier, as an arch"),
    "an architecture": (CrossEntropy(), lambda m: SmallCNN(), "seminar_lib.models builds it; got SmallCNN."),
    "a classifier": (DDPM(), lambda m: m, "DDPM trains a NoisePredictor, as an architecture"),
    "elsewhere": (LISArD(), lambda m: deepcopy(m).to("meta"), "The model is on meta but x is on cpu. Move one"),
    "in bfloat16": (CrossEntropy(), lambda m: deepcopy(m).bfloat16(), "Convert: model.float()"),
}


@pytest.mark.parametrize(("objective", "change", "words"), NETWORKS.values(), ids=NETWORKS)
def test_an_objective_refuses_a_network_that_it_cannot_train(objective, change, words, tiny, x, y):
    with pytest.raises((TypeError, ValueError)) as caught:
        objective(change(tiny), Batch(x, y))
    assert words in str(caught.value)


def test_an_objective_refuses_images_and_labels_that_are_no_batch(tiny, x, y):
    with pytest.raises(TypeError, match=r"CrossEntropy needs the images of one step, Batch\(x, y\); got tuple\."):
        CrossEntropy()(tiny, (x, y))


def test_images_of_a_diffusion_need_no_labels(x):
    model = UNet(8).build(3)
    assert DDPM()(model, Batch(x, torch.zeros(len(x)).long() - 1))["noise"].isfinite()
    with pytest.raises(ValueError, match=r"Divide by 255"):
        DDPM()(model, Batch(255 * x, torch.zeros(len(x)).long()))


# --- smoothing ------------------------------------------------------------------------------------------------------

CALLS = {
    "too few samples": (lambda s, x: s.certify(x, n=9), "n=9 samples cannot certify anything with alpha=0.001"),
    "and how many it takes": (lambda s, x: s.certify(x, n=0), "Take n=10 or more."),
    "too few for the target": (
        lambda s, x: s.certify(x, n=300, early=EarlyStop(0.5)),
        "n=300 samples cannot certify a radius of 0.5 at sigma=0.25 with alpha=0.001, even if all of them agree. Take",
    ),
    "a target out of reach": (lambda s, x: s.certify(x, early=EarlyStop(9.0)), "36 sigma is out of reach"),
    "too few to predict": (lambda s, x: s.predict(x, n=10), "abstain from every prediction at alpha=0.001"),
    "and how many that takes": (lambda s, x: s.predict(x, n=10), "Take n=11 or more."),
    "alpha 0": (
        lambda s, x: s.certify(x, alpha=0.0),
        "an error that you accept, 0 < alpha < 0.5, such as 0.001; got 0.0",
    ),
    "alpha turned round": (lambda s, x: s.certify(x, alpha=0.999), "got 0.999. Did you mean 0.001?"),
    "alpha NaN": (lambda s, x: s.predict(x, alpha=NAN), "got nan"),
    "nothing to count": (lambda s, x: s.votes(x, n=0), "at least one noisy copy; got n=0"),
    "nothing to choose by": (lambda s, x: s.certify(x, n0=0), "at least one sample to choose an answer by; got n0=0"),
    "bright images": (lambda s, x: s.certify(255 * x), "Divide by 255."),
    "one image alone": (lambda s, x: s.predict(x[0]), "A single image becomes a batch with x[None]."),
    "doubles": (lambda s, x: s.predict(x.double()), "The model computes in torch.float32 but x is torch.float64"),
    "probabilities": (lambda s, x: Smoothed(Answers(s.model, lambda z: z.softmax(1)), 1).predict(x), "returns probab"),
    "NaN": (lambda s, x: Smoothed(Answers(s.model, lambda z: z * NAN), 1).certify(x), "The model returns NaN"),
}


@pytest.mark.parametrize(("call", "words"), CALLS.values(), ids=CALLS)
def test_smoothing_refuses_bad_input(call, words, tiny, x):
    tiny.train()
    with pytest.raises((TypeError, ValueError)) as caught:
        call(Smoothed(tiny, 0.25), x)
    assert words in str(caught.value)
    assert all(module.training for module in tiny.modules())


# --- evaluate -------------------------------------------------------------------------------------------------------

curve = accuracy_against_eps
purified = partial(evaluate_purified, Quantise())
EVALUATIONS = {
    "no images": (lambda m, d: evaluate(m, d[:0], {}), "at least one image, one at a time; got 0 images"),
    "batches of none": (lambda m, d: evaluate(m, d, {}, batch_size=0), "8 images and batch_size=0"),
    "a seed of 65 bits": (lambda m, d: evaluate(m, d, {}, seed=2**64), "A seed has 64 bits, from -2**63"),
    "a seed of a text": (lambda m, d: evaluate(m, d, {}, seed="0"), "whole number, Python's int; got seed='0'."),
    "a seed of NumPy's": (lambda m, d: d.sample(3, seed=np.int64(3)), "got seed=np.int64(3). Try int(seed)."),
    "a sample's seed": (lambda m, d: d.sample(3, seed=-(2**63) - 1), "got seed=-9223372036854775809."),
    "a name that is taken": (lambda m, d: evaluate(m, d, {"clean": FGSM()}), "'clean' belongs to a row of the report"),
    "another one": (lambda m, d: evaluate(m, d, {"worst case": FGSM()}), "'worst case' belongs to a row"),
    "labels too large": (lambda m, d: evaluate(m, replace(d, labels=d.y + 5), {}), "the model has 5 classes, 0 to 4"),
    "a model of NaN": (lambda m, d: evaluate(Answers(m, lambda z: z * NAN), d, {}), "The model returns NaN"),
    "a model of labels": (lambda m, d: evaluate(Answers(m, lambda z: z.argmax(1)), d, {}), "must return logits"),
    "a model elsewhere": (lambda m, d: evaluate(deepcopy(m).to("meta"), d, {}), "is on meta but x is on cpu"),
    "a model of doubles": (lambda m, d: evaluate(deepcopy(m).double(), d, {}), "computes in torch.float64"),
    "no such row": (lambda m, d: evaluate(m, d, {})["PGD"], "There is no row 'PGD'; the rows are clean, worst case"),
    "its classes": (lambda m, d: evaluate(m, d, {}).by_class("PGD"), "There is no row 'PGD'"),
    "an attack without a name": (lambda m, d: evaluate(m, d, PGD()), "such as {'PGD-10': PGD()}; got PGD(Linf(8/255)"),
    "a threat by name": (lambda m, d: evaluate(m, d, {"pgd": Linf()}), "'pgd' must be an attack, such as PGD(Linf("),
    "attacks along a curve": (lambda m, d: curve(m, d, {"": FGSM()}, [0]), "eps needs one attack, such as PGD(Linf("),
    "no radii": (lambda m, d: curve(m, d, FGSM(), []), "eps must rise from 0 or more; got []"),
    "falling radii": (lambda m, d: curve(m, d, FGSM(), [0.1, 0]), "eps must rise"),
    "negative radii": (lambda m, d: curve(m, d, FGSM(), [-0.1, 0]), "eps must rise"),
    "NaN radii": (lambda m, d: curve(m, d, FGSM(), [0, NAN, 0.1]), "eps must rise"),
    "radii in grey levels": (lambda m, d: curve(m, d, FGSM(), [0, 8]), "Did you mean 8/255?"),
    "a curve of no images": (lambda m, d: curve(m, d[:0], FGSM(), [0]), "eps needs at least one image, one at a"),
    "no surrogates": (lambda m, d: gray_box(m, {}, d, {"": FGSM()}), "at least one surrogate and one attack"),
    "no attacks on surrogates": (lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {}), "one attack, each by name"),
    "a nameless surrogate": (
        lambda m, d: gray_box(m, nn.Sequential(m), d, {"": FGSM()}),
        "such as {'another seed': network}",
    ),
    "a surrogate's name that is taken": (
        lambda m, d: gray_box(m, {"worst case": nn.Sequential(m)}, d, {"": FGSM()}),
        "'worst case' belongs to a column of the report; call the surrogate something else",
    ),
    "the victim for a surrogate": (
        lambda m, d: gray_box(m, {"other": nn.Sequential(m), "twin": m}, d, {"": FGSM()}),
        "The surrogate 'twin' is the victim itself. That is the white box",
    ),
    "a copy of the victim for a surrogate": (
        lambda m, d: gray_box(m, {"loaded again": deepcopy(m)}, d, {"": FGSM()}),
        "The surrogate 'loaded again' is the victim itself",
    ),
    "one surrogate under two names": (
        lambda m, d: gray_box(m, {"a": (twin := nn.Sequential(m)), "b": deepcopy(twin)}, d, {"": FGSM()}),
        "The surrogates 'a' and 'b' are one network, which would count twice",
    ),
    "a surrogate of another task": (
        lambda m, d: gray_box(m, {"": nn.Sequential(nn.Flatten(), nn.Linear(192, 7))}, d, {"": FGSM()}),
        "The surrogate has 7 classes and the victim 5",
    ),
    "a surrogate of NaN": (
        lambda m, d: gray_box(m, {"": Answers(m, lambda z: z * NAN)}, d, {"": FGSM()}),
        "The model returns NaN",
    ),
    "no surrogate at all": (lambda m, d: gray_box(m, {"": "resnet"}, d, {"": FGSM()}), "must be callable"),
    "a gray box of no images": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d[:0], {"": FGSM()}),
        "gray_box needs at least one image, one at a time; got 0 images",
    ),
    "gray batches of none": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"": FGSM()}, batch_size=0),
        "gray_box needs at least one image, one at a time; got 8 images and batch_size=0",
    ),
    "a name that is taken in the gray box": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"clean": FGSM()}),
        "'clean' belongs to a row of the report",
    ),
    "a threat for an attack": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"": Linf()}),
        "'' must be an attack, such as PGD(Linf(8/255)); got Linf(",
    ),
    "a transfer of a transfer": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"moved": Transfer(FGSM(), nn.Sequential(m))}),
        "moved is a transfer already, and gray_box makes one for each surrogate",
    ),
    "a transfer in an ensemble": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"both": worst_case([FGSM(), Transfer(FGSM(), m)])}),
        "both is a transfer already",
    ),
    "no such row of a gray box": (
        lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"walk": PGD(steps=1)}, progress=False)["PGD"],
        "There is no row 'PGD'; the rows are clean, walk, worst case",
    ),
    "no images to purify": (
        lambda m, d: purified(m, d[:0], FGSM()),
        "got 0 images and batch_size=64",
    ),
    "purified without a draw": (lambda m, d: purified(m, d, FGSM(), draws=0), "one look; got draws=0 and eot=10."),
    "purified without a look": (lambda m, d: purified(m, d, FGSM(), eot=0), "eot=0"),
    "purified in batches of none": (lambda m, d: purified(m, d, FGSM(), batch_size=0), "batch_size=0"),
    "a function for a purifier": (
        lambda m, d: evaluate_purified(torch.round, m, d, FGSM()),
        "needs a purifier, images to images, both an nn.Module; got builtin_function_or_method",
    ),
    "a function behind a purifier": (
        lambda m, d: purified(m.forward, d, FGSM()),
        "needs a classifier, images to logits",
    ),
    "several attacks on a purifier": (
        lambda m, d: purified(m, d, {"fgsm": FGSM()}),
        "needs one attack, such as PGD(Linf(8/255), steps=100); got {'fgsm'",
    ),
    "a purifier that crops": (
        lambda m, d: evaluate_purified(nn.ZeroPad2d(-1), m, d, FGSM()),
        "of the shape that it was given, (8, 3, 8, 8); got (8, 3, 6, 6)",
    ),
    "a purifier elsewhere": (
        lambda m, d: evaluate_purified(nn.Conv2d(3, 3, 1, device="meta"), m, d, FGSM()),
        "is on meta but x is on cpu",
    ),
    "a purifier of NaN": (
        lambda m, d: evaluate_purified(Answers(nn.Identity(), lambda x: x * NAN), m, d, FGSM()),
        "The model returns NaN",
    ),
    "purified labels too large": (
        lambda m, d: purified(m, replace(d, labels=d.y + 5), FGSM()),
        "has 5 classes, 0 to 4",
    ),
}


MEASUREMENTS = {
    "evaluate": lambda m, d: evaluate(m, d, {}),
    "gray_box": lambda m, d: gray_box(m, {"": nn.Sequential(m)}, d, {"": FGSM()}),
    "accuracy_against_eps": lambda m, d: curve(m, d, FGSM(), [0]),
    "evaluate_purified": lambda m, d: purified(m, d, FGSM()),
    "certify_set": lambda m, d: certify_set(Smoothed(m, 0.25), d),
}


@pytest.mark.parametrize("measure", MEASUREMENTS.values(), ids=MEASUREMENTS)
def test_what_is_no_split_is_refused_by_all_measurements(measure, tiny, x, y):
    with pytest.raises(TypeError, match=r"data must be a Split, .* got tuple\. .* become one with Split\(\(255 \* x\)"):
        measure(tiny, (x, y))
    with pytest.raises(TypeError, match=r"got the whole data set 'noise'\. Take its test images: \.test\."):
        measure(tiny, NOISE)


@pytest.fixture
def split(x, y) -> Split:
    return Split((255 * x).round().to(torch.uint8), y)


@pytest.mark.parametrize(("call", "words"), EVALUATIONS.values(), ids=EVALUATIONS)
def test_evaluate_refuses_bad_input(call, words, tiny, split):
    tiny.train()
    with pytest.raises((KeyError, TypeError, ValueError)) as caught:
        call(tiny, split)
    assert words in str(caught.value)
    assert all(module.training for module in tiny.modules())


def test_a_bad_radius_is_refused_before_any_is_attacked(split):
    with pytest.raises(ValueError, match="Did you mean 8/255"):
        accuracy_against_eps(lambda x: pytest.fail("called"), split, FGSM(), [0, 0.1, 8])


def test_a_model_in_training_mode_is_evaluated_and_left_so(tiny, split):
    attacks = {"fgsm": FGSM(Linf(2 / 255))}
    expected = evaluate(tiny, split, attacks, progress=False)
    report = evaluate(tiny.train(), split, attacks, progress=False)
    assert all(torch.equal(report.correct[name], expected.correct[name]) for name in expected.correct)
    assert all(module.training for module in tiny.modules())
