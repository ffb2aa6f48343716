"""What all checks share: run a student's function, and say what is wrong with its answer."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seminar_lib.types import Images, Labels

Answer = Callable[..., Any]


class Mistake(AssertionError):
    """What is wrong with an answer. A notebook shows the sentence alone, without a traceback.

    Attributes:
        unwritten: there is no answer yet.
    """

    def __init__(self, sentence: str, unwritten: bool = False) -> None:
        super().__init__(sentence)
        self.unwritten = unwritten

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def marks(check: Callable[[Answer], None]) -> Callable[[Answer], None]:
    """A check that does not stop *Run All* in JupyterLab at an exercise that nobody has tried yet.

    Everywhere else (nbgrader, nbval, a script) a missing answer is an error, as a wrong one is.
    """

    @wraps(check)
    def marked(answer: Answer) -> None:
        try:
            check(answer)
        except Mistake as mistake:
            # Jupyter's server sets the first variable for the kernels that a person works with, and nbgrader, which
            # may have been started in such a kernel, the second.
            at_work = "JPY_SESSION_NAME" in os.environ and "NBGRADER_EXECUTION" not in os.environ
            if not (mistake.unwritten and at_work):
                raise
            print(f"Not yet: {mistake}")

    return marked


def ask(exercise: str, function: Answer, *arguments: Any) -> Any:
    """What a student's function returns; whatever it raises becomes a ``Mistake``."""
    try:
        return function(*arguments)
    except Mistake:  # a check may ask for an answer inside a function of its own
        raise
    except Exception as error:
        # torch raises NotImplementedError, too, such as for the mean of booleans.
        if isinstance(error, NotImplementedError) and (not error.args or str(error).startswith("Exercise")):
            sentence = f"exercise {exercise} is not written yet. Replace the line that raises NotImplementedError."
            raise Mistake(sentence, unwritten=True) from None
        frames = traceback.extract_tb(error.__traceback__)
        library = str(Path(torch.__file__).parent)  # a student looks for the mistake in lines of their own
        line = next(frame for frame in reversed(frames) if not frame.filename.startswith(library))
        place = f" in `{line.line}`" if line.line else ""
        raise Mistake(f"your function raised {type(error).__name__}{place}: {error}") from None


def ask_tensor(
    exercise: str, function: Answer, shape: tuple[int, ...], *arguments: Any, reading: str | None = None
) -> Tensor:
    """A student's answer that must be a finite tensor of this shape; without its gradient history.

    ``reading`` says what the shape means, where it is not one number, value, row and column, or picture an example.
    """
    answer = ask(exercise, function, *arguments)
    if answer is None:
        raise Mistake("your function returns nothing. Does it end with a return?")
    if not isinstance(answer, Tensor):
        raise Mistake(f"your function must return a tensor; it returns a {type(answer).__name__}.{_mend(answer)}")
    if tuple(answer.shape) != shape:
        raise Mistake(f"your answer has shape {tuple(answer.shape)}; expected {shape}: {reading or _reading(shape)}.")
    if not answer.isfinite().all():
        raise Mistake("your answer holds NaN or infinity.")
    return answer.detach()


def _mend(answer: Any) -> str:
    """How what a student returned becomes a tensor, where that can be guessed."""
    if isinstance(answer, float):
        return " Leave out float() and item(), which take its gradient away."
    if isinstance(answer, torch.return_types.max | torch.return_types.mode | torch.return_types.topk):
        return " It holds values and indices. Take those that you want, such as .values."
    if isinstance(answer, tuple | list) and len(answer) == 1:
        return " Take its only entry, [0]."
    return ""


def ask_loss(exercise: str, function: Answer, shape: tuple[int, ...], *arguments: Any) -> Tensor:
    """As ``ask_tensor``, but with the gradient history that a loss needs."""
    answer = ask(exercise, function, *arguments)
    ask_tensor(exercise, lambda: answer, shape)
    loss: Tensor = answer
    return loss


def judge_slope(loss: Tensor, expected: Tensor, inputs: Iterable[Tensor]) -> None:
    """Refuse a loss whose value is right and whose gradients with respect to ``inputs`` are not."""
    inputs = tuple(inputs)
    if not loss.requires_grad:
        raise Mistake(
            "the value is right, but no gradient flows back: neither a training nor an attack could follow it. Is "
            "something detached, or turned into plain numbers?"
        )
    slopes, wanted = (
        torch.cat([slope.flatten() for slope in torch.autograd.grad(value.sum(), inputs, materialize_grads=True)])
        for value in (loss, expected)
    )
    if not slopes.isfinite().all():
        raise Mistake("the value is right, but its gradient holds NaN or infinity: one step would ruin the network.")
    if not same(slopes, wanted):
        raise Mistake("the value is right, but a part of its gradient is missing. Is something detached?")


_READINGS = {
    0: "one number",
    1: "one value for each example",
    2: "a row and a column for each example",
    4: "one value for each pixel of each image",
}


def _reading(shape: tuple[int, ...]) -> str:
    return _READINGS[len(shape)]


def not_followed(what: str, name: str, usual: float, other: float) -> Mistake:
    """What to say of an answer that is right for the usual value of the argument ``name`` and not for another."""
    return Mistake(
        f"{what} does not follow {name}: it is right for {name} = {usual:.4g}, but not for {name} = {other:.4g}. "
        f"Does a fixed number stand in the place of {name}?"
    )


def right(exercise: str, meaning: str) -> None:
    """Say that the answer is right, and what it means."""
    print(f"Exercise {exercise} is right. {meaning}")


class Example:
    """A small classifier of 8x8 images with a batch of six and labels 0 to 3, on which right and wrong answers differ.

    Its first layer normalises, as that of every network of this library. Some pixels lie at the edge of [0, 1], and
    the first image is misclassified, so that forgotten clipping and a mix-up of labels and predictions show.
    """

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(1)
        self.mean, self.std, classes = 0.4, 0.2, 4
        # Not the global seed: a check must not change the student's random numbers.
        first = nn.utils.skip_init(nn.Linear, 3 * 8 * 8, 16)
        last = nn.utils.skip_init(nn.Linear, 16, classes)
        for layer in (first, last):
            nn.init.normal_(layer.weight, std=0.3, generator=generator)
            nn.init.zeros_(layer.bias)
        self.model = nn.Sequential(_Normalise(self.mean, self.std), nn.Flatten(), first, nn.Tanh(), last).eval()
        self.x: Images = torch.rand(6, 3, 8, 8, generator=generator).mul(1.2).sub(0.1).clamp(0, 1)
        predicted = self.model(self.x).argmax(1)
        self.y: Labels = predicted.clone()
        self.y[0] = (predicted[0] + 1) % classes
        self.target: Labels = (self.y + 2) % classes

    def gradient(self, y: Labels) -> Images:
        """The gradient of each example's cross-entropy with respect to its image."""
        x = self.x.clone().requires_grad_()
        loss = nn.functional.cross_entropy(self.model(x), y, reduction="sum")
        return torch.autograd.grad(loss, x)[0]


class _Normalise(nn.Module):
    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def same(answer: Tensor, expected: Tensor) -> bool:
    """Equal up to rounding."""
    return torch.allclose(answer.to(expected.dtype), expected, rtol=1e-3, atol=1e-6)
