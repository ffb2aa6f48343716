"""The gray box: images made on other networks, tried on this one, and its own gradients always beside them.

After Costa et al., "LISArD: Learning Image Similarity to Defend Against Gray-box Adversarial Attacks", arXiv
2502.20562, 2025. The adversary knows the architecture and the data, but has no gradients. So they train a network of
their own, the surrogate, and hand over what fools it:

    robust where victim(x) = y and victim(attack(surrogate, x, y)) = y

Such a number says as much about the surrogate as about the victim. Alone it invites a wrong belief: in the authors'
table their network keeps 84 % of CIFAR-10 under AutoAttack in the gray box, and 12 % in the white box. Here both are
measured on the same images and reported together, each in columns of its own, with how good the surrogates are. Take at
least three, trained as well as the victim: another seed, another architecture, one with the same defence.

We depart from the authors' code: it takes one surrogate, cuts the images down to bytes, and does not ask for
victim(x) = y. As there, AutoAttack's members stop at their first success. Such images only just fool the surrogate; in
the authors' table they carry over a little less well than those of PGD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from seminar_lib import markdown
from seminar_lib.attacks import Attack, Transfer
from seminar_lib.attacks.base import Generator, care, verdict
from seminar_lib.attacks.transfer import check_surrogate
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation.accuracy import Accuracy, grouped_bars
from seminar_lib.evaluation.checks import check_attacks, check_measurement
from seminar_lib.evaluation.kept import network_fingerprint
from seminar_lib.evaluation.paired import Paired
from seminar_lib.evaluation.report import Report, evaluate
from seminar_lib.goals import Goal
from seminar_lib.types import Flags, Images, Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORST_CASE, WHITE_BOX = "gray-box, worst case", "white-box"
ENOUGH = 3  # surrogates, for what one of them happens to share with the victim not to decide
FAR = 0.1  # a surrogate whose clean accuracy is this far below the victim's has not learned what the victim has
LUCK = 0.05  # below this probability the two boxes differ by more than the choice of images explains


@dataclass(frozen=True, repr=False)
class GrayBox(markdown.Tabular):
    """A victim in the gray box and in the white box, image by image.

    ``self[row]`` holds the accuracies of a row by column: one for each surrogate, one for the images that stand against
    all of them, one for the white box. Rows are ``"clean"``, the attacks and, over these, ``"worst case"``.

    Attributes:
        white_box: the victim under attacks on itself.
        gray_box: by surrogate, the victim under the images that were made on it.
        surrogates: by name, each under these same images: how well it stands in for the victim.
    """

    white_box: Report
    gray_box: Mapping[str, Report]
    surrogates: Mapping[str, Report]

    def outcomes(self, row: str) -> dict[str, Flags]:
        """Which images the victim answered rightly, (N,) for each column.

        Raises:
            KeyError: there is no such row.
        """
        gray = {f"gray-box, {name}": report.outcomes(row) for name, report in self.gray_box.items()}
        worst = torch.stack(list(gray.values())).all(0)
        return {**gray, WORST_CASE: worst, WHITE_BOX: self.white_box.outcomes(row)}

    def __getitem__(self, row: str) -> dict[str, Accuracy]:
        return {column: Accuracy.of(correct) for column, correct in self.outcomes(row).items()}

    def fooled(self, surrogate: str) -> dict[str, Accuracy]:
        """By attack, the share of all images that the surrogate itself misreads after the attack on it."""
        own = self.surrogates[surrogate]
        return {name: Accuracy.of(~own.outcomes(name)) for name in own.attacks}

    @property
    def remarks(self) -> list[str]:
        """What a reader has to know before they believe these numbers."""
        clean = self.white_box["clean"]
        found = [
            f"{name} is a weak surrogate: it reads {own['clean'].accuracy:.1%} of the clean images, and the victim "
            f"{clean.accuracy:.1%}. That its images do little harm proves little. Train it as well as the victim."
            for name, own in self.surrogates.items()
            if clean.accuracy - own["clean"].accuracy > FAR
        ]
        if len(self.surrogates) < ENOUGH:
            found.append(
                f"Fewer than {ENOUGH} surrogates leave much to luck. Take another seed, another architecture, and one "
                "with the same defence."
            )
        for name in self.white_box.attacks:
            columns = self.outcomes(name)
            both = Paired.of(columns[WORST_CASE], columns[WHITE_BOX])
            if both.difference > 0 and both.p < LUCK:
                found.append(
                    f"{name} does more harm through the surrogates than with the victim's own gradients: these are "
                    "probably masked, and the white box says nothing yet. Run diagnose(model, x, y)."
                )
        return found

    def table(self) -> str:
        """Markdown: accuracies with 95 % intervals, then the surrogates, n, settings and remarks."""
        columns, attacks = list(self["clean"]), self.white_box.attacks
        return "\n".join(
            [
                markdown.table(("", *columns), [(row, *self[row].values()) for row in self.white_box.rows]),
                "",
                markdown.table(
                    ("surrogate", "clean", *(f"fooled by its {name}" for name in attacks)),
                    [(name, own["clean"], *self.fooled(name).values()) for name, own in self.surrogates.items()],
                ),
                "",
                f"n = {len(self.white_box.labels)}, 95 % intervals, seed {self.white_box.seed}",
                "",
                *(f"- {name}: `{attack}`" for name, attack in attacks.items()),
                *(f"- {remark}" for remark in self.remarks),
            ]
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Bars for each row, grey in the gray box and white in the white one, with intervals; returns the axes."""
        import matplotlib.pyplot as plt

        ax = plt.gca() if ax is None else ax
        greys = [str(0.85 - 0.55 * number / len(self.gray_box)) for number in range(len(self.gray_box) + 1)]
        rows = {row: {} if row == "clean" else self[row] for row in self.white_box.rows}
        width = grouped_bars(ax, rows, dict(zip(self["clean"], [*greys, "white"], strict=True)))
        self.white_box["clean"].bar(ax, 0, width, rotation=90, color="#009E73", edgecolor="black")  # in every column
        ax.set_title(f"n = {len(self.white_box.labels)}, 95 % intervals", fontsize="medium")
        return ax

    def as_dict(self) -> dict[str, Any]:
        """All figures as plain values, ready for JSON."""
        white = self.white_box.as_dict()
        shared = ("n", "clean", "settings", "eps", "seed", "device", "versions")
        return {
            **{name: white[name] for name in shared},
            "attacks": {
                row: {column: vars(a) for column, a in self[row].items()}
                for row in self.white_box.rows
                if row != "clean"
            },
            "surrogates": {
                name: {
                    "clean": vars(own["clean"]),
                    "fooled": {attack: vars(a) for attack, a in self.fooled(name).items()},
                }
                for name, own in self.surrogates.items()
            },
            "seconds": {
                WHITE_BOX: white["seconds"],
                **{name: report.as_dict()["seconds"] for name, report in self.gray_box.items()},
            },
            "remarks": self.remarks,
        }


def gray_box(
    model: Model,
    surrogates: Mapping[str, Model],
    data: Split,
    attacks: Mapping[str, Attack],
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = True,
) -> GrayBox:
    """Run each attack on the victim, and once on each surrogate; the victim is shown what was made there.

    On the victim this is ``evaluate``. On a surrogate the search goes on to the strongest loss (see ``Transfer``).

    Args:
        model: the victim, images in [0, 1] to logits.
        surrogates: by the names that the report shall use, images in [0, 1] to logits of the same classes.
        data: the images to measure on, on the models' device.
        attacks: by name; each is run on every network.
        batch_size: images at a time.
        seed: of the attacks' random numbers.
        progress: show bars.

    Raises:
        TypeError, ValueError: as ``evaluate``; there is no surrogate or no attack; a surrogate has other classes, or is
            the victim, another surrogate or a copy of one of them; an attack is a transfer already.
    """
    check_measurement("gray_box", data, batch_size, seed)
    _check(model, surrogates, data, attacks)
    run = partial(evaluate, data=data, batch_size=batch_size, seed=seed, progress=progress)
    transfers = {
        name: {label: _Watched(attack, surrogate, stop_when_fooled=False) for label, attack in attacks.items()}
        for name, surrogate in surrogates.items()
    }
    white = run(model, attacks=attacks)
    gray = {name: run(model, attacks=made_there) for name, made_there in transfers.items()}
    own = {}
    for name, surrogate in surrogates.items():
        clean = run(surrogate, attacks={})
        standing = {label: ~torch.cat(transfer.fooled) for label, transfer in transfers[name].items()}
        own[name] = replace(clean, correct={**clean.correct, **standing}, attacks=dict(attacks))
    return GrayBox(white, gray, own)


@dataclass(frozen=True, repr=False)
class _Watched(Transfer):
    """A transfer that notes, batch by batch, which images fool the surrogate itself.

    For all of them to be tried on it, ``stop_when_fooled`` is False: the victim may misread some without any attack.
    """

    fooled: list[Flags] = field(default_factory=list, compare=False)

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        x_adv = super().search(goal, x, generator)
        with care(there := self.there(goal), x):
            self.fooled.append(verdict(there, x_adv).success.cpu())
        return x_adv


def _check(model: Model, surrogates: Mapping[str, Model], data: Split, attacks: Mapping[str, Attack]) -> None:
    """Refuse what would be no gray box, before any of the long work."""
    if not isinstance(surrogates, Mapping) or not surrogates or not attacks:
        raise ValueError(
            "gray_box needs at least one surrogate and one attack, each by name, such as {'another seed': network} and "
            f"{{'PGD-10': PGD()}}; got {surrogates!r} and {attacks!r}."
        )
    check_attacks(attacks)
    if "worst case" in surrogates:
        raise ValueError("The name 'worst case' belongs to a column of the report; call the surrogate something else.")
    for name, attack in attacks.items():
        if any(isinstance(part, Transfer) for part in attack.parts):
            raise TypeError(
                f"{name} is a transfer already, and gray_box makes one for each surrogate. Pass the attack that is "
                "inside it, and its surrogate among the others."
            )
    for surrogate in surrogates.values():
        check_surrogate(surrogate, model, data[:8].x)
    victim, known = _identity(model), dict[object, str]()
    for name, surrogate in surrogates.items():
        identity = _identity(surrogate)
        if identity == victim:
            raise ValueError(
                f"The surrogate {name!r} is the victim itself. That is the white box, which is measured in any case; "
                "take a network with a training of its own."
            )
        if identity in known:
            raise ValueError(
                f"The surrogates {known[identity]!r} and {name!r} are one network, which would count twice. Each needs "
                "a training of its own."
            )
        known[identity] = name


def _identity(model: Model) -> object:
    """What a model shares with its copies alone; a plain function, which says nothing about itself, has none."""
    return network_fingerprint(model) if isinstance(model, nn.Module) else id(model)
