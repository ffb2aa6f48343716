"""Contestants measured side by side in one process, on the same tensors.

One pass with observers counts what each contestant asks of the model, watches its memory and judges its images by our
own verdict. Then it is timed without observers, taking turns with the others at every batch and each time in another
order, so that whatever else keeps the machine busy slows all of them alike.
"""

from __future__ import annotations

import ctypes
import random
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from benchmarks.peers import PEERS, Contestant
from seminar_lib.attacks import Attack, MinimumNorm
from seminar_lib.attacks.base import verdict
from seminar_lib.evaluation import Accuracy
from seminar_lib.goals import Misclassify
from seminar_lib.models import Classifier
from seminar_lib.types import Images, Labels

T = TypeVar("T")
Batches = Sequence[tuple[Images, Labels]]
MB = 10**6


@dataclass
class Result:
    """What one contestant did.

    Attributes:
        accuracy: the share of images that the model answers rightly both before and after the attack.
        forwards, backwards: images that went through the model, over images attacked.
        distance: median distance of the nearest success, for minimum-norm attacks; None where fewer than half succeed.
        memory: megabytes in use beyond those before the call, at the worst moment of the worst batch; None where this
            cannot be measured.
        seconds: of each round, for all batches.
    """

    accuracy: Accuracy
    forwards: float
    backwards: float
    distance: float | None
    memory: float | None
    seconds: list[float] = field(default_factory=list)


def race(
    contestants: Mapping[str, Contestant],
    model: Classifier,
    batches: Batches,
    attack: Attack,
    rounds: int,
    seed: int,
) -> dict[str, Result]:
    """The result of each contestant.

    Raises:
        ValueError: a contestant returned images that ``attack`` may not return; or there are no rounds.
    """
    if rounds < 1:
        raise ValueError(f"A benchmark needs at least one round; got rounds={rounds}.")
    results = {}
    for name, contestant in tqdm(contestants.items(), desc="observe", leave=False):
        contestant(*batches[0])  # whatever is set up at a first call is in nobody's account
        results[name] = observe(name, contestant, model, batches, attack, seed)
    order = deque(contestants)
    for _ in tqdm(range(rounds), desc="rounds", leave=False):
        seconds = dict.fromkeys(contestants, 0.0)
        for x, y in batches:
            order.rotate()
            for name in order:
                seed_all(seed)
                seconds[name] += clock(contestants[name], x, y)
                model.zero_grad()  # some peers fill the gradients of the parameters
        for name, total in seconds.items():
            results[name].seconds.append(total)
    return results


def observe(
    name: str, contestant: Contestant, model: Classifier, batches: Batches, attack: Attack, seed: int
) -> Result:
    """Everything but the time.

    Raises:
        ValueError: an image lies outside the threat model. Those of a minimum-norm attack may, and do not count there.
    """
    seed_all(seed)
    threat, anywhere = attack.threat, isinstance(attack, MinimumNorm)
    correct, distances, peaks, passes = [], [], [], Counter[str]()
    for x, y in batches:
        with counted(model, passes):
            x_adv, peak = with_peak_memory(partial(contestant, x, y), x.device)
        inside = threat.contains(x_adv, x)
        if not (anywhere or inside.all()):
            raise ValueError(f"{name} returned images outside {threat}: its result would mean nothing.")
        goal = Misclassify(model, y)
        # An adversary may leave an image as it is: one that was misclassified before an attack is no merit after it.
        before, after = verdict(goal, x).success, verdict(goal, x_adv).success
        correct.append(~(before | (after & inside)))
        distance = threat.norm(x_adv - x).masked_fill(~after, torch.inf)
        distances.append(distance.masked_fill(before, 0))
        peaks.append(peak)
        model.zero_grad()
    accuracy = Accuracy.of(torch.cat(correct))
    memory = max((peak for peak in peaks if peak is not None), default=None)
    middle = torch.cat(distances).median().item()
    nearest = middle if anywhere and middle < float("inf") else None
    return Result(accuracy, passes["forward"] / accuracy.n, passes["backward"] / accuracy.n, nearest, memory)


def seed_all(seed: int) -> None:
    """Begin all the random numbers that contestants draw anew: some peers take NumPy's or Python's."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def clock(contestant: Callable[[Images, Labels], object], x: Images, y: Labels) -> float:
    """Seconds for one batch."""
    wait_for(x.device)
    start = time.perf_counter()
    contestant(x, y)
    wait_for(x.device)
    return time.perf_counter() - start


@contextmanager
def counted(model: nn.Module, passes: Counter[str]) -> Iterator[None]:
    """Add to ``passes`` how many images go "forward" and "backward" through the model."""

    def count(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
        passes["forward"] += len(logits)
        if logits.requires_grad:
            logits.register_hook(lambda grad: passes.update(backward=len(grad)))

    handle = model.register_forward_hook(count)
    try:
        yield
    finally:
        handle.remove()


def with_peak_memory(call: Callable[[], T], device: torch.device) -> tuple[T, float | None]:
    """What ``call`` returns, and the most megabytes that it had in use beyond those before it.

    On a GPU these are PyTorch's own figures. On the CPU they are the resident memory of the process, which Linux alone
    lets us ask for; elsewhere the answer is None. It includes what the C library keeps of memory that was freed.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        value = call()
        return value, (torch.cuda.max_memory_allocated(device) - before) / MB
    if device.type != "cpu" or sys.platform != "linux":
        return call(), None
    # What was freed goes back to the system first: memory that a contestant reuses would not show.
    ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is resident now; see proc(5)
    except OSError:  # some sandboxes forbid it
        return call(), None
    before = _resident("VmRSS")
    value = call()
    return value, (_resident("VmHWM") - before) / MB


def _resident(line: str) -> int:
    """Bytes: ``VmRSS`` is what is resident now, ``VmHWM`` the most that was."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.findall(rf"{line}:\s+(\d+) kB", status)[0])


def wait_for(device: torch.device) -> None:
    """Let an accelerator finish: its work is only queued when a call returns."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def as_rows(results: Mapping[str, Result], absent: Iterable[str]) -> list[dict[str, Any]]:
    """Plain values, ready for JSON, with each time as a multiple of the floor's and of the fastest peer's.

    Args:
        results: of those that ran.
        absent: peers that are not installed.
    """
    times = {name: median(result.seconds) for name, result in results.items()}
    fastest = min((times[name] for name in PEERS if name in times), default=None)
    rows: list[dict[str, Any]] = []
    for name, result in results.items():
        # The floor returns the images as they are: what it leaves is the clean accuracy.
        accuracy = "clean_accuracy" if name == "floor" else "robust_accuracy"
        rows.append(
            {
                "name": name,
                "installed": True,
                "seconds": {"median": times[name], "min": min(result.seconds), "max": max(result.seconds)},
                "times_floor": times[name] / times["floor"],
                "times_fastest_peer": None if fastest is None else times[name] / fastest,
                accuracy: vars(result.accuracy),
                "forwards": result.forwards,
                "backwards": result.backwards,
                "median_distance": result.distance,
                "peak_memory_mb": result.memory,
            }
        )
    return rows + [{"name": name, "installed": False} for name in absent]
