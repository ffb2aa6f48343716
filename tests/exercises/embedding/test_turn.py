"""Exercise 8.3 accepts every right rotation and says what is wrong with each typical wrong one."""

import torch
from scipy.linalg import orthogonal_procrustes

from seminar_lib.exercises import embedding

from ..conftest import praises, refuses


def turn(z, target):
    u, _, vh = torch.linalg.svd(z.T @ target)
    return u @ vh


def with_scale(z, target):
    u, scale, vh = torch.linalg.svd(z.T @ target)
    return u @ scale.diag() @ vh


def transposed_twice(z, target):
    u, _, vh = torch.linalg.svd(z.T @ target)
    return u @ vh.T


def mirror(z, target):
    return turn(z, target) * torch.tensor([-1.0, 1.0, 1.0, 1.0])


def upright(z, target):
    """The best rotation in the narrow sense, of determinant 1 (Kabsch, 1976)."""
    u, _, vh = torch.linalg.svd(z.T @ target)
    return u * torch.stack([*torch.ones(3), (u @ vh).det()]) @ vh


def centred(z, target):
    return turn(z - z.mean(0), target - target.mean(0))


test_every_right_turn_is_praised = praises(
    embedding.check_turn,
    turn,
    lambda z, target: torch.from_numpy(orthogonal_procrustes(z.numpy(), target.numpy())[0]),
    lambda z, target: turn(target, z).T,
    centred,
)

test_a_wrong_turn_gets_its_sentence = refuses(
    embedding.check_turn,
    (lambda z, target: z, "has a row and a column for each feature"),
    (upright, "you allow no mirror image"),
    (lambda z, target: turn(target, z), "turns the target to z"),
    (lambda z, target: torch.linalg.lstsq(z, target).solution, "stretches and shears"),
    (with_scale, "leave it out"),
    (transposed_twice, "V transposed already"),
    (lambda z, target: torch.linalg.svd(z.T @ target).U, "U alone"),
    (lambda z, target: torch.eye(4), "leave z as it is"),
    (lambda z, target: 2 * turn(z, target), "no rotation"),
    (mirror, "there is one that leaves"),
)
