"""Diffusion: from images to noise and back, to draw new images, to purify and to certify.

Read ``schedule.py`` and ``steps.py`` first; ``reverse.py`` walks, ``purify.py`` and ``denoise.py`` defend.
"""

from seminar_lib.diffusion.denoise import DiffusionDenoiser
from seminar_lib.diffusion.purify import DiffPure
from seminar_lib.diffusion.reverse import reverse, sample

__all__ = ["DiffPure", "DiffusionDenoiser", "reverse", "sample"]
