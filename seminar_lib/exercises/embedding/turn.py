"""The check of exercise 8.3: the rotation that brings one network's embeddings closest to another's."""

from __future__ import annotations

import torch

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same


@marks
def check_turn(turn: Answer) -> None:
    """Exercise 8.3: the orthogonal R for which z @ R is as close to the target as can be."""
    generator = torch.Generator().manual_seed(5)
    target = torch.randn(20, 4, generator=generator) * torch.tensor([4.0, 2.0, 1.0, 0.5])
    hidden, _ = torch.linalg.qr(torch.randn(4, 4, generator=generator))
    hidden[:, 0] *= -hidden.det().sign()  # a mirror image is the closest
    z = 0.5 * target @ hidden.T + 0.2 * torch.randn(20, 4, generator=generator)
    z, target = (view - view.mean(0) for view in (z, target))  # so that who centres them again changes nothing
    features = "R has a row and a column for each feature, so that z @ R is as z"
    answer = ask_tensor("8.3", turn, (4, 4), z.clone(), target.clone(), reading=features)
    u, scale, vh = torch.linalg.svd(z.T @ target)
    best, upright = u @ vh, torch.tensor([1.0, 1.0, 1.0, -1.0])
    if same(answer, best):
        before, after = ((z @ r - target).norm() / target.norm() for r in (torch.eye(4), best))
        right("8.3", f"The distance to the target falls from {before:.2f} to {after:.2f} of its length.")
        return
    for wrong, sentence in (
        (best.T, "that turns the target to z. Of z^T target = U S V^T, R is U V^T; of target^T z it is the inverse."),
        (torch.linalg.lstsq(z, target).solution, "that is the best of all matrices. It stretches and shears, so that "
         "distances change: what a defence did to them would be lost. Keep U V^T and leave S out."),
        (u @ torch.diag(scale) @ vh, "that is z^T target itself, for you put S back in. It stretches: leave it out."),
        (u @ vh.T, "torch.linalg.svd returns V transposed already: multiply with it as it is."),
        (u * upright @ vh, "you allow no mirror image, and turn the last axis back. A mirror keeps every distance, "
         "too: leave the determinant as it is."),
        (u, "you return U alone, which brings z to its own axes. Go on to those of the target: times V^T."),
        (torch.eye(4), "you leave z as it is."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    if not torch.allclose(answer @ answer.T, torch.eye(4), atol=1e-3):
        raise Mistake("your matrix is no rotation: R R^T should be the identity, so that no distance changes.")
    raise Mistake(
        f"your rotation leaves z {(z @ answer - target).norm():.2f} from the target; there is one that leaves "
        f"{(z @ best - target).norm():.2f}."
    )
