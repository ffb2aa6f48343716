"""The check of exercise 8.1: how far an attack moves images on the unit sphere."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same


@marks
def check_alignment(my_alignment: Answer) -> None:
    """Exercise 8.1: the mean squared distance of clean and adversarial embeddings of length 1."""
    generator = torch.Generator().manual_seed(8)
    z = torch.randn(6, 5, generator=generator) * torch.tensor([1.0, 2.0, 0.5, 3.0, 1.5, 4.0])[:, None]
    z_adv = 2 * z + torch.randn(6, 5, generator=generator)  # attacks make embeddings longer
    given = z.clone(), z_adv.clone()
    answer = ask_tensor("8.1", my_alignment, (), *given)
    if not (torch.equal(given[0], z) and torch.equal(given[1], z_adv)):
        raise Mistake("you changed the embeddings in place. Work on copies.")
    u, v = F.normalize(z, dim=1), F.normalize(z_adv, dim=1)
    squared = (u - v).square().sum(1)
    if same(answer, squared.mean()):
        right("8.1", f"Alignment is {squared.mean():.2f} here: on a sphere whose poles are 2 apart, the two views of "
              f"an image are about {squared.mean().sqrt():.2f} apart.")  # fmt: skip
        return
    for wrong, sentence in (
        ((z - z_adv).square().sum(1).mean(), "you compare the embeddings themselves. Networks differ in how long they "
         "make them: divide each by its length first."),
        ((z - z_adv).norm(dim=1).mean(), "you compare the embeddings themselves, and do not square. Divide each by its "
         "length first; then take squared distances."),
        ((F.normalize(z, dim=0) - F.normalize(z_adv, dim=0)).square().sum(1).mean(), "you give length 1 to each "
         "feature over the batch. It is each image's embedding, a row, that comes to length 1: dim=1."),
        ((z / z.norm() - z_adv / z_adv.norm()).square().sum(1).mean(), "you divide by one length for the whole batch. "
         "Each row has its own."),
        (squared.sqrt().mean(), "that is the mean distance. Alignment squares the distances before it averages."),
        (squared.mean().sqrt(), "you take the root at the end. Alignment is the mean of the *squares*."),
        (squared.sum(), "you add the images up. Take the mean over them."),
        ((u - v).square().mean(), "you average over the features too. Add the squares of a row up: only then are they "
         "a squared distance."),
        ((u * v).sum(1).mean(), "that is the cosine, 1 where nothing moves. Alignment is a distance, 0 there."),
        ((1 - (u * v).sum(1)).mean(), "that is half of it: |u - v|^2 = 2 - 2 u.v for vectors of length 1."),
        ((u.mean(0) - v.mean(0)).square().sum(), "you compare the mean of all images. Images that move in opposite "
         "directions would cancel: compare image by image, then average."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    raise Mistake(f"for the example alignment is {squared.mean():.3f}; you return {float(answer):.3f}.")
