"""The check of exercise 2.3: how long the steps of a walk must be."""

from __future__ import annotations

import math

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right

EPS, STEPS = 8 / 255, 10  # the first question; a fixed number in an answer shows at the second


@marks
def check_stride(smallest_step: Answer) -> None:
    """Exercise 2.3: the shortest steps that still take a walk from any point of the ball to any other."""
    for eps, steps in ((EPS, STEPS), (0.1, 7)):
        size = ask("2.3", smallest_step, eps, steps)
        if not isinstance(size, int | float) or not math.isfinite(size):
            raise Mistake(f"return one number, the length of a step; you return {size!r}.")
        reach, width = size * steps, 2 * eps
        for name, fixed in (("eps", 2 * EPS / steps), ("steps", width / STEPS)):
            if math.isclose(size, fixed) and not math.isclose(reach, width):
                raise Mistake(f"your answer does not follow {name}. Does a fixed number stand in the place of {name}?")
        if math.isclose(size, eps):
            raise Mistake("one step of that length crosses half of the ball. Divide the way by the number of steps.")
        if math.isclose(size, width):
            raise Mistake("one step of that length crosses the ball. There are `steps` of them.")
        if math.isclose(size, eps / steps):
            raise Mistake("that reaches the border from the centre. A random start may lie at the opposite border.")
        if math.isclose(size, 2.5 * eps / steps):
            raise Mistake("that is Madry's rule, which leaves a quarter to spare. Without it?")
        if math.isclose(size, width / (steps - 1)) or math.isclose(size, width / (steps + 1)):
            raise Mistake(f"a walk of {steps} steps has {steps} steps, whatever the number of images it passes.")
        if math.isclose(size, width * steps):
            raise Mistake("you multiply by the number of steps. Divide the way by it.")
        if reach < width * 0.999:
            raise Mistake(f"{steps} steps of {size:.4f} go {reach:.4f} far; across the ball it is {width:.4f}.")
        if reach > width * 1.001:
            raise Mistake(f"{steps} steps of {size:.4f} go {reach:.4f} far, more than the {width:.4f} that are needed.")
    right("2.3", "With shorter steps a part of the ball is out of reach from some starts.")
