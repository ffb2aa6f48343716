"""Training: a recipe in, the best and the last model out. An interrupted run goes on where it stopped.

Read ``run.py`` first, which is the training itself. ``recipe.py`` says what it is told, ``driver.py`` leads it through
its epochs and stages, ``folder.py`` keeps it on disk; ``processes.py`` and ``spread.py`` are for several devices.
"""

from seminar_lib.train.driver import Trained, fit
from seminar_lib.train.recipe import Recipe

__all__ = ["Recipe", "Trained", "fit"]
