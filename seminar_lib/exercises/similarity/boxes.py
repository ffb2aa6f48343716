"""The check of exercise 7.1: what students expect of two networks in two boxes, and what is measured.

A prediction may be far off; that is what it is for. Wrong is only one that contradicts itself, or what the lessons
before have shown.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from seminar_lib.attacks import PGD
from seminar_lib.checkpoints import load
from seminar_lib.data import load_data
from seminar_lib.evaluation import Accuracy, gray_box
from seminar_lib.evaluation.graybox import WHITE_BOX
from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number
from seminar_lib.threat import Linf

N = 48
NETWORKS = ("standard", "pgd_at")
BOXES = ("white box", "gray box")


@marks
def check_prediction(my_prediction: Answer) -> None:
    """Exercise 7.1: the accuracies of two networks under attacks on themselves and on each other."""
    guess = _shares(ask("7.1", my_prediction))
    for network, (white, gray) in guess.items():
        if gray < white:
            raise Mistake(
                f"you expect {network} to get {white:.0%} right in the white box and {gray:.0%} in the gray box. Who "
                "knows more can do all that those can who know less: in the white box the adversary may use the other "
                "network's images too, and has its own besides. So a network gets at least as much right in the gray "
                "box. (Where a measurement says otherwise, the white-box attack has failed: lesson 12.)"
            )
    if guess["standard"][0] > guess["pgd_at"][0]:
        raise Mistake(
            "you expect the network without a defence to stand better against attacks on itself than the one that was "
            "trained on them. Lesson 1 has measured both."
        )
    if guess["standard"][0] > 0.5:
        raise Mistake(
            f"you expect the network without a defence to get {guess['standard'][0]:.0%} right under attacks on "
            "itself. In lesson 1 a single step of this size left it one sign in ten, and PGD takes five."
        )
    found = _measured()
    places = [(network, box) for network in NETWORKS for box in range(2)]
    off = {(network, box): abs(guess[network][box] - found[network][box].accuracy) for network, box in places}
    network, box = max(off, key=lambda place: off[place])
    lines = [f"  {name} in the {BOXES[i]}: you {guess[name][i]:.0%}, measured {found[name][i]}" for name, i in places]
    right(
        "7.1",
        f"It does not contradict itself. PGD-5 at Linf 8/255 on the network itself, or on the other one, n = {N}:\n"
        + "\n".join(lines)
        + f"\nYou are farthest off for {network} in the {BOXES[box]}: {100 * off[network, box]:.0f} points.",
    )


def _shares(answer: Any) -> dict[str, tuple[float, float]]:
    """The prediction, in both boxes for each network."""
    if not isinstance(answer, dict) or set(answer) != set(NETWORKS):
        raise Mistake(f"return a dictionary with the keys {', '.join(map(repr, NETWORKS))}; you return {answer!r}.")
    for name, pair in answer.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise Mistake(f"{name}: two numbers are asked for, in the white box and in the gray box; got {pair!r}.")
        for share in pair:
            if not 0 <= number(share, f"{name}: an accuracy") <= 1:
                raise Mistake(f"{name}: {share} is no share. Write 40 % as 0.4.")
    return {name: (float(white), float(gray)) for name, (white, gray) in answer.items()}


@cache
def _measured() -> dict[str, tuple[Accuracy, Accuracy]]:
    """The same as measured on test images."""
    data = load_data()
    networks = {name: load(f"{data.name}/{name}")[0] for name in NETWORKS}
    test, attacks, found = data.test.sample(N), {"PGD-5": PGD(Linf(8 / 255), steps=5)}, {}
    for name, other in (NETWORKS, NETWORKS[::-1]):
        boxes = gray_box(networks[name], {other: networks[other]}, test, attacks, progress=False)["PGD-5"]
        found[name] = boxes[WHITE_BOX], boxes[f"gray-box, {other}"]
    return found
