"""The built-in signs: every picture depends on its number alone, and the mask and box say where the sign is."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.random import Generator, Philox

from seminar_lib.data.dataset import Split
from seminar_lib.data.signs import CLASSES, MEAN, SIZES, STD, VERSION, Conditions, render, signs
from seminar_lib.data.signs.faces import face
from seminar_lib.data.signs.rendering import photographs
from seminar_lib.data.signs.scene import photograph

SIXTEEN = list(CLASSES)


@pytest.fixture
def small(monkeypatch, tmp_path) -> None:
    """Splits of 32, 16 and 16 images and an empty cache."""
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path))
    for split, size in {"train": 32, "validation": 16, "test": 16}.items():
        monkeypatch.setitem(SIZES, split, size)


@pytest.fixture(scope="module")
def fresh() -> Split:
    return render(SIXTEEN * 4, seed=5)


def test_a_photograph_depends_on_its_number_alone() -> None:
    images, masks = photographs(SIXTEEN * 6, (1, 9), Conditions(), workers=1)
    in_parallel = photographs(SIXTEEN * 6, (1, 9), Conditions(), workers=2)
    part = photographs((SIXTEEN * 6)[50:53], (1, 9), Conditions(), start=50, workers=1)
    for got, expected in ((in_parallel[0], images), (in_parallel[1], masks), (part[0], images[50:53])):
        np.testing.assert_array_equal(got, expected)


def test_another_seed_gives_other_images(fresh: Split) -> None:
    again, other = render(SIXTEEN, seed=5), render(SIXTEEN, seed=6)
    assert torch.equal(again.images, fresh[:16].images)
    assert (again.images != other.images).flatten(1).any(1).all()


def test_splits_are_balanced_and_share_no_image(small: None) -> None:
    data = signs()
    splits = [data.train, data.validation, data.test]
    assert [len(split) for split in splits] == [32, 16, 16]
    for split in splits:
        assert split.labels.bincount(minlength=16).unique().tolist() == [len(split) // 16]
    assert len({image.numpy().tobytes() for split in splits for image in split.images}) == 64


def test_full_sizes_divide_evenly_among_the_classes() -> None:
    assert {split: size % len(CLASSES) for split, size in SIZES.items()} == {"train": 0, "validation": 0, "test": 0}


def test_only_the_split_that_is_asked_for_is_rendered(small: None, tmp_path) -> None:
    first = signs().test
    assert [file.name for file in tmp_path.iterdir()] == [f"signs-{VERSION}-test.safetensors"]
    cached = signs().test
    assert torch.equal(first.images, cached.images)
    assert torch.equal(first.extras["box"], cached.extras["box"])


def test_shapes_types_and_range(fresh: Split) -> None:
    assert fresh.images.shape == (64, 3, 32, 32)
    assert fresh.images.dtype == torch.uint8
    assert [CLASSES[label] for label in fresh.labels] == SIXTEEN * 4
    assert fresh.extras["mask"].dtype == torch.bool
    assert (fresh.x.flatten(1).std(dim=1) > 0.01).all(), "a picture is blank"


def test_box_is_the_smallest_around_the_mask(fresh: Split) -> None:
    for mask, (x0, y0, x1, y1) in zip(fresh.extras["mask"], fresh.extras["box"].tolist(), strict=True):
        assert mask[y0:y1, x0:x1].sum() == mask.sum()
        for side in (mask[y0], mask[y1 - 1], mask[:, x0], mask[:, x1 - 1]):
            assert side.any()


@pytest.mark.parametrize("name", CLASSES)
def test_the_sign_changes_the_picture_in_its_mask_and_nowhere_else(name: str) -> None:
    for number in range(3):
        taken = photograph(Generator(Philox(number)), name, Conditions())
        empty = photograph(Generator(Philox(number)), None, Conditions())
        assert not empty.mask.any()
        changed = (taken.image != empty.image).any(-1)
        padded = np.pad(taken.mask, 3)  # the blur reaches 2 pixels, and the mask leaves out the sign's faint rim
        near = np.any([padded[i : i + 32, j : j + 32] for i in range(7) for j in range(7)], axis=0)
        assert not (changed & ~near).any()
        assert changed[taken.mask].mean() > 0.8


def test_mask_has_the_size_that_was_asked_for() -> None:
    """A round sign seen from the front fills a disc: its area is known in closed form."""
    front = replace(Conditions(), diameter=(20.0, 20.0), turn=0.0, tilt=0.0, roll=0.0)
    mask = photograph(Generator(Philox(0)), "no entry", front).mask
    assert mask.sum() == pytest.approx(np.pi * 10**2, rel=0.03)


def test_contrast_is_the_difference_of_white_and_black() -> None:
    """Without a cause of unevenness the bar of a no-entry sign and its red differ by their paint times the contrast."""
    paint = np.asarray(face("no entry", 128), dtype=float)
    bar, red = paint[64, 64, :3], paint[30, 64, :3]
    plain = replace(Conditions(), diameter=(28.0, 28.0), turn=0.0, tilt=0.0, roll=0.0, shadows=0.0, obstacles=0.0)
    for contrast in (0.2, 0.8):
        fixed = replace(plain, contrast=(contrast, contrast), defocus=(0.2, 0.2), motion=(0.0, 0.0), noise=(0.0, 0.0))
        drops = []
        for number in range(8):
            image, mask = photograph(Generator(Philox(number)), "no entry", fixed)
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            y, x = round(rows.mean()), round(columns.mean())
            drops.append((image[y, x] - image[y - 8, x].astype(float)) / (bar - red))
        assert np.mean(drops) == pytest.approx(contrast, rel=0.35)  # light and white balance vary around 1


def test_faces_differ_and_leave_air_around() -> None:
    faces = {name: np.asarray(face(name, 64)) for name in CLASSES}
    assert len({pixels.tobytes() for pixels in faces.values()}) == 16
    for pixels in faces.values():
        rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert not rim[:, 3].any()
    np.testing.assert_array_equal(faces["right"][:, ::-1], faces["left"])


def test_statistics_are_those_of_the_training_images() -> None:
    """On 320 of them, so within the error of a mean."""
    images, _ = photographs(SIXTEEN * 20, (VERSION, 0), Conditions(), workers=1)
    x = images / 255
    np.testing.assert_allclose(x.mean((0, 2, 3)), MEAN, atol=0.04)
    np.testing.assert_allclose(x.std((0, 2, 3)), STD, atol=0.03)


def test_version_belongs_to_these_pictures() -> None:
    """When this fails, the pictures have changed: raise VERSION, then put the new means here."""
    images, _ = photographs(SIXTEEN[:4], (VERSION, 2), Conditions(), workers=1)
    assert VERSION == 1
    np.testing.assert_allclose(
        images.mean((1, 2, 3)), [88.8, 51.4, 134.2, 41.2], atol=0.3
    )  # platforms round differently


def test_workers_do_not_run_the_callers_script(tmp_path) -> None:
    """A script without the ``__main__`` guard renders in parallel and runs once."""
    script = tmp_path / "lesson.py"
    script.write_text(
        "from seminar_lib.data.signs.rendering import Conditions, photographs\n"
        "print('lesson', photographs(['stop'] * 80, (1, 2), Conditions(), workers=2)[0].shape)\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "lesson (80, 3, 32, 32)\n"


@pytest.mark.parametrize("names", ["stop", [], ["stop", "halt"]])
def test_render_refuses_names_it_does_not_know(names) -> None:
    with pytest.raises(ValueError, match=r"one class name per image|no sign 'halt'"):
        render(names)


@pytest.mark.parametrize("broken", [{"contrast": (0.0, 1.0)}, {"contrast": (0.5, 0.2)}, {"diameter": (20.0, 50.0)}])
def test_conditions_out_of_range_are_refused(broken) -> None:
    with pytest.raises(ValueError, match=r"is a pair \(low, high\) between"):
        Conditions(**broken)


def test_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="train, validation, test"):
        signs().read("dev")
