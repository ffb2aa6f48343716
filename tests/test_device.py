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


def test_a_device_is_known_by_its_name_and_number(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    for name in ("cpu", "cuda", "cuda:1"):
        assert device.device_named(name) == torch.device(name)


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "xla"])
def test_what_is_no_device_is_answered_with_those_there_are(name):
    with pytest.raises(ValueError, match=rf"A device is cpu, cuda or mps; got '{name}'\."):
        device.device_named(name)


def test_a_device_that_is_not_here_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(ValueError, match="There is no cuda:2 here: PyTorch finds 2 such devices"):
        device.device_named("cuda:2")
