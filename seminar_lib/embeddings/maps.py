"""Embeddings on paper: two features out of many.

Every map is shared: it is found once for all networks, so that a place means the same everywhere on it. Maps found one
by one could not be laid side by side. Networks do not share their axes: they come into one frame first
(``in_one_frame``).

``pca`` is a shadow: straight lines stay straight, what lies apart on the map lies apart, and new points can be placed
later. The clean images alone choose its plane: it shall show the classes, and what the attack does to them.

``tsne`` and ``umap`` keep neighbours together and give up the rest: distances between clusters, their sizes and their
density mean nothing (Wattenberg et al., "How to Use t-SNE Effectively", Distill 2016). t-SNE has no place for new
points, so clean and adversarial images of all networks are laid out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from seminar_lib.embeddings.pairs import Embedded, check_by_name
from seminar_lib.types import Embeddings

Points: TypeAlias = Float[Tensor, "B 2"]


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane that lies closest to the embeddings it was found from; a call drops others onto it.

    Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901: principal component analysis.

    Attributes:
        mean: a point of the plane, (D,).
        axes: its orthonormal directions, (D, 2), that of the largest variance first.
        share: the part of the variance along each.
    """

    mean: Float[Tensor, " D"]
    axes: Float[Tensor, "D 2"]
    share: tuple[float, float]

    @classmethod
    def through(cls, z: Embeddings) -> Plane:
        """The plane of closest fit; the same embeddings give the same plane, signs included.

        Raises:
            ValueError: there are fewer than three embeddings, or fewer than two features.
        """
        from sklearn.decomposition import PCA

        _check_enough(z)
        fitted = PCA(2, svd_solver="full").fit(z.numpy())
        first, second = fitted.explained_variance_ratio_.tolist()
        return cls(torch.from_numpy(fitted.mean_), torch.from_numpy(fitted.components_.T.copy()), (first, second))

    def __call__(self, z: Embeddings) -> Points:
        """Where the embeddings (B, D) fall onto the plane, (B, 2)."""
        return (z - self.mean) @ self.axes


def pca(embedded: Mapping[str, Embedded]) -> dict[str, Embedded]:
    """The shadow on the plane that lies closest to the clean images; ``Plane.through`` gives the plane itself.

    Args:
        embedded: by the name of the network, in one frame.

    Raises:
        TypeError: they do not come by name, or are not what ``embed_pairs`` gives.
        ValueError: the embeddings do not have the same features, or there are too few.
    """
    _check_same_features(embedded)
    plane = Plane.through(torch.cat([part.z for part in embedded.values()]))
    return {name: replace(part, z=plane(part.z), z_adv=plane(part.z_adv)) for name, part in embedded.items()}


def tsne(embedded: Mapping[str, Embedded], perplexity: float = 30.0, seed: int = 0) -> dict[str, Embedded]:
    """Neighbours stay neighbours: van der Maaten & Hinton, "Visualizing Data using t-SNE", JMLR 2008.

    It starts from the principal components, which keeps the coarse order (Kobak & Berens, Nature Communications 2019).

    Args:
        embedded: by the name of the network, in one frame.
        perplexity: roughly how many neighbours each point has; 5 to 50 in the paper, section 2.
        seed: of its random numbers; with this start hardly anything is left to chance.

    Raises:
        TypeError: they do not come by name, or are not what ``embed_pairs`` gives.
        ValueError: the embeddings do not have the same features, or ``perplexity`` is not below their number.
    """
    from sklearn.manifold import TSNE

    def lay_out(z: Embeddings) -> Points:
        if not 0 < perplexity < len(z):
            raise ValueError(f"t-SNE needs a perplexity above 0 and below the {len(z)} points; got {perplexity}.")
        return torch.from_numpy(TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(z.numpy()))

    return _together(embedded, lay_out)


def umap(embedded: Mapping[str, Embedded], neighbours: int = 15, seed: int = 0) -> dict[str, Embedded]:
    """Neighbours stay neighbours, faster: McInnes et al., "UMAP", arXiv 1802.03426, 2018. Needs the extra ``umap``.

    Args:
        embedded: by the name of the network, in one frame.
        neighbours: how many of each point are looked at.
        seed: of its random numbers; fixing them costs UMAP its threads.

    Raises:
        ImportError: umap-learn is not installed.
        TypeError: they do not come by name, or are not what ``embed_pairs`` gives.
        ValueError: the embeddings do not have the same features, or there are not more than ``neighbours``.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            "UMAP is not part of the seminar's packages. Install it with `python -m pip install umap-learn`, or take "
            "pca or tsne."
        ) from error

    def lay_out(z: Embeddings) -> Points:
        if not 2 <= neighbours < len(z):
            raise ValueError(f"UMAP needs 2 neighbours or more, and fewer than the {len(z)} points; got {neighbours}.")
        return torch.from_numpy(UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(z.numpy()))

    return _together(embedded, lay_out)


def _together(embedded: Mapping[str, Embedded], lay_out: Callable[[Embeddings], Points]) -> dict[str, Embedded]:
    """Lay out all embeddings at once, and give everyone their own back."""
    _check_same_features(embedded)
    parts = [z for part in embedded.values() for z in (part.z, part.z_adv)]
    stacked = torch.cat(parts)
    _check_enough(stacked)
    places = iter(lay_out(stacked).split([len(z) for z in parts]))
    return {name: replace(part, z=next(places), z_adv=next(places)) for name, part in embedded.items()}


def _check_same_features(embedded: Mapping[str, Embedded]) -> None:
    check_by_name(embedded)
    widths = {name: part.z.shape[1] for name, part in embedded.items()}
    if len(set(widths.values())) != 1:
        raise ValueError(f"A map needs embeddings with the same features; got {widths}. Call in_one_frame first.")


def _check_enough(z: Embeddings) -> None:
    if len(z) < 3 or z.shape[1] < 2:
        raise ValueError(f"A map needs three embeddings or more, of two features or more; got shape {tuple(z.shape)}.")
