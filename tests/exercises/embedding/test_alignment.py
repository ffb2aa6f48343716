"""Exercise 8.1 accepts every right alignment and says what is wrong with each typical wrong one."""

import torch.nn.functional as F

from seminar_lib.embeddings import alignment
from seminar_lib.exercises import embedding

from ..conftest import praises, refuses


def unit(z, dim=1):
    return z / z.norm(dim=dim, keepdim=True)


def in_place(z, z_adv):
    z /= z.norm(dim=1, keepdim=True)
    return (z - unit(z_adv)).square().sum(1).mean()


test_every_right_alignment_is_praised = praises(
    embedding.check_alignment,
    lambda z, z_adv: (unit(z) - unit(z_adv)).square().sum(1).mean(),
    lambda z, z_adv: (2 - 2 * F.cosine_similarity(z, z_adv)).mean(),
    lambda z, z_adv: z.new_tensor(alignment(z, z_adv)),
)

test_a_wrong_alignment_gets_its_sentence = refuses(
    embedding.check_alignment,
    (lambda z, z_adv: 0.5, "returns a float"),
    (in_place, "in place"),
    (lambda z, z_adv: (z - z_adv).square().sum(1).mean(), "divide each by its length"),
    (lambda z, z_adv: (z - z_adv).norm(dim=1).mean(), "and do not square"),
    (lambda z, z_adv: (unit(z, 0) - unit(z_adv, 0)).square().sum(1).mean(), "dim=1"),
    (lambda z, z_adv: (z / z.norm() - z_adv / z_adv.norm()).square().sum(1).mean(), "Each row has its own"),
    (lambda z, z_adv: (unit(z) - unit(z_adv)).norm(dim=1).mean(), "squares the distances"),
    (lambda z, z_adv: (unit(z) - unit(z_adv)).square().sum(1).mean().sqrt(), "the root at the end"),
    (lambda z, z_adv: (unit(z) - unit(z_adv)).square().sum(), "Take the mean"),
    (lambda z, z_adv: (unit(z) - unit(z_adv)).square().mean(), "over the features too"),
    (lambda z, z_adv: F.cosine_similarity(z, z_adv).mean(), "that is the cosine"),
    (lambda z, z_adv: (1 - F.cosine_similarity(z, z_adv)).mean(), "half of it"),
    (lambda z, z_adv: (unit(z).mean(0) - unit(z_adv).mean(0)).square().sum(), "image by image"),
    (lambda z, z_adv: z.sum() * 0, "for the example alignment is"),
)
