"""Training: a recipe in, the best and the last model out. An interrupted run goes on where it stopped.

Read ``run.py`` first, which is the training itself; ``recipe.py`` says what it is told, ``folder.py`` what it leaves on
disk.
"""

from seminar_lib.train.driver import Trained, fit
from seminar_lib.train.recipe import Recipe

__all__ = ["Recipe", "Trained", "fit"]
