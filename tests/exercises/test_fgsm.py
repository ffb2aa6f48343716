"""The checks of lesson 01 accept every right answer and say what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

import seminar_lib as sl
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


def gradient_of_a_detached_view(model, x, y):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x, create_graph=True)[0]


def slope_of(loss):
    """The gradient of another loss, of logits and labels."""

    def wrong_gradient(model, x, y):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(loss(model(x), y), x)[0]

    return wrong_gradient


def accumulated(model, x, y):
    x.requires_grad_()
    F.cross_entropy(model(x), y, reduction="sum").backward()
    return x.grad


def recorded(model, x, y):
    x.requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x)[0]


def forgotten_record(model, x, y):
    F.cross_entropy(model(x), y, reduction="sum").backward()
    return x.grad


def the_whole_tuple(model, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x)


def of_each_loss(model, x, y):
    x = x.clone().requires_grad_()
    losses = F.cross_entropy(model(x), y, reduction="none")
    return torch.autograd.grad(losses, x)[0]


def adding_up():
    """Right at the first call; the later ones add to it."""
    total = []

    def answer(model, x, y):
        total.append(gradient(model, x, y))
        return sum(total)

    return answer


def moving_x(model, x, y):
    answer = gradient(model, x, y)
    x.add_(0.01 * answer)
    return answer


test_every_right_gradient_is_praised = praises(
    fgsm.check_gradient, gradient, gradient_by_backward, gradient_of_a_detached_view
)

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
    (forgotten_record, "x.grad is None if x did not record"),
    (the_whole_tuple, "Take its only entry, [0]"),
    (of_each_loss, "in `return torch.autograd.grad(losses, x)[0]`: grad can be implicitly created only for scalar"),
    (accumulated, "x = x.clone().requires_grad_(), and take torch.autograd.grad"),
    (recorded, "x = x.clone().requires_grad_(), and take torch.autograd.grad"),
    (adding_up(), "a second call"),
    (moving_x, "in place"),
    (lambda m, x, y: gradient(m.train(), x, y), "training mode"),
    (lambda m, x, y: gradient(m, x, y).abs(), "which way is uphill"),
    (lambda m, x, y: F.normalize(gradient(m, x, y).flatten(1)).view_as(x), "divided it by its length"),
    (slope_of(lambda z, y: F.cross_entropy(z.softmax(1), y, reduction="sum")), "the softmax twice"),
    (slope_of(lambda z, y: z.gather(1, y[:, None]).sum()), "the true class's logit"),
    (slope_of(lambda z, y: F.nll_loss(z, y, reduction="sum")), "only where log_softmax came before"),
    (lambda m, x, y: gradient(lambda pixels: m((pixels - 0.4) / 0.2), x, y), "you normalise twice"),
    (slope_of(lambda z, y: z.square().sum()), "is not that of the cross-entropy"),
    (lambda m, x, y: torch.autograd.grad(F.cross_entropy(m(x), y), x)[0], "raised RuntimeError"),
)


# 1.2: FGSM


def fgsm_by_norm(model, x, y, eps):
    grad = gradient(model, x, y)
    return torch.maximum(torch.zeros(()), torch.minimum(torch.ones(()), x + eps * grad / grad.abs().clamp_min(1e-30)))


def l2_step(model, x, y, eps):
    grad = gradient(model, x, y)
    return (x + eps * grad / grad.flatten(1).norm(dim=1)[:, None, None, None]).clamp(0, 1)


def with_history(model, x, y, eps):
    x = x.clone().requires_grad_()
    F.cross_entropy(model(x), y).backward()
    return (x + eps * x.grad.sign()).clamp(0, 1)


def fgsm_by(gradient, way=1):
    """FGSM with another way to the gradient."""
    return lambda m, x, y, eps: (x.detach() + way * eps * gradient(m, x, y).sign()).clamp(0, 1)


def stretched(model, x, y, eps):
    moved = x + eps * gradient(model, x, y).sign()
    return (moved - moved.min()) / (moved.max() - moved.min())


def in_place(model, x, y, eps):
    x.add_(eps * gradient(model, x, y).sign()).clamp_(0, 1)
    return x.clone()


test_every_right_fgsm_is_praised = praises(
    fgsm.check,
    lambda m, x, y, eps: (x + eps * gradient(m, x, y).sign()).clamp(0, 1),
    lambda m, x, y, eps: (x + eps * gradient(m, x, y, "mean").sign()).clamp(0, 1),
    fgsm_by_norm,
    with_history,
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
    (lambda m, x, y, eps: x + eps * gradient(m, x, y), "some of your pixels move further than others"),
    (lambda m, x, y, eps: (x + eps * gradient(m, x, y)).clamp(0, 1), "some of your pixels move further than others"),
    (lambda m, x, y, eps: (x - eps * gradient(m, x, y)).clamp(0, 1), "some of your pixels move further than others"),
    (lambda m, x, y, eps: (x + gradient(m, x, y)).clamp(0, 1), "neither eps nor the sign"),
    (lambda m, x, y, eps: (x + gradient(m, x, y).sign()).clamp(0, 1), "eps plays no part"),
    (lambda m, x, y, eps: x + gradient(m, x, y).sign(), "eps plays no part"),
    (lambda m, x, y, eps: eps * gradient(m, x, y).sign(), "the step alone"),
    (lambda m, x, y, eps: eps * gradient(m, x, y), "the step alone"),
    (lambda m, x, y, eps: (eps * gradient(m, x, y).sign()).clamp(0, 1), "the step alone"),
    (lambda m, x, y, eps: (x + 3 * eps * gradient(m, x, y).sign()).clamp(0, 1), "is the step eps in pixels"),
    (lambda m, x, y, eps: (x + 8 / 255 * gradient(m, x, y).sign()).clamp(0, 1), "does not follow eps"),
    (lambda m, x, y, eps: (x + eps * gradient(m, x, y).sign()).clamp(-eps, eps), "clip the sum to [-eps, eps]"),
    (lambda m, x, y, eps: (x + eps / 2 * gradient(m, x, y).sign()).clamp(0, 1), "Take eps as it is given"),
    (stretched, "stretch"),
    (lambda m, x, y, eps: sl.FGSM(sl.Linf(eps))(m, x, y), "leave some of the images"),
    (in_place, "in place"),
    (fgsm_by(accumulated), "x records gradients"),
    (fgsm_by(lambda m, x, y: gradient(m.train(), x, y)), "training mode"),
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
    (lambda grad, eps: eps * grad.sum((1, 2, 3)).abs(), "each slope's size first"),
    (lambda grad, eps: eps * grad.square().sum((1, 2, 3)), "along the gradient itself"),
    (lambda grad, eps: eps * grad.abs().amax((1, 2, 3)), "one pixel moves alone"),
    (lambda grad, eps: eps * grad.sign().sum((1, 2, 3)), "you add up the steps"),
    (lambda grad, eps: eps / 255 * grad.abs().sum((1, 2, 3)), "255 times too small"),
    (lambda grad, eps: 255 * eps * grad.abs().sum((1, 2, 3)), "255 times too large"),
    (lambda grad, eps: eps * grad.abs().sum((1, 2, 3)) / len(grad), "by the number of images"),
    (lambda grad, eps: eps * grad.clamp(min=0).sum((1, 2, 3)), "the falling slopes"),
    (lambda grad, eps: -eps * grad.abs().sum((1, 2, 3)), "the increase is positive"),
    (lambda grad, eps: eps * grad.abs_().sum((1, 2, 3)), "in place"),
    (lambda grad, eps: eps**2 * grad.abs().sum((1, 2, 3)), "add that up"),
    (lambda grad, eps: 8 / 255 * grad.abs().sum((1, 2, 3)), "does not follow eps"),
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
    (fgsm_by(lambda m, x, t: gradient(m, x, m(x).argmax(1))), "away from the predicted labels"),
    (lambda m, x, t, eps: x, "nothing was added"),
    (lambda m, x, t, eps: -eps * gradient(m, x, t).sign(), "the step alone"),
    (lambda m, x, t, eps: (x - eps * gradient(m, x, t)).clamp(0, 1), "some of your pixels move further than others"),
    (lambda m, x, t, eps: (x - gradient(m, x, t).sign()).clamp(0, 1), "eps plays no part"),
    (lambda m, x, t, eps: (x - eps / 255 * gradient(m, x, t).sign()).clamp(0, 1), "255 times too small"),
    (lambda m, x, t, eps: (x - 2 * eps * gradient(m, x, t).sign()).clamp(0, 1), "is the step eps in pixels"),
    (lambda m, x, t, eps: (x - eps).clamp(0, 1), "expected x - eps"),
    (lambda m, x, t, eps: (x + eps * (torch.arange(8) / 8)).clamp(0, 1), "some of your pixels move further"),
    (lambda m, x, t, eps: (x - 8 / 255 * gradient(m, x, t).sign()).clamp(0, 1), "does not follow eps"),
    (lambda m, x, t, eps: x.sub_(eps * gradient(m, x, t).sign()).clamp_(0, 1).clone(), "in place"),
    (fgsm_by(accumulated, -1), "x records gradients"),
)
