"""The folder of a run: the state it goes on from, and what a person wants to read of it.

    state.safetensors   everything that the next epoch depends on; all else follows from it
    recipe.txt          what is being done
    history.jsonl       a line of JSON for each finished epoch
    curve.png           the same as a picture

Each is whole or not there at all, and the state comes first: where a run was killed between two files, the others are
made to agree with the state when it goes on. So the history never has a line too many or too few.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seminar_lib.files import whole_file
from seminar_lib.train.recipe import Recipe


class Snapshot(NamedTuple):
    """What a folder holds of a run: see ``Run.resume``."""

    state: dict[str, Tensor]
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Folder:
    """Where one training is kept.

    Attributes:
        path: the folder, which need not exist yet.
        recipe: what is being done.
        images: a fingerprint of what it is done on: images, labels and classes.
        start: a fingerprint of the given weights that it starts from; empty where there are none.

    Raises:
        ValueError: the recipe prints a place in memory, so that another process would not know it again.
    """

    path: Path
    recipe: Recipe
    images: str
    start: str = ""

    def __post_init__(self) -> None:
        if " at 0x" in repr(self.recipe):
            raise ValueError(
                "A run that is kept is known by how its recipe prints, and this one prints a place in memory: "
                f"{self.recipe}. Write a frozen dataclass in place of a plain function, as OneCycle is, or leave out "
                "the folder."
            )

    def read(self) -> Snapshot | None:
        """What is there to go on from; None if that is nothing.

        Raises:
            ValueError: the state is damaged, or the folder holds another run or files of another kind.
        """
        state, note = self.path / "state.safetensors", self.path / "recipe.txt"
        if not state.exists():
            if note.exists():
                self._check({"recipe": note.read_text(encoding="utf-8", errors="replace").rstrip("\n")})
            elif strangers := [name for name in ("history.jsonl", "curve.png") if (self.path / name).exists()]:
                raise ValueError(f"{self.path} holds a {strangers[0]}, but no run. Choose another folder.")
            return None
        try:
            with safe_open(state, framework="pt") as file:
                notes: dict[str, str] = file.metadata() or {}
                self._check(dict.fromkeys(self._marks, "") | notes)
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (it is no dictionary)
        except SafetensorError as error:
            raise ValueError(f"{state} is damaged ({error}). Delete it to start anew.") from error
        return Snapshot(tensors, json.loads(notes["history"]))

    def write(self, snapshot: Snapshot) -> None:
        """Keep the state of a run, and let the other files follow."""
        notes = {**self._marks, "history": json.dumps(snapshot.history)}
        with whole_file(self.path / "state.safetensors") as part:
            save_file(snapshot.state, part, notes)
        self.follow(snapshot.history)

    def follow(self, history: list[dict[str, float]]) -> None:
        """Make all files but the state say what ``history`` says; nothing is written where they already do."""
        from matplotlib.figure import Figure

        from seminar_lib.plots import training_curve

        lines = "".join(f"{json.dumps(row)}\n" for row in history)
        written = self.path / "history.jsonl"
        if written.exists() and written.read_text(encoding="utf-8", errors="replace") == lines:
            return
        with whole_file(self.path / "recipe.txt") as part:
            part.write_text(f"{self.recipe!r}\n", encoding="utf-8")
        picture = Figure((7, 5), layout="constrained")
        training_curve(history, picture.subplots())
        with whole_file(self.path / "curve.png") as part:
            picture.savefig(part, format="png", dpi=120)
        with whole_file(written) as part:  # the last one: where it is right, so are the others
            part.write_text(lines, encoding="utf-8")

    @property
    def _marks(self) -> dict[str, str]:
        """What a run is known by."""
        return {"recipe": repr(self.recipe), "images": self.images, "start": self.start}

    def _check(self, found: Mapping[str, str]) -> None:
        asked = self._marks
        for mark, what in (
            ("recipe", "of another recipe"),
            ("images", "on other images"),
            ("start", "from other weights"),
        ):
            if mark in found and found[mark] != asked[mark]:
                raise ValueError(
                    f"{self.path} holds a run {what}. Choose another folder, or delete it to start anew.\n"
                    f"  there: {found[mark]}\n  asked: {asked[mark]}"
                )
