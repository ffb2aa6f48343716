"""The same network, faster: what speeds up an attack and changes none of its answers, in one place.

An attack runs one network a thousand times with weights that stand still. So for the length of one attack it works on
a private copy in evaluation mode, where

- each BatchNorm is folded into the convolution before it (Jacob et al., CVPR 2018, section 3.2): with still
  statistics, g (w * x - m) / s + b is another convolution of x, with weights g w / s and bias b - g m / s;
- weights lie in memory with channels last, the order in which convolutions on CPUs compute.

The copy counts only when it gives the same answers and gradients as the original on a few images. No copy outlives its
attack: weights may change between two of them, and folding costs no more than a look at a handful of images.
"""

from __future__ import annotations

import inspect
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from types import MethodType

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from seminar_lib.goals import Goal
from seminar_lib.losses import Loss
from seminar_lib.types import Images, Model

PROBE = 2  # images on which a copy has to prove itself
WORTHWHILE = 32  # images in a batch, below which copying costs more than it saves
ROUNDING = 1e-3  # how far a copy's answers may differ, relative to the largest; float32 differs by about 1e-6


def lean(goal: Goal, x: Images) -> Goal:
    """The same goal with faster copies of its networks, where there are any to be had.

    Args:
        goal: its models are in evaluation mode, as ``frozen`` leaves them.
        x: the images that it will be asked about. For a few of them it is not worth the while.
    """
    return _swap(goal, x, {}) if len(x) >= WORTHWHILE else goal


def _swap(goal: Goal, x: Images, copies: dict[nn.Module, nn.Module]) -> Goal:
    swapped: dict[str, Goal | Model] = {}
    for name, part in vars(goal).items():
        if isinstance(part, Goal):
            swapped[name] = _swap(part, x, copies)
        elif callable(part) and not isinstance(part, Loss):
            swapped[name] = faster(part, x, copies)
    return replace(goal, **swapped)


def faster(model: Model, x: Images, copies: dict[nn.Module, nn.Module] | None = None) -> Model:
    """A copy of a network, or the same method of a copy; ``model`` itself wherever there is any doubt.

    Args:
        model: in evaluation mode, as ``frozen`` leaves it.
        x: some of the images that it will be asked about.
        copies: those that were made before, by their originals; a new one is added.
    """
    copies, x = {} if copies is None else copies, x[:PROBE].detach()
    network = model.__self__ if inspect.ismethod(model) else model
    if not isinstance(network, nn.Module) or _irreplaceable(network):
        return model
    # Whatever goes wrong in someone else's network (it cannot be copied, or insists on a memory layout), the original
    # stays right. Its random numbers, if it draws any, are drawn as if nobody had looked; then the answers differ.
    try:
        with torch.random.fork_rng(devices=[]), torch.autocast(x.device.type, enabled=False):
            expected = _answer(model, x)
            if network not in copies:
                copies[network] = _folded(deepcopy(network), x)
            copy = MethodType(model.__func__, copies[network]) if inspect.ismethod(model) else copies[network]
            return copy if all(map(_close, _answer(copy, x), expected)) else model
    except Exception:
        return model


def _irreplaceable(network: nn.Module) -> bool:
    """Whether a copy will not do: a layer has a hook, and who listens would not hear the copy, or it is compiled."""
    return any(
        hasattr(module, "_orig_mod")  # torch.compile(module): each copy is compiled anew
        or module._compiled_call_impl  # module.compile(): no copy is
        or module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        for module in network.modules()
    )


def _folded(network: nn.Module, x: Images) -> nn.Module:
    """Fold the BatchNorms of ``network`` in place.

    Which convolution stands before a BatchNorm is seen by watching: its output *is* the BatchNorm's input.
    """
    made: dict[Tensor, nn.Conv2d] = {}
    pairs: dict[nn.BatchNorm2d, nn.Conv2d] = {}
    calls: Counter[nn.Module] = Counter()

    def watch(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        calls[layer] += 1
        if isinstance(layer, nn.Conv2d):
            made[output] = layer
        elif isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and inputs[0] in made:
            pairs[layer] = made[inputs[0]]

    layers = [layer for layer in network.modules() if type(layer) in (nn.Conv2d, nn.BatchNorm2d)]
    hooks = [layer.register_forward_hook(watch) for layer in layers]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()

    replaced: dict[nn.Module, nn.Module] = {}
    for norm, conv in pairs.items():
        if calls[norm] == calls[conv] == 1:
            replaced |= {conv: fuse_conv_bn_eval(conv, norm), norm: nn.Identity()}
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if child in replaced:
                setattr(parent, name, replaced[child])
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


def _answer(model: Model, x: Images) -> tuple[Tensor, Tensor]:
    """What a model says of a few images, and the gradient of half its squared length."""
    x = x.clone().requires_grad_()
    with torch.enable_grad():
        answer = model(x)
        (grad,) = torch.autograd.grad(answer.square().sum() / 2, x)
    return answer.detach(), grad


def _close(ours: Tensor, theirs: Tensor) -> bool:
    """Equal but for rounding; a ReLU that stands at zero may turn over in a gradient, so lengths are compared."""
    return bool((ours - theirs).norm() <= ROUNDING * theirs.norm())
