"""Exercise 3.3 accepts every right loss and says what is wrong with each typical wrong one."""

import torch

import seminar_lib as sl
from seminar_lib.exercises import evaluation

from ..conftest import praises, refuses


def my_dlr(logits, y):
    true = logits.gather(1, y[:, None]).squeeze(1)
    other = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    ordered = logits.sort(1, descending=True).values
    return (other - true) / (ordered[:, 0] - ordered[:, 2])


def dlr_by_image(logits, y):
    losses = []
    for z, label in zip(logits, y, strict=True):
        ordered = sorted(z, reverse=True)
        others = torch.stack([value for j, value in enumerate(z) if j != label])
        losses.append((others.max() - z[label]) / (ordered[0] - ordered[2]))
    return torch.stack(losses)


def ratio(top, bottom):
    """A ratio of other logits than the right ones, numbered as sorted."""

    def loss(logits, y):
        ordered = logits.sort(1, descending=True).values
        true = logits.gather(1, y[:, None]).squeeze(1)
        other = sl.margin(logits, y) + true if top is None else ordered[:, top]
        return (other - true) / (ordered[:, bottom[0]] - ordered[:, bottom[1]])

    return loss


def zero_in_its_place(logits, y):
    true = logits.gather(1, y[:, None]).squeeze(1)
    ordered = logits.sort(1, descending=True).values
    return (logits.scatter(1, y[:, None], 0).amax(1) - true) / (ordered[:, 0] - ordered[:, 2])


def dlr_of_a_fixed_scale(logits, y):
    ordered = logits.detach().sort(1).values
    return sl.margin(logits, y) / (ordered[:, -1] - ordered[:, -3])


def dlr_in_place(logits, y):
    answer = my_dlr(logits, y)
    logits.zero_()
    return answer


test_every_right_loss_is_praised = praises(evaluation.check_loss, my_dlr, dlr_by_image, sl.dlr)

test_a_wrong_loss_gets_its_sentence = refuses(
    evaluation.check_loss,
    (lambda logits, y: None, "returns nothing"),
    (lambda logits, y: my_dlr(logits, y).mean(), "has shape"),
    (lambda logits, y: -my_dlr(logits, y), "sign is turned"),
    (sl.margin, "the margin alone"),
    (ratio(None, (0, 1)), "z_(1) - z_(2)"),
    (ratio(None, (1, 2)), "z_(2) - z_(3)"),
    (ratio(0, (0, 2)), "the true class itself"),
    (ratio(1, (0, 2)), "not always the second"),
    (lambda logits, y: ratio(1, (0, 2))(logits, logits.argmax(1)), "never ask for the label"),
    (ratio(None, (0, 4)), "minus the smallest logit"),
    (ratio(None, (4, 2)), "you sort upwards"),
    (lambda logits, y: sl.margin(logits, y) / logits.amax(1), "by z_(1) alone"),
    (zero_in_its_place, "Put minus infinity"),
    (lambda logits, y: my_dlr(logits.softmax(1), y), "use probabilities"),
    (lambda logits, y: my_dlr(logits, y).clamp(-0.5, 0.5), "for logits"),
    (lambda logits, y: my_dlr(logits, y) + 1e-5 * (logits.abs().amax(1) > 100) * logits[:, 0], "1000 times as large"),
    (lambda logits, y: my_dlr(logits.detach(), y), "no gradient flows back"),
    (lambda logits, y: torch.tensor(my_dlr(logits, y).tolist()), "turned into plain numbers"),
    (dlr_of_a_fixed_scale, "a part of its gradient is missing"),
    (dlr_in_place, "in place"),
)
