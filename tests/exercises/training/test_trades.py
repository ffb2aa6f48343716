"""Exercise 4.3 accepts every right loss of TRADES and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

from seminar_lib.exercises import training

from ..conftest import praises, refuses


def kl(clean, adversarial):
    """The authors' own call."""
    return F.kl_div(adversarial.log_softmax(1), clean.softmax(1), reduction="batchmean")


def trades(moved=kl, label=F.cross_entropy, total=lambda label, moved, beta: label + beta * moved):
    """The loss of TRADES with one part exchanged at a time."""
    return lambda clean, adversarial, y, beta: total(label(clean, y), moved(clean, adversarial), beta)


def by_hand(clean, adversarial, y, beta):
    p, p_adv = clean.softmax(1), adversarial.softmax(1)
    label = -p[torch.arange(len(y)), y].log().mean()
    return label + beta * (p * (p / p_adv).log()).sum(1).mean()


def with_log_target(clean, adversarial):
    log_p, log_p_adv = clean.log_softmax(1), adversarial.log_softmax(1)
    return F.kl_div(log_p_adv, log_p, reduction="batchmean", log_target=True)


def summed(clean, y):
    return F.cross_entropy(clean, y, reduction="sum")


def kl_mean(clean, adversarial):
    """Called with a small reduction, F.kl_div warns."""
    return kl(clean, adversarial) / clean.shape[1]


def kl_sum(clean, adversarial):
    return F.kl_div(adversarial.log_softmax(1), clean.softmax(1), reduction="sum")


def turned(divergence):
    return lambda clean, adversarial: divergence(adversarial, clean)


def in_place(clean, adversarial, y, beta):
    loss = trades()(clean.clone(), adversarial, y, beta)
    clean.zero_()
    return loss


def adversarial_label(clean, adversarial, y, beta):
    return F.cross_entropy(adversarial, y) + beta * kl(clean, adversarial)


def two_labels(clean, adversarial, y, beta):
    return F.cross_entropy(clean, y) + beta * F.cross_entropy(adversarial, y)


def half_detached(clean, adversarial, y, beta):
    """The right number, and the right gradient for one half of the adversarial logits only."""
    half = torch.cat([adversarial[:2], adversarial[2:].detach()])
    return trades()(clean, half, y, beta) + 0 * (adversarial.sum() + clean.sum())


test_every_right_loss_is_praised = praises(training.check_trades, trades(), by_hand, trades(with_log_target))

test_a_wrong_loss_gets_its_sentence = refuses(
    training.check_trades,
    (lambda *_: None, "returns nothing"),
    (trades(lambda c, a: F.kl_div(a.log_softmax(1), c.log_softmax(1), reduction="batchmean")), "log_target=True"),
    (
        trades(lambda c, a: F.kl_div(a.log_softmax(1), c.softmax(1), reduction="none").sum(1)),
        "one number for the batch",
    ),
    (in_place, "in place"),
    (trades(turned(kl)), "KL(p(x_adv) || p(x))"),
    (trades(kl_mean), "divides by the number of classes"),
    (trades(kl_sum), "you add up over the batch. Take the mean over the images: "),
    (trades(turned(kl_mean)), "turned around, and averaged"),
    (trades(turned(kl_sum)), "turned around, and added up"),
    (trades(kl_sum, summed), "in both terms"),
    (trades(total=lambda label, moved, beta: beta * label + moved), "stands before the cross-entropy"),
    (trades(total=lambda label, moved, beta: label + moved / beta), "you divide by beta"),
    (trades(total=lambda label, moved, beta: label + moved), "beta is missing"),
    (trades(total=lambda label, moved, beta: label + 6 * moved), "an argument or a constant"),
    (trades(total=lambda label, moved, beta: label - beta * moved), "you reward the divergence"),
    (trades(total=lambda label, moved, beta: beta * moved), "the cross-entropy is missing"),
    (trades(total=lambda label, moved, beta: label), "the divergence is missing"),
    (adversarial_label, "that of the adversarial images"),
    (trades(lambda c, a: F.cross_entropy(a, c.softmax(1))), "the cross-entropy of both predictions"),
    (trades(lambda c, a: F.cross_entropy(a, c.argmax(1))), "compares whole predictions"),
    (trades(label=lambda c, y: F.cross_entropy(c.softmax(1), y)), "has the softmax inside"),
    (lambda *given: float(trades()(*given)), "Leave out float() and item()"),
    (two_labels, "your second term knows the labels"),
    (trades(lambda c, a: F.kl_div(a.softmax(1), c.softmax(1), reduction="batchmean")), "must be a logarithm"),
    (trades(lambda c, a: F.kl_div(a, c.softmax(1), reduction="batchmean")), "you put logits into"),
    (trades(lambda c, a: F.kl_div(a.log_softmax(0), c.softmax(0), reduction="batchmean")), "runs over the batch"),
    (trades(lambda c, a: (c.softmax(1) - a.softmax(1)).square().sum(1).mean()), "squared distance"),
    (trades(total=lambda label, moved, beta: label + beta * moved + 1), "yours is"),
    (trades(lambda c, a: kl(c.detach(), a)), "detached the clean prediction"),
    (trades(lambda c, a: kl(c, a.detach())), "detached the adversarial prediction"),
    (half_detached, "its gradient is not that of the loss"),
    (lambda *given: torch.tensor(trades()(*given).item()), "no gradient leads back"),
)
