"""What a diagnosis says: a verdict on each question, and what follows from all of them."""

from __future__ import annotations

from dataclasses import dataclass

from seminar_lib import markdown
from seminar_lib.attacks import Attack
from seminar_lib.evaluation import Accuracy
from seminar_lib.masking import Trick
from seminar_lib.types import Flags

OK, ALARM, OPEN = "ok", "alarm", "could not tell"

# A count of images raises an alarm when we are 95 % sure (Wilson's interval) that it stands for more than 5 % of all
# images: papers argue about differences of that size, and single images are luck of the random start. The smallest
# such count is 7 of 64.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Check:
    """One question to the model, with its answer.

    Attributes:
        name: what is looked at.
        value: what was measured.
        verdict: ``"ok"``, ``"alarm"`` or ``"could not tell"``.
        meaning: what that says of the evaluation, in a sentence.
        source: where the check is from.
        trick: what the alarm points at, where it points at one.
    """

    name: str
    value: str
    verdict: str
    meaning: str
    source: str
    trick: Trick | None = None


@dataclass(frozen=True, repr=False)
class Diagnosis(markdown.Tabular):
    """All checks of one model.

    Attributes:
        checks: in the order in which they ran.
        n: how many images they looked at: those that the model gets right.
        attack: the attack with gradients that is being judged.
    """

    checks: tuple[Check, ...]
    n: int
    attack: Attack

    def __getitem__(self, name: str) -> Check:
        """The check of that name.

        Raises:
            KeyError: there is none.
        """
        named = {check.name: check for check in self.checks}
        if name not in named:
            raise KeyError(f"There is no check {name!r}; the checks are {', '.join(named)}.")
        return named[name]

    @property
    def alarms(self) -> tuple[Check, ...]:
        """The checks that found something."""
        return tuple(check for check in self.checks if check.verdict == ALARM)

    @property
    def tricks(self) -> tuple[Trick, ...]:
        """The tricks that the alarms point at, the plainest evidence first."""
        return tuple(dict.fromkeys(check.trick for check in self.alarms if check.trick is not None))

    @property
    def summary(self) -> str:
        """What to believe and what to do next, in a few sentences."""
        if not self.alarms:
            return f"No alarm: {self.attack} does not fail in any way that these checks know of."
        if not self.tricks:
            return (
                "The attack fails, but no known trick was recognised. Start with more steps and another loss; then "
                "compare the gradient with finite differences layer by layer."
            )
        return "\n".join(f"Suspect: {trick.name}. {trick.remedy}" for trick in self.tricks)

    def table(self) -> str:
        """A Markdown table of the checks, with the summary below."""
        checks = markdown.table(
            ("check", "value", "verdict", "meaning", "source"),
            [(c.name, c.value, _shown(c), c.meaning, c.source) for c in self.checks],
        )
        return "\n".join([checks, "", f"n = {self.n}, `{self.attack}`", "", self.summary])

    def __repr__(self) -> str:
        """The checks as plain text: one line each, and a second one that explains it."""
        width = max(len(check.name) for check in self.checks)
        lines = [f"{c.name:<{width}}  {_shown(c):<14}  {c.value}\n    {c.meaning}" for c in self.checks]
        return "\n".join([*lines, f"n = {self.n}, {self.attack}", self.summary])


def surely(affected: Flags) -> bool:
    """Whether so many images are affected that it is an alarm."""
    return Accuracy.of(affected).low > TOLERANCE


def count(affected: Flags) -> str:
    """How many of the images are affected, in words."""
    return f"{int(affected.sum())} of {len(affected)}"


def _shown(check: Check) -> str:
    return check.verdict.upper() if check.verdict == ALARM else check.verdict
