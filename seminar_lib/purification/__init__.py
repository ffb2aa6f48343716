"""Purifiers: image to image, in front of a classifier, to wash a perturbation out before it is read.

A purifier is an ``nn.Module`` from images in [0, 1] to images of the same shape, and a purified model is
``nn.Sequential(purifier, classifier)``. Random ones draw from the global random numbers, anew at each call.

None of those here holds against an adversary who knows it (Athalye, Carlini & Wagner, "Obfuscated Gradients Give a
False Sense of Security", ICML 2018). Each says what opens it; ``evaluate_purified`` tries all of it.
"""

from seminar_lib.purification.jpeg import JPEG
from seminar_lib.purification.quantise import Quantise
from seminar_lib.purification.resize import RandomResize
from seminar_lib.purification.total_variation import TotalVariation

__all__ = ["JPEG", "Quantise", "RandomResize", "TotalVariation"]
