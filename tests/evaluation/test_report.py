"""Reports: counted by hand, with verdicts that no attack can talk its way around."""

import json
from dataclasses import dataclass, replace

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from seminar_lib.attacks import FGSM, PGD, Attack, worst_case
from seminar_lib.attacks.ensemble import STANDING, WRONG_BEFORE
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation import evaluate
from seminar_lib.threat import Linf

from .conftest import says


@dataclass(frozen=True)
class Brighten(Attack):
    """Raises the first pixel by whole grey levels, whatever the threat model says."""

    levels: int = 1

    def search(self, goal, x, generator=None):
        x = x.clone()
        x[:, 0, 0, 0] += self.levels / 255
        return x


# --- evaluate -------------------------------------------------------------------------------------------------------


def test_a_model_that_is_always_right_and_one_that_is_always_wrong(numbered):
    right = torch.arange(256) % 3
    for labels, accuracy in ((right, 1.0), (right + 1, 0.0)):
        report = evaluate(says(labels % 3), numbered, {}, progress=False)
        assert report["clean"].accuracy == accuracy
        assert report["clean"].n == 12


def test_every_image_is_judged_under_every_attack(numbered):
    """The model errs on image 0; brightened by one level it errs on 4 too, by two levels on 6 and 7."""

    def model(x: Tensor) -> Tensor:
        level, here = (255 * x[:, 0, 0, 0]).round(), torch.arange(12)[: len(x)]
        wrong = (here == 0) | ((here == 4) & (level == here + 1)) | ((here >= 6) & (here <= 7) & (level == here + 2))
        return 9 * nn.functional.one_hot((here + wrong) % 3, 3).float()

    attacks = {f"+{n}": Brighten(Linf(2 / 255), levels=n, stop_when_fooled=False) for n in (1, 2)}
    report = evaluate(model, numbered, attacks, progress=False)
    wrong = {name: (~flags).nonzero().squeeze(1).tolist() for name, flags in report.correct.items()}
    assert wrong == {"clean": [0], "+1": [0, 4], "+2": [0, 6, 7]}
    assert (~report.worst_case).nonzero().squeeze(1).tolist() == [0, 4, 6, 7]
    assert report["worst case"].accuracy == 8 / 12
    assert {label: a.accuracy for label, a in report.by_class().items()} == {0: 2 / 4, 1: 2 / 4, 2: 4 / 4}
    assert {label: a.n for label, a in report.by_class("clean").items()} == {0: 4, 1: 4, 2: 4}


def test_by_class_names_the_labels_that_occur(numbered):
    report = evaluate(says(torch.arange(256) % 3), numbered[numbered.labels != 1], {}, progress=False)
    assert list(report.by_class()) == [0, 2]


def test_an_attack_that_leaves_its_threat_model_is_refused(numbered):
    model = says((torch.arange(256) < 6).long())
    attacks = {"too far": Brighten(Linf(1 / 255), levels=9)}
    with pytest.raises(ValueError, match=r"too far returned images outside its threat model Linf\(1/255\)"):
        evaluate(model, replace(numbered, labels=torch.ones(12).long()), attacks, progress=False)


def test_batches_do_not_matter(tiny, x):
    data = Split((255 * x).round().to(torch.uint8), tiny(x).argmax(1).detach())
    attacks = {"fgsm": FGSM(Linf(2 / 255)), "pgd": PGD(Linf(2 / 255), random_start=False)}
    whole, parts = (evaluate(tiny, data, attacks, batch_size=size, progress=False) for size in (8, 3))
    assert all(torch.equal(whole.correct[name], parts.correct[name]) for name in whole.correct)
    assert 0 < whole["pgd"].accuracy < 1


def test_a_result_depends_on_the_seed_and_on_nothing_else(tiny, x):
    """Not on the caller's random numbers, nor on which attacks ran before."""
    data = Split((255 * x.repeat(8, 1, 1, 1)).round().to(torch.uint8), tiny(x).argmax(1).detach().repeat(8))
    dice = PGD(Linf(32 / 255), steps=1, step_size=1e-6)  # hardly more than its random start
    alone = evaluate(tiny, data, {"dice": dice}, progress=False)
    beside = evaluate(tiny, data, {"first": PGD(Linf(32 / 255), steps=2), "dice": dice}, progress=False)
    other = evaluate(tiny, data, {"dice": dice}, seed=1, progress=False)
    assert torch.equal(alone.correct["dice"], beside.correct["dice"])
    assert not torch.equal(alone.correct["dice"], other.correct["dice"])


def test_the_verdict_is_taken_in_evaluation_mode_and_in_float32(tiny, x):
    """The model is wrong in training mode and under autocast, and right otherwise."""
    y = tiny(x).argmax(1).detach()

    class Moody(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            moody = self.training or torch.is_autocast_enabled("cpu")
            return nn.functional.one_hot((y + moody) % 5, 5).float()[: len(images)] + 1

    model = Moody().train()
    with torch.autocast("cpu", torch.bfloat16):
        report = evaluate(model, Split((255 * x).to(torch.uint8), y), {}, progress=False)
    assert report["clean"].accuracy == 1
    assert model.training


def test_a_report_counts_who_of_an_ensemble_fooled_whom_first(numbered):
    """Of images ten grey levels apart the first is wrong before; one level up fools three, two levels up one more."""
    apart = replace(numbered, images=10 * numbered.images)
    answers = torch.zeros(256, dtype=torch.long)
    for levels, fooled in enumerate([{0}, {1, 2, 3}, {3, 4}]):
        for i in range(12):
            answers[10 * i + levels] = (i + (i in fooled)) % 3
    ensemble = worst_case([Brighten(Linf(1), levels=1), Brighten(Linf(1), levels=2)])
    attacks = {"both": ensemble, "alone": Brighten(Linf(1))}
    report = evaluate(says(answers), apart, attacks, batch_size=5, progress=False)
    assert report.fooled_by["both"].tolist() == [WRONG_BEFORE, 0, 0, 0, 1] + 7 * [STANDING]
    assert report.successes("both") == {"1 Brighten": 3, "2 Brighten": 1}
    assert report.as_dict()["successes"] == {"both": {"1 Brighten": 3, "2 Brighten": 1}}
    assert ": 1 Brighten fooled 3, 2 Brighten fooled 1 |" in report.table()
    assert report["both"].accuracy == 7 / 12
    with pytest.raises(KeyError, match="There is no ensemble 'alone'; the ensembles are both"):
        report.successes("alone")


# --- Report ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def report(oracle, linear):
    """Two attacks on the oracle, one of which finds more than the other."""
    eps = oracle.distance(Linf()).median().item()
    attacks = {"weak": FGSM(Linf(eps / 4)), "strong": PGD(Linf(eps), steps=5)}
    return evaluate(oracle.model, linear, attacks, seed=7, progress=False)


def test_a_report_survives_json(report):
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures == report.as_dict()
    assert figures["clean"] == {"accuracy": 1.0, "low": pytest.approx(0.806, abs=1e-3), "high": 1.0, "n": 16}
    assert figures["attacks"].keys() == {"weak", "strong", "worst case"}
    assert figures["attacks"]["strong"]["accuracy"] < figures["attacks"]["weak"]["accuracy"] < 1
    assert figures["settings"]["strong"] == repr(report.attacks["strong"])
    assert (figures["seed"], figures["n"]) == (7, 16)


def test_a_report_prints_a_row_for_each_name(report):
    table = report.table()
    for name in ("clean", "weak", "strong", "worst case"):
        (row,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
        assert f"{report[name].accuracy:.1%}" in row
        assert "| 16 |" in row
    assert repr(report.attacks["strong"]) in table
    assert report._repr_markdown_() == repr(report) == table


def test_one_attack_needs_no_worst_case(oracle, linear):
    report = evaluate(oracle.model, linear, {"fgsm": FGSM(Linf(0.01))}, progress=False)
    assert report.rows == ["clean", "fgsm"]
    assert report["worst case"] == report["fgsm"]


def test_a_report_draws_its_numbers(report):
    ax = report.plot(Figure().subplots())
    assert [bar.get_height() for bar in ax.patches] == [report[name].accuracy for name in report.rows]
    assert [label.get_text() for label in ax.get_xticklabels()] == report.rows
