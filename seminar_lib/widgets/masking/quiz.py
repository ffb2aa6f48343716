"""Six networks without a name, the guesses that there are, and what is said to each."""

from __future__ import annotations

from typing import Literal, TypeAlias

from seminar_lib.masking import CHANCE, ROUNDING, SATURATION, SHATTERED
from seminar_lib.plots import RIGHT, WRONG

Guess: TypeAlias = Literal["none", "honest", "slope", "softmax", "chance", "shattered"]

WORDS: dict[Guess, str] = {
    "none": "no guess yet",
    "honest": "nothing hidden",
    "slope": ROUNDING.name,
    "softmax": SATURATION.name,
    "chance": CHANCE.name,
    "shattered": SHATTERED.name,
}
EVIDENCE: dict[Guess, str] = {
    "honest": "It has a slope everywhere, it repeats itself, and no attack that knows less does better than PGD.",
    "slope": "The slope is zero, of the margin as of the cross-entropy, and Square does better than PGD.",
    "softmax": "The cross-entropy has no slope where the margin has one.",
    "chance": "Two looks at the same images differ.",
    "shattered": "There is a slope, and it leads nowhere: the other network's gradient does.",
}
REMEDIES: dict[Guess, str] = {
    "honest": "Report the worst case.",
    "slope": ROUNDING.remedy,
    "softmax": SATURATION.remedy,
    "chance": CHANCE.remedy,
    "shattered": "Give the layer a smooth stand-in: BPDA(layer, stand_in).",
}
# A to F: the name of a planted defence, or of an honest network, with the right guess.
HIDDEN: dict[str, Guess] = {
    "quantise": "slope",
    "pgd_at": "honest",
    "ripple": "shattered",
    "standard": "honest",
    "noise": "chance",
    "temperature": "softmax",
}


def truth(network: int) -> Guess:
    """The right guess for the network at this place."""
    return list(HIDDEN.values())[network]


def verdict(network: int, guess: Guess) -> list[str]:
    """What to say to a guess: a sentence, and why, and what to do."""
    if guess == "none":
        return ["Which trick is it?", "Compare the attacks that know less with PGD, then the three ways."]
    right = truth(network)
    if guess != right:
        return [f"{WRONG} Not {WORDS[guess]}.", "That would show itself like this: " + EVIDENCE[guess]]
    return [f"{RIGHT} Right: {WORDS[right]}.", EVIDENCE[right], REMEDIES[right]]
