"""Exercise 2.3 accepts every right length of a step and says what is wrong with each typical wrong one."""

from seminar_lib.exercises import pgd

from ..conftest import praises, refuses

test_every_right_stride_is_praised = praises(
    pgd.check_stride, lambda eps, steps: 2 * eps / steps, lambda eps, steps: (eps - -eps) / steps
)

test_a_wrong_stride_gets_its_sentence = refuses(
    pgd.check_stride,
    (lambda eps, steps: None, "return one number"),
    (lambda eps, steps: float("inf"), "return one number"),
    (lambda eps, steps: eps / steps, "from the centre"),
    (lambda eps, steps: 2.5 * eps / steps, "Madry's rule"),
    (lambda eps, steps: eps, "Divide the way"),
    (lambda eps, steps: 2 * eps, "`steps` of them"),
    (lambda eps, steps: 2 * eps / (steps - 1), "whatever the number of images"),
    (lambda eps, steps: 2 * eps / (steps + 1), "whatever the number of images"),
    (lambda eps, steps: 2 * eps * steps, "Divide the way by it"),
    (lambda eps, steps: 16 / 255 / steps, "does not follow eps"),
    (lambda eps, steps: 2 * eps / 10, "does not follow steps"),
    (lambda eps, steps: eps / steps / 2, "across the ball"),
    (lambda eps, steps: 3 * eps / steps, "more than the"),
)
