"""Certificates of a data set: counted by hand, and the same however often the work is interrupted."""

import json
from dataclasses import replace

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from seminar_lib.data.dataset import Split
from seminar_lib.evaluation import Accuracy, CertifiedReport, certify_set
from seminar_lib.smoothing import ABSTAIN, Certificates, EarlyStop, Smoothed

SIGMA = 0.25


@pytest.fixture
def split(tiny, x) -> Split:
    images = (255 * x).round().to(torch.uint8)
    return Split(images, tiny(images / 255).argmax(1))


@pytest.fixture
def report() -> CertifiedReport:
    """Of eight images one is abstained from and one is wrong."""
    certificates = Certificates(
        torch.tensor([0, 1, 2, ABSTAIN, 0, 1, 2, 0]),
        torch.tensor([0.1, 0.25, 0.5, 0.0, 0.6, 0.3, 0.2, 0.05]),
        torch.rand(8),
        torch.full((8,), 1100),
    )
    labels = torch.tensor([0, 1, 2, 1, 1, 1, 2, 0])
    return CertifiedReport(certificates, labels, SIGMA, {"n": 1000, "alpha": 0.01}, None, 1.0, "a machine")


# --- CertifiedReport ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("radius", "right"), [(0.0, 6), (0.1, 5), (0.25, 3), (0.3, 2), (0.5, 1), (0.6, 0)])
def test_certified_accuracy_counts_right_answers_with_at_least_the_radius(report, radius, right):
    assert report[radius] == Accuracy.of(torch.arange(8) < right)
    assert report.outcomes(radius).sum() == right


def test_averages_count_a_wrong_answer_as_radius_zero(report):
    radii = torch.tensor([0.1, 0.25, 0.5, 0, 0, 0.3, 0.2, 0.05])
    assert report.average_radius == pytest.approx(radii.mean().item())
    assert report.average_radius_error == pytest.approx(1.96 * radii.std().item() / 8**0.5)
    assert report.abstained.accuracy == 1 / 8


def test_the_table_says_all_that_a_reader_needs(report):
    table = report.table()
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:5]] == ["0", "0.25", "0.5"]
    assert f"| 0.25 | 37.5% | {report[0.25].low:.1%} to {report[0.25].high:.1%} | 8 |" in table
    assert f"abstained {report.abstained}; average certified radius 0.175 ±" in table
    assert "1,100 samples an image" in table
    assert "sigma = 0.25, n = 1000, alpha = 0.01" in table
    assert report._repr_markdown_() == table
    assert "| 0.3 | 25.0% |" in report.table([0.3])


def test_with_a_target_nothing_is_shown_beyond_it(report):
    stopped = replace(report, target=0.3)
    assert stopped.radii() == [0.0, 0.25]
    assert "Images stopped at the radius 0.3" in stopped.table()
    line = stopped.plot(Figure().subplots()).lines[0]
    assert max(line.get_xdata()) == pytest.approx(0.3)


def test_a_report_survives_json(report):
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures == report.as_dict()
    assert figures["certified"]["0.25"] == vars(report[0.25])
    assert (figures["n"], figures["sigma"], figures["samples"]) == (8, SIGMA, 1100)


def test_the_curve_holds_its_value_up_to_each_radius_and_falls_beyond(report):
    line = report.plot(Figure().subplots(), label="a network").lines[0]
    assert line.get_drawstyle() == "steps-pre"  # the value of a point holds for the radii before it
    assert list(line.get_ydata()) == [report[radius].accuracy for radius in line.get_xdata()]
    assert line.get_label() == "a network"


# --- certify_set ----------------------------------------------------------------------------------------------------


def same(first: CertifiedReport, second: CertifiedReport) -> bool:
    return all(map(torch.equal, vars(first.certificates).values(), vars(second.certificates).values()))


def test_it_certifies_each_image_as_smoothed_does(tiny, split):
    smoothed = Smoothed(tiny, SIGMA)
    report = certify_set(smoothed, split, n=200, seed=5, progress=False)
    expected = smoothed.certify(split.x, n=200, generator=torch.Generator().manual_seed(5))
    assert all(map(torch.equal, vars(report.certificates).values(), vars(expected).values()))
    assert torch.equal(report.labels, split.labels)
    assert report[0].accuracy > 0


def test_batches_do_not_matter_and_the_seed_does(tiny, split):
    smoothed = Smoothed(tiny, SIGMA)
    whole, parts, other = (
        certify_set(smoothed, split, n=100, batch_size=size, seed=seed, progress=False)
        for size, seed in ((8, 0), (3, 0), (8, 1))
    )
    assert same(whole, parts)
    assert not same(whole, other)


@pytest.mark.parametrize("early", [None, EarlyStop(target=0.05, first=20)], ids=repr)
def test_an_interrupted_run_goes_on_and_ends_the_same(tiny, split, tmp_path, early, monkeypatch):
    smoothed, path = Smoothed(tiny, SIGMA), tmp_path / "certificates.json"
    settings = {"n": 100, "early": early, "batch_size": 3, "progress": False}
    expected = certify_set(smoothed, split, **settings)
    certify, asked = smoothed.certify, []

    def interrupted(x, *rest):
        asked.append(len(x))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return certify(x, *rest)

    monkeypatch.setattr(smoothed, "certify", interrupted)
    with pytest.raises(KeyboardInterrupt):
        certify_set(smoothed, split, path=path, **settings)
    report = certify_set(smoothed, split, path=path, **settings | {"batch_size": 4})
    assert same(report, expected)
    assert asked == [3, 3, 4, 1]
    assert certify_set(smoothed, split, path=path, **settings).seconds == report.seconds > 0
    assert asked == [3, 3, 4, 1]


def test_the_callers_random_numbers_are_left_alone(tiny, split):
    state = torch.get_rng_state()
    certify_set(Smoothed(tiny, SIGMA), split, n=50, progress=False)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sigma": 0.3}, "sigma"),
        ({"n": 60}, "n"),
        ({"alpha": 0.01}, "alpha"),
        ({"seed": 1}, "seed"),
        ({"early": EarlyStop()}, "early"),
        ({"images": 7}, "images"),
        ({"network": 1.0}, "network"),
    ],
    ids=repr,
)
def test_other_certificates_are_not_mixed_in(tiny, split, tmp_path, change, name):
    path = tmp_path / "certificates.json"
    certify_set(Smoothed(tiny, SIGMA), split, n=50, path=path, progress=False)
    written = path.read_text()
    smoothed, data = Smoothed(tiny, change.pop("sigma", SIGMA)), split[: change.pop("images", 8)]
    tiny.head.bias.data += change.pop("network", 0.0)
    with pytest.raises(ValueError, match=rf"holds results with another {name}\. Name another file"):
        certify_set(smoothed, data, path=path, progress=False, **{"n": 50, **change})
    assert path.read_text() == written


class Darken(nn.Module):
    """Without weights, as a purifier is, and its setting is not in what it prints."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x):
        return self.share * x


@pytest.mark.parametrize("first", [None, 0.5])
def test_certificates_of_the_same_weights_behind_another_part_are_not_mixed_in(tiny, split, tmp_path, first):
    """Images made black all get one answer, whatever the network says to the images themselves."""
    path, black = tmp_path / "certificates.json", nn.Sequential(Darken(0.0), tiny)
    other = tiny if first is None else nn.Sequential(Darken(first), tiny)
    settings = {"n": 50, "progress": False}
    kept = certify_set(Smoothed(other, SIGMA), split, path=path, **settings)
    with pytest.raises(ValueError, match=r"holds results with another network\. Name another file"):
        certify_set(Smoothed(black, SIGMA), split, path=path, **settings)
    assert not same(certify_set(Smoothed(black, SIGMA), split, **settings), kept)


@pytest.mark.usefixtures("as_users_call_it")
def test_a_plain_function_cannot_be_told_from_another_so_nothing_is_kept(tiny, split, tmp_path):
    smoothed, path = Smoothed(lambda x: tiny(x), SIGMA), tmp_path / "certificates.json"
    with pytest.raises(TypeError, match=r"kept of an nn\.Module alone, .* got a function\. Leave out path"):
        certify_set(smoothed, split, n=50, path=path, progress=False)
    assert not path.exists()
    expected = certify_set(Smoothed(tiny, SIGMA), split, n=50, progress=False)
    assert same(certify_set(smoothed, split, n=50, progress=False), expected)


@pytest.mark.parametrize("content", ["", "[]", '{"n": 5}'])
def test_a_file_of_another_kind_is_refused(content, tiny, split, tmp_path):
    path = tmp_path / "certificates.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="holds no such results"):
        certify_set(Smoothed(tiny, SIGMA), split, n=50, path=path, progress=False)


def test_no_images_are_refused(tiny, split):
    with pytest.raises(ValueError, match="at least one image, one at a time; got 0 images and batch_size=10"):
        certify_set(Smoothed(tiny, SIGMA), split[:0])


def test_a_hopeless_number_of_samples_leaves_no_file(tiny, split, tmp_path):
    with pytest.raises(ValueError, match="Take n=10 or more"):
        certify_set(Smoothed(tiny, SIGMA), split, n=5, path=tmp_path / "certificates.json", progress=False)
    assert not list(tmp_path.iterdir())
