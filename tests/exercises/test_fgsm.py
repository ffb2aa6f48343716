"""The checks of lesson 01 accept every right answer and say what is wrong with each typical wrong one."""

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.exercises import fgsm
from seminar_lib.exercises.marking import Mistake


def gradient(model, x, y, reduction="sum"):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction=reduction), x)[0]


def gradient_by_backward(model, x, y):
    x = x.detach().clone().requires_grad_(True)
    for i in range(len(x)):
        F.cross_entropy(model(x[i : i + 1]), y[i : i + 1]).backward()
    return x.grad


def fgsm_by_norm(model, x, y, eps):
    grad = gradient(model, x, y)
    return torch.maximum(torch.zeros(()), torch.minimum(torch.ones(()), x + eps * grad / grad.abs().clamp_min(1e-30)))


def stub(*_):
    raise NotImplementedError("Exercise")


def l2_step(model, x, y, eps):
    grad = gradient(model, x, y)
    return (x + eps * grad / grad.flatten(1).norm(dim=1)[:, None, None, None]).clamp(0, 1)


def in_place(model, x, y, eps):
    x.add_(eps * gradient(model, x, y).sign()).clamp_(0, 1)
    return x.clone()


RIGHT = [
    (fgsm.check_gradient, gradient),
    (fgsm.check_gradient, gradient_by_backward),
    (fgsm.check, lambda m, x, y, eps: (x + eps * gradient(m, x, y).sign()).clamp(0, 1)),
    (fgsm.check, lambda m, x, y, eps: (x + eps * gradient(m, x, y, "mean").sign()).clamp(0, 1)),
    (fgsm.check, fgsm_by_norm),
    (fgsm.check_prediction, lambda grad, eps: eps * grad.abs().sum((1, 2, 3))),
    (fgsm.check_prediction, lambda grad, eps: (eps * grad.sign() * grad).flatten(1).sum(1)),
    (fgsm.check_targeted, lambda m, x, t, eps: (x - eps * gradient(m, x, t).sign()).clamp(0, 1)),
    (fgsm.check_targeted, lambda m, x, t, eps: torch.clip(x + eps * torch.sign(-gradient(m, x, t)), 0, 1)),
]

WRONG = [
    (fgsm.check_gradient, stub, "not written yet"),
    (fgsm.check_gradient, lambda m, x, y: None, "returns nothing"),
    (fgsm.check_gradient, lambda m, x, y: m(x).sum(), "has shape"),
    (fgsm.check_gradient, lambda m, x, y: gradient(m, x, y, "mean"), "average"),
    (fgsm.check_gradient, lambda m, x, y: -gradient(m, x, y), "downhill"),
    (fgsm.check_gradient, lambda m, x, y: gradient(m, x, y).sign(), "sign comes in the next"),
    (fgsm.check_gradient, lambda m, x, y: gradient(m, x, m(x).argmax(1)), "predicted labels"),
    (fgsm.check_gradient, lambda m, x, y: torch.zeros_like(x), "zero everywhere"),
    (fgsm.check_gradient, lambda m, x, y: gradient(m, x, y) * torch.nan, "NaN"),
    (fgsm.check_gradient, lambda m, x, y: F.cross_entropy(m(x), y).backward() or x.grad, "returns nothing"),
    (fgsm.check_gradient, lambda m, x, y: torch.autograd.grad(F.cross_entropy(m(x), y), x)[0], "raised RuntimeError"),
    (fgsm.check, stub, "not written yet"),
    (fgsm.check, lambda m, x, y, eps: x, "nothing was added"),
    (fgsm.check, lambda m, x, y, eps: (x - eps * gradient(m, x, y).sign()).clamp(0, 1), "downhill"),
    (fgsm.check, lambda m, x, y, eps: x + eps * gradient(m, x, y).sign(), "leave [0, 1]"),
    (fgsm.check, lambda m, x, y, eps: (x + eps / 0.2 * gradient(m, x, y).sign()).clamp(0, 1), "normalised space"),
    (fgsm.check, lambda m, x, y, eps: (x + eps * 0.2 * gradient(m, x, y).sign()).clamp(0, 1), "normalised space"),
    (fgsm.check, lambda m, x, y, eps: (x + 8 * gradient(m, x, y).sign()).clamp(0, 1), "in pixels of [0, 1]"),
    (fgsm.check, lambda m, x, y, eps: l2_step(m, x, y, eps), "only the gradient's sign"),
    (fgsm.check, lambda m, x, y, eps: (x + eps * gradient(m, x, m(x).argmax(1)).sign()).clamp(0, 1), "Use y"),
    (fgsm.check, lambda m, x, y, eps: (x + eps * torch.ones_like(x)).clamp(0, 1), "are not x + eps"),
    (fgsm.check, in_place, "in place"),
    (fgsm.check_prediction, stub, "not written yet"),
    (fgsm.check_prediction, lambda grad, eps: eps * grad.sum((1, 2, 3)), "cancel"),
    (fgsm.check_prediction, lambda grad, eps: eps * grad.flatten(1).norm(dim=1), "Euclidean"),
    (fgsm.check_prediction, lambda grad, eps: eps * grad.abs().mean((1, 2, 3)), "average"),
    (fgsm.check_prediction, lambda grad, eps: grad.abs().sum((1, 2, 3)), "length of the step"),
    (fgsm.check_prediction, lambda grad, eps: eps * grad.abs().sum(), "has shape"),
    (fgsm.check_prediction, lambda grad, eps: eps**2 * grad.abs().sum((1, 2, 3)), "add that up"),
    (fgsm.check_targeted, stub, "not written yet"),
    (
        fgsm.check_targeted,
        lambda m, x, t, eps: (x + eps * gradient(m, x, t).sign()).clamp(0, 1),
        "away from the target",
    ),
    (fgsm.check_targeted, lambda m, x, t, eps: x - eps * gradient(m, x, t).sign(), "leave [0, 1]"),
    (fgsm.check_targeted, lambda m, x, t, eps: x, "expected x - eps"),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_is_praised(check, answer, capsys):
    check(answer)
    assert "is right" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "sentence"), WRONG)
def test_a_wrong_answer_gets_a_sentence_that_names_the_mistake(check, answer, sentence):
    with pytest.raises(Mistake, match=sentence.replace("[", r"\[").replace("+", r"\+")):
        check(answer)


def test_the_untargeted_attack_is_recognised_as_an_answer_to_the_targeted_one():
    example = fgsm.Example()

    def untargeted(model, x, target, eps):
        return (x + eps * gradient(model, x, example.y).sign()).clamp(0, 1)

    with pytest.raises(Mistake, match="untargeted"):
        fgsm.check_targeted(untargeted)


def test_a_mistake_is_shown_without_a_traceback():
    assert Mistake("clip it")._render_traceback_() == ["Not yet: clip it"]


def test_run_all_in_jupyterlab_passes_over_an_exercise_that_nobody_tried(monkeypatch, capsys):
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/01_fgsm.ipynb")
    fgsm.check(stub)
    assert "Not yet: exercise 1.2 is not written yet" in capsys.readouterr().out
    with pytest.raises(Mistake, match="nothing was added"):
        fgsm.check(lambda m, x, y, eps: x)


def test_checks_leave_the_random_numbers_of_the_student_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fgsm.check_prediction(lambda grad, eps: eps * grad.abs().sum((1, 2, 3)))
    assert torch.equal(torch.get_rng_state(), before)
