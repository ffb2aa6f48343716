"""The class on one machine: memory and CPU seconds against what real kernels are made to take, tables by hand."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from benchmarks import classroom as program

MIB = 2**20
TICKS = 0.05  # the system counts CPU seconds in hundredths, those of the program and its own apart
BURN = """
import os, time
end = time.process_time() + 0.5
while time.process_time() < end:
    pass
open(f"{folder}/{os.getpid()}", "w").write(str(time.process_time()))
"""


def kernels() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ipykernel_launcher" in " ".join(child.cmdline())]


def test_kernels_are_charged_with_what_they_take_and_are_gone_afterwards(tmp_path: Path) -> None:
    take = f"folder = {str(tmp_path)!r}\nblock = bytearray(b'x') * {100 * MIB}"
    found = asyncio.run(program.together([take, BURN], number=2, threads=1))
    own = [float(path.read_text()) for path in tmp_path.iterdir()]
    assert len(found["first"]) == len(found["cpu"]) == len(found["wall"]) == len(own) == 2
    assert sum(found["cpu"]) >= sum(own) - 2 * TICKS
    assert all(last - first >= 0.5 - TICKS for first, last in zip(found["first"], found["cpu"], strict=True))
    assert found["memory"] >= 2 * 100 * MIB
    assert found["resident"] >= 100 * MIB
    assert 0 <= found["others"] <= 1
    assert kernels() == []


def test_a_page_that_kernels_share_counts_once(tmp_path: Path) -> None:
    """Two kernels map the same file of 100 MiB and read it: it is in the resident memory of each."""
    shared = tmp_path / "shared"
    shared.write_bytes(b"x" * 100 * MIB)
    cell = f"import mmap\nfile = open({str(shared)!r}, 'rb')\n"
    cell += "pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\nseen = pages[::4096]"
    found = asyncio.run(program.together([cell], number=2, threads=1))
    assert found["resident"] >= 100 * MIB
    assert found["memory"] <= 2 * found["resident"] - 100 * MIB


def test_threads_reach_the_kernel() -> None:
    asyncio.run(program.together(["import os\nassert os.environ['OMP_NUM_THREADS'] == '3'"], number=1, threads=3))


def test_a_failing_cell_is_named_and_ends_all_kernels() -> None:
    with pytest.raises(ValueError, match=r"A cell raises ZeroDivisionError: division by zero\n\n1 / 0"):
        asyncio.run(program.together(["1 / 0"], number=2, threads=1))
    assert kernels() == []


def test_an_unknown_load_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no load 'nap'; there are imports, demo, 00_setup, 01_fgsm"):
        program.cells_of("nap")


def test_a_lesson_is_its_solution() -> None:
    cells = program.cells_of("01_fgsm")
    assert any("FGSMDemo" in cell for cell in cells)
    assert not any("NotImplementedError" in cell for cell in cells)


def test_the_demo_is_moved_as_often_as_is_said() -> None:
    moved = []

    class Control:
        def __init__(self, name: str) -> None:
            self.__dict__["name"] = name

        def __setattr__(self, name: str, value: int) -> None:
            moved.append(self.name)

    exec(program.MOVE, {"demo": SimpleNamespace(controls={name: Control(name) for name in ("image", "eps")})})
    assert moved.count("eps") == program.MOVES


def measured(memory: int, cpu: list[float]) -> dict[str, Any]:
    both = {
        "resident": 700 * MIB,
        "first": [1.0, 2.0, 4.0],
        "wall": [9.0, 8.0],
        "others": 0.25,
        "cores": 1,
        "device": "a CPU, 7 threads",
    }
    return {"memory": memory * MIB, "cpu": cpu} | both


def test_what_another_student_takes_is_worked_out_from_the_fewest() -> None:
    done = {"1": measured(500, [4.0]), "4": measured(1400, [4.0, 5.0, 6.0, 8.0])}
    one, four = program.rows({"loads": {"demo": {"2": done}}})
    assert one == ("demo", "2", "1", "500", "", "700", "2.0", "4.0", "1.00", "8", "25%", "1 core(s), a CPU")
    assert four == ("demo", "2", "4", "1400", "300", "700", "2.0", "5.5", "1.38", "8", "25%", "1 core(s), a CPU")


def test_more_kernels_than_fit_are_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[int, int]] = []

    async def pretend(cells: list[str], number: int, threads: int) -> dict[str, Any]:
        tried.append((number, threads))
        return measured(600 * number, [4.0] * number)

    monkeypatch.setattr(program, "together", pretend)
    out = tmp_path / "report.json"
    program.compare(("imports",), threads=(1, 2), kernels=(1, 2, 4), memory=2, out=out)
    assert tried == [(1, 1), (2, 1), (1, 2), (2, 2)]  # four would need 2.3 GiB
    program.compare(("imports",), threads=(1, 2), kernels=(1, 2, 4), memory=3, out=out)
    assert tried[4:] == [(4, 1), (4, 2)]
    assert set(json.loads(out.read_text())["loads"]["imports"]["1"]) == {"1", "2", "4"}


def test_the_teachers_page_quotes_what_was_measured() -> None:
    loads = json.loads((program.RESULTS / "classroom-cpu.json").read_text())["loads"]
    page = (Path(__file__).parents[1] / "slides" / "teacher" / "scale.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == set(loads)
    for load, by_threads in loads.items():
        *_, most = program.rows({"loads": {load: {"1": by_threads["1"]}}})
        memory, more, cpu = most[3], most[4], most[7]
        assert re.search(rf"^\| `{load}`[^|]* \| {more or memory} MiB \| {cpu} \|$", page, re.MULTILINE), load
