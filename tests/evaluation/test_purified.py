"""Purified models, judged: by hand from given answers, and measured on models whose weakness is known."""

import json
from dataclasses import replace

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation import Accuracy, PurifiedReport, evaluate_purified
from seminar_lib.purification import JPEG, Quantise, RandomResize, TotalVariation
from seminar_lib.threat import Linf

ATTACK = PGD(Linf(8 / 255), steps=5)
QUICK = {"attack": ATTACK, "draws": 4, "eot": 3, "progress": False}


@pytest.fixture
def split(tiny, x) -> Split:
    images = (255 * x).round().to(torch.uint8)
    return Split(images, tiny(images / 255).argmax(1))


class Coin(nn.Module):
    """Black, or the image as it is: one or the other for each image at each call."""

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        self.share = share

    def extra_repr(self) -> str:
        return f"share={self.share}"

    def forward(self, x):
        return x * (torch.rand(len(x), 1, 1, 1) >= self.share)


class Watched(nn.Module):
    """A purifier that counts its calls with and without a gradient to come."""

    def __init__(self, purifier: nn.Module) -> None:
        super().__init__()
        self.purifier, self.judged, self.searched = purifier, 0, 0

    def forward(self, x):
        self.searched += torch.is_grad_enabled()
        self.judged += not torch.is_grad_enabled()
        return self.purifier(x)


class Flicker(nn.Module):
    """It does nothing, or draws the first channel anew, and keeps what it is shown."""

    def __init__(self, random: bool) -> None:
        super().__init__()
        self.random, self.shown = random, []

    def forward(self, x):
        self.shown.append(x.detach().clone())
        return torch.cat([torch.rand_like(x[:, :1]), x[:, 1:]], 1) if self.random else x


# --- PurifiedReport -------------------------------------------------------------------------------------------------


@pytest.fixture
def report() -> PurifiedReport:
    """Four images of class 1 with four draws: all right, three, two of which two say the same wrong thing, one."""
    clean = torch.tensor([[1, 1, 1, 1], [1, 1, 2, 1], [1, 0, 0, 1], [2, 1, 0, 1]])
    attacked = torch.tensor([[2, 1, 1, 1], [1, 1, 2, 1], [0, 0, 0, 1], [2, 2, 0, 2]])
    answers = {"clean": clean, "blind": clean, "BPDA": attacked, "full gradient": attacked}
    return PurifiedReport(answers, torch.ones(4, dtype=torch.int64), "Coin()", ATTACK, True, 3, 0, 1.0, "a machine")


def test_each_way_to_judge_is_counted_by_hand(report):
    outcomes = report.outcomes("clean")
    assert {name: right.tolist() for name, right in outcomes.items()} == {
        "one draw": [True, True, True, False],
        "majority of 4": [True, True, False, True],  # two against two is a tie; two against one and one is not
        "worst of 4": [True, False, False, False],
    }
    assert report["BPDA"]["majority of 4"] == Accuracy.of(torch.arange(4) < 2)
    assert [a.accuracy for a in report["worst case"].values()] == [0.25, 0.5, 0]


def test_an_unknown_row_is_answered_with_the_known_ones(report):
    with pytest.raises(KeyError, match="no row 'PGD'; the rows are clean, blind, BPDA, full gradient, worst case"):
        report["PGD"]


def test_a_purifier_without_chance_has_one_column(report):
    answers = {row: found[:, :1] for row, found in report.answers.items()}
    fixed = replace(report, answers=answers, random=False, eot=1)
    assert list(fixed["clean"]) == ["accuracy"]
    assert "draws no random numbers" in fixed.table()
    assert "draws of each result" not in fixed.table()
    assert list(replace(report, answers=answers)["clean"]) == ["one draw"]


def test_the_table_says_all_that_a_reader_needs(report):
    table = report.table()
    assert "|  | one draw | majority of 4 | worst of 4 |" in table
    assert f"| blind | {report['blind']['one draw']} |" in table
    assert "n = 4, 95 % intervals, seed 0" in table
    assert f"- `Coin()` under `{ATTACK!r}`, 3 looks for each gradient, 4 draws of each result" in table
    assert report._repr_markdown_() == table == repr(report)


def test_a_masked_gradient_is_remarked_upon(report):
    many = {row: found.repeat(20, 1) for row, found in report.answers.items()}
    honest = replace(report, answers=many, labels=report.labels.repeat(20))
    assert honest.remarks == []
    masked = replace(honest, answers={**many, "full gradient": torch.ones_like(many["clean"])})
    (remark,) = masked.remarks
    assert "masked: less harm is done by it than by blind or BPDA" in remark
    blind = replace(honest, answers={name: many[name] for name in ("clean", "blind", "BPDA")})
    assert blind.remarks == ["The purifier has no gradient: the adversary knows it through BPDA alone."]


def test_a_report_survives_json(report):
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures == report.as_dict()
    assert figures["rows"]["blind"]["worst of 4"] == vars(report["blind"]["worst of 4"])
    assert (figures["n"], figures["draws"], figures["eot"]) == (4, 4, 3)


def test_bars_are_as_high_as_the_accuracies(report):
    ax = report.plot(Figure().subplots())
    heights = [patch.get_height() for patch in ax.patches]
    assert heights == [report[row][column].accuracy for column in report["clean"] for row in report.rows]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(report["clean"])


# --- evaluate_purified ----------------------------------------------------------------------------------------------


def same(first: PurifiedReport, second: PurifiedReport) -> bool:
    return first.answers.keys() == second.answers.keys() and all(
        torch.equal(first.answers[row], second.answers[row]) for row in first.answers
    )


def test_the_worst_of_several_draws_is_never_better_than_one_or_their_majority(tiny, split):
    report = evaluate_purified(Coin(0.3), tiny, split, **QUICK)
    for row in report.rows:
        one, majority, worst = report.outcomes(row).values()
        assert not (worst & ~one).any()
        assert not (worst & ~majority).any()
        assert all(report["worst case"][column].accuracy <= report[row][column].accuracy for column in report[row])
    assert report["clean"]["worst of 4"].accuracy < report["clean"]["majority of 4"].accuracy


@pytest.mark.parametrize(
    "purifier",
    [Quantise(4), JPEG(90), TotalVariation(0.002, drop=0.0, steps=5), TotalVariation(0.002, 0.1), RandomResize(0.95)],
    ids=repr,
)
def test_every_transform_falls_to_an_adversary_who_knows_it(purifier, oracle, linear):
    """In front of a linear classifier, whose images all fall to eps without a purifier, and none without an attack."""
    reach = -oracle.margin() / oracle.slope(Linf(0.1))
    attack = PGD(Linf(float(4 * reach.max())), steps=10)
    report = evaluate_purified(purifier, oracle.model, linear, attack, draws=3, eot=4, progress=False)
    column = next(iter(report["clean"]))
    assert report["clean"][column].accuracy >= 0.5
    assert report["worst case"][column].accuracy == 0
    assert report["BPDA"][column].accuracy <= 1 / 8
    if isinstance(purifier, Quantise | JPEG):
        assert report["full gradient"][column].accuracy >= 0.5
        assert "masked" in report.table()


def test_a_lucky_look_of_the_search_is_no_success(tiny, split):
    """A purifier that blackens one image in four tells any search of a success at nearly every look. Against images
    that cannot be moved by so small an eps, nothing of it is left: the draws that count are others.
    """
    black = int(tiny(torch.zeros(1, 3, 8, 8)).argmax())
    data = split[split.labels != black]
    attack = PGD(Linf(1e-6), steps=3)
    report = evaluate_purified(Coin(0.25), tiny, data, attack, draws=200, eot=1, progress=False)
    for row in report.answers:
        right = (report.answers[row] == data.labels[:, None]).double().mean()
        assert abs(right - 0.75) < 0.05  # a standard error of 0.012
        assert report[row]["majority of 200"].accuracy == 1
        assert report[row]["worst of 200"].accuracy == 0


@pytest.mark.parametrize("random", [False, True])
def test_who_knows_no_purifier_or_a_random_one_climbs_to_the_end(tiny, split, random):
    next(tiny.parameters()).data[:, 0] = 0  # blind for the channel that is drawn anew
    purifier, (x, y) = Flicker(random), (split.x, tiny(split.x).argmax(1))
    attack = replace(ATTACK, random_start=False)
    evaluate_purified(purifier, tiny, replace(split, labels=y), attack, draws=1, eot=1, progress=False)
    shown = torch.stack([images for images in purifier.shown if len(images) == len(x)])
    made = [replace(attack, stop_when_fooled=stop)(tiny, x, y) for stop in (False, True)]
    late, early = (((shown - images).abs().flatten(1).amax(1) < 1e-6).any() for images in made)
    assert late
    assert early == (not random)  # without chance, BPDA may believe a success that it sees


def test_a_wrong_label_is_refused_before_any_image_is_attacked(tiny, split):
    labels = torch.arange(len(split) + 8) * 0
    labels[-1] = 5
    data = Split(torch.cat([split.images, split.images]), labels)
    purifier = Watched(Quantise())
    with pytest.raises(ValueError, match=r"y\[15\] is 5, but the model has 5 classes"):
        evaluate_purified(purifier, tiny, data, batch_size=4, **QUICK)
    assert purifier.judged + purifier.searched < 4


def test_without_chance_one_look_is_enough(tiny, split):
    purifier = Watched(Quantise(5))
    report = evaluate_purified(purifier, tiny, split, ATTACK, draws=50, eot=50, progress=False)
    assert (report.random, report.draws, report.eot) == (False, 1, 1)
    assert purifier.searched + purifier.judged < 40


def test_gradients_are_averaged_over_so_many_looks(tiny, split):
    counts = []
    for eot in (2, 5):
        purifier = Watched(Coin(0.1))
        evaluate_purified(purifier, tiny, split, FGSM(), draws=2, eot=eot, progress=False)
        counts.append((purifier.searched, purifier.judged))
    assert counts[1][0] - counts[0][0] == 3  # the one step of the full gradient; BPDA looks without
    assert counts[1][1] > counts[0][1]


def test_a_purifier_under_no_grad_has_no_row_for_its_gradient(tiny, split):
    class Detached(Quantise):
        def forward(self, x):
            return super().forward(x.detach())

    report = evaluate_purified(Detached(4), tiny, split, ATTACK, progress=False)
    assert report.rows == ["clean", "blind", "BPDA", "worst case"]


def test_the_blind_adversary_knows_the_classifier_alone(tiny, split):
    """Behind a purifier that does nothing, all adversaries are those of the bare classifier."""
    report = evaluate_purified(nn.Identity(), tiny, split, ATTACK, progress=False)
    assert report["clean"]["accuracy"].accuracy == 1
    found = [report[row]["accuracy"].accuracy for row in ("blind", "BPDA", "full gradient")]
    assert max(found) < 1
    black = evaluate_purified(Coin(1.0), tiny, split, ATTACK, progress=False)
    assert torch.equal(black.answers["blind"], black.answers["clean"])


def test_the_seed_decides_and_the_callers_random_numbers_are_left_alone(tiny, split):
    state = torch.get_rng_state()
    first, again, other = (evaluate_purified(Coin(), tiny, split, seed=seed, **QUICK) for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_modes_and_weights_are_left_as_they_were(tiny, split):
    before = {name: value.clone() for name, value in tiny.state_dict().items()}
    evaluate_purified(RandomResize(), tiny.train(), split, **QUICK)
    assert all(module.training for module in tiny.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in tiny.parameters())
    assert all(torch.equal(value, before[name]) for name, value in tiny.state_dict().items())


def test_an_interrupted_run_goes_on_and_ends_the_same(tiny, split, tmp_path, monkeypatch):
    path, expected = tmp_path / "purified.json", evaluate_purified(Coin(), tiny, split, batch_size=3, **QUICK)
    search, calls = PGD.search, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 5:  # in the second batch
            raise KeyboardInterrupt
        return search(*given)

    monkeypatch.setattr(PGD, "search", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate_purified(Coin(), tiny, split, batch_size=3, path=path, **QUICK)
    report = evaluate_purified(Coin(), tiny, split, batch_size=3, path=path, **QUICK)
    assert same(report, expected)
    assert len(calls) == 5 + 2 * 3
    finished = evaluate_purified(Coin(), tiny, split, batch_size=3, path=path, **QUICK)
    assert same(finished, expected)
    assert finished.seconds == report.seconds > 0
    assert len(calls) == 11


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"purifier": Coin(0.4)}, "purifier"),
        ({"draws": 5}, "draws"),
        ({"eot": 2}, "eot"),
        ({"seed": 1}, "seed"),
        ({"batch_size": 4}, "batch_size"),
        ({"attack": replace(ATTACK, steps=6)}, "attack"),
        ({"images": 7}, "images"),
        ({"weights": 1.0}, "classifier"),
        ({"front": nn.Upsample(8)}, "classifier"),
    ],
    ids=repr,
)
def test_other_answers_are_not_mixed_in(tiny, split, tmp_path, change, name):
    path = tmp_path / "purified.json"
    evaluate_purified(Coin(), tiny, split, path=path, **QUICK)
    written = path.read_text()
    tiny.head.bias.data += change.pop("weights", 0.0)
    data, purifier = split[: change.pop("images", 8)], change.pop("purifier", Coin())
    classifier = nn.Sequential(change.pop("front"), tiny) if "front" in change else tiny
    with pytest.raises(ValueError, match=rf"holds results with another {name}\. Name another file"):
        evaluate_purified(purifier, classifier, data, path=path, **QUICK | change)
    assert path.read_text() == written
