"""The programs of ``slides/package.json``, at the versions that ``package-lock.json`` pins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

from slides.deck import FOLDER

MODULES = FOLDER / "node_modules"


def install() -> None:
    """Install what package-lock.json pins, unless it is there.

    Raises:
        SystemExit: npm is missing, or failed; with a sentence.
    """
    if installed() == pinned():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "Slides are made by marp, which needs node 18 or newer and its npm, and npm is not installed. On Debian "
            "and Ubuntu run `sudo apt install nodejs npm`; elsewhere install node from nodejs.org. Then run the same "
            "command again."
        )
    print("Installing marp and MathJax into slides/node_modules: once, half a minute", flush=True)
    run([npm, "ci", "--no-audit", "--no-fund"])


def pinned() -> dict[str, str]:
    """The versions of what package.json asks for."""
    packages = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = {**packages[""]["dependencies"], **packages[""]["devDependencies"]}
    return {name: packages[f"node_modules/{name}"]["version"] for name in wanted}


def installed() -> dict[str, str]:
    """The versions of them that are installed."""
    files = {name: MODULES / name / "package.json" for name in pinned()}
    return {
        name: json.loads(file.read_text(encoding="utf-8"))["version"] for name, file in files.items() if file.exists()
    }


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a command in the folder of the decks, and show what it says only if it fails."""
    done = subprocess.run(
        command, cwd=FOLDER, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}{done.stderr}\n`{' '.join(command)}` failed; it says why above.")
