"""The map holds what the library says of the clean images; the walk is the library's PGD, dropped onto that map."""

import numpy as np
import pytest
import torch

from seminar_lib import PGD, Embedded, Linf, Misclassify
from seminar_lib.embeddings import embed, in_one_frame, pca
from seminar_lib.widgets.embedding.scene import STEPS, grounds, walk


@pytest.fixture
def found(networks, data):
    return grounds(networks, data)


def test_the_map_is_the_shared_plane_of_the_library(found, networks, data):
    z = {name: embed(model, data.x) for name, model in networks.items()}
    y = data.y
    maps = pca(in_one_frame({name: Embedded(part, part, y, y, y) for name, part in z.items()}))
    for name, ground in found.items():
        np.testing.assert_allclose(ground.places, maps[name].z, atol=1e-5)


def test_a_class_lies_at_the_median_of_its_images(found, data):
    for ground in found.values():
        assert set(ground.middles) == set(data.y.tolist())
        for label, middle in ground.middles.items():
            np.testing.assert_allclose(middle, np.median(ground.places[(data.y == label).numpy()], 0))


@pytest.mark.parametrize("name", ["standard", "wide"])
def test_the_walk_starts_at_the_clean_image_in_its_place(found, networks, data, name):
    for image in (0, 8):
        way = walk(networks[name], found[name], data[image : image + 1])
        assert len(way) == STEPS + 1
        np.testing.assert_allclose(way[0].pixels, data.x[image].permute(1, 2, 0), atol=1e-6)
        np.testing.assert_allclose(way[0].at, found[name].places[image], atol=1e-5)


@pytest.mark.parametrize("steps", [1, 7, STEPS])
def test_every_step_is_the_library_s_pgd(found, networks, data, steps):
    model, one = networks["standard"], data[2:3]
    pgd = PGD(Linf(8 / 255), steps, 1 / 255, random_start=False, stop_when_fooled=False)
    expected = pgd.search(Misclassify(model, one.y), one.x)[0]
    # PGD returns the best image of a walk, which need not be the last.
    way = walk(model, found["standard"], one)
    best = max(way[: steps + 1], key=lambda spot: -np.log(spot.p[int(one.y)]))
    np.testing.assert_allclose(best.pixels, expected.permute(1, 2, 0), atol=1e-6)


def test_the_nearest_class_is_a_loop_over_the_means_of_directions(found, networks, data):
    model = networks["standard"]
    directions = torch.nn.functional.normalize(model.embed(data.x).detach(), dim=1)
    means = {label: directions[data.y == label].mean(0) for label in data.y.unique().tolist()}
    for image in range(len(data)):
        for spot in walk(model, found["standard"], data[image : image + 1])[:: STEPS // 2]:
            x = torch.from_numpy(spot.pixels).float().permute(2, 0, 1)[None]
            here = torch.nn.functional.normalize(model.embed(x).detach(), dim=1)[0]
            assert spot.nearest == min(means, key=lambda label: float((here - means[label]).norm()))
            np.testing.assert_allclose(spot.p, model(x).softmax(1)[0].detach(), atol=1e-5)
