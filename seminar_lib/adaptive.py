"""BPDA: attack through a layer that has no useful derivative.

Athalye, Carlini & Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 4.1 (Backward Pass
Differentiable Approximation):

    forwards   g(x), exactly;        backwards   the derivative of a stand-in s, with s(x) about g(x)

A quantiser changes an image very little, so "it does nothing" is a good stand-in, although its true derivative is zero
everywhere. The loss and the verdict are those of the true model; only the direction of the search is approximate, so
what the attack finds is found. Ours opens a layer; the rest of an adaptive attack is a goal (``Expectation`` against
random answers, ``Both`` against a detector, ``Leave`` for features).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

Layer: TypeAlias = Callable[[Tensor], Tensor]


def identity(x: Tensor) -> Tensor:
    """The stand-in of a layer that hardly changes its input."""
    return x


class BPDA(nn.Module):
    """A layer that answers as ``layer`` does and differentiates as ``stand_in`` does.

    The stand-in is called only where gradients are enabled. A layer that draws random numbers draws them once a call,
    and a stand-in that draws draws its own: it is the derivative of another look. Average the looks
    (``Expectation``), or let the stand-in be free of chance.

    Args:
        layer: a whole purifier, a quantiser, an activation; any callable of one tensor. It is never differentiated.
        stand_in: a differentiable callable with the same shapes; the identity when omitted.

    Raises:
        TypeError: one of the two is not callable.
        ValueError: in a call, when they answer in different shapes or dtypes.
    """

    def __init__(self, layer: Layer, stand_in: Layer = identity) -> None:
        super().__init__()
        for name, part in (("layer", layer), ("stand_in", stand_in)):
            if not callable(part):
                raise TypeError(f"BPDA needs a {name} that can be called with a tensor; got {type(part).__name__}.")
        self.layer = layer
        self.stand_in = stand_in

    def forward(self, x: Tensor) -> Tensor:
        """``layer(x)``, to the last bit."""
        with torch.no_grad():
            value = self.layer(x)
        if not torch.is_grad_enabled():
            return value
        approximate = self.stand_in(x)
        if (approximate.shape, approximate.dtype) != (value.shape, value.dtype):
            raise ValueError(
                f"The stand-in must answer as the layer does, {tuple(value.shape)} of {value.dtype}; it gives "
                f"{tuple(approximate.shape)} of {approximate.dtype}. A gradient of that shape would belong to another "
                "tensor: choose a stand-in that resizes or converts as the layer does."
            )
        answer: Tensor = _Exchange.apply(value, approximate)
        return answer


class _Exchange(torch.autograd.Function):
    """Forwards the first tensor, backwards to the second.

    Written as ``s + (g - s).detach()`` it would be one line, but rounded: the answer has to be g to the last bit.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, approximate: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, grads[0]


def replace_layers(model: nn.Module, kind: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """A copy of the network in which every layer of type ``kind`` is exchanged for ``make(layer)``.

    ``replace_layers(defended, Quantise, BPDA)`` opens a quantiser wherever it stands. The model itself is left alone.

    Args:
        model: a network, or the layer itself.
        kind: the type of the layers to exchange; what stands inside such a layer is left to ``make``.
        make: a layer of the copy to the layer that takes its place.

    Raises:
        ValueError: the network has no such layer.
    """
    if not any(isinstance(layer, kind) for layer in model.modules()):
        names = sorted({type(layer).__name__ for layer in model.modules()})
        raise ValueError(f"{type(model).__name__} has no layer of type {kind.__name__}; it has {', '.join(names)}.")
    return _exchanged(deepcopy(model), kind, make)


def _exchanged(layer: nn.Module, kind: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> nn.Module:
    if isinstance(layer, kind):
        return make(layer)
    for name, child in layer.named_children():
        setattr(layer, name, _exchanged(child, kind, make))
    return layer
