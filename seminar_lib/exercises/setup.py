"""The check of lesson 00: how far apart are two images?"""

from __future__ import annotations

import torch

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same


@marks
def check(linf_distance: Answer) -> None:
    """Exercise 0.1: the Linf distance of each pair of images."""
    x = torch.full((3, 3, 4, 4), 0.5)
    delta = torch.zeros_like(x)
    delta[0, 0, 1, 2] = 8 / 255
    delta[1] = -4 / 255
    delta[2, 1, 0, 0], delta[2, 2, 3, 3] = 2 / 255, -16 / 255
    expected = torch.tensor([8, 4, 16]) / 255
    answer = ask_tensor("0.1", linf_distance, (3,), x, x + delta)
    mean, largest = delta.abs().mean((1, 2, 3)), delta.amax((1, 2, 3))
    if same(answer, 255 * expected):
        raise Mistake("your distances are in grey levels (0 to 255); this library measures pixels in [0, 1].")
    if same(answer, largest) or same(answer, -delta.amin((1, 2, 3))):
        raise Mistake("you look at changes in one direction only; a pixel that gets darker counts as well. Take abs().")
    if same(answer, mean):
        raise Mistake("that is the mean change; Linf asks for the largest change of any pixel.")
    if same(answer, delta.flatten(1).norm(dim=1)):
        raise Mistake("that is the Euclidean distance (L2); Linf asks for the largest change of any single pixel.")
    if same(answer, expected.max().expand(3)):
        raise Mistake("every image gets the largest change of the whole batch; take the maximum for each image alone.")
    if not same(answer, expected):
        raise Mistake(f"for images whose largest changes are 8, 4 and 16 levels of 255 you return {answer.tolist()}.")
    right("0.1", "One pixel changed by 8/255 is as far away, in Linf, as all pixels changed by 8/255.")
