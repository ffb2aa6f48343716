"""What all measurements refuse, in the place of images and of attacks."""

from __future__ import annotations

from collections.abc import Mapping

from seminar_lib.attacks import Attack
from seminar_lib.checks import check_seed
from seminar_lib.data.dataset import Split, check_split


def check_measurement(needed_by: str, data: Split, batch_size: int, seed: int) -> None:
    """Refuse what is no split of images, batches without any, and what is no seed.

    Raises:
        TypeError, ValueError: one of them is something else; the message says what, and how to mend it.
    """
    check_split(data)
    if len(data) == 0 or batch_size < 1:
        raise ValueError(
            f"{needed_by} needs at least one image, one at a time; got {len(data)} images and batch_size={batch_size}."
        )
    check_seed(seed)


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
