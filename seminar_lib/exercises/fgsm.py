"""The checks of lesson 01: the gradient of the image, FGSM, its first-order prediction, and a target."""

from __future__ import annotations

import torch
from torch import nn

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask_tensor, marks, right, same

EPS = 8 / 255


@marks
def check_gradient(input_gradient: Answer) -> None:
    """Exercise 1.1: the gradient of each example's loss with respect to its image."""
    example = Example()
    expected = example.gradient(example.y)
    answer = ask_tensor("1.1", input_gradient, tuple(example.x.shape), example.model, example.x.clone(), example.y)
    if (answer == 0).all():
        raise Mistake("your gradient is zero everywhere. Was x.requires_grad set before the model saw x?")
    if same(answer, expected / len(example.x)):
        raise Mistake(
            "your gradients are too small by the number of images: cross_entropy averages over the batch, so each "
            "image's gradient depends on how many others there are. Use reduction='sum'."
        )
    if same(answer, -expected):
        raise Mistake("your gradient points downhill: it is that of -loss.")
    if same(answer, expected.sign()):
        raise Mistake("return the gradient itself; its sign comes in the next exercise.")
    if same(answer, example.gradient(example.model(example.x).argmax(1))):
        raise Mistake("you used the predicted labels; the adversary wants to move away from the true ones, y.")
    if not same(answer, expected):
        raise Mistake("your gradient is not that of the cross-entropy of model(x) and y with respect to x.")
    right("1.1", "Each value says how the loss changes when that pixel gets a little brighter.")


@marks
def check(my_fgsm: Answer) -> None:
    """Exercise 1.2: FGSM, inside the ball and inside [0, 1]."""
    example = Example()
    clean, x, grad = example.x.clone(), example.x.clone(), example.gradient(example.y)
    answer = ask_tensor("1.2", my_fgsm, tuple(x.shape), example.model, x, example.y, EPS)
    expected = (clean + EPS * grad.sign()).clamp(0, 1)
    if same(answer, expected):
        if not torch.equal(x, clean):
            raise Mistake("your images are right, but you also changed x in place. Work on a copy.")
        right("1.2", f"Every pixel moved by {EPS:.3f} at most, towards a higher loss.")
        return
    if same(answer, clean):
        raise Mistake("your adversarial images equal the clean ones: nothing was added.")
    if answer.min() < -1e-6 or answer.max() > 1 + 1e-6:
        raise Mistake(
            f"your images span [{answer.min():.3f}, {answer.max():.3f}] and leave [0, 1]: no camera can take them. "
            "Clip with clamp(0, 1) at the end."
        )
    reach = float((answer - clean).abs().max())
    if abs(reach - EPS / example.std) < 1e-4 or abs(reach - EPS * example.std) < 1e-4:
        raise Mistake(
            f"your perturbation reaches {reach:.3f}, but eps is {EPS:.3f}: that is eps in normalised space. "
            "The model normalises by itself; step in pixels."
        )
    if abs(reach - EPS / 255) < 1e-6:
        raise Mistake(
            "your perturbation is 255 times too small: eps is in pixels of [0, 1] already, so do not divide it again."
        )
    if reach > EPS * 1.001:
        raise Mistake(
            f"your perturbation reaches {reach:.3f}, but eps is {EPS:.3f}: is the step eps in pixels of [0, 1]?"
        )
    if same(answer, (clean - EPS * grad.sign()).clamp(0, 1)):
        raise Mistake(
            "you walk downhill: the model gets more certain of the right answer. The adversary adds the sign."
        )
    if same(answer, (clean + EPS * example.gradient(example.model(clean).argmax(1)).sign()).clamp(0, 1)):
        raise Mistake(
            "you climb the loss of the predicted labels; where the model is wrong already, that helps. Use y."
        )
    unclipped = (clean > EPS) & (clean < 1 - EPS)
    if (answer - clean)[unclipped].abs().std() > 0.01 * EPS:
        raise Mistake(
            "some of your pixels move further than others. In the Linf ball every pixel may move by eps, so the best "
            "step takes only the gradient's sign."
        )
    raise Mistake(
        f"your images stay inside the ball (largest change {reach:.3f}) but are not x + eps * sign(gradient), clipped "
        "to [0, 1]. Is it the gradient of the cross-entropy with respect to x?"
    )


@marks
def check_prediction(predicted_increase: Answer) -> None:
    """Exercise 1.3: how much the loss rises if the model is linear as far as eps reaches."""
    grad = Example().gradient(Example().y)
    expected = EPS * grad.abs().sum((1, 2, 3))
    answer = ask_tensor("1.3", predicted_increase, (len(grad),), grad, EPS)
    if same(answer, EPS * grad.sum((1, 2, 3))):
        raise Mistake(
            "slopes of different sign cancel in your sum; but FGSM moves each pixel in its own uphill direction."
        )
    if same(answer, EPS * grad.flatten(1).norm(dim=1)):
        raise Mistake("that is the rise for a step of Euclidean length eps; FGSM moves every pixel by eps.")
    if same(answer, EPS * grad.abs().mean((1, 2, 3))):
        raise Mistake("you average over the pixels; each of them moves, so their contributions add up.")
    if same(answer, expected / EPS):
        raise Mistake("you return the slope; multiply it by the length of the step, eps.")
    if not same(answer, expected):
        raise Mistake("one pixel raises the loss by eps * |slope|: add that up over all pixels of an image.")
    right("1.3", "Thousands of tiny changes, all of the same mind, add up: that is why eps can be so small.")


@marks
def check_targeted(my_targeted_fgsm: Answer) -> None:
    """Exercise 1.4: FGSM towards a label of the adversary's choice."""
    example = Example()
    grad = example.gradient(example.target)
    x, shape = example.x, tuple(example.x.shape)
    answer = ask_tensor("1.4", my_targeted_fgsm, shape, example.model, x.clone(), example.target, EPS)
    if same(answer, (x + EPS * grad.sign()).clamp(0, 1)):
        raise Mistake("you move away from the target: its loss goes up. Towards it, the loss must go down.")
    if same(answer, (x + EPS * example.gradient(example.y).sign()).clamp(0, 1)):
        raise Mistake("that is the untargeted attack: the target's loss plays no part in it.")
    if same(answer, x - EPS * grad.sign()) and not same(answer, (x - EPS * grad.sign()).clamp(0, 1)):
        raise Mistake("some pixels leave [0, 1]. Clip at the end, as before.")
    if not same(answer, (x - EPS * grad.sign()).clamp(0, 1)):
        raise Mistake("expected x - eps * sign(gradient of the cross-entropy with the target), clipped to [0, 1].")
    before, after = (nn.functional.cross_entropy(example.model(images), example.target) for images in (x, answer))
    right("1.4", f"The loss of the target label fell from {before:.2f} to {after:.2f}.")
