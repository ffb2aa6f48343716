"""The clean images of a data set in the embeddings of several networks, and the walk of an attack among them.

The networks share one frame and one plane (see ``seminar_lib.embeddings``), both found from the clean images: a class
lies in about the same place in every network, and an image on its way is dropped onto the plane like all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.attacks import PGD
from seminar_lib.data.dataset import Split
from seminar_lib.embeddings import Frame, Plane, class_means, embed, frames
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.models import Classifier
from seminar_lib.threat import Linf
from seminar_lib.types import Images
from seminar_lib.widgets.canvas import Point
from seminar_lib.widgets.images import hwc, walked

Places: TypeAlias = NDArray[np.float64]  # (N, 2)

STEPS = 20
ATTACK = PGD(Linf(8 / 255), steps=STEPS, step_size=1 / 255, random_start=False, stop_when_fooled=False)


@dataclass(frozen=True, eq=False)
class Ground:
    """The clean images as one network sees them.

    Attributes:
        frame: the network's place in the frame of all.
        plane: the plane that all networks share.
        places: of the images on it, (N, 2).
        y: their labels (N,).
        labels: the L classes that occur.
        means: the middle of each in the frame, with all its features, (L, E).
    """

    frame: Frame
    plane: Plane
    places: Places
    y: NDArray[np.int64]
    labels: Tensor
    means: Tensor

    @cached_property
    def middles(self) -> dict[int, Point]:
        """Where each class lies on the plane: the median of its images."""
        found = {int(label): np.median(self.places[self.y == label], 0).tolist() for label in self.labels}
        return {label: (x, y) for label, (x, y) in found.items()}


@dataclass(frozen=True, eq=False)
class Spot:
    """One image of a walk, and what the network makes of it.

    Attributes:
        pixels: (H, W, C) in [0, 1].
        p: probabilities (K,).
        at: where it falls onto the plane.
        nearest: the class whose middle is nearest, measured with all features and not on the plane.
    """

    pixels: NDArray[np.float64]
    p: NDArray[np.float64]
    at: Point
    nearest: int


def grounds(networks: Mapping[str, Classifier], data: Split) -> dict[str, Ground]:
    """Embed all images with every network, in one frame and on one plane.

    Args:
        networks: by name.
        data: the clean images, on the networks' device.

    Raises:
        TypeError, ValueError: a network is no ``Classifier``, or there are fewer than three images.
    """
    z = {name: embed(model, data.x) for name, model in networks.items()}
    found = frames(z)
    framed = {name: frame(z[name]) for name, frame in found.items()}
    plane = Plane.through(torch.cat(list(framed.values())))
    y = data.y.cpu()
    return {
        name: Ground(found[name], plane, plane(part).double().numpy(), y.numpy(), *class_means(part, y))
        for name, part in framed.items()
    }


def walk(model: Classifier, ground: Ground, one: Split) -> tuple[Spot, ...]:
    """The clean image and the image after each of ``STEPS`` steps of PGD.

    Args:
        model: the network.
        ground: of the same network.
        one: a single image with its label, on the model's device.
    """
    with frozen(model):
        x = walked(ATTACK, Misclassify(model, one.y), one.x, seed=0)
    return _spots(model, ground, x)


@torch.no_grad()
def _spots(model: Classifier, ground: Ground, x: Images) -> tuple[Spot, ...]:
    z = ground.frame(embed(model, x))
    nearest = ground.labels[torch.cdist(z, ground.means).argmin(1)].tolist()
    with frozen(model):
        p = model(x).softmax(1).cpu().double().numpy()
    places = ground.plane(z).tolist()
    return tuple(
        Spot(pixels, odds, (right, up), label)
        for pixels, odds, (right, up), label in zip(hwc(x), p, places, nearest, strict=True)
    )
