"""Attacks of other libraries, made from the description of ours; a module for each of them.

``make(attack, model)`` gives a function of (images, labels). It raises ImportError where the library is not installed
and NotImplementedError where it has no such attack, or not with these settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from benchmarks.peers import adv_lib, art, authors, foolbox, torchattacks
from seminar_lib.attacks import Attack
from seminar_lib.models import Classifier
from seminar_lib.types import Images, Labels

Contestant: TypeAlias = Callable[[Images, Labels], Images]

PEERS: dict[str, Callable[[Attack, Classifier], Contestant]] = {
    "torchattacks": torchattacks.make,
    "foolbox": foolbox.make,
    "adversarial-robustness-toolbox": art.make,
    "adv_lib": adv_lib.make,
    "pyautoattack": authors.make,
}
