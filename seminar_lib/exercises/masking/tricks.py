"""Exercise 12.3: three defences without a name, and the check of what students read from their diagnoses."""

from __future__ import annotations

from torch import Tensor, nn

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.masking import DEFENCES
from seminar_lib.types import Images

NOTHING = "nothing hidden"
TRICKS = (NOTHING, "step without slope", "saturated softmax", "random answers", "shattered gradient")
HIDDEN = {"A": "temperature", "B": "random resize", "C": "ripple"}
AGAINST = {
    NOTHING: "then there would be no alarm that names the gradient. Read its alarms again.",
    "step without slope": "then the check `slope` would find a gradient of exactly zero; it finds none.",
    "saturated softmax": "then the check `saturation` would raise an alarm; it does not.",
    "random answers": "then two looks at the same image would differ; they agree.",
    "shattered gradient": "then the check `kept promise` would raise an alarm; it does not.",
}


class Unlabelled(nn.Module):
    """A defence that does not tell its name."""

    def __init__(self, letter: str, inside: nn.Module) -> None:
        super().__init__()
        self.letter, self.inside = letter, inside

    def forward(self, x: Images) -> Tensor:
        answer: Tensor = self.inside(x)
        return answer

    def __repr__(self) -> str:
        return f"Defence {self.letter}"


def unlabelled(network: nn.Module) -> dict[str, nn.Module]:
    """The three defences of exercise 12.3 around a network."""
    return {letter: Unlabelled(letter, DEFENCES[name].build(network)).eval() for letter, name in HIDDEN.items()}


@marks
def check_tricks(my_tricks: Answer) -> None:
    """Exercise 12.3: the tricks of three defences, read from their diagnoses."""
    answer = ask("12.3", my_tricks)
    if not isinstance(answer, dict) or set(answer) != set(HIDDEN):
        raise Mistake(f"return a dictionary with the keys {', '.join(HIDDEN)}; you return {answer!r}.")
    for letter, guess in answer.items():
        if guess not in TRICKS:
            raise Mistake(f"{letter}: {guess!r} is not on the list. Choose from {', '.join(TRICKS)}.")
    wrong = [letter for letter in HIDDEN if answer[letter] != DEFENCES[HIDDEN[letter]].trick.name]
    if wrong:
        letter = wrong[0]
        raise Mistake(f"{letter} is no case of {answer[letter]!r}: {AGAINST[answer[letter]]}")
    right("12.3", "\n".join(f"{letter}: {DEFENCES[name].trick.remedy}" for letter, name in HIDDEN.items()))
