"""The walk of lesson 02 without a browser: the library's PGD and FGSM, the plane through them, and its map."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from seminar_lib import FGSM, PGD, Linf, Misclassify, Split, margin
from seminar_lib.widgets import TrajectoryDemo
from seminar_lib.widgets.trajectory import CELL, COLUMNS, GRID, MAP, MAP_HEIGHT, STEPS, State, _painted, _plane

from .conftest import CLASSES, as_shown, panel


@pytest.fixture
def demo(model, data):
    return TrajectoryDemo(model, data, CLASSES)


def scene(demo, state):
    return demo.scenes(state.image, state.eps, state.size, state.start)


@pytest.mark.parametrize("steps", [1, 3, STEPS])
@pytest.mark.parametrize("start", [0, 4])
def test_every_step_is_the_library_s_pgd(demo, model, data, steps, start):
    one = data[1:2]
    pgd = PGD(Linf(6 / 255), steps=steps, step_size=1 / 255, random_start=start > 0, stop_when_fooled=False)
    walk = scene(demo, State(1, 6, 1, start)).walk
    assert len(walk) == STEPS + 1
    found = pgd.search(Misclassify(model, one.y), one.x, torch.Generator().manual_seed(start))[0]
    # PGD returns the best image of a walk, which need not be the last.
    best = max(walk[: steps + 1], key=lambda spot: -np.log(spot.p[data.y[1]]))
    np.testing.assert_allclose(best.pixels, found.permute(1, 2, 0), atol=1e-6)


def test_the_walk_starts_where_its_name_says(demo, data):
    clean = data.x[2].permute(1, 2, 0)
    np.testing.assert_allclose(scene(demo, State(2)).walk[0].pixels, clean)
    starts = [scene(demo, State(2, start=number)).walk[0].pixels for number in (1, 2)]
    assert all(0.9 * 8 < 255 * np.abs(start - clean.numpy()).max() <= 8.001 for start in starts)
    assert np.abs(starts[0] - starts[1]).max() > 0.01


def test_the_comparison_is_the_library_s_fgsm(demo, model, data):
    one = data[1:2]
    fgsm = scene(demo, State(1, 12)).fgsm
    expected = FGSM(Linf(12 / 255), stop_when_fooled=False)(model, one.x, one.y)
    np.testing.assert_allclose(fgsm.pixels, expected[0].permute(1, 2, 0), atol=1e-6)
    assert fgsm.margin == pytest.approx(margin(model(expected), one.y).item(), rel=1e-4)


def test_the_map_holds_the_margin_of_a_linear_model(demo, model, data):
    """Its logits have a closed form everywhere on the plane. The steps are too short for the walk to end at FGSM."""
    here = scene(demo, State(1, 8, 0.25, 3))
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


def test_clean_fgsm_and_last_lie_on_the_plane_and_keep_their_distances(demo):
    for state in (State(0), State(2, 16, 0.5, 2)):
        here = scene(demo, state)
        for spot in (here.clean, here.fgsm, here.walk[-1]):
            assert np.hypot(*spot.at) == pytest.approx(np.linalg.norm(spot.pixels - here.clean.pixels), rel=1e-4)
        assert here.clean.at == (0, 0)
        assert here.fgsm.at[0] > 0
        assert here.fgsm.at[1] == pytest.approx(0, abs=1e-4)


def test_the_drawn_edge_is_eps_away(demo, data):
    """Along the way of FGSM the ball ends where FGSM does; and it ends in every direction, once around."""
    inside = Split(torch.full_like(data.images, 128), data.labels)  # far from 0 and 1, where nothing is clipped
    here = scene(TrajectoryDemo(demo.model, inside, CLASSES), State(0))
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


def test_all_images_are_on_the_map(demo):
    for state in (State(0), State(1, 32, 16, 1), State(3, 1, 0.25, 9)):
        here = scene(demo, state)
        for spot in here.spots:
            x, y = here.on_map(spot.at)
            assert 0 < x < CELL * GRID[1]
            assert 0 < y < MAP_HEIGHT


def test_the_boundary_is_drawn_white_where_the_margin_is_zero(demo):
    """On a made-up slope that is zero along a straight line."""
    here = scene(demo, State(0))
    slope = np.linspace(-3, 3, GRID[1])[None].repeat(GRID[0], 0)
    picture = _painted(replace(here, terrain=slope))
    white = (picture == 255).all(2)
    middle = CELL * GRID[1] // 2
    columns = np.flatnonzero(white.any(0))
    assert white[:, middle].all()
    assert abs(columns - middle).max() <= 3


def test_the_panels_show_the_image_and_its_amplified_perturbation(demo, data):
    state = State(2, 16, 2, 0, 7)
    moved = scene(demo, state).walk[7].pixels
    picture = demo.render(state)
    np.testing.assert_array_equal(
        panel(picture, COLUMNS[0], MAP[1], demo.enlarge), as_shown(torch.from_numpy(moved).permute(2, 0, 1))
    )
    delta = moved - data.x[2].permute(1, 2, 0).numpy()
    shown = panel(picture, COLUMNS[1], MAP[1], demo.enlarge)
    np.testing.assert_allclose(shown, 127.5 + 127.5 * delta * 255 / 16, atol=0.51)


def test_the_sentence_says_settings_answers_margins_and_verdict(demo, model, data):
    here = scene(demo, State(1, 8, 4, 2))
    words = demo.describe(State(1, 8, 4, 2, 5))
    assert words.startswith("PGD from the random 2 start, step 5 of 20, step size 4/255, eps = 8/255: ")
    name, p = CLASSES[here.walk[5].p.argmax()], here.walk[5].p.max()
    assert f"{name}, {p:.0%}, margin {here.walk[5].margin:+.2f}. FGSM: " in words
    assert demo.describe(State(3)).endswith("The model was wrong before the attack.")
    by = [name for name, spot in (("PGD", here.walk[5]), ("FGSM", here.fgsm)) if spot.margin > 0]
    assert words.endswith(f"Fooled by {' and by '.join(by)}." if by else "The model still answers rightly.")
    verdicts = {demo.describe(State(1, eps, 1)).rsplit(": ")[-1].rsplit(". ")[-1] for eps in (1, 32)}
    assert len(verdicts) == 2


def test_walking_along_runs_the_model_no_more(demo, model):
    demo.controls["image"].value = 2
    calls = model.calls
    for step in range(STEPS + 1):
        demo.controls["step"].value = step
    assert model.calls == calls


def test_a_step_costs_the_kernel_little(demo):
    """Work and not time, so that a busy machine changes nothing; the rest of a key's 100 ms belongs to the browser."""
    costs = []
    for step in range(10):
        start = time.process_time()
        demo.controls["step"].value = step
        costs.append(time.process_time() - start)
    assert np.median(costs) < 0.04
