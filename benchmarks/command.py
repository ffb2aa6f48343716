"""The command line of a benchmark."""

from __future__ import annotations

import sys
from collections.abc import Callable

import tyro


def call(measure: Callable[..., object], prog: str) -> None:
    """Call ``measure`` with what stands on the command line of ``prog``; what a user can mend ends in a sentence."""
    try:
        tyro.cli(measure, prog=prog)
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        sys.exit(f"error: {error}")
