"""Where a network puts images, and where it puts what an attack made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seminar_lib.checks import check_embeddings, check_images, check_labels, check_model, check_views
from seminar_lib.freeze import in_batches
from seminar_lib.models import Classifier
from seminar_lib.types import Embeddings, Flags, Images, Labels


@dataclass(frozen=True, eq=False)
class Embedded:
    """Images before and after an attack, as one network sees them; all in the memory of the CPU.

    A map of them is the same with two features: ``z`` and ``z_adv`` are then places on paper.

    Attributes:
        z: embeddings of the clean images, (B, D).
        z_adv: those of the adversarial images, row by row, (B, D).
        y: true labels (B,).
        predicted: what the network answers to the clean images, (B,).
        predicted_adv: and to the adversarial ones, (B,).

    Raises:
        TypeError: one of them is no tensor.
        ValueError: the rows do not belong together.
    """

    z: Embeddings
    z_adv: Embeddings
    y: Labels
    predicted: Labels
    predicted_adv: Labels

    def __post_init__(self) -> None:
        check_views(self.z, self.z_adv)
        for labels in (self.y, self.predicted, self.predicted_adv):
            check_embeddings(self.z, labels)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def fooled(self) -> Flags:
        """Which images were answered rightly before the attack and wrongly after it, (B,)."""
        return (self.predicted == self.y) & (self.predicted_adv != self.y)


def check_by_name(embedded: object) -> None:
    """Refuse anything but the embeddings of one network or more, by name.

    Raises:
        TypeError: it is something else; the message says what.
        ValueError: there are none.
    """
    if not isinstance(embedded, Mapping) or not all(isinstance(part, Embedded) for part in embedded.values()):
        parts = [type(part).__name__ for part in embedded.values()] if isinstance(embedded, Mapping) else []
        raise TypeError(
            "Embeddings come by the names of the networks, each as embed_pairs gives them, such as "
            f"{{'pgd_at': embed_pairs(model, x, x_adv, y)}}; got {type(embedded).__name__}"
            + (f" of {', '.join(parts)}." if parts else ".")
        )
    if not embedded:
        raise ValueError("The embeddings of at least one network are needed; got none.")


def embed(model: Classifier, x: Images, projected: bool = False, batch_size: int = 256) -> Embeddings:
    """Where the network puts each image: (B, D) features, or their projections (B, P), in the memory of the CPU.

    The network runs in evaluation mode and comes back as it was.

    Args:
        model: the network.
        x: images in [0, 1], on the network's device.
        projected: take what the contrastive losses compare, the output of the projection head, of length 1. It means
            nothing where no training has touched that head, as in ``signs/standard`` or ``signs/pgd_at``.
        batch_size: images at a time.

    Raises:
        TypeError, ValueError: an input is not as described, or the embeddings are not finite.
    """
    if not isinstance(model, Classifier):
        raise TypeError(f"embed needs a Classifier, which has an embedding; got {type(model).__name__}.")
    check_images(x)
    check_model(model, x)
    if batch_size < 1:
        raise ValueError(f"A batch needs at least one image; got batch_size={batch_size}.")
    z = in_batches(model.project if projected else model.embed, x, batch_size).cpu()
    if not (finite := z.isfinite().all(1)).all():
        broken = int((~finite).nonzero()[0])
        raise ValueError(f"The embedding holds NaN or infinity, first of image {broken}. Did the training diverge?")
    return z


def embed_pairs(
    model: Classifier, x: Images, x_adv: Images, y: Labels, projected: bool = False, batch_size: int = 256
) -> Embedded:
    """Embeddings of images and of what an attack made of them, with the network's answers.

    Args:
        model: the network.
        x: clean images in [0, 1], on the network's device.
        x_adv: what an attack made of them, row by row.
        y: true labels.
        projected: as for ``embed``.
        batch_size: images at a time.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """
    z = embed(model, x, projected, batch_size)
    check_labels(y, x, model.head.out_features)
    if x_adv.shape != x.shape:
        raise ValueError(
            f"x_adv must hold the attacked images row by row, shape {tuple(x.shape)}; got {tuple(x_adv.shape)}."
        )
    z_adv = embed(model, x_adv, projected, batch_size)
    predicted, predicted_adv = (in_batches(model, images, batch_size).argmax(1).cpu() for images in (x, x_adv))
    return Embedded(z, z_adv, y.cpu(), predicted, predicted_adv)
