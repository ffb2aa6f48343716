"""The checks of lesson 01: the gradient of the image, FGSM, its first-order prediction, and a target."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask, ask_tensor, marks, not_followed, right, same
from seminar_lib.types import Images, Labels

EPS = 8 / 255
OTHER_EPS = 5 / 255  # a fixed number in the place of eps shows at the second question
_UNEVEN = (
    "some of your pixels move further than others. In the Linf ball every pixel may move by eps, so the best step "
    "takes only the gradient's sign."
)


@marks
def check_gradient(input_gradient: Answer) -> None:
    """Exercise 1.1: the gradient of each example's loss with respect to its image."""
    example = Example()
    x, shape = example.x.clone(), tuple(example.x.shape)
    given = ask("1.1", input_gradient, example.model, x, example.y)
    if given is None:
        raise Mistake(
            "your function returns nothing. Does it end with a return? Where it does: x.grad is None if x did not "
            "record what happened to it; take x.clone().requires_grad_() before the model sees x."
        )
    # A copy: a second backward() would add to x.grad itself.
    answer = ask_tensor("1.1", lambda: given, shape).clone()
    if not same(answer, example.gradient(example.y)):
        _explain_gradient(example, answer)
    _judge_manners(x, example, "gradient is")
    again = ask_tensor("1.1", input_gradient, shape, example.model, x, example.y)
    if not same(again, answer):
        raise Mistake("your gradient is right once; a second call with the same images gives another. Does it add up?")
    right("1.1", "Each value says how the loss changes when that pixel gets a little brighter.")


def _explain_gradient(example: Example, answer: Images) -> None:
    """Say what is wrong with a gradient."""
    expected = example.gradient(example.y)
    if (answer == 0).all():
        raise Mistake("your gradient is zero everywhere. Was x.requires_grad set before the model saw x?")
    length = expected.flatten(1).norm(dim=1)[:, None, None, None]
    model, y, cross_entropy = example.model, example.y, partial(nn.functional.cross_entropy, reduction="sum")
    for wrong, sentence in (
        (expected / len(expected), "your gradients are too small by the number of images: cross_entropy averages over "
         "the batch, so each image's gradient depends on how many others there are. Use reduction='sum'."),
        (-expected, "your gradient points downhill: it is that of -loss."),
        (expected.sign(), "return the gradient itself; its sign comes in the next exercise."),
        (expected.abs(), "return the gradient with its signs: they say which way is uphill."),
        (expected / length, "return the gradient as it is: you divided it by its length."),
        (example.gradient(example.model(example.x).argmax(1)), "you used the predicted labels; the adversary wants to "
         "move away from the true ones, y."),
        (_slope(example, lambda x: cross_entropy(model(x).softmax(1), y)), "you take the softmax twice: cross_entropy "
         "expects the logits, model(x), and takes it by itself."),
        (_slope(example, lambda x: cross_entropy(model((x - example.mean) / example.std), y)), "you normalise twice: "
         "the model does it by itself."),
        (_slope(example, lambda x: model(x).gather(1, y[:, None])), "that is the gradient of the true class's logit. "
         "Take that of the loss, F.cross_entropy."),
        (_slope(example, lambda x: -model(x).gather(1, y[:, None])), "that is the gradient of the true class's logit, "
         "which is the loss only where log_softmax came before. Take F.cross_entropy."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    raise Mistake("your gradient is not that of the cross-entropy of model(x) and y with respect to x.")


def _slope(example: Example, loss: Callable[[Images], Tensor]) -> Images:
    """The gradient of another loss of each image with respect to it."""
    x = example.x.clone().requires_grad_()
    return torch.autograd.grad(loss(x).sum(), x)[0]


@marks
def check(my_fgsm: Answer) -> None:
    """Exercise 1.2: FGSM, inside the ball and inside [0, 1]."""
    example = Example()
    grad = example.gradient(example.y)
    answer, x = _ask_images("1.2", my_fgsm, example, example.y, EPS)
    if not same(answer, _moved(example, grad)):
        _explain_step(example, answer, grad)
        if same(answer, _moved(example, -grad)):
            raise Mistake(
                "you walk downhill: the model gets more certain of the right answer. The adversary adds the sign."
            )
        if same(answer, _moved(example, example.gradient(example.model(example.x).argmax(1)))):
            raise Mistake(
                "you climb the loss of the predicted labels; where the model is wrong already, that helps. Use y."
            )
        _judge_evenness(example, answer)
        raise Mistake(
            f"your images stay inside the ball (largest change {_reach(example, answer):.3f}) but are not x + eps * "
            "sign(gradient), clipped to [0, 1]. Is it the gradient of the cross-entropy with respect to x?"
        )
    _judge_manners(x, example, "images are")
    other, _ = _ask_images("1.2", my_fgsm, example, example.y, OTHER_EPS)
    _judge_other_eps(other, _moved(example, grad, OTHER_EPS))
    right("1.2", f"Every pixel moved by {EPS:.3f} at most, towards a higher loss.")


def _ask_images(exercise: str, function: Answer, example: Example, labels: Labels, eps: float) -> tuple[Images, Images]:
    """A student's images, and the clean ones that the function was given, as it left them."""
    x = example.x.clone()
    answer = ask_tensor(exercise, function, tuple(x.shape), example.model, x, labels, eps)
    return answer, x


def _moved(example: Example, uphill: Images, eps: float = EPS) -> Images:
    return (example.x + eps * uphill.sign()).clamp(0, 1)


def _reach(example: Example, answer: Images) -> float:
    return float((answer - example.x).abs().max())


def _explain_step(example: Example, answer: Images, uphill: Images) -> None:
    """Refuse the mistakes of size and range that a step of FGSM along the sign of ``uphill`` may have."""
    clean, sign = example.x, uphill.sign()
    if same(answer, clean):
        raise Mistake("your adversarial images equal the clean ones: nothing was added.")
    if answer.abs().max() < EPS * 1.001 or same(answer, EPS * uphill):
        raise Mistake(
            "you return the step alone, or clip the sum to [-eps, eps]. Add the step to x, and clip the sum to [0, 1]."
        )
    for step, sentence in (
        (EPS * uphill, _UNEVEN),
        (sign, "every pixel of yours ends black or white: eps plays no part in your step, or is not in pixels of "
         "[0, 1]. Multiply the sign by eps as it is given."),
        (uphill, "neither eps nor the sign plays a part in your step: add eps times the sign of the gradient."),
    ):  # fmt: skip
        if any(same(answer.clamp(0, 1), (clean + way * step).clamp(0, 1)) for way in (1, -1)):
            raise Mistake(sentence)
    if answer.min() < -1e-6 or answer.max() > 1 + 1e-6:
        raise Mistake(
            f"your images span [{answer.min():.3f}, {answer.max():.3f}] and leave [0, 1]: no camera can take them. "
            "Clip with clamp(0, 1) at the end."
        )
    reach = _reach(example, answer)
    if abs(reach - EPS / example.std) < 1e-4 or abs(reach - EPS * example.std) < 1e-4:
        raise Mistake(
            f"your perturbation reaches {reach:.3f}, but eps is {EPS:.3f}: that is eps in normalised space. "
            "The model normalises by itself; step in pixels."
        )
    if abs(reach - EPS / 255) < 1e-6:
        raise Mistake(
            "your perturbation is 255 times too small: eps is in pixels of [0, 1] already, so do not divide it again."
        )
    wide = clean + EPS * sign
    if same(answer, (wide - wide.min()) / (wide.max() - wide.min())):
        raise Mistake("you stretch the images to fill [0, 1], which moves every pixel once more. Clip: clamp(0, 1).")
    if reach > EPS * 1.001:
        raise Mistake(
            f"your perturbation reaches {reach:.3f}, but eps is {EPS:.3f}: is the step eps in pixels of [0, 1]?"
        )
    if same(answer, _moved(example, uphill, reach)):
        raise Mistake(f"your steps have length {reach:.3f}, but eps is {EPS:.3f}. Take eps as it is given.")
    unmoved, moved = ((answer - images).abs().amax((1, 2, 3)) < 1e-6 for images in (clean, _moved(example, uphill)))
    if (unmoved | moved).all():
        raise Mistake("you leave some of the images as they are. Here every image takes the step.")


def _judge_evenness(example: Example, answer: Images) -> None:
    unclipped = (example.x > EPS) & (example.x < 1 - EPS)
    if (answer - example.x)[unclipped].abs().std() > 0.01 * EPS:
        raise Mistake(_UNEVEN)


def _judge_manners(x: Images, example: Example, what: str) -> None:
    """What a right answer must not do to the images and the model that it was given."""
    if not torch.equal(x.detach(), example.x):
        raise Mistake(f"your {what} right, but you also changed x in place. Work on a copy.")
    if x.requires_grad or x.grad is not None:
        raise Mistake(
            f"your {what} right, but x records gradients from now on, also for whoever gave it to you, and the next "
            "backward() adds to x.grad. Work on a copy, x = x.clone().requires_grad_(), and take "
            "torch.autograd.grad(loss, x)[0]."
        )
    if example.model.training:
        raise Mistake(f"your {what} right, but you left the model in training mode.")


def _judge_other_eps(answer: Tensor, expected: Tensor) -> None:
    if not same(answer, expected):
        raise not_followed("your answer", "eps", EPS, OTHER_EPS)


@marks
def check_prediction(predicted_increase: Answer) -> None:
    """Exercise 1.3: how much the loss rises if the model is linear as far as eps reaches."""
    grad = Example().gradient(Example().y)
    slope = grad.abs().sum((1, 2, 3))
    expected = EPS * slope
    given = grad.clone()
    answer = ask_tensor("1.3", predicted_increase, (len(grad),), given, EPS)
    if not torch.equal(given, grad):
        raise Mistake("you changed grad in place. Work on a copy.")
    for wrong, sentence in (
        (EPS * grad.sum((1, 2, 3)), "slopes of different sign cancel in your sum; but FGSM moves each pixel in its own "
         "uphill direction."),
        (EPS * grad.sum((1, 2, 3)).abs(), "slopes of different sign cancel in your sum: take each slope's size first, "
         "then add up."),
        (EPS * grad.clamp(min=0).sum((1, 2, 3)), "you leave out the falling slopes. There FGSM makes the pixel darker, "
         "and the loss rises as well."),
        (-expected, "FGSM walks uphill: the loss rises, so the increase is positive."),
        (EPS * grad.flatten(1).norm(dim=1), "that is the rise for a step of Euclidean length eps; FGSM moves every "
         "pixel by eps."),
        (EPS * grad.square().sum((1, 2, 3)), "that is the rise for a step along the gradient itself, eps * g; FGSM "
         "steps along its sign."),
        (EPS * grad.abs().mean((1, 2, 3)), "you average over the pixels; each of them moves, so their contributions "
         "add up."),
        (EPS * grad.abs().amax((1, 2, 3)), "that is the rise if one pixel moves alone. All of them move: add up."),
        (EPS * grad.sign().sum((1, 2, 3)), "you add up the steps. Each step raises the loss by its length times the "
         "slope of its pixel."),
        (slope, "you return the slope; multiply it by the length of the step, eps."),
        (expected / 255, "your increase is 255 times too small: eps is in pixels of [0, 1] already."),
        (expected * 255, "your increase is 255 times too large: eps is in pixels of [0, 1] already."),
        (expected / len(grad), "your increase is too small by the number of images. Each image has its own."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    if not same(answer, expected):
        raise Mistake("one pixel raises the loss by eps * |slope|: add that up over all pixels of an image.")
    _judge_other_eps(ask_tensor("1.3", predicted_increase, (len(grad),), grad.clone(), OTHER_EPS), OTHER_EPS * slope)
    right("1.3", "Thousands of tiny changes, all of the same mind, add up: that is why eps can be so small.")


@marks
def check_targeted(my_targeted_fgsm: Answer) -> None:
    """Exercise 1.4: FGSM towards a label of the adversary's choice."""
    example = Example()
    towards = -example.gradient(example.target)
    answer, x = _ask_images("1.4", my_targeted_fgsm, example, example.target, EPS)
    expected = _moved(example, towards)
    if not same(answer, expected):
        for uphill, sentence in (
            (-towards, "you move away from the target: its loss goes up. Towards it, the loss must go down."),
            (example.gradient(example.y), "that is the untargeted attack: the target's loss plays no part in it."),
            (example.gradient(example.model(example.x).argmax(1)), "you move away from the predicted labels: the "
             "target's loss plays no part in it."),
        ):  # fmt: skip
            if same(answer.clamp(0, 1), _moved(example, uphill)):
                raise Mistake(sentence)
        _explain_step(example, answer, towards)
        _judge_evenness(example, answer)
        raise Mistake("expected x - eps * sign(gradient of the cross-entropy with the target), clipped to [0, 1].")
    _judge_manners(x, example, "images are")
    other, _ = _ask_images("1.4", my_targeted_fgsm, example, example.target, OTHER_EPS)
    _judge_other_eps(other, _moved(example, towards, OTHER_EPS))
    before, after = (
        nn.functional.cross_entropy(example.model(images), example.target) for images in (example.x, answer)
    )
    right("1.4", f"The loss of the target label fell from {before:.2f} to {after:.2f}.")
