"""What all measurements refuse in the place of attacks."""

from __future__ import annotations

from collections.abc import Mapping

from seminar_lib.attacks import Attack


def check_attack(attack: object, needed_by: str) -> None:
    """Refuse anything but one attack.

    Raises:
        TypeError: it is something else; the message says what.
    """
    if not isinstance(attack, Attack):
        raise TypeError(f"{needed_by} needs one attack, such as PGD(Linf(8/255), steps=100); got {attack!r}.")


def check_attacks(attacks: object) -> None:
    """Refuse anything but attacks by name; there may be none.

    Raises:
        TypeError: it is something else; the message says what.
    """
    if not isinstance(attacks, Mapping):
        raise TypeError(f"Attacks come by name, such as {{'PGD-10': PGD()}}; got {attacks!r}.")
    for name, attack in attacks.items():
        if not isinstance(attack, Attack):
            raise TypeError(f"{name!r} must be an attack, such as PGD(Linf(8/255)); got {attack!r}.")
