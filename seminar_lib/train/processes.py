"""The processes that train one network together, one for each device; Lightning Fabric starts and connects them.

Started alone (``python -m seminar_lib train NAME --devices 2``, or a script that calls ``fit(..., devices=2)``), the
process starts the others by running its own command again; they all come to the same place. Several machines, each with
the same command, need a launcher that tells them of each other, such as ``TORCHRUN``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
import torch.distributed as dist

from seminar_lib.models import Network
from seminar_lib.train.spread import spread

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")

TORCHRUN = """\
    torchrun --nnodes {machines} --nproc-per-node {devices} --rdzv-backend c10d --rdzv-endpoint HOST:29500 \\
        -m seminar_lib train NAME --devices {devices} --machines {machines}"""
LAUNCHED = {"MASTER_ADDR", "SLURM_NTASKS"}  # by the one torchrun says where the first machine is, by the other Slurm


@dataclass(frozen=True)
class Processes:
    """All processes of a training as one of them sees them.

    Attributes:
        device: where this one computes.
        fabric: what connects it with the others; None where there are none.
    """

    device: torch.device
    fabric: Fabric | None = None

    def agree(self, value: T) -> T:
        """What the first process has in the place of ``value``."""
        return self.fabric.broadcast(value) if self.fabric else value

    def spread(self, model: Network) -> Network:
        """The same network, spread over all processes in place; see ``spread.py``."""
        return spread(model) if self.fabric else model


def is_first() -> bool:
    """Whether this process speaks for all: it writes the files and shows the bars."""
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0


def check_devices(kind: str, devices: int, machines: int) -> None:
    """Refuse to train on several devices that are not there.

    Raises:
        ValueError: a number is below 1, there are not so many devices, they cannot work together, no launcher has
            started this on several machines, or there is no command to run again.
    """
    if devices < 1 or machines < 1:
        raise ValueError(f"A training needs at least one device and one machine; got devices={devices}, {machines=}.")
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started > 1 and started != devices * machines:
        raise ValueError(
            f"{started} processes were started, but the training asks for devices={devices} on machines={machines}. "
            "Say the same to both: --devices (on each machine) and --machines."
        )
    if devices * machines == 1:
        return
    if machines > 1 and not LAUNCHED & os.environ.keys():  # each would wait for the others, in vain
        raise ValueError(
            f"Nobody has told this process where the other of machines={machines} are. Run the same command on each, "
            f"where HOST is the name of one of them:\n\n{TORCHRUN.format(devices=devices, machines=machines)}"
        )
    if kind not in ("cpu", "cuda"):
        raise ValueError(
            f"Several devices are 'cpu' (processes) or 'cuda' (the first GPUs); got {kind!r}. The environment variable "
            "CUDA_VISIBLE_DEVICES says which GPUs those are."
        )
    there, what = (torch.cuda.device_count(), "GPUs") if kind == "cuda" else (os.cpu_count() or 1, "CPU cores")
    if devices > there:
        raise ValueError(f"This machine has {there} {what}; got devices={devices}.")
    if not LAUNCHED & os.environ.keys() and not hasattr(sys.modules["__main__"], "__file__"):
        raise ValueError(
            f"The processes of devices={devices} come from running one command again, and a notebook or `python -c` is "
            "no such command. Call fit in a script, or use `python -m seminar_lib train NAME --devices N`."
        )


def gather(device: torch.device, devices: int, machines: int) -> Processes:
    """Start or join the processes of a training; alone, nothing happens."""
    if devices * machines == 1:
        return Processes(device)
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator=device.type, devices=devices, num_nodes=machines, strategy="ddp")
    fabric.launch()
    return Processes(fabric.device, fabric)
