"""Two commands do everything on a fresh machine: ``python -m seminar_lib lab`` and ``python -m seminar_lib test``.

This file runs before anything is installed, so it imports the standard library alone; and Python 3.7 can still read it,
so that a Python which is too old is refused with a sentence.

Which Python does the work:

1. The one that runs this file, when it already holds the seminar: this checkout (``pip install -e .``) and all that
   the verb needs, at the versions of ``requirements.lock``. That is Binder, the conda environment of
   ``environment.yml``, a container.
2. Otherwise the seminar's own environment: ``.venv`` in the repository, or the folder that ``SEMINAR_VENV`` names (a
   home folder with a quota may not hold PyTorch). Another environment that happens to be active is left as it is.

That environment is made and filled when needed. A stamp in it records what was installed from, so a second start
installs nothing; an interrupted installation leaves no stamp and is taken up again.

On Linux PyTorch brings CUDA, about 5 GB. Without a GPU, put PyTorch's CPU build of the locked versions into ``.venv``
first: it satisfies the lock and is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

PYTHONS = ((3, 11), (3, 14))  # the oldest and the newest that all of requirements.lock has wheels for

ROOT = Path(__file__).resolve().parent.parent
JUPYTER = ROOT / "seminar_lib" / "jupyter"  # settings of JupyterLab, below those that a user has chosen
VENV = Path(os.environ.get("SEMINAR_VENV") or ROOT / ".venv").expanduser().absolute()


# What a verb may need, each with all that those before it need: the seminar itself, its tests, its benchmark. Beside
# pyproject.toml these files of other libraries belong to it, whose own requirements are not installed; they say why.
EXTRAS = {
    "lab": (),
    "test": ("requirements-peers.txt",),
    "bench": ("requirements-peers.txt", "benchmarks/requirements.txt"),
}


class Verb(NamedTuple):
    """What a verb needs and what it runs.

    Attributes:
        extra: one of ``EXTRAS``.
        steps: arguments of Python, run in this order until one fails; the user's options go to the last.
    """

    extra: str
    steps: tuple[tuple[str, ...], ...]


# The address, unlike a file name, is also in the link that --no-browser prints, and leaves the repository as the root.
LAB: tuple[str, ...] = ("-m", "jupyterlab", "--LabApp.default_url=/lab/tree/notebooks/00_setup.ipynb")
if sys.platform != "win32" and os.geteuid() == 0:
    LAB += ("--allow-root",)  # root is the usual user of a container, and Jupyter refuses it otherwise

LINT = (
    ("-m", "ruff", "check"),
    ("-m", "ruff", "format", "--check"),
    ("-m", "mypy"),
    ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),  # it has no python -m
)

# A process for each core, up to four, which is as many as fit into a laptop's memory; `-n 0` is one alone.
TESTS = ("-m", "pytest", "-n", "auto", "--maxprocesses", "4")

VERBS = {
    "lab": Verb("lab", (LAB,)),
    "test": Verb("test", (*LINT, TESTS)),
    "lint": Verb("test", LINT),
    "notebooks": Verb("test", (("-m", "seminar_lib", "lessons", "--build"),)),
    "bench": Verb("bench", (("-m", "benchmarks"),)),
    "slides": Verb("lab", (("-m", "slides", "build"),)),
    "figures": Verb("lab", (("-m", "slides", "figures"),)),
    "site": Verb("test", (("-m", "slides", "site"),)),
    "check-site": Verb("test", (("-m", "slides", "site"), ("-m", "slides", "check-site"))),
}


def main(arguments: list[str]) -> int:
    """Run a verb of ``VERBS`` with the options that follow it, installing what is missing first.

    Returns:
        The exit code of the step that failed, or of the last one. Where the system allows it, the last step takes this
        process's place and nothing returns.

    Raises:
        SystemExit: this Python or this folder cannot do it, or the installation failed; with a sentence.
    """
    verb, *options = arguments
    oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        raise SystemExit(
            f"The seminar needs Python {oldest} to {newest}; this is {sys.version.split()[0]} ({sys.executable}). Run "
            f"the same command with a Python in that range: `python{newest} -m seminar_lib {verb}`, or "
            f"`make {verb} PYTHON=python{newest}`."
        )
    if not (ROOT / "requirements.lock").exists():
        raise SystemExit(f"`{verb}` needs a checkout of the seminar's repository; {ROOT} is not one.")
    python = environment(VERBS[verb].extra)
    # As `activate` does it: Jupyter's terminals and `!` cells find this environment's programs,
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(python), os.environ.get("PATH", os.defpath)])
    # and its kernel wins over one named python3 that the user once installed for some other Python.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    # JupyterLab's defaults here: it would ask every student about news from the network.
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(
        [str(JUPYTER), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    )
    *first, last = VERBS[verb].steps
    for step in first:
        code = run([python, *step])
        if code != 0:
            return code
    return become([python, *last, *options])


def environment(extra: str) -> str:
    """The Python that does the work, once all that ``extra`` names is installed in it."""
    running_ours = VENV.exists() and VENV.samefile(sys.prefix)
    if not running_ours and complete(extra):
        return sys.executable
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = VENV / "seminar.stamp"
    source = fingerprint()
    found = stamp.read_text() if stamp.exists() else ""
    enough = list(EXTRAS)[list(EXTRAS).index(extra) :]
    if not python.exists() or found not in [f"{other} {source}" for other in enough]:
        stamp.unlink(missing_ok=True)
        if not usable(python):
            make_venv()
        install(python, extra)
        stamp.write_text(f"{extra} {source}")
    return str(python)


def complete(extra: str) -> bool:
    """Whether the running Python holds this checkout, and all that ``extra`` names at the locked versions."""
    import tomllib
    from importlib import metadata

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in project["dependencies"]]
    if extra != "lab":
        names += [re.split(r"[^\w.-]", requirement)[0] for requirement in project["optional-dependencies"]["test"]]
    lock = pins("requirements.lock")
    for peers in map(pins, EXTRAS[extra]):
        names += peers
        lock |= peers
    for name in map(normal, names):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            return False
        if version.split("+")[0] != lock.get(name):  # a version may carry its build, as in 2.15.0+cpu
            return False
    # Only where pip put it counts: the metadata that lies in the checkout itself proves nothing.
    installed = metadata.distributions(name="seminar-lib", path=[sysconfig.get_path("purelib")])
    origins = [json.loads(found.read_text("direct_url.json") or "{}") for found in installed]
    return {"url": ROOT.as_uri(), "dir_info": {"editable": True}} in origins


def pins(name: str) -> dict[str, str]:
    """The versions that a file of ``name==version`` lines pins, by normalised name."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [re.match(r"([\w.-]+)==(\S+)", line) for line in lines]
    return {normal(pin[1]): pin[2] for pin in found if pin}


def normal(name: str) -> str:
    """A package's name in the one spelling that comparisons use."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fingerprint() -> str:
    """A hash of all that an installation depends on, the place of the checkout included."""
    sha = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "requirements.lock", *EXTRAS["bench"]):
        sha.update((ROOT / name).read_bytes())
    return sha.hexdigest()


def usable(python: Path) -> bool:
    """Whether ``python`` starts, has pip and is a version that the lock serves: a half-made environment is not."""
    check = f"import pip, sys; sys.exit(not {PYTHONS[0]} <= sys.version_info[:2] <= {PYTHONS[1]})"
    try:
        return subprocess.call([str(python), "-c", check], stderr=subprocess.DEVNULL) == 0
    except OSError:  # absent, or a link to a Python that was removed
        return False


def make_venv() -> None:
    """Make the seminar's environment; what is left of an earlier one is cleared."""
    from importlib.util import find_spec

    if find_spec("ensurepip") is None:
        raise SystemExit(
            f"This Python ({sys.executable}) cannot make virtual environments: its ensurepip is missing. On Debian "
            "and Ubuntu run `sudo apt install python3-venv`; elsewhere install Python from python.org. Then run the "
            "same command again."
        )
    print(f"Making {VENV}", flush=True)
    # pyvenv.cfg says that it is an environment: nothing else is ever cleared, whatever SEMINAR_VENV names.
    clear = ["--clear"] if (VENV / "pyvenv.cfg").exists() else []
    if run([sys.executable, "-m", "venv", *clear, str(VENV)]) != 0:
        raise SystemExit(
            f"Making {VENV} did not finish; Python says why above. Mend that and run the same command again."
        )


def install(python: Path, extra: str) -> None:
    """Install this checkout and all that ``extra`` names, at the locked versions."""
    print(f"Installing the seminar into {VENV}: once, a few minutes", flush=True)
    pip = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-c", "requirements.lock"]
    commands = [[*pip, "-e", "." if extra == "lab" else ".[test]"]]
    commands += [[*pip, "--no-deps", "-r", peers] for peers in EXTRAS[extra]]
    for command in commands:
        if run(command) != 0:
            raise SystemExit(
                "The installation did not finish; pip says why above. The usual causes are no network (connect first) "
                "and a full disk (Linux needs 7 GB for PyTorch with CUDA, other systems 2 GB). Then run the same "
                "command again: it takes up where this one stopped."
            )


def not_here(module: str | None) -> str:
    """What to do when this Python lacks a module: as a rule it is another than the one that holds the seminar."""
    activate = r"Scripts\activate" if os.name == "nt" else "bin/activate"
    return (
        f"This Python ({sys.executable}) has no {module}. The seminar is installed into {VENV} by `make lab` or "
        f"`python -m seminar_lib lab`. After that, in each new terminal, make its Python the current one: "
        f"`{'' if os.name == 'nt' else 'source '}{VENV / activate}`."
    )


def run(command: list[str]) -> int:
    """Run a command in the repository and return its exit code; what Ctrl-C means is for the command to say."""
    with subprocess.Popen(command, cwd=ROOT) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the terminal sends it to the command as well, which may ask before it ends
                continue


def become(command: list[str]) -> int:
    """Run a command in the place of this process, so that signals and exit codes are its own."""
    if sys.platform == "win32":  # where exec would give the terminal back while the command still runs
        return run(command)
    os.chdir(ROOT)
    os.execv(command[0], command)
