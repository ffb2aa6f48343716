"""One network in several processes: the backbone of each looks at its share of a batch, and all learn what all saw.

    forward     all images -> own share -> backbone -> features of all (gathered)
    backward    slope of all features -> own share -> backbone -> slopes of all images (gathered), of weights (summed)

All else is done for the whole batch in every process alike, with the same random numbers: augmentation, the walk of an
attack, classifier, projection, loss. Next to the backbone that is little work. So an objective sees the batch that it
would see in one process, whatever it does with it: a contrastive loss compares all embeddings with all others, an
attack starts at the same random images. The result is that of one process but for the rounding of sums.

PyTorch's DistributedDataParallel shows each process its share from the beginning to the end. Contrastive losses would
then have fewer negatives, and AWP, which asks for gradients of weights in the middle of a step, would get those of a
share. Here the slopes of weights are summed where they arrive, whoever asks for them. What is given up is that DDP sums
while the backward pass still runs; the networks here are small.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from seminar_lib.models import Network


def spread(model: Network) -> Network:
    """The same network, its backbone spread over all processes of ``torch.distributed``; changed in place.

    The names in its ``state_dict`` stay as they are, and copies of it are spread too. All processes must call it with
    the same images. Parameters that require a gradient get the sum over all processes.
    """
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            # What is outside the backbone has seen the whole batch: all slopes are equal but, perhaps, for rounding.
            parameter.register_hook(_total if name.startswith("backbone.") else _mean)
    model.backbone = _share_statistics(model.backbone)
    sizes: list[int] = []

    def take_share(backbone: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        sizes.append(len(inputs[0]))
        return tuple(_Share.apply(rows) for rows in inputs)

    def gather(backbone: nn.Module, inputs: tuple[Tensor, ...], features: Tensor) -> Tensor:
        return _Gather.apply(features, sizes.pop())  # type: ignore[no-any-return]

    model.backbone.register_forward_pre_hook(take_share)
    model.backbone.register_forward_hook(gather)
    return model


class SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm by mean and variance over all processes: what ``nn.SyncBatchNorm`` is on GPUs and on them alone."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        values = x.float()  # (B, C, H, W), in full precision under autocast
        count = int(_total(torch.tensor(values[:, 0].numel(), device=x.device)))
        if count < 2:
            raise ValueError(
                f"BatchNorm needs more than one value of each channel; got {count} in all processes together."
            )
        mean = _Total.apply(values.sum((0, 2, 3))) / count
        centred = values - mean[:, None, None]
        variance = _Total.apply(centred.square().sum((0, 2, 3))) / count
        if self.track_running_stats:
            assert self.running_mean is not None and self.running_var is not None  # noqa: PT018
            assert self.num_batches_tracked is not None and self.momentum is not None  # noqa: PT018
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(variance.detach() * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return cast(Tensor, centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def _share_statistics(module: nn.Module) -> nn.Module:
    """The same module with every BatchNorm inside in a version that shares its statistics; parameters stay the same."""
    if next(module.parameters()).is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-any-return]
    for norm in module.modules():
        if type(norm) is nn.BatchNorm2d:
            norm.__class__ = SharedBatchNorm
    return module


def _own(n: int) -> slice:
    """Which of ``n`` rows are this process's share; perhaps none."""
    rank, size = dist.get_rank(), dist.get_world_size()
    return slice(n * rank // size, n * (rank + 1) // size)


def _total(tensor: Tensor) -> Tensor:
    """The sum over all processes, bit for bit the same in each."""
    total = tensor.detach().clone()
    dist.all_reduce(total)
    return total


def _mean(tensor: Tensor) -> Tensor:
    return _total(tensor) / dist.get_world_size()


def _whole(share: Tensor, n: int) -> Tensor:
    """The ``n`` rows of which each process holds its share: a sum in which all others' rows are zero."""
    whole = share.new_zeros((n, *share.shape[1:]))
    whole[_own(n)] = share
    return _total(whole)


class _Share(torch.autograd.Function):
    """The own rows of a whole that all processes hold."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor) -> Tensor:
        ctx.n = len(whole)
        return whole[_own(ctx.n)].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return _whole(slope, ctx.n)


class _Gather(torch.autograd.Function):
    """The whole of ``n`` rows, of which each process holds its own; what is done with it then, all of them do."""

    @staticmethod
    def forward(ctx: Any, share: Tensor, n: int) -> Tensor:
        ctx.n = n
        return _whole(share, n)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return slope[_own(ctx.n)].clone(), None


class _Total(torch.autograd.Function):
    """A sum over all processes, each of which goes on with it for its own rows: their slopes add up."""

    @staticmethod
    def forward(ctx: Any, share: Tensor) -> Tensor:
        return _total(share)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return _total(slope)
