"""Where to compute, and what to call it in a report."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path

import torch


def best_device() -> torch.device:
    """The fastest device of this machine: a CUDA GPU, Apple's GPU, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_named(name: str) -> torch.device:
    """The device that a user names: ``cpu``, ``cuda`` or ``mps``, of several GPUs such as ``cuda:1``.

    Raises:
        ValueError: there is no such device here.
    """
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    try:
        device = torch.device(name)
    except RuntimeError:  # no kind of device that PyTorch knows, or no number
        device = torch.device("meta")
    if device.type not in there:
        raise ValueError(f"A device is cpu, cuda or mps; got {name!r}.")
    if (device.index or 0) >= there[device.type]:
        raise ValueError(
            f"There is no {name} here: PyTorch finds {there[device.type]} such devices. The fastest is {best_device()}."
        )
    return device


@cache
def computes_bf16(kind: str) -> bool:
    """Whether the hardware itself computes in bfloat16; where it does not, doing so costs ten times float32's time.

    GPUs do since NVIDIA's Ampere, CPUs mostly since AVX-512. A laptop's processor often knows no more than AVX2.

    Args:
        kind: the type of a device, such as "cpu".
    """
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # The library behind PyTorch's convolutions on CPUs decides at run time, and this is how it is asked.
    has_library = kind == "cpu" and torch.backends.mkldnn.is_available()
    return has_library and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def describe(device: torch.device) -> str:
    """The device in words that a reader can compare with their own."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"{platform.machine()} GPU (mps)"
    precision = "" if computes_bf16("cpu") else ", no bfloat16"
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} {'thread' if threads == 1 else 'threads'}{precision}"


def _processor() -> str:
    """The CPU's name; Linux tells it in a file, other systems through Python."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (name := re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)):
        return f"{name[1]} CPU"
    return f"{platform.processor() or platform.machine()} CPU"
