"""Measure a model honestly: accuracy under each attack and under the worst of them, with n and an interval.

A report keeps the outcome of every image. An image counts as robust only when it survives all attacks; counting
attacks one by one and quoting the best would let a model look robust that breaks somewhere else.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from seminar_lib import markdown
from seminar_lib.attacks import Attack, WorstCase
from seminar_lib.checks import check_labels, check_logits, check_model
from seminar_lib.data.dataset import Split
from seminar_lib.device import describe
from seminar_lib.evaluation.accuracy import Accuracy
from seminar_lib.evaluation.checks import check_attacks, check_measurement
from seminar_lib.freeze import frozen
from seminar_lib.types import Flags, Images, Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Report(markdown.Tabular):
    """The outcome of every image under every attack.

    Attributes:
        correct: ``"clean"``, then the name of each attack, to bool (N,): was the answer still right?
        attacks: the attacks by name, with all their settings.
        labels: the true labels (N,).
        seed: of the random starts.
        seconds: how long each took, by name.
        device: what it ran on.
        fooled_by: the name of each ensemble, to the number (N,) of the member that fooled an image first, or why none
            did (see ``Cascade``).
    """

    correct: Mapping[str, Flags]
    attacks: Mapping[str, Attack]
    labels: Tensor
    seed: int
    seconds: Mapping[str, float]
    device: str
    fooled_by: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def worst_case(self) -> Flags:
        """Which images were answered rightly clean and under every attack, (N,)."""
        return torch.stack(list(self.correct.values())).all(0)

    def outcomes(self, name: str) -> Flags:
        """Which images were answered rightly in a row of the report, (N,).

        Args:
            name: of an attack, ``"clean"`` or ``"worst case"``.

        Raises:
            KeyError: the report has no such row.
        """
        if name == "worst case":
            return self.worst_case
        if name not in self.correct:
            raise KeyError(f"There is no row {name!r}; the rows are {', '.join([*self.correct, 'worst case'])}.")
        return self.correct[name]

    def __getitem__(self, name: str) -> Accuracy:
        """The accuracy in a row of the report."""
        return Accuracy.of(self.outcomes(name))

    def by_class(self, name: str = "worst case") -> dict[int, Accuracy]:
        """The accuracy of each label that occurs, in label order."""
        correct = self.outcomes(name)
        return {int(label): Accuracy.of(correct[self.labels == label]) for label in self.labels.unique()}

    def successes(self, name: str) -> dict[str, int]:
        """How many images each member of an ensemble fooled first, in the order in which they ran.

        Raises:
            KeyError: there is no ensemble of this name.
        """
        attack = self.attacks.get(name)
        if not isinstance(attack, WorstCase):
            raise KeyError(f"There is no ensemble {name!r}; the ensembles are {', '.join(self.fooled_by) or 'none'}.")
        counts = [int((self.fooled_by[name] == number).sum()) for number in range(len(attack.members))]
        return {f"{number + 1} {type(member).__name__}": counts[number] for number, member in enumerate(attack.members)}

    @property
    def rows(self) -> list[str]:
        """The names that ``self[name]`` knows; the worst case only where there are attacks to choose from."""
        return [*self.correct, *(["worst case"] if len(self.attacks) > 1 else [])]

    def table(self) -> str:
        """A Markdown table: accuracy in percent, 95 % interval, n and settings."""
        rows = []
        for name in self.rows:
            a = self[name]
            settings = f"`{self.attacks[name]}`" if name in self.attacks else ""
            if name in self.fooled_by:
                counts = ", ".join(f"{member} fooled {count}" for member, count in self.successes(name).items())
                settings = f"{settings}: {counts}"
            rows.append((name, f"{a.accuracy:.1%}", f"{a.low:.1%} to {a.high:.1%}", a.n, settings))
        return markdown.table(("", "accuracy", "95 % interval", "n", "settings"), rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Bars of the accuracies with their intervals; returns the axes."""
        import matplotlib.pyplot as plt

        ax = plt.gca() if ax is None else ax
        for place, name in enumerate(self.rows):
            self[name].bar(ax, place, color="#009E73" if place == 0 else "#0072B2")
        ax.set(xticks=range(len(self.rows)), xticklabels=self.rows, ylim=(0, 1.1), ylabel="accuracy")
        ax.set_title(f"n = {len(self.labels)}, 95 % intervals", fontsize="medium")
        return ax

    def as_dict(self) -> dict[str, Any]:
        """All figures as plain values, ready for JSON."""
        figures = {name: vars(self[name]) for name in self.rows}
        return {
            "n": len(self.labels),
            "clean": figures.pop("clean"),
            "attacks": figures,
            "settings": {name: repr(attack) for name, attack in self.attacks.items()},
            "successes": {name: self.successes(name) for name in self.fooled_by},
            "eps": {name: attack.threat.eps for name, attack in self.attacks.items()},
            "seed": self.seed,
            "seconds": {name: round(seconds, 2) for name, seconds in self.seconds.items()},
            "device": self.device,
            "versions": versions(),
        }


def versions() -> dict[str, str]:
    """What a number depends on besides the code here."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def check_inside(name: str, attack: Attack, x_adv: Images, x: Images) -> None:
    """Refuse what an attack returned outside its threat model.

    Raises:
        ValueError: an image lies there.
    """
    if not attack.threat.contains(x_adv, x).all():
        raise ValueError(
            f"{name} returned images outside its threat model {attack.threat}: its result would mean nothing."
        )


def evaluate(
    model: Model,
    data: Split,
    attacks: Mapping[str, Attack],
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = True,
) -> Report:
    """Run each attack on all of ``data`` and note which images are still answered rightly.

    The verdict is taken here, in float32 and in evaluation mode, on the images that the attack returned and after a
    check that they obey the threat model; what an attack believes of its own success does not count.

    Args:
        model: images in [0, 1] to logits.
        data: the images to measure on, on the model's device.
        attacks: by the names that the report shall use.
        batch_size: images at a time.
        seed: of the attacks' random numbers.
        progress: show a bar.

    Raises:
        TypeError, ValueError: there are no images, a name is taken, an attack left its threat model, or the model or
            the labels are not as described; the message says what came and how to mend it.
    """
    check_measurement("evaluate", data, batch_size, seed)
    check_attacks(attacks)
    if taken := {"clean", "worst case"} & attacks.keys():
        raise ValueError(f"The name {taken.pop()!r} belongs to a row of the report; call the attack something else.")
    outcomes: dict[str, list[Tensor]] = {name: [] for name in ("clean", *attacks)}
    seconds = dict.fromkeys(outcomes, 0.0)
    members: dict[str, list[Tensor]] = {name: [] for name, attack in attacks.items() if isinstance(attack, WorstCase)}
    # One stream of random numbers for each attack, so that its result does not depend on its companions.
    generators = {name: torch.Generator(data.images.device).manual_seed(seed) for name in attacks}
    batches = data.batches(batch_size)
    for x, y in tqdm(batches, total=-(-len(data) // batch_size), desc="evaluate", leave=False, disable=not progress):
        check_model(model, x)
        for name, attack in {"clean": None, **attacks}.items():
            start = time.perf_counter()
            match attack:
                case None:
                    x_adv = x
                case WorstCase():
                    x_adv, by = attack.cascade(model, x, y, generator=generators[name])
                    members[name].append(by.cpu())
                case _:
                    x_adv = attack(model, x, y, generator=generators[name])
            if attack is not None:
                check_inside(name, attack, x_adv, x)
            with torch.no_grad(), torch.autocast(x.device.type, enabled=False), frozen(model):
                logits = model(x_adv)
            check_logits(logits, x)
            check_labels(y, x, logits.shape[1])
            outcomes[name].append((logits.argmax(1) == y).cpu())  # waits for the GPU, so the clock is right
            seconds[name] += time.perf_counter() - start
    correct = {name: torch.cat(parts) for name, parts in outcomes.items()}
    fooled_by = {name: torch.cat(parts) for name, parts in members.items()}
    return Report(correct, dict(attacks), data.labels.cpu(), seed, seconds, describe(data.images.device), fooled_by)
