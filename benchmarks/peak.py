"""How fast a device multiplies matrices: what consists of matrix products does not run faster."""

from __future__ import annotations

import time

import torch

from benchmarks.measure import wait_for
from seminar_lib.device import computes_bf16

SIZES = (256, 512, 1024, 2048, 4096, 8192, 16384)
TRIES = 10  # of each size: other programs slow some of them down
LONG = 0.02  # seconds that a product takes; larger ones are not tried


def peak(device: torch.device) -> float:
    """Floating-point operations a second in the fastest product of two square matrices; a multiply-add counts as two.

    In bfloat16 where the hardware computes in it, as a training does, and in float32 elsewhere.
    """
    fastest = 0.0
    for size in SIZES:
        seconds = min(_product(size, device) for _ in range(TRIES))
        fastest = max(fastest, 2 * size**3 / seconds)
        if seconds > LONG:
            break
    return fastest


def _product(size: int, device: torch.device) -> float:
    kind = torch.bfloat16 if computes_bf16(device.type) else torch.float32
    a, b = torch.randn(2, size, size, device=device).to(kind)
    wait_for(device)
    start = time.perf_counter()
    a @ b
    wait_for(device)
    return time.perf_counter() - start
