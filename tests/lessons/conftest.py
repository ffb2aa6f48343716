import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from seminar_lib.attacks.base import climb
from seminar_lib.goals import Misclassify
from seminar_lib.lessons import build
from seminar_lib.models import SmallCNN

# Seconds for ``gradients`` on the machine that a lesson's limits speak of: two cores that know AVX-512. One of them
# took 0.102 s for as many in the benchmark of PGD-20 (the floor in results/benchmarks/cpu.json).
USUAL = 0.055


def gradients() -> float:
    """Seconds for the gradients of 128 images, which is what most cells spend their time on."""
    model = SmallCNN().build(10, (0.5,) * 3, (0.25,) * 3).eval().requires_grad_(False)
    goal, x = Misclassify(model, torch.zeros(128, dtype=torch.int64)), torch.rand(128, 3, 32, 32)
    start = time.perf_counter()
    climb(goal, x)
    return time.perf_counter() - start


@pytest.fixture(scope="session")
def slowness():
    """How many times as long as usual this machine takes; 1 on a faster one, whose limits stay what they are."""
    return max(1.0, min(gradients() for _ in range(5)) / USUAL)


@pytest.fixture(scope="session", autouse=True)
def patience(slowness):
    """A slow machine is given more time for each cell, in proportion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "SECONDS_PER_CELL", round(build.SECONDS_PER_CELL * slowness))
        yield


@pytest.fixture
def nbgrader(monkeypatch):
    """Run one of nbgrader's commands in a course folder."""
    # nbgrader starts alembic by name, even where Python itself was started by its path.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)

    def run(folder, *arguments):
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    return run
