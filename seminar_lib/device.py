"""Where to compute, and what to call it in a report."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import torch


def best_device() -> torch.device:
    """The fastest device of this machine: a CUDA GPU, Apple's GPU, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def describe(device: torch.device) -> str:
    """The device in words that a reader can compare with their own."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"{platform.machine()} GPU (mps)"
    return f"{_processor()}, {torch.get_num_threads()} threads"


def _processor() -> str:
    """The CPU's name; Linux tells it in a file, other systems through Python."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (name := re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)):
        return f"{name[1]} CPU"
    return f"{platform.processor() or platform.machine()} CPU"
