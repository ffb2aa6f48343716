"""The files that say what is installed agree, the promised commands exist, and they install what is missing."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from seminar_lib import bootstrap

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]]
DEBIAN_12 = "3.11.2"  # the oldest Python that the seminar promises to run on


def exact(lines: list[str]) -> dict[str, str]:
    """The pins among the lines of a requirements file, each of which must be exact."""
    pins: dict[str, str] = {}
    for requirement in (Requirement(line) for line in lines if line and line[0] not in "#-"):
        (only,) = requirement.specifier
        assert only.operator == "==", requirement
        pins[canonicalize_name(requirement.name)] = only.version
    return pins


LOCK = exact((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())


def brought_in() -> Iterator[tuple[str, Requirement]]:
    """Each requirement on this system, the project's own and those of what it installs, with what asks for it."""
    waiting = [("pyproject.toml", requirement) for requirement in REQUIREMENTS]
    seen = set()
    while waiting:
        asker, requirement = waiting.pop()
        yield asker, requirement
        for extra in ("", *requirement.extras):
            if (key := (canonicalize_name(requirement.name), extra)) not in seen:
                seen.add(key)
                further = map(Requirement, metadata.requires(requirement.name) or [])
                wanted = (r for r in further if r.marker is None or r.marker.evaluate({"extra": extra}))
                waiting += [(requirement.name, r) for r in wanted]


# What is installed


def test_the_lock_pins_all_that_the_project_brings_in() -> None:
    refused = [
        f"{asker} asks for {requirement}; requirements.lock has {LOCK.get(canonicalize_name(requirement.name))}"
        for asker, requirement in brought_in()
        if not requirement.specifier.contains(LOCK.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert not refused


def test_the_lock_serves_debian_12() -> None:
    locked = [found for found in metadata.distributions() if LOCK.get(canonicalize_name(found.name)) == found.version]
    assert len(locked) > 100
    needs_newer = [
        f"{found.name} {found.version} needs Python {found.metadata.json['requires_python']}"
        for found in locked
        if not SpecifierSet(str(found.metadata.json.get("requires_python", ""))).contains(DEBIAN_12)
    ]
    assert not needs_newer


def test_environment_yml_installs_the_locked_versions_of_what_the_project_requires() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert {"-c requirements.lock", "-e ."} <= set(pip["pip"])
    pins = exact(pip["pip"])
    assert pins.keys() >= {"torch", "torchvision", "jupyterlab", "ipywidgets", "matplotlib", "seaborn", "nbval"}
    assert pins.items() <= LOCK.items()
    assert pins.keys() <= {canonicalize_name(requirement.name) for requirement in REQUIREMENTS}
    assert Requirement(conda[0].replace("=", "==")).specifier.contains("3.11")


def test_binder_installs_the_locked_versions_with_the_same_python() -> None:
    """Its paths are relative to its own folder, where conda starts pip."""
    folder = ROOT / ".binder"
    texts = ((path / "environment.yml").read_text(encoding="utf-8") for path in (folder, ROOT))
    (*conda, pip), (*others, _) = (yaml.safe_load(text)["dependencies"] for text in texts)
    assert conda == others
    options = dict(line.split() for line in pip["pip"])
    assert (folder / options["-c"]).samefile(ROOT / "requirements.lock")
    assert (folder / options["-e"]).samefile(ROOT)
    assert options["--extra-index-url"].endswith("/cpu")


def test_peers_are_pinned_as_in_the_lock() -> None:
    peers = exact((ROOT / "requirements-peers.txt").read_text(encoding="utf-8").splitlines())
    assert peers
    assert peers.items() <= LOCK.items()


# The commands


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("verb", bootstrap.VERBS)
def test_make_calls_the_verb_with_its_options(verb: str) -> None:
    command = ["make", "--dry-run", "--no-print-directory", verb, "PYTHON=snake", "ARGS=--port 8899"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["snake", "-m", "seminar_lib", verb, "--port", "8899"]


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README.md")
def test_the_commands_in_the_readme_exist() -> None:
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", (ROOT / "README.md").read_text(encoding="utf-8"), re.S))
    made = set(re.findall(r"^[`$\s]*make ([\w-]+)", code, re.M))
    called = set(re.findall(r"\bpython3? -m seminar_lib ([\w-]+)", code))
    assert {"lab", "test"} <= made & called
    assert made <= bootstrap.VERBS.keys()
    command = [sys.executable, "-m", "seminar_lib", "--help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert called - bootstrap.VERBS.keys() <= set(re.findall(r"[\w-]+", listed))


# The start on a fresh machine


@pytest.mark.parametrize("name", ["bootstrap.py", "__init__.py", "__main__.py"])
def test_python_3_8_reads_far_enough_to_be_refused(name: str) -> None:
    source = (ROOT / "seminar_lib" / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    assert "->" not in source or "from __future__ import annotations" in source


def test_the_start_needs_the_standard_library_alone() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import seminar_lib.bootstrap"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 0)])
def test_another_python_is_refused_with_a_sentence(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit, match=r"needs Python 3.11 to 3.14"):
        bootstrap.main(["lab"])


def test_a_python_without_the_seminar_names_the_one_that_has_it() -> None:
    command = [sys.executable, "-S", "-m", "seminar_lib", "lessons"]  # -S: without what pip has installed
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"This Python ({sys.executable}) has no ")
    assert str(bootstrap.VENV) in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_oldest_python_is_the_projects() -> None:
    oldest = ".".join(map(str, bootstrap.PYTHONS[0]))
    assert PROJECT["requires-python"] == f">={oldest}"


REQUIRED = ("pyproject.toml", "requirements.lock", "requirements-peers.txt", "benchmarks/requirements.txt")


class Machine:
    """A checkout and its environment in an empty folder; commands are noted in place of run."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "seminar"
        self.venv = folder / "venv"
        self.commands: list[list[str]] = []
        self.failing = ""
        self.root.mkdir()
        (self.root / "benchmarks").mkdir()
        for name in REQUIRED:
            shutil.copy(ROOT / name, self.root / name)

    def run(self, command: list[str]) -> int:
        self.commands.append(command)
        if self.failing and self.failing in command:
            return 3
        if "venv" in command:
            for python in ("bin/python", "Scripts/python.exe", "pyvenv.cfg"):
                (self.venv / python).parent.mkdir(parents=True, exist_ok=True)
                (self.venv / python).touch()
        return 0

    def change(self, name: str) -> None:
        (self.root / name).write_bytes((self.root / name).read_bytes() + b"\n")

    def installed(self, extra: str) -> list[str]:
        """What is handed to pip, as its last argument, when a verb needs ``extra``."""
        self.commands.clear()
        bootstrap.environment(extra)
        return [command[-1] for command in self.commands if "pip" in command]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    fresh = Machine(tmp_path)
    monkeypatch.setattr(bootstrap, "ROOT", fresh.root)
    monkeypatch.setattr(bootstrap, "VENV", fresh.venv)
    monkeypatch.setattr(bootstrap, "run", fresh.run)
    return fresh


def test_a_second_start_installs_nothing(machine: Machine) -> None:
    assert machine.installed("lab") == ["."]
    assert machine.installed("lab") == []
    assert machine.installed("test") == [".[test]", "requirements-peers.txt"]
    assert machine.installed("test") == machine.installed("lab") == []
    assert machine.installed("bench") == [".[test]", "requirements-peers.txt", "benchmarks/requirements.txt"]
    assert machine.installed("test") == machine.installed("bench") == []


@pytest.mark.parametrize("name", REQUIRED)
def test_a_changed_requirement_is_installed(machine: Machine, name: str) -> None:
    machine.installed("lab")
    machine.change(name)
    assert machine.installed("lab") == ["."]


def test_a_failed_installation_says_so_and_is_taken_up_again(machine: Machine) -> None:
    machine.failing = "requirements-peers.txt"
    with pytest.raises(SystemExit, match=r"did not finish.*no network.*same command again"):
        machine.installed("test")
    machine.failing = ""
    assert machine.installed("test") == [".[test]", "requirements-peers.txt"]


def test_a_broken_environment_is_made_anew_and_nothing_else_is_cleared(machine: Machine) -> None:
    machine.venv.mkdir()
    (machine.venv / "thesis.txt").touch()  # SEMINAR_VENV may name any folder
    machine.installed("lab")
    assert "--clear" not in machine.commands[0]
    machine.change("requirements.lock")
    machine.installed("lab")  # its python is an empty file
    assert "--clear" in machine.commands[0]


@pytest.mark.parametrize(
    ("version", "origin", "fits"),
    [
        ("2.15.0", {}, True),
        ("2.15.0+cpu", {}, True),
        ("2.14.1", {}, False),
        ("2.15.0", {"url": "file:///another/checkout"}, False),
        ("2.15.0", {"dir_info": {}}, False),
    ],
)
def test_the_running_python_is_used_when_it_holds_the_seminar(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, version: str, origin: dict[str, object], fits: bool
) -> None:
    packages = machine.root.parent / "packages"
    for name, number in (("seminar_lib", "0.1.0"), ("seminar_stand_in", version)):
        folder = packages / f"{name}-{number}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    editable = {"url": machine.root.as_uri(), "dir_info": {"editable": True}}
    (packages / "seminar_lib-0.1.0.dist-info" / "direct_url.json").write_text(json.dumps(editable | origin))
    (machine.root / "pyproject.toml").write_text('[project]\ndependencies = ["Seminar.Stand-in>=2"]\n')
    (machine.root / "requirements.lock").write_text("seminar-stand-in==2.15.0\n")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(packages))
    assert (bootstrap.environment("lab") == sys.executable) == fits
    assert (machine.commands == []) == fits


@pytest.fixture
def became(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have taken the place of this process."""
    taken: list[list[str]] = []
    for name in ("PATH", "JUPYTER_PREFER_ENV_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # restored afterwards

    def become(command: list[str]) -> int:
        taken.append(command)
        return 0

    monkeypatch.setattr(bootstrap, "become", become)
    return taken


def test_test_lints_and_then_runs_pytest_with_the_options(machine: Machine, became: list[list[str]]) -> None:
    assert bootstrap.main(["test", "-k", "pgd"]) == 0
    linted = " ".join(" ".join(command[1:]) for command in machine.commands)
    assert all(tool in linted for tool in ("ruff check", "ruff format --check", "mypy", "importlinter"))
    assert [command[1:] for command in became] == [[*bootstrap.TESTS, "-k", "pgd"]]


def test_the_exit_code_of_a_failing_step_passes_through(machine: Machine, became: list[list[str]]) -> None:
    machine.failing = "mypy"
    assert bootstrap.main(["test"]) == 3
    assert not became


def test_lab_puts_its_settings_before_the_users_and_keeps_theirs(
    became: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/theirs")
    bootstrap.main(["lab"])
    assert os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(bootstrap.JUPYTER), "/theirs"]
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    bootstrap.main(["lab"])
    assert os.environ["JUPYTER_CONFIG_PATH"] == str(bootstrap.JUPYTER)


def test_lab_uses_its_own_kernel_though_the_user_has_another_named_python3(
    tmp_path: Path, became: list[list[str]]
) -> None:
    other = tmp_path / "user" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text('{"argv": ["another-python"], "display_name": "Other", "language": "python"}')
    bootstrap.main(["lab", "--no-browser"])
    assert became[0][-1] == "--no-browser"

    def kernel(prefer: str) -> Path:
        user = {"JUPYTER_DATA_DIR": str(tmp_path / "user"), "JUPYTER_PREFER_ENV_PATH": prefer}
        command = [sys.executable, "-m", "jupyter_client.kernelspecapp", "list", "--json"]
        shown = subprocess.run(command, env=os.environ | user, capture_output=True, text=True, check=True).stdout
        return Path(json.loads(shown)["kernelspecs"]["python3"]["resource_dir"])

    assert kernel("0") == other
    assert kernel(os.environ["JUPYTER_PREFER_ENV_PATH"]).is_relative_to(sys.prefix)
