"""Training objectives: named terms whose sum is the loss."""

from seminar_lib.objectives.adversarial import AdversarialTraining
from seminar_lib.objectives.anchor import ANCHOR
from seminar_lib.objectives.awp import AWP
from seminar_lib.objectives.base import Batch, Objective
from seminar_lib.objectives.clead import CLEAD
from seminar_lib.objectives.clead_released import CLEADEncoder, CLEADHead
from seminar_lib.objectives.consistency import Consistency
from seminar_lib.objectives.cross_entropy import CrossEntropy
from seminar_lib.objectives.ddpm import DDPM
from seminar_lib.objectives.denoising import Denoising
from seminar_lib.objectives.lisard import LISArD
from seminar_lib.objectives.mart import MART
from seminar_lib.objectives.minmax import MinMax
from seminar_lib.objectives.noise import NoiseTraining
from seminar_lib.objectives.smoothadv import SmoothAdv
from seminar_lib.objectives.surrogate import AgainstSurrogate
from seminar_lib.objectives.trades import TRADES

__all__ = [
    "ANCHOR",
    "AWP",
    "CLEAD",
    "DDPM",
    "MART",
    "TRADES",
    "AdversarialTraining",
    "AgainstSurrogate",
    "Batch",
    "CLEADEncoder",
    "CLEADHead",
    "Consistency",
    "CrossEntropy",
    "Denoising",
    "LISArD",
    "MinMax",
    "NoiseTraining",
    "Objective",
    "SmoothAdv",
]
