"""Checks of the exercises: what is wrong with an answer, in one sentence.

Each module belongs to one lesson: ``from seminar_lib.exercises import fgsm`` and then ``fgsm.check(my_fgsm)``.
"""
