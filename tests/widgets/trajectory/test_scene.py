"""The walk of lesson 02 and its map: the library's PGD and FGSM, and the plane through them."""

import numpy as np
import pytest
import torch

from seminar_lib import FGSM, PGD, Linf, Misclassify, Split, margin
from seminar_lib.widgets.trajectory.scene import GRID, STEPS, Scene, _plane


@pytest.mark.parametrize("steps", [1, 3, STEPS])
@pytest.mark.parametrize("start", [0, 4])
def test_every_step_is_the_library_s_pgd(scene, model, data, steps, start):
    one = data[1:2]
    pgd = PGD(Linf(6 / 255), steps=steps, step_size=1 / 255, random_start=start > 0, stop_when_fooled=False)
    walk = scene(1, 6, 1, start).walk
    assert len(walk) == STEPS + 1
    found = pgd.search(Misclassify(model, one.y), one.x, torch.Generator().manual_seed(start))[0]
    # PGD returns the best image of a walk, which need not be the last.
    best = max(walk[: steps + 1], key=lambda spot: -np.log(spot.p[data.y[1]]))
    np.testing.assert_allclose(best.pixels, found.permute(1, 2, 0), atol=1e-6)


def test_the_walk_starts_where_its_name_says(scene, data):
    clean = data.x[2].permute(1, 2, 0)
    np.testing.assert_allclose(scene(2).walk[0].pixels, clean)
    starts = [scene(2, start=number).walk[0].pixels for number in (1, 2)]
    assert all(0.9 * 8 < 255 * np.abs(start - clean.numpy()).max() <= 8.001 for start in starts)
    assert np.abs(starts[0] - starts[1]).max() > 0.01


def test_the_comparison_is_the_library_s_fgsm(scene, model, data):
    one = data[1:2]
    fgsm = scene(1, 12).fgsm
    expected = FGSM(Linf(12 / 255), stop_when_fooled=False)(model, one.x, one.y)
    np.testing.assert_allclose(fgsm.pixels, expected[0].permute(1, 2, 0), atol=1e-6)
    assert fgsm.margin == pytest.approx(margin(model(expected), one.y).item(), rel=1e-4)


def test_the_map_holds_the_margin_of_a_linear_model(scene, model, data):
    """Its logits have a closed form everywhere on the plane. The steps are too short for the walk to end at FGSM."""
    here = scene(1, 8, 0.25, 3)
    last = here.walk[-1].pixels
    clean = data.x[1].permute(1, 2, 0).numpy()
    across = (here.fgsm.pixels - clean).transpose(2, 0, 1).ravel()
    across /= np.linalg.norm(across)
    rest = (last - clean).transpose(2, 0, 1).ravel()
    up = rest - (rest @ across) * across
    up /= np.linalg.norm(up)
    weights, bias = (t.detach().double().numpy() for t in model.layer.parameters())
    for row in range(GRID[0]):
        for column in range(GRID[1]):
            a = here.corner[0] + here.scale * (column + 0.5)
            b = here.corner[1] + here.scale * (GRID[0] - row - 0.5)
            z = weights @ (clean.transpose(2, 0, 1).ravel() + a * across + b * up) + bias
            true = int(data.y[1])
            assert here.terrain[row, column] == pytest.approx(np.delete(z, true).max() - z[true], abs=1e-3)


def test_clean_fgsm_and_last_lie_on_the_plane_and_keep_their_distances(scene):
    for here in (scene(0), scene(2, 16, 0.5, 2)):
        for spot in (here.clean, here.fgsm, here.walk[-1]):
            assert np.hypot(*spot.at) == pytest.approx(np.linalg.norm(spot.pixels - here.clean.pixels), rel=1e-4)
        assert here.clean.at == (0, 0)
        assert here.fgsm.at[0] > 0
        assert here.fgsm.at[1] == pytest.approx(0, abs=1e-4)


def test_the_drawn_edge_is_eps_away(model, data):
    """Along the way of FGSM the ball ends where FGSM does; and it ends in every direction, once around."""
    inside = Split(torch.full_like(data.images, 128), data.labels)  # far from 0 and 1, where nothing is clipped
    here = Scene.of(model, inside[:1], 8, 2, 0)
    assert here.edge[0] == pytest.approx((here.fgsm.at[0], 0), abs=1e-4)
    assert here.edge[0] == pytest.approx(here.edge[-1], abs=1e-4)
    corner = np.hypot(*here.edge[0])
    assert all(8 / 255 <= np.hypot(*point) <= corner * 1.001 for point in here.edge)


@pytest.mark.parametrize("second", [[3.0, 0, 0, 0], [0.0, 0, 0, 0], [1.0, 2, 0, 0]])
@pytest.mark.parametrize("last", [[5.0, 0, 0, 0], [0.0, 0, 0, 0], [0.0, 0, 7, 0]])
def test_a_plane_is_found_even_where_moves_are_zero_or_alike(second, last):
    moves = torch.tensor([[0.0, 0, 0, 0], second, last]).view(3, 1, 2, 2)
    axes = _plane(moves)
    torch.testing.assert_close(axes @ axes.T, torch.eye(2), atol=1e-5, rtol=0)
    flat = moves.flatten(1)
    if flat[1].any():
        torch.testing.assert_close((flat @ axes.T) @ axes, flat)
