"""Freed memory: the system's own count of the pages that it had to hand out, with the library and without."""

import os
import platform
import subprocess
import sys

import pytest

from seminar_lib import allocator

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told anything")

# 16 blocks of 4 MB at a time, as the layers of a network need them, twenty times over.
WORK = """
import resource
import numpy as np

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def layers():
    return [np.ones(2**20, np.float32) for _ in range(16)]

layers()
before = faults()
for _ in range(20):
    layers()
print(faults() - before)
"""


def pages(program: str, **environment: str) -> int:
    clean = {name: value for name, value in os.environ.items() if name not in allocator.VARIABLES}
    run = subprocess.run(
        [sys.executable, "-c", program], env=clean | environment, capture_output=True, text=True, check=True
    )
    return int(run.stdout)


def test_importing_the_library_spares_the_system_from_handing_out_the_same_pages_again():
    without, with_it = pages(WORK), pages("import seminar_lib\n" + WORK)
    blocks = 20 * 16 * 2**22 // os.sysconf("SC_PAGE_SIZE")
    assert without > blocks / 4
    assert with_it < blocks / 100


def test_what_the_user_has_set_is_left_alone(monkeypatch):
    for name in allocator.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert allocator.keep_freed_memory()
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "100000")
    assert not allocator.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not allocator.keep_freed_memory()
