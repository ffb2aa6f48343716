"""The check of exercise 5.2: the joint loss of C-LEAD as this project reads its abstract."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.contrastive import nt_xent, sup_con
from seminar_lib.exercises.marking import Answer, Mistake, ask_loss, judge_slope, marks, right, same
from seminar_lib.models import Classifier
from seminar_lib.objectives import CLEAD, Batch

WEIGHT, TEMPERATURE = 0.7, 0.4
IMAGES, CLASSES = 6, 3


@marks
def check_joint_loss(my_joint_loss: Answer) -> None:
    """Exercise 5.2: two cross-entropies and the weighted NT-Xent between clean and adversarial images."""
    model, batch = _material()
    x, y, x_adv = batch.x, batch.y, batch.x_adv
    assert x_adv is not None
    given = x.clone(), x_adv.clone(), y.clone()
    answer = ask_loss("5.2", my_joint_loss, (), model, *given, WEIGHT, TEMPERATURE)
    if not all(map(torch.equal, given, (x, x_adv, y))):
        raise Mistake("you changed the images or the labels in place. Work on copies.")
    terms = CLEAD(weight=WEIGHT, temperature=TEMPERATURE).terms(model, batch)
    expected = torch.stack(list(terms.values())).sum()
    numbers = {name: float(term.detach()) for name, term in terms.items()}
    if not same(answer, expected):
        raise Mistake(_explain(answer.detach(), model, batch, numbers))
    judge_slope(answer, expected, model.parameters())
    shown = ", ".join(f"{name} {number:.2f}" for name, number in numbers.items())
    right("5.2", f"Its terms on this batch: {shown}. The library's CLEAD is the same, with the attack.")


def _material() -> tuple[Classifier, Batch]:
    """A small network without BatchNorm, and a batch whose adversarial images lie far from the clean ones."""
    generator = torch.Generator().manual_seed(11)
    with torch.random.fork_rng(devices=[]):  # a network is built with random weights: not the student's numbers
        torch.manual_seed(0)
        backbone = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 10), nn.Tanh())
        model = Classifier(backbone, 10, CLASSES, (0.5,) * 3, (0.25,) * 3, projection=5)
    x = torch.rand(IMAGES, 3, 4, 4, generator=generator)
    x_adv = (x + 0.5 * torch.randn(x.shape, generator=generator)).clamp(0, 1)
    return model, Batch(x, torch.arange(IMAGES) % CLASSES, x_adv=x_adv)


@torch.no_grad()
def _explain(answer: Tensor, model: Classifier, batch: Batch, terms: dict[str, float]) -> str:
    x, y, x_adv = batch.x, batch.y, batch.x_adv
    assert x_adv is not None
    clean, adversarial, contrastive = terms.values()
    total, entropies = clean + adversarial + contrastive, clean + adversarial
    z, z_adv = model.project(x), model.project(x_adv)
    features = model.embed(x), model.embed(x_adv)
    of_classes = sup_con(torch.cat([z, z_adv]), torch.cat([y, y]), TEMPERATURE).mean()
    added_up = sum(F.cross_entropy(model(images), y, reduction="sum") for images in (x, x_adv))

    def with_contrast(loss: Tensor) -> Tensor:
        return entropies + WEIGHT * loss

    for wrong, sentence in (
        (entropies, "the contrastive term is missing."),
        (clean + contrastive, "the cross-entropy of the adversarial images is missing: it is what adversarial training "
         "minimises."),
        (adversarial + contrastive, "the cross-entropy of the clean images is missing."),
        (contrastive, "the cross-entropies are missing: an encoder that holds views together need not know a class."),
        (entropies + contrastive / WEIGHT, "the weight plays no part in your loss."),
        (WEIGHT * entropies + contrastive / WEIGHT, "you weigh the cross-entropies. The weight is that of the "
         "contrastive term."),
        (WEIGHT * entropies + contrastive, "you weigh all terms. The weight is that of the contrastive term alone."),
        (entropies / 2 + contrastive, "you take the mean of the two cross-entropies. Add them up."),
        (entropies - contrastive, "you subtract the contrastive term: training would drive the two views apart."),
        (entropies + IMAGES * contrastive, "you add up the contrastive losses of the images. Take their mean, as "
         "cross_entropy does, or the weight means something else for each batch size."),
        (added_up + contrastive, "you add up the cross-entropies of the images. Take their mean."),
        (added_up + IMAGES * contrastive, "you add up over the batch. Take means, or the learning rate means something "
         "else for each batch size."),
        (with_contrast(nt_xent(z, z, TEMPERATURE).mean()), "you contrast the clean images with themselves. The second "
         "view is the adversarial one."),
        (with_contrast(nt_xent(z_adv, z_adv, TEMPERATURE).mean()), "you contrast the adversarial images with "
         "themselves. One of the two views is the clean one."),
        (with_contrast(nt_xent(*features, TEMPERATURE).mean()), "you contrast the features before the projection. "
         "model.project(x) gives what the contrastive loss compares."),
        (with_contrast(nt_xent(model(x), model(x_adv), TEMPERATURE).mean()), "you contrast logits. model.project(x) "
         "gives what the contrastive loss compares."),
        (with_contrast(of_classes), "you use the labels in the contrastive loss. Here an image belongs with its own "
         "other view alone: NT-Xent, not SupCon."),
        (with_contrast(nt_xent(z, z_adv, TEMPERATURE, symmetric=False).mean()), "only the clean views are your "
         "anchors. The two views take turns."),
        (with_contrast(nt_xent(z, z_adv, 1 / TEMPERATURE).mean()), "your temperature is turned over."),
        (with_contrast(nt_xent(z, z_adv, 0.5).mean()), "your temperature is always 0.5. Take the one that is given."),
    ):  # fmt: skip
        if same(answer, torch.as_tensor(wrong)):
            return sentence
    return (
        f"the terms are {clean:.3f} (clean), {adversarial:.3f} (adversarial) and {WEIGHT} * {contrastive / WEIGHT:.3f} "
        f"(contrastive), in all {total:.3f}; yours is {float(answer):.3f}."
    )
