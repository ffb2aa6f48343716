"""The demos of the lessons: controls, a picture that follows them, and the picture's message in words.

A demo is a subclass of ``Demo`` with two methods, ``render`` and ``describe``, which turn a state into a picture and a
sentence and need no browser. ``Quiz`` asks the questions about a lesson.
"""

from seminar_lib.widgets.demo import Demo
from seminar_lib.widgets.detection import DetectionDemo
from seminar_lib.widgets.diffusion import DiffusionDemo
from seminar_lib.widgets.embedding import EmbeddingDemo
from seminar_lib.widgets.fgsm import FGSMDemo
from seminar_lib.widgets.masking import MaskingDemo
from seminar_lib.widgets.quiz import Quiz
from seminar_lib.widgets.smoothing import SmoothingDemo
from seminar_lib.widgets.threats import ThreatsDemo
from seminar_lib.widgets.training import LiveCurve
from seminar_lib.widgets.trajectory import TrajectoryDemo

__all__ = [
    "Demo",
    "DetectionDemo",
    "DiffusionDemo",
    "EmbeddingDemo",
    "FGSMDemo",
    "LiveCurve",
    "MaskingDemo",
    "Quiz",
    "SmoothingDemo",
    "ThreatsDemo",
    "TrajectoryDemo",
]
