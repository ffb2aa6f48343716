"""Attacks: searches for a goal inside a threat model."""

from seminar_lib.attacks.apgd import APGD, APGDTargeted
from seminar_lib.attacks.autoattack import AutoAttack, MaskingWarning, autoattack
from seminar_lib.attacks.base import Attack
from seminar_lib.attacks.cw import CW
from seminar_lib.attacks.deepfool import DeepFool
from seminar_lib.attacks.ensemble import WorstCase, worst_case
from seminar_lib.attacks.fab import FAB
from seminar_lib.attacks.fgsm import FGSM
from seminar_lib.attacks.fmn import FMN
from seminar_lib.attacks.hopskipjump import HopSkipJump
from seminar_lib.attacks.minimum_norm import MinimumNorm
from seminar_lib.attacks.orthogonal import OrthogonalPGD
from seminar_lib.attacks.pgd import PGD
from seminar_lib.attacks.square import Square
from seminar_lib.attacks.sticker import Sticker
from seminar_lib.attacks.transfer import Transfer
from seminar_lib.attacks.transferable import TransferPGD
from seminar_lib.attacks.universal import Universal

__all__ = [
    "APGD",
    "CW",
    "FAB",
    "FGSM",
    "FMN",
    "PGD",
    "APGDTargeted",
    "Attack",
    "AutoAttack",
    "DeepFool",
    "HopSkipJump",
    "MaskingWarning",
    "MinimumNorm",
    "OrthogonalPGD",
    "Square",
    "Sticker",
    "Transfer",
    "TransferPGD",
    "Universal",
    "WorstCase",
    "autoattack",
    "worst_case",
]
