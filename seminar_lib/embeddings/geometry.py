"""The numbers of one embedding together, and a table of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seminar_lib import markdown
from seminar_lib.embeddings.metrics import alignment, drift, neighbours, separation, uniformity
from seminar_lib.embeddings.pairs import Embedded
from seminar_lib.evaluation import Accuracy
from seminar_lib.types import Embeddings, Labels


@dataclass(frozen=True)
class Geometry:
    """How one network's embedding looks, and what an attack does to it.

    Attributes:
        alignment: of clean and adversarial images; 0 where the attack moves none.
        uniformity: of the clean images; the more negative, the more evenly they fill the sphere.
        separation: of the classes, clean, from -1 to 1.
        separation_adv: the same of the adversarial images.
        drift: the median way of an image under the attack, on the sphere; 1 is the way from class to class.
        neighbours: how many clean images their nearest training images tell rightly.
        neighbours_adv: how many adversarial ones.
    """

    alignment: float
    uniformity: float
    separation: float
    separation_adv: float
    drift: float
    neighbours: Accuracy
    neighbours_adv: Accuracy

    @classmethod
    def of(cls, embedded: Embedded, z_train: Embeddings, y_train: Labels, k: int = 5) -> Geometry:
        """Measure the embedding of one network.

        Args:
            embedded: images before and after the attack, as the network embeds them: no map of two features.
            z_train: clean embeddings of training images by the same network, (N, D).
            y_train: their labels (N,).
            k: how many of them vote.

        Raises:
            ValueError: as the functions of ``seminar_lib.embeddings.metrics``.
        """
        z, z_adv, y = embedded.z, embedded.z_adv, embedded.y
        return cls(
            alignment(z, z_adv),
            uniformity(z),
            separation(z, y),
            separation(z_adv, y),
            float(drift(z, z_adv, y).median()),
            Accuracy.of(neighbours(z, y, z_train, y_train, k)),
            Accuracy.of(neighbours(z_adv, y, z_train, y_train, k)),
        )


def table(geometries: Mapping[str, Geometry]) -> str:
    """A Markdown table of several networks, a row each; accuracies with their 95 % intervals.

    Raises:
        ValueError: there are none.
    """
    if not geometries:
        raise ValueError("A table needs at least one network; got none.")
    head = ("", "alignment", "uniformity", "separation", "attacked", "drift", "neighbours", "attacked", "n")
    rows = []
    for name, found in geometries.items():
        numbers = (found.alignment, found.uniformity, found.separation, found.separation_adv, found.drift)
        shares = (found.neighbours, found.neighbours_adv, found.neighbours.n)
        rows.append((name, *(f"{number:.2f}" for number in numbers), *shares))
    return markdown.table(head, rows)
