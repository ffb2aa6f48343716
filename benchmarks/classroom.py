"""How many students fit on one machine: ``python -m benchmarks.classroom``.

Kernels are started as JupyterLab starts them, one for each student. When all are there, all run the same cells at the
same time; then their number doubles. Memory is the proportional set size, in which a page that several kernels share is
divided among them, so that it counts once for the class; where the system does not tell it, the unique set size takes
its place. CPU seconds count a kernel from its start, in all its threads. They hardly depend on what else the machine
does, and wall seconds do: the report says which share of the cores other programs took meanwhile.

More threads than cores are what a shared machine has when every kernel takes PyTorch's default, a thread for each core.
On Linux ``taskset -c 0 python -m benchmarks.classroom --threads 1 2 4`` tries that on one core.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, cast

import nbformat
import psutil
import torch
import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from benchmarks.command import call
from benchmarks.report import RESULTS, circumstances, take_up, write
from seminar_lib import markdown
from seminar_lib.lessons import found

IMPORTS = "import matplotlib.pyplot, torch, seminar_lib.widgets"
OPEN = """
import seminar_lib as sl
from seminar_lib.widgets import FGSMDemo

data = sl.load_data("signs")
model, _ = sl.load("signs/standard")
demo = FGSMDemo(model, data.test[:40], data.classes)
demo
"""
MOVE = """
for demo.controls["image"].value in range(10):
    for demo.controls["eps"].value in range(33):
        pass
"""
MOVES = 10 * 33
LOADS: dict[str, list[str]] = {"imports": [IMPORTS], "demo": [OPEN, MOVE]}  # and every lesson, by its name
EVERY = 0.5  # seconds between two looks at the memory
PATIENCE = 900  # seconds, after which a kernel that does not answer counts as dead
GIB, MIB = 2**30, 2**20
HEAD = (
    *("load", "threads", "kernels", "memory of all, MiB", "more for each, MiB", "largest resident, MiB"),
    *("CPU s each: first cell", "all", "times one kernel's", "wall s", "other programs", "hardware"),
)


def compare(
    loads: tuple[str, ...] = ("imports", "demo", "01_fgsm", "02_pgd"),
    threads: tuple[int, ...] = (1,),
    kernels: tuple[int, ...] = (1, 2, 4, 8, 16, 32),
    memory: float = 8,
    out: Path | None = None,
) -> None:
    """Run each load in more and more kernels at once, as long as they fit.

    Args:
        loads: "imports", "demo" (of lesson 01, with its sliders moved), or lessons, whose solutions are run whole.
        threads: of each kernel, its OMP_NUM_THREADS.
        kernels: how many at once, in this order.
        memory: GiB that they may take together; what by its predecessor would need more is not tried.
        out: the JSON to write, and to go on with; results/benchmarks/classroom-cpu.json by default.
    """
    path = out or RESULTS / "classroom-cpu.json"
    report = take_up(path, {"moves of the demo": MOVES, "memory looked at every, s": EVERY}, "loads")
    for load in loads:
        cells = cells_of(load)
        for count in threads:
            done = report["loads"].setdefault(load, {}).setdefault(str(count), {})
            for number in kernels:
                if done and needed(done, number) > memory * GIB:
                    print(f"{load}: {number} kernels would need {needed(done, number) / GIB:.1f} GiB.")
                    break
                if str(number) not in done:
                    measured = asyncio.run(together(cells, number, count))
                    done[str(number)] = measured | circumstances(torch.device("cpu"))
                    write(report, path)
    print(markdown.table(HEAD, list(rows(report))))


def cells_of(load: str) -> list[str]:
    """The code that a kernel runs, cell by cell.

    Raises:
        ValueError: there is no such load.
    """
    if load in LOADS:
        return LOADS[load]
    lessons = {lesson.name: lesson for lesson in found()}
    if load not in lessons:
        raise ValueError(f"There is no load {load!r}; there are {', '.join([*LOADS, *lessons])}.")
    notebook = nbformat.read(lessons[load].solution_path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def needed(done: Mapping[str, Any], number: int) -> float:
    """Bytes that so many kernels would take, each as much as in the largest number that was measured."""
    most = max(done, key=int)
    return float(done[most]["memory"] / int(most) * number)


async def together(cells: Sequence[str], number: int, threads: int) -> dict[str, Any]:
    """Run the cells in so many kernels at once.

    Returns:
        memory: the most that all took together, in bytes.
        resident: the most that one took, with all pages that it shares, in bytes.
        first, cpu: CPU seconds of each kernel up to the end of its first cell, and of its last one.
        wall: seconds of each from its first cell to the end of its last one.
        others: the share of the cores that other programs took meanwhile, from 0 to 1.
        cores: how many the kernels may use.

    Raises:
        ValueError: a cell failed.
        TimeoutError: a cell takes too long, or its kernel died.
    """
    with TemporaryDirectory(prefix="kernels-") as sockets:
        return await _together(cells, number, os.environ | {"OMP_NUM_THREADS": str(threads)}, sockets)


async def _together(cells: Sequence[str], number: int, environment: Mapping[str, str], sockets: str) -> dict[str, Any]:
    """As :func:`together`, in kernels that listen in the folder ``sockets`` where the system can."""
    managers = [AsyncKernelManager(kernel_name="python3") for _ in range(number)]
    if zmq.has("ipc"):
        for name, manager in enumerate(managers):
            manager.transport, manager.ip = "ipc", f"{sockets}/{name}"
    tasks: list[asyncio.Task[Any]] = []
    try:
        students = await asyncio.gather(*(arrive(manager, environment) for manager in managers))
        processes = [psutil.Process(cast(LocalProvisioner, manager.provisioner).pid) for manager in managers]
        start, idle, ours = time.perf_counter(), idle_seconds(), sum(map(cpu_seconds, processes))
        watch = asyncio.create_task(peaks(processes))
        work = [
            asyncio.create_task(run(student, cells, process))
            for student, process in zip(students, processes, strict=True)
        ]
        tasks += [watch, *work]
        first, cpu, wall = map(list, zip(*await asyncio.gather(*work), strict=True))
        available = len(cores()) * (time.perf_counter() - start)
        others = 1 - (idle_seconds() - idle + sum(cpu) - ours) / available
        watch.cancel()
        memory, resident = await watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(manager.shutdown_kernel(now=True) for manager in managers if manager.has_kernel))
    return {
        **{"memory": memory, "resident": resident, "first": first, "cpu": cpu, "wall": wall},
        **{"others": max(0.0, others), "cores": len(cores())},
    }


async def arrive(manager: AsyncKernelManager, environment: Mapping[str, str]) -> AsyncKernelClient:
    """Start a kernel and wait until it answers."""
    await manager.start_kernel(env=environment)
    client: AsyncKernelClient = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    return client


async def run(client: AsyncKernelClient, cells: Sequence[str], process: psutil.Process) -> tuple[float, float, float]:
    """Run the cells one by one; CPU seconds after the first and after the last, and seconds in between."""
    start = time.perf_counter()
    spent = []
    try:
        for cell in cells:
            reply = await client.execute_interactive(cell, timeout=PATIENCE, output_hook=lambda message: None)
            if (answer := reply["content"])["status"] != "ok":
                raise ValueError(f"A cell raises {answer['ename']}: {answer['evalue']}\n\n{cell}")
            spent.append(cpu_seconds(process))
    finally:
        client.stop_channels()
    return spent[0], spent[-1], time.perf_counter() - start


async def peaks(processes: Sequence[psutil.Process]) -> tuple[int, int]:
    """The most memory that the processes have together, and that the largest has; the last look is at cancellation."""
    memory = resident = 0
    watching = True
    while watching:
        try:
            await asyncio.sleep(EVERY)
        except asyncio.CancelledError:
            watching = False
        found = [process.memory_full_info() for process in processes]
        memory = max(memory, sum(getattr(one, "pss", one.uss) for one in found))
        resident = max(resident, *(one.rss for one in found))
    return memory, resident


def cpu_seconds(process: psutil.Process) -> float:
    """In all threads of a process since it was started."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cores() -> list[int]:
    """The cores that this process and its kernels may use."""
    mine = psutil.Process()
    return mine.cpu_affinity() if hasattr(mine, "cpu_affinity") else list(range(psutil.cpu_count()))


def idle_seconds() -> float:
    """For how long these cores together have had nothing to do."""
    times = psutil.cpu_times(percpu=True)
    return float(sum(times[core].idle + getattr(times[core], "iowait", 0) for core in cores()))


def rows(report: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each load, number of threads and number of kernels."""
    for load, by_threads in report["loads"].items():
        for threads, done in by_threads.items():
            fewest = min(done, key=int)
            for number, one in done.items():
                more = ""
                if number != fewest:
                    grown = one["memory"] - done[fewest]["memory"]
                    more = f"{grown / (int(number) - int(fewest)) / MIB:.0f}"
                cpu = median(one["cpu"])
                hardware = f"{one['cores']} core(s), {one['device'].partition(',')[0]}"  # not this program's threads
                yield (
                    *(load, threads, number, f"{one['memory'] / MIB:.0f}", more, f"{one['resident'] / MIB:.0f}"),
                    *(f"{median(one['first']):.1f}", f"{cpu:.1f}", f"{cpu / median(done[fewest]['cpu']):.2f}"),
                    *(f"{median(one['wall']):.0f}", f"{one['others']:.0%}", hardware),
                )


if __name__ == "__main__":
    call(compare, "python -m benchmarks.classroom")
