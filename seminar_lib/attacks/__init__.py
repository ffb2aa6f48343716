"""Attacks: searches for a goal inside a threat model."""

from seminar_lib.attacks.base import Attack
from seminar_lib.attacks.fgsm import FGSM
from seminar_lib.attacks.pgd import PGD

__all__ = ["FGSM", "PGD", "Attack"]
