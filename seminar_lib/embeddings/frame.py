"""Bring the embeddings of several networks into one frame, so that they can be drawn on one map.

Two networks that see the same thing may still name their features differently: the axes of an embedding are free up to
a rotation. Given the same images in both, the rotation that brings one as close as possible to the other has a closed
form, the orthogonal Procrustes problem of Schoenemann, Psychometrika 1966: with centred embeddings Z and Z',

    R = argmin |Z R - Z'|_F over R^T R = I        = U V^T, where U S V^T is the singular value decomposition of Z^T Z'

Ding et al., "Grounding Representation Similarity with Statistical Testing", NeurIPS 2021, compare networks in this way,
and Williams et al., "Generalized Shape Metrics on Neural Representations", NeurIPS 2021, append zeros where one
embedding has fewer features than the other.

A shift and a rotation keep every distance within a network, so nothing that a defence changed is undone; a projection
fitted to each network alone would turn each picture differently. Matching the centroids of the classes only would leave
free whatever they do not span, so all clean images are matched. The adversarial images have no say: they follow.

Only directions count, as in the contrastive losses: embeddings come to length 1 first. Attacks make those of an
undefended network longer, of the signs' to about twice their length, and a map would show little else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.linalg import orthogonal_procrustes
from torch import Tensor

from seminar_lib.checks import check_embeddings
from seminar_lib.embeddings.pairs import Embedded, check_by_name
from seminar_lib.types import Embeddings


@dataclass(frozen=True, eq=False)
class Frame:
    """A shift and a rotation of the directions of one network's embeddings; new ones follow by a call.

    Attributes:
        centre: the mean of the directions that it was found from, (D,).
        rotation: (D, E) with orthonormal rows, E at least D.
    """

    centre: Float[Tensor, " D"]
    rotation: Float[Tensor, "D E"]

    def __call__(self, z: Embeddings) -> Float[Tensor, "B E"]:
        """Embeddings (B, D) of the same network in the frame, (B, E)."""
        return (F.normalize(z, dim=1) - self.centre) @ self.rotation

    def turned_to(self, z: Embeddings, target: Float[Tensor, "B E"]) -> Frame:
        """The same frame, turned so that ``z`` comes as close as possible to ``target``, (B, E), row by row."""
        turn, _ = orthogonal_procrustes(self(z).numpy(), target.numpy())
        return replace(self, rotation=self.rotation @ torch.from_numpy(turn))


def frames(z: Mapping[str, Embeddings]) -> dict[str, Frame]:
    """A frame for each network, in which its embeddings lie as close as possible to those of the first.

    The first keeps its axes; every network's embeddings come to lie around the origin.

    Args:
        z: by name, embeddings of the same images in the same order; their widths may differ.

    Raises:
        TypeError: one is no tensor.
        ValueError: there are none, or their numbers of images differ.
    """
    if not z:
        raise ValueError("A common frame needs the embeddings of at least one network; got none.")
    for part in z.values():
        check_embeddings(part)
    if len(set((counts := {name: len(part) for name, part in z.items()}).values())) > 1:
        raise ValueError(f"A common frame is found from the same images in every network; got {counts} of them.")
    width = max(part.shape[1] for part in z.values())
    own = {
        name: Frame(F.normalize(part, dim=1).mean(0), torch.eye(part.shape[1], width, dtype=part.dtype))
        for name, part in z.items()
    }
    first, *others = z
    target = own[first](z[first])
    return {first: own[first]} | {name: own[name].turned_to(z[name], target) for name in others}


def in_one_frame(embedded: Mapping[str, Embedded]) -> dict[str, Embedded]:
    """The same images in several networks, moved into one frame: the first step towards one map of them all.

    Args:
        embedded: by the name of the network, the same images in the same order.

    Raises:
        TypeError: they do not come by name, or are not what ``embed_pairs`` gives.
        ValueError: there are none, or the images are not the same, as far as their number and their labels tell.
    """
    check_by_name(embedded)
    found = frames({name: part.z for name, part in embedded.items()})
    first, *others = embedded
    for name in others:
        if not torch.equal(embedded[name].y, embedded[first].y):
            raise ValueError(f"The labels in {name!r} are not those in {first!r}: embed the same images with both.")
    return {
        name: replace(part, z=found[name](part.z), z_adv=found[name](part.z_adv)) for name, part in embedded.items()
    }
