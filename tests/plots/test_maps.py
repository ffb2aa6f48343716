"""Maps show every point once, name every class, and share their axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.quiver import Quiver

from seminar_lib import Embedded
from seminar_lib.plots import before_after, embedding_map, map_by_class
from seminar_lib.plots.style import class_look

CLASSES = ("ant", "bee", "cat")


def mapped(shift=0.0, classes=3):
    noise = torch.Generator().manual_seed(0)
    y = torch.arange(12) % classes
    z = torch.randn(12, 2, generator=noise) + 4 * torch.nn.functional.one_hot(y, classes)[:, :2]
    fooled = torch.arange(12) < 5
    return Embedded(z, z + 1 + shift, y, y, torch.where(fooled, (y + 1) % classes, y))


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def marks(ax):
    """All marked places, with the colours inside the marks."""
    groups = [part for part in ax.collections if not isinstance(part, Quiver)]
    return [(tuple(at), tuple(part.get_facecolor()[0])) for part in groups for at in part.get_offsets().tolist()]


def arrows(ax):
    return [part for part in ax.collections if isinstance(part, Quiver)]


def test_every_image_is_marked_before_filled_and_after_hollow(ax):
    part = mapped()
    assert embedding_map(part, CLASSES, ax) is ax
    white = (1.0, 1.0, 1.0, 1.0)
    hollow = sorted(at for at, colour in marks(ax) if colour == white)
    filled = sorted(at for at, colour in marks(ax) if colour != white)
    np.testing.assert_allclose(filled, sorted(part.z.tolist()), rtol=1e-6)
    np.testing.assert_allclose(hollow, sorted(part.z_adv.tolist()), rtol=1e-6)


def test_arrows_lead_from_before_to_after_and_the_dark_ones_fool(ax):
    part = mapped()
    embedding_map(part, CLASSES, ax)
    pale, dark = sorted(arrows(ax), key=lambda part: -part.get_facecolor()[0][:3].mean())
    for group, rows in ((dark, part.fooled), (pale, ~part.fooled)):
        np.testing.assert_allclose(np.stack([group.X, group.Y], 1), part.z[rows], rtol=1e-6)
        np.testing.assert_allclose(np.stack([group.U, group.V], 1), (part.z_adv - part.z)[rows], rtol=1e-5)
        assert (group.angles, group.scale, group.scale_units) == ("xy", 1, "xy")


def test_every_class_is_named_at_its_middle_and_the_title_counts(ax):
    part = mapped()
    embedding_map(part, CLASSES, ax)
    assert [name.get_text() for name in ax.texts] == list(CLASSES)
    for label, name in enumerate(ax.texts):
        np.testing.assert_allclose(name.xy, np.sort(part.z[part.y == label].numpy(), 0)[1], rtol=1e-6)
    assert ax.get_title() == "7 of 12 correct after the attack"


def test_names_of_classes_in_one_place_do_not_cover_each_other(ax):
    part = mapped()
    here = Embedded(part.z * 0.01, part.z_adv, part.y, part.predicted, part.predicted_adv)
    embedding_map(here, CLASSES, ax)
    ax.figure.draw_without_rendering()
    boxes = [name.get_window_extent() for name in ax.texts]
    for i, first in enumerate(boxes):
        for second in boxes[:i]:
            assert min(first.y1, second.y1) - max(first.y0, second.y0) < 1  # pixels


def test_names_stay_inside_the_map_whatever_its_size():
    part = mapped()
    places = torch.tensor([[-9.0, 0], [9, 0], [0, 5]])[part.y]
    corners = Embedded(places, places, part.y, part.y, part.y)
    for width in (2.3, 6):
        figure, ax = plt.subplots(figsize=(width, width), layout="constrained")
        embedding_map(corners, ("a long name", "another name", "top"), ax)
        figure.draw_without_rendering()
        box = ax.get_window_extent()
        for name in ax.texts:
            own = name.get_window_extent()
            assert box.x0 <= own.x0 < own.x1 <= box.x1
            assert box.y0 <= own.y0 < own.y1 <= box.y1
        plt.close(figure)


def test_no_two_classes_look_alike_and_markers_alone_tell_neighbours_apart():
    looks = [class_look(label) for label in range(49)]
    assert len(set(looks)) == 49
    assert all(len({marker for _, marker in looks[start : start + 7]}) == 7 for start in range(0, 49, 7))


def test_before_and_after_share_axes_that_hold_all_points():
    maps = {"standard": mapped(3), "pgd_at": mapped()}
    before = plt.get_fignums()
    left, right = before_after(maps, CLASSES).axes
    assert plt.get_fignums() == before, "a notebook shows the figure once"
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()
    places = torch.cat([z for part in maps.values() for z in (part.z, part.z_adv)])
    for limits, values in ((left.get_xlim(), places[:, 0]), (left.get_ylim(), places[:, 1])):
        assert limits[0] < values.min() < values.max() < limits[1]
    assert left.get_title() == "standard: 7 of 12 correct after the attack"
    assert left.get_aspect() == 1


def test_more_than_two_networks_go_into_rows():
    maps = {name: mapped() for name in ("standard", "pgd_at", "trades")}
    axes = before_after(maps, CLASSES).axes
    assert [ax.get_title().split(":")[0] for ax in axes[:3]] == list(maps)
    first, second, third = (ax.get_subplotspec() for ax in axes[:3])
    assert (first.rowspan.start, second.rowspan.start, third.rowspan.start) == (0, 0, 1)
    assert not axes[3].axison


def test_each_class_has_a_map_with_its_own_arrows():
    part = mapped()
    axes = map_by_class(part, CLASSES, columns=2).axes
    for label, ax in enumerate(axes[:3]):
        own = part.y == label
        (way,) = arrows(ax)
        assert int(own.sum()) == way.N
        assert len(marks(ax)) == 12 + int(own.sum()), "own images before and after, the others before"
        assert ax.get_title().startswith(f"{CLASSES[label]}: {int((own & ~part.fooled).sum())} of 4 correct")
    assert axes[0].get_title().endswith("\n2 said 'bee'")
    assert [name.get_text() for name in axes[0].texts] == ["bee"]
    assert "said" not in axes[2].get_title(), "a single wrong answer is chance"
    assert not axes[3].axison


BAD = {
    "no maps": (lambda: before_after({}, CLASSES), "at least one network are needed; got none"),
    "embeddings": (
        lambda: map_by_class(Embedded(torch.eye(3), torch.eye(3), *[torch.arange(3)] * 3), CLASSES),
        "A map has two features; got 3. Call pca, tsne or umap first.",
    ),
    "two names": (lambda: embedding_map(mapped(), "ab"), "shows class 2, but there are 2 names, 0 to 1"),
    "two names again": (lambda: before_after({"a": mapped()}, "ab"), "there are 2 names"),
}


@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=r"[.?]$") as caught:
        call()
    assert words in str(caught.value)
