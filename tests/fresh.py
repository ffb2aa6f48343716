"""Code that a Python of its own runs: what this process has imported, or holds in memory, is no part of the answer."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def in_a_fresh_python(code: str) -> str:
    """What the code prints, at the root of the repository."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
