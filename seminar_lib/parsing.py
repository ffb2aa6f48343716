"""Attacks and threat models in the words of a command line: ``pgd50x5`` inside ``linf`` of ``8/255``."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from seminar_lib.attacks import (
    APGD,
    CW,
    FAB,
    FGSM,
    FMN,
    PGD,
    APGDTargeted,
    Attack,
    AutoAttack,
    DeepFool,
    HopSkipJump,
    Square,
)
from seminar_lib.threat import L1, L2, Linf, ThreatModel


def parse_threat(norm: str, eps: str) -> ThreatModel:
    """The threat model that ``--norm`` and ``--eps`` describe; eps is a decimal number or a fraction.

    Raises:
        ValueError: there is no such norm, or eps is no number or none that the threat model takes.
    """
    norms: dict[str, type[ThreatModel]] = {"linf": Linf, "l2": L2, "l1": L1}
    if norm.lower() not in norms:
        raise ValueError(f"--norm is linf, l2 or l1; got {norm!r}.")
    try:
        radius = float(Fraction(eps))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"--eps is a number or a fraction such as 8/255; got {eps!r}.") from None
    return norms[norm.lower()](radius)


def parse_attack(name: str, threat: ThreatModel, bf16: bool = False) -> Attack:
    """The attack that a name such as fgsm, pgd20, pgd50x5 or autoattack stands for.

    Raises:
        ValueError: there is no such attack, or it cannot search this threat model.
    """
    attacks: dict[str, Callable[..., Attack]] = {
        "fgsm": FGSM,
        r"pgd(?P<steps>[1-9]\d*)(x(?P<restarts>[1-9]\d*))?": PGD,
        r"apgd(?P<steps>[1-9]\d*)?(x(?P<restarts>[1-9]\d*))?": APGD,
        r"apgd-t(?P<steps>[1-9]\d*)?": APGDTargeted,
        r"deepfool(?P<steps>[1-9]\d*)?": DeepFool,
        r"cw(?P<steps>[1-9]\d*)?(x(?P<binary_steps>[1-9]\d*))?": CW,
        r"fmn(?P<steps>[1-9]\d*)?": FMN,
        r"fab(?P<steps>[1-9]\d*)?": FAB,
        r"square(?P<queries>[1-9]\d*)?": Square,
        r"hopskipjump(?P<steps>[1-9]\d*)?": HopSkipJump,
        r"autoattack(-(?P<version>plus|rand))?": AutoAttack,
    }
    for pattern, attack in attacks.items():
        if match := re.fullmatch(pattern, name):
            given = {field: value for field, value in match.groupdict().items() if value is not None}
            settings = {field: int(value) if value.isdigit() else value for field, value in given.items()}
            try:
                return attack(threat, bf16=bf16, **settings)
            except TypeError as error:  # a threat model that this attack cannot search
                raise ValueError(str(error)) from None
    raise ValueError(
        "--attack is fgsm, pgdN, apgdN, apgd-t, deepfool, cw, fmn, fab, squareN, hopskipjump, autoattack, "
        "autoattack-plus or autoattack-rand, with N steps or queries and perhaps restarts, such as pgd20 or pgd50x5; "
        f"got {name!r}."
    )
