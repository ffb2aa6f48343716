"""The checks of lesson 01 accept every right answer and say what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

from seminar_lib.exercises import fgsm
from seminar_lib.exercises.marking import Example

from .conftest import praises, refuses

# 1.1: the gradient of the image


def gradient(model, x, y, reduction="sum"):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction=reduction), x)[0]


def gradient_by_backward(model, x, y):
    x = x.detach().clone().requires_grad_(True)
    for i in range(len(x)):
        F.cross_entropy(model(x[i : i + 1]), y[i : i + 1]).backward()
    return x.grad


test_every_right_gradient_is_praised = praises(fgsm.check_gradient, gradient, gradient_by_backward)

test_a_wrong_gradient_gets_its_sentence = refuses(
    fgsm.check_gradient,
    (lambda m, x, y: None, "returns nothing"),
    (lambda m, x, y: m(x).sum(), "has shape"),
    (lambda m, x, y: gradient(m, x, y, "mean"), "average"),
    (lambda m, x, y: -gradient(m, x, y), "downhill"),
    (lambda m, x, y: gradient(m, x, y).sign(), "sign comes in the next"),
    (lambda m, x, y: gradient(m, x, m(x).argmax(1)), "predicted labels"),
    (lambda m, x, y: torch.zeros_like(x), "zero everywhere"),
    (lambda m, x, y: gradient(m, x, y) * torch.nan, "NaN"),
    (lambda m, x, y: F.cross_entropy(m(x), y).backward() or x.grad, "returns nothing"),
    (lambda m, x, y: torch.autograd.grad(F.cross_entropy(m(x), y), x)[0], "raised RuntimeError"),
)


# 1.2: FGSM


def fgsm_by_norm(model, x, y, eps):
    grad = gradient(model, x, y)
    return torch.maximum(torch.zeros(()), torch.minimum(torch.ones(()), x + eps * grad / grad.abs().clamp_min(1e-30)))


def l2_step(model, x, y, eps):
    grad = gradient(model, x, y)
    return (x + eps * grad / grad.flatten(1).norm(dim=1)[:, None, None, None]).clamp(0, 1)


def in_place(model, x, y, eps):
    x.add_(eps * gradient(model, x, y).sign()).clamp_(0, 1)
    return x.clone()


test_every_right_fgsm_is_praised = praises(
    fgsm.check,
    lambda m, x, y, eps: (x + eps * gradient(m, x, y).sign()).clamp(0, 1),
    lambda m, x, y, eps: (x + eps * gradient(m, x, y, "mean").sign()).clamp(0, 1),
    fgsm_by_norm,
)

test_a_wrong_fgsm_gets_its_sentence = refuses(
    fgsm.check,
    (lambda m, x, y, eps: x, "nothing was added"),
    (lambda m, x, y, eps: (x - eps * gradient(m, x, y).sign()).clamp(0, 1), "downhill"),
    (lambda m, x, y, eps: x + eps * gradient(m, x, y).sign(), "leave [0, 1]"),
    (lambda m, x, y, eps: (x + eps / 255 * gradient(m, x, y).sign()).clamp(0, 1), "255 times too small"),
    (lambda m, x, y, eps: (x + eps / 0.2 * gradient(m, x, y).sign()).clamp(0, 1), "normalised space"),
    (lambda m, x, y, eps: (x + eps * 0.2 * gradient(m, x, y).sign()).clamp(0, 1), "normalised space"),
    (lambda m, x, y, eps: (x + 8 * gradient(m, x, y).sign()).clamp(0, 1), "in pixels of [0, 1]"),
    (lambda m, x, y, eps: l2_step(m, x, y, eps), "only the gradient's sign"),
    (lambda m, x, y, eps: (x + eps * gradient(m, x, m(x).argmax(1)).sign()).clamp(0, 1), "Use y"),
    (lambda m, x, y, eps: (x + eps * torch.ones_like(x)).clamp(0, 1), "are not x + eps"),
    (in_place, "in place"),
)


# 1.3: the first-order prediction

test_every_right_prediction_is_praised = praises(
    fgsm.check_prediction,
    lambda grad, eps: eps * grad.abs().sum((1, 2, 3)),
    lambda grad, eps: (eps * grad.sign() * grad).flatten(1).sum(1),
)

test_a_wrong_prediction_gets_its_sentence = refuses(
    fgsm.check_prediction,
    (lambda grad, eps: eps * grad.sum((1, 2, 3)), "cancel"),
    (lambda grad, eps: eps * grad.flatten(1).norm(dim=1), "Euclidean"),
    (lambda grad, eps: eps * grad.abs().mean((1, 2, 3)), "average"),
    (lambda grad, eps: grad.abs().sum((1, 2, 3)), "length of the step"),
    (lambda grad, eps: eps * grad.abs().sum(), "has shape"),
    (lambda grad, eps: eps**2 * grad.abs().sum((1, 2, 3)), "add that up"),
)


# 1.4: a target

test_every_right_targeted_fgsm_is_praised = praises(
    fgsm.check_targeted,
    lambda m, x, t, eps: (x - eps * gradient(m, x, t).sign()).clamp(0, 1),
    lambda m, x, t, eps: torch.clip(x + eps * torch.sign(-gradient(m, x, t)), 0, 1),
)

test_a_wrong_targeted_fgsm_gets_its_sentence = refuses(
    fgsm.check_targeted,
    (lambda m, x, t, eps: (x + eps * gradient(m, x, t).sign()).clamp(0, 1), "away from the target"),
    (lambda m, x, t, eps: (x + eps * gradient(m, x, Example().y).sign()).clamp(0, 1), "untargeted"),
    (lambda m, x, t, eps: x - eps * gradient(m, x, t).sign(), "leave [0, 1]"),
    (lambda m, x, t, eps: x, "expected x - eps"),
)
