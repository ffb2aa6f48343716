"""Drag an image along its attack through the embedding, and see whose neighbourhood it enters.

The map of each network is computed when the demo is made, a walk when its image is first shown; a step only draws.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from ipywidgets import SelectionSlider

from seminar_lib.data.dataset import Split
from seminar_lib.models import Classifier
from seminar_lib.plots import GREY
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.demo import check_named
from seminar_lib.widgets.embedding.drawing import Sheet, draw_ground, draw_walk
from seminar_lib.widgets.embedding.scene import ATTACK, STEPS, Spot, grounds, walk
from seminar_lib.widgets.images import ImageDemo, as_bytes, check_reader, slider

WIDTH, HEIGHT = 872, 424
IMAGE = (592, 34)  # upper left corner of the image


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        image: its place among the images, from 0.
        network: its place among the networks, from 0.
        step: how many steps of PGD have been taken.
    """

    image: int = 0
    network: int = 0
    step: int = 0


class EmbeddingDemo(ImageDemo[State]):
    """Walk an image along its attack through the clean images' embeddings; compare networks.

    Args:
        networks: by name, such as one without a defence and one with.
        data: the images on the map, to choose one from, on the networks' device; one or two hundred, all are embedded.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = 192
    lines = 2

    def __init__(self, networks: Mapping[str, Classifier], data: Split, classes: Sequence[str]) -> None:
        check_named("EmbeddingDemo", "networks by name, such as {'standard': model}", networks)
        for model in networks.values():
            check_reader(model, data, classes)
        self.networks = dict(networks)
        self.names = list(networks)
        self.grounds = grounds(networks, data)
        self.sheet = Sheet(list(self.grounds.values()))
        self.walks = lru_cache(maxsize=256)(self._walk)
        self._backdrop = lru_cache(maxsize=len(networks))(self._draw_backdrop)
        super().__init__(
            next(iter(networks.values())),
            data,
            classes,
            State(),
            "A map of the clean images' embeddings with the path of one image under PGD, that image, and the "
            "network's answer; the sentences above say the result.",
        )

    def rows(self) -> list[dict[str, SelectionSlider]]:
        """Image and network, and below them the steps of the walk."""
        networks = slider("network", [(name, place) for place, name in enumerate(self.names)], 424)
        steps = slider("step", [(f"{step} of {STEPS}", step) for step in range(STEPS + 1)], 868)
        return [{"image": self.image_slider(), "network": networks}, {"step": steps}]

    def render(self, state: State) -> Pixels:
        """The walk on the map as far as it has come, the image there, and what the network says of it."""
        way = self.walks(state.image, state.network)
        here = way[state.step]
        canvas = self._backdrop(state.network).copy()
        draw_walk(canvas, way, state.step, self.sheet)
        left, top = IMAGE
        canvas.text((left, 24), f"{self.names[state.network]}, step {state.step}", 14)
        canvas.image(IMAGE, as_bytes(here.pixels), self.enlarge)
        self.draw_answer(canvas, (left, top + 216), state.image, here.p)
        canvas.text((left, top + 238), f"nearest class: {self.classes[here.nearest]}", 13, GREY)
        self.draw_bars(canvas, (left, top + 250), state.image, here.p, np.max([spot.p for spot in way], axis=0))
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Step, answer, confidence, the nearest class and the verdict in words."""
        way = self.walks(state.image, state.network)
        clean, here = way[0], way[state.step]
        return (
            f"{self.names[state.network]}, image {state.image + 1}, {self.classes[self.true(state.image)]}, PGD at eps "
            f"= {ATTACK.threat.written(ATTACK.threat.eps)}, step {state.step} of {STEPS}: {self._words(here)}. "
            f"Clean: {self._words(clean)}. {self.verdict(state.image, clean.p, {'PGD': here.p})}"
        )

    def _words(self, spot: Spot) -> str:
        return f"{self.answer(spot.p)}, nearest class {self.classes[spot.nearest]}"

    def _walk(self, image: int, network: int) -> tuple[Spot, ...]:
        name = self.names[network]
        return walk(self.networks[name], self.grounds[name], self.data[image : image + 1])

    def _draw_backdrop(self, network: int) -> Canvas:
        canvas = Canvas(WIDTH, HEIGHT)
        draw_ground(canvas, self.grounds[self.names[network]], self.sheet, self.classes)
        return canvas
