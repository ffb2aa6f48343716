"""What the public functions refuse, in sentences: what was expected, what came, and the likely mend."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn

from seminar_lib.types import Model

ROUNDING = 1e-6  # a resized or augmented image may leave [0, 1] by this much
HALF = (torch.float16, torch.bfloat16)


def check_images(x: Tensor) -> None:
    """Refuse anything but a non-empty batch (B, C, H, W) of finite pixels in [0, 1], in float32 or float64.

    Raises:
        TypeError: ``x`` is no tensor or holds no floats.
        ValueError: shape, range or finiteness is wrong; the message names the first such image.
    """
    _check_tensor(x, "x", "images")
    if x.dtype == torch.uint8:
        raise TypeError("x holds bytes (uint8, 0 to 255); expected floats in [0, 1]. Divide: x.float() / 255.")
    if not x.is_floating_point():
        raise TypeError(f"x must hold floats in [0, 1]; got {x.dtype}.")
    if x.dtype in HALF:
        raise TypeError(f"x holds {x.dtype}, whose steps are coarser than an attack's; expected float32: x.float().")
    if x.ndim != 4:
        hint = " A single image becomes a batch with x[None]." if x.ndim == 3 else ""
        raise ValueError(f"x must be a batch of images (B, C, H, W); got shape {tuple(x.shape)}.{hint}")
    if x.numel() == 0:
        raise ValueError(f"x holds no images: its shape is {tuple(x.shape)}. Was everything filtered out?")
    if not (finite := x.isfinite().flatten(1).all(1)).all():
        raise ValueError(
            f"x holds NaN or infinity, first in image {_first(~finite)}. Look at where the images come from."
        )
    low, high = x.amin((1, 2, 3)), x.amax((1, 2, 3))
    if (outside := (low < -ROUNDING) | (high > 1 + ROUNDING)).any():
        i = _first(outside)
        mend = (
            "Divide by 255."
            if low[i] >= 0 and high[i] > 2
            else "Is it normalised? Pass plain pixels and let the model's first layer normalise."
        )
        raise ValueError(f"Pixels must lie in [0, 1]; image {i} spans [{low[i]:.3g}, {high[i]:.3g}]. {mend}")


def check_labels(y: Tensor, x: Tensor, classes: int, name: str = "y") -> None:
    """Refuse anything but one class index, 0 to ``classes`` - 1, for each image.

    Raises:
        TypeError: ``y`` is no tensor or not int64.
        ValueError: shape, device or range is wrong.
    """
    _check_tensor(y, name, "class indices")
    if y.dtype != torch.int64:
        raise TypeError(f"{name} must hold class indices (int64); got {y.dtype}. Try {name}.long().")
    if y.shape != x.shape[:1]:
        raise ValueError(
            f"{name} needs one label for each of {len(x)} images, shape ({len(x)},); got shape {tuple(y.shape)}."
        )
    if y.device != x.device:
        raise ValueError(f"{name} is on {y.device} but x is on {x.device}. Move it: {name}.to(x.device).")
    if (wrong := (y < 0) | (y >= classes)).any():
        i = _first(wrong)
        raise ValueError(f"{name}[{i}] is {int(y[i])}, but the model has {classes} classes, 0 to {classes - 1}.")


def check_model(model: Model, x: Tensor) -> None:
    """Refuse a model that does not take images alone, or whose parameters are elsewhere or of another type than they.

    Raises:
        TypeError: ``model`` is not callable or asks for more than images, or its parameters have another dtype than
            ``x``, or half precision.
        ValueError: its parameters are on another device.
    """
    if not callable(model):
        raise TypeError(f"model must be callable, images to logits; got {type(model).__name__}.")
    _check_takes_images_alone(model, x)
    if isinstance(model, nn.Module):
        check_parameters(model, x)


def check_parameters(model: nn.Module, x: Tensor) -> None:
    """Refuse a network whose parameters are elsewhere or of another type than the images ``x``. It may have none.

    Raises:
        TypeError: they have another dtype than ``x``, or half precision.
        ValueError: they are on another device.
    """
    parameter = next(model.parameters(), None)
    if parameter is None:
        return
    if parameter.device != x.device:
        raise ValueError(
            f"The model is on {parameter.device} but x is on {x.device}. Move one: x.to({str(parameter.device)!r})."
        )
    if parameter.dtype in HALF:
        raise TypeError(
            f"The model computes in {parameter.dtype}, too coarse to attack or to judge. Convert: model.float(). "
            "What is to be fast takes bf16=True, and searches in bfloat16 where that does no harm."
        )
    if parameter.dtype != x.dtype:
        raise TypeError(
            f"The model computes in {parameter.dtype} but x is {x.dtype}. Convert: x.to({parameter.dtype})."
        )


def check_logits(logits: Tensor, x: Tensor) -> None:
    """Refuse a model's answer that is not finite logits (B, K).

    Raises:
        ValueError: wrong shape, NaN or infinity, or probabilities in place of logits.
    """
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(x):
        found = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"The model must return logits of shape (B, K) with B = {len(x)}; got {found}.")
    if not (finite := logits.isfinite().all(1)).all():
        raise ValueError(
            f"The model returns NaN or infinity, first for image {_first(~finite)}. Did its training diverge?"
        )
    if logits.shape[1] < 2:
        raise ValueError("The model returns one logit; an attack needs at least two classes. Return logits (B, 2).")
    if (logits >= 0).all() and torch.allclose(logits.sum(1).float(), torch.ones(len(x), device=x.device), atol=1e-3):
        raise ValueError(
            "The model returns probabilities (every row is non-negative and sums to 1); expected logits. A softmax "
            "before the loss flattens its gradient, so attacks look weaker than they are: attack the layer before it."
        )


def check_views(z: Tensor, z2: Tensor) -> None:
    """Refuse anything but two non-empty batches of embeddings of one shape (B, D).

    Raises:
        TypeError: one of them is no tensor.
        ValueError: a shape is wrong, or they differ.
    """
    for name, view in (("z", z), ("z2", z2)):
        _check_tensor(view, name, "embeddings")
    if z.ndim != 2 or 0 in z.shape or z.shape != z2.shape:
        raise ValueError(
            "z and z2 must be embeddings (B, D) of two views of the same images, row by row; got shapes "
            f"{tuple(z.shape)} and {tuple(z2.shape)}. Embed both views of every image with the same network."
        )


def check_embeddings(z: Tensor, y: Tensor | None = None) -> None:
    """Refuse anything but a non-empty batch of embeddings (B, D), with a label for each where ``y`` is given.

    Raises:
        TypeError: one of them is no tensor.
        ValueError: a shape is wrong.
    """
    _check_tensor(z, "z", "embeddings")
    if z.ndim != 2 or 0 in z.shape:
        raise ValueError(
            f"z must be a batch of embeddings (B, D); got shape {tuple(z.shape)}. Two views stand one below the other: "
            "torch.cat([z, z2])."
        )
    if y is None:
        return
    _check_tensor(y, "y", "labels")
    if y.shape != z.shape[:1]:
        raise ValueError(
            f"y needs one label for each of {len(z)} embeddings, shape ({len(z)},); got shape {tuple(y.shape)}. Two "
            "views take the labels twice: torch.cat([y, y])."
        )


def check_seed(seed: int) -> None:
    """Refuse what cannot start a stream of random numbers.

    Raises:
        TypeError: it is no whole number of Python's; PyTorch takes no other.
        ValueError: it does not fit into 64 bits.
    """
    if not isinstance(seed, int):
        raise TypeError(f"A seed is a whole number, Python's int; got seed={seed!r}. Try int(seed).")
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"A seed has 64 bits, from -2**63 to 2**63 - 1; got seed={seed}.")


def _check_tensor(value: object, name: str, what: str) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name} must be a torch.Tensor of {what}; got {type(value).__name__}. Try torch.as_tensor({name})."
        )


def _first(flags: Tensor) -> int:
    return int(flags.nonzero()[0])


def _check_takes_images_alone(model: Model, x: Tensor) -> None:
    try:
        signature = inspect.signature(model.forward if isinstance(model, nn.Module) else model)
    except (TypeError, ValueError):  # what is not written in Python need not say what it takes
        return
    try:
        signature.bind(x)
    except TypeError as error:
        taken = ", ".join(signature.parameters)
        raise TypeError(
            f"model must take images and nothing else; {type(model).__name__} takes ({taken}). Are two "
            "networks swapped? If not, settle the rest before: lambda x: model(x, ...)."
        ) from error
