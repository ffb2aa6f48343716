"""Exercise 5.2 accepts every right joint loss and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.exercises import contrastive

from ..conftest import praises, refuses


def joint(
    clean=1.0,
    adversarial=1.0,
    weight=lambda weight: weight,
    reduction="mean",
    contrast=lambda model, x, x_adv, y, t: sl.nt_xent(model.project(x), model.project(x_adv), t),
    reduce=torch.mean,
):
    """The joint loss with one thing exchanged at a time."""

    def my_joint_loss(model, x, x_adv, y, given, temperature):
        entropies = [F.cross_entropy(model(images), y, reduction=reduction) for images in (x, x_adv)]
        together = reduce(contrast(model, x, x_adv, y, temperature))
        return clean * entropies[0] + adversarial * entropies[1] + weight(given) * together

    return my_joint_loss


def in_one_pass(model, x, x_adv, y, weight, temperature):
    """Both views in one pass, and NT-Xent as SupCon in which each image is a class."""
    features = model.embed(torch.cat([x, x_adv]))
    image = torch.arange(len(x)).repeat(2)
    together = sl.sup_con(F.normalize(model.projector(features), dim=1), image, temperature)
    return 2 * F.cross_entropy(model.classify(features), y.repeat(2)) + weight * together.mean()


def embedded(model, x, x_adv, y, t):
    return sl.nt_xent(model.embed(x), model.embed(x_adv), t)


def of_classes(model, x, x_adv, y, t):
    return sl.sup_con(torch.cat([model.project(x), model.project(x_adv)]), torch.cat([y, y]), t)


def stopped(model, x, x_adv, y, t):
    return sl.nt_xent(model.project(x).detach(), model.project(x_adv), t)


def with_project(change):
    return lambda model, x, x_adv, y, t: change(model.project(x), model.project(x_adv), t)


def in_place(model, x, x_adv, y, weight, temperature):
    answer = joint()(model, x, x_adv, y, weight, temperature)
    x_adv.clamp_(0.1, 0.9)
    return answer


test_every_right_loss_is_praised = praises(contrastive.check_joint_loss, joint(), in_one_pass)

test_a_wrong_loss_gets_its_sentence = refuses(
    contrastive.check_joint_loss,
    (lambda *_: None, "returns nothing"),
    (joint(reduce=lambda losses: losses), "expected (): one number"),
    (lambda *given: float(joint()(*given)), "must return a tensor"),
    (joint(weight=lambda weight: 0), "the contrastive term is missing"),
    (joint(adversarial=0), "of the adversarial images is missing"),
    (joint(clean=0), "of the clean images is missing"),
    (joint(clean=0, adversarial=0), "the cross-entropies are missing"),
    (joint(weight=lambda weight: 1), "the weight plays no part"),
    (joint(clean=0.7, adversarial=0.7, weight=lambda weight: 1), "you weigh the cross-entropies"),
    (joint(clean=0.7, adversarial=0.7), "you weigh all terms"),
    (joint(clean=0.5, adversarial=0.5), "the mean of the two cross-entropies"),
    (joint(weight=lambda weight: -weight), "you subtract the contrastive term"),
    (joint(reduce=torch.sum), "the contrastive losses of the images"),
    (joint(reduction="sum"), "the cross-entropies of the images"),
    (joint(reduction="sum", reduce=torch.sum), "you add up over the batch"),
    (joint(contrast=with_project(lambda z, z_adv, t: sl.nt_xent(z, z, t))), "the clean images with themselves"),
    (joint(contrast=with_project(lambda z, z_adv, t: sl.nt_xent(z_adv, z_adv, t))), "the adversarial images with"),
    (joint(contrast=embedded), "before the projection"),
    (joint(contrast=lambda model, x, x_adv, y, t: sl.nt_xent(model(x), model(x_adv), t)), "you contrast logits"),
    (joint(contrast=of_classes), "you use the labels"),
    (joint(contrast=with_project(lambda z, w, t: sl.nt_xent(z, w, t, symmetric=False))), "only the clean views"),
    (joint(contrast=with_project(lambda z, w, t: sl.nt_xent(z, w, 1 / t))), "turned over"),
    (joint(contrast=with_project(lambda z, w, t: sl.nt_xent(z, w, 0.5))), "always 0.5"),
    (joint(clean=2), "the terms are"),
    (joint(contrast=stopped), "a part of its gradient is missing"),
    (lambda *given: joint()(*given).detach(), "no gradient flows back"),
    (in_place, "in place"),
)
