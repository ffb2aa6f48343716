import os
import subprocess
import sys
from pathlib import Path

import pytest


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
