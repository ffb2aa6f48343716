'''The lessons: one source each, from which every notebook is built.

``notebooks/source/01_fgsm.py`` is a script in jupytext's percent format, and the only file of the lesson that a person
edits. Its first cell is what students read first and what this package reads too:

    # %% [markdown]
    # # 1. FGSM: one gradient step
    #
    # Reading 15 min, coding 30 min, discussion 15 min.
    #
    # - write the attack by hand
    # - say what eps means, and in which units

An exercise is a code cell with a number (the lesson's, a dot, its own). What the student has to write stands between
nbgrader's markers, and the task after the first of them becomes the message of the stub. A check has the number of its
exercise (and a letter when there are several), and may be worth points:

    # %% exercise="1.2"
    def my_fgsm(model, x, y, eps):
        """One step of size eps along the sign of the gradient."""
        ### BEGIN SOLUTION: take the step, and stay an image
        ...
        ### END SOLUTION

    # %% check="1.2" points=2
    fgsm.check(my_fgsm)
    ### BEGIN HIDDEN TESTS
    ...
    ### END HIDDEN TESTS

A cell that draws says what is to be seen, in a comment that opens it and becomes the picture's alternative text:

    # %%
    # Picture: six signs, clean above and attacked below; only the labels tell them apart.

Listing needs nothing but Python. ``seminar_lib.lessons.build`` makes the notebooks and ``seminar_lib.lessons.course``
an nbgrader course of them; both need jupytext and nbgrader.
'''

from seminar_lib.lessons.lesson import Lesson, found, named, table

__all__ = ["Lesson", "found", "named", "table"]
