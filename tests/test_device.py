"""Where to compute: what is said of the hardware is true, and what it cannot do is left."""

import platform
from pathlib import Path

import pytest
import torch

from seminar_lib import device
from seminar_lib.attacks import PGD
from seminar_lib.threat import Linf

CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not CPUINFO.exists(), reason="Linux on x86 says what its CPU can do"
)
def test_a_cpu_computes_in_bf16_from_avx512_on():
    flags = set(CPUINFO.read_text().split())
    assert device.computes_bf16("cpu") == ({"avx512bw", "avx512vl", "avx512dq"} <= flags)


def test_a_kind_of_device_that_nobody_has_measured_computes_in_float32():
    assert not device.computes_bf16("mps")


@pytest.mark.parametrize("computes", [True, False])
def test_a_report_says_where_bf16_was_not_to_be_had(computes, monkeypatch):
    monkeypatch.setattr(device, "computes_bf16", lambda kind: computes)
    assert device.describe(torch.device("cpu")).endswith("no bfloat16") != computes


def test_a_search_in_bf16_runs_in_float32_where_bf16_would_be_emulated(monkeypatch, tiny, x, y):
    monkeypatch.setattr("seminar_lib.attacks.base.computes_bf16", lambda kind: False)
    first, second = (
        PGD(Linf(), bf16=bf16)(tiny, x, y, generator=torch.Generator().manual_seed(0)) for bf16 in (False, True)
    )
    assert torch.equal(first, second)
