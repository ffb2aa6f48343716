import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def nbgrader():
    """Run one of nbgrader's commands in a course folder."""
    # nbgrader starts alembic by name, even where Python itself was started by its path.
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

    def run(folder, *arguments, **variables):
        command = [sys.executable, "-m", "nbgrader", *arguments]
        environment = {**os.environ, "PATH": path, **variables}
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr

    return run
