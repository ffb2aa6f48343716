"""A report that grows while it is measured: written whole after each part, and taken up again by the same command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from seminar_lib.device import describe
from seminar_lib.evaluation import versions
from seminar_lib.files import whole_file

RESULTS = Path(__file__).parent.parent / "results" / "benchmarks"


def take_up(path: Path, settings: Mapping[str, Any], what: str = "models") -> dict[str, Any]:
    """The report at ``path``, or a new one without results; ``what`` was measured is the name they stand under.

    Raises:
        ValueError: what is there was measured with other settings.
    """
    if not path.exists():
        return {"settings": dict(settings), what: {}}
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report["settings"] != settings:
        raise ValueError(
            f"{path} was measured with other settings, {report['settings']}. Name another file with --out."
        )
    return report


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write the report, whole or not at all: a line for each value, so that a change shows, without indents."""
    with whole_file(path) as part:
        part.write_text(json.dumps(report, indent=0) + "\n", encoding="utf-8")


def kept(folder: Path, *names: str) -> Path:
    """The file in ``folder`` for the part of a measurement that these names stand for: weights, and a setting."""
    return folder / f"{'-'.join(names).replace('/', '-').replace(' ', '_')}.json"


def circumstances(device: torch.device) -> dict[str, Any]:
    """What each part of a report was measured on: the next part may be measured elsewhere."""
    return {"device": describe(device), "versions": versions()}
