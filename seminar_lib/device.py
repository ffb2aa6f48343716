"""Where to compute, and what to call it in a report."""

from __future__ import annotations

import platform

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
    return f"{platform.processor() or platform.machine()} CPU, {torch.get_num_threads()} threads"
