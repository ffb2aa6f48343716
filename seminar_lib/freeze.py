"""Use a model without leaving a trace on it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from seminar_lib.types import Images, Model


@contextmanager
def frozen(*models: Model) -> Iterator[None]:
    """Evaluation mode and no parameter gradients, for every module inside; each as it was afterwards.

    Evaluation mode keeps BatchNorm's running statistics still. Without parameter gradients, a backward pass to the
    image costs no more than a forward pass, and nobody's ``.grad`` is touched.

    Args:
        models: networks, methods of networks (``model.embed``), or plain functions, which are left alone.
    """
    owners = [model.__self__ if inspect.ismethod(model) else model for model in models]
    modules = {module for owner in owners if isinstance(owner, nn.Module) for module in owner.modules()}
    modes = {module: module.training for module in modules}
    learning = [p for module in modules for p in module.parameters(recurse=False) if p.requires_grad]
    try:
        for module in modules:
            module.training = False
        for parameter in learning:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        for parameter in learning:
            parameter.requires_grad_(True)


def in_batches(model: Model, x: Images, batch_size: int = 256) -> Tensor:
    """What a model says of many images, some at a time: frozen, in full precision, without gradients.

    Args:
        model: as ``frozen`` takes it.
        x: images, at least one.
        batch_size: images at a time.
    """
    with frozen(model), torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        return torch.cat([model(batch) for batch in x.split(batch_size)])


@contextmanager
def steady_statistics(model: nn.Module) -> Iterator[None]:
    """BatchNorm's running statistics stand still, though in training mode it goes on normalising by the batch.

    For a second look at a batch within one training step, so that the step counts once.
    """
    counting = [norm for norm in model.modules() if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    try:
        for norm in counting:
            norm.track_running_stats = False
        yield
    finally:
        for norm in counting:
            norm.track_running_stats = True
