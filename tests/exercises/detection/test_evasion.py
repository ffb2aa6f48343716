"""Exercise 11.3 accepts every right goal and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

from seminar_lib.exercises import detection
from seminar_lib.losses import margin

from ..conftest import praises, refuses


def label(logits, y):
    return F.cross_entropy(logits, y, reduction="none")


def alarm(scores, threshold):
    return (scores - threshold).clamp_min(0)


def fooled(logits, y, scores, threshold):
    return logits.argmax(1) != y


def accepted(logits, y, scores, threshold):
    return scores <= threshold


def both(*given):
    return fooled(*given) & accepted(*given)


def goal(first=label, second=alarm, sign=-1, won=both):
    """The right one, with one part exchanged at a time."""
    return lambda logits, y, scores, threshold: (
        first(logits, y) + sign * second(scores, threshold),
        won(logits, y, scores, threshold),
    )


def by_relu_and_logs(logits, y, scores, threshold):
    surprise = -logits.log_softmax(1).gather(1, y[:, None]).squeeze(1)
    predicted = logits.max(1).indices
    return surprise - F.relu(scores - threshold), torch.logical_and(predicted.ne(y), scores.le(threshold))


def by_minimum(logits, y, scores, threshold):
    room = torch.minimum(threshold - scores, torch.zeros_like(scores))
    return [label(logits, y) + room, ~((logits.argmax(1) == y) | (scores > threshold))]


def nothing(*given):
    return torch.zeros(8)


test_every_right_goal_is_praised = praises(detection.check_evasion, goal(), by_relu_and_logs, by_minimum)

test_a_wrong_loss_gets_its_sentence = refuses(
    detection.check_evasion,
    (lambda *given: None, "return two things"),
    (lambda *given: goal()(*given)[0], "return two things"),
    (goal(won=lambda *given: 3), "a bool for each image"),
    (goal(won=lambda *given: both(*given).float()), "a bool for each image"),
    (lambda *given: (goal()(*given)[0].mean(), both(*given)), "has shape ()"),
    (goal(sign=1), "you reward a high score"),
    (goal(first=lambda logits, y: -label(logits, y)), "your cross-entropy has the wrong sign"),
    (goal(first=lambda logits, y: -label(logits, y), sign=1), "both signs are turned"),
    (goal(second=lambda scores, threshold: scores - threshold), "goes on below the threshold"),
    (goal(second=lambda scores, threshold: scores), "where is the threshold"),
    (goal(second=lambda scores, threshold: (scores - threshold).clamp_max(0)), "on the wrong side"),
    (goal(second=nothing), "the oblivious adversary"),
    (goal(first=nothing), "the second term alone"),
    (goal(first=margin), "your first term is the margin"),
    (goal(first=lambda logits, y: label(logits, logits.argmax(1))), "own answers"),
    (goal(second=lambda scores, threshold: alarm(scores, threshold).mean()), "average the second term"),
    (goal(first=lambda logits, y: F.cross_entropy(logits, y)), "average the first term"),
    (goal(second=lambda scores, threshold: (scores > threshold).float()), "A step has no slope"),
    (goal(second=lambda scores, threshold: 3 * alarm(scores, threshold)), "that is not the cross-entropy minus"),
)

test_a_wrong_slope_is_noticed = refuses(
    detection.check_evasion,
    (goal(second=lambda scores, threshold: alarm(scores, threshold).detach()), "a part of its gradient is missing"),
    (lambda *given: (goal()(*given)[0].detach(), both(*given)), "no gradient flows back"),
)

test_a_wrong_verdict_gets_its_sentence = refuses(
    detection.check_evasion,
    (goal(won=lambda *given: fooled(*given) & (given[2] < given[3])), "*on* the threshold is accepted"),
    (goal(won=fooled), "a wrong label is not enough"),
    (goal(won=accepted), "to be accepted is not enough"),
    (goal(won=lambda *given: fooled(*given) | accepted(*given)), "& instead of |"),
    (goal(won=lambda *given: fooled(*given) & ~accepted(*given)), "images that are *caught*"),
    (goal(won=lambda *given: ~fooled(*given) & accepted(*given)), "the defender's aim"),
    (goal(won=lambda *given: ~both(*given)), "wrong label *and* an accepted score"),
)
