"""The gray box: images of the surrogates, tried on the victim, beside its own."""

import json
from copy import deepcopy
from dataclasses import dataclass, field, replace

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from seminar_lib.attacks import FGSM, PGD, Attack, Transfer, worst_case
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation import Accuracy, evaluate, gray_box
from seminar_lib.evaluation.graybox import WHITE_BOX, WORST_CASE, GrayBox
from seminar_lib.evaluation.report import Report
from seminar_lib.threat import L2, Linf

WALK = PGD(Linf(4 / 255), steps=5, random_start=False)
ATTACKS = {"one step": FGSM(Linf(4 / 255)), "walk": WALK}


@pytest.fixture
def data(x, y) -> Split:
    return Split((255 * x).round().to(torch.uint8), y)


@pytest.fixture
def surrogates(tiny):
    """One that is much like the victim and one that is less so; what they find differs."""
    found = {}
    for name, noise in {"first": 0.5, "second": 2.0}.items():
        found[name] = deepcopy(tiny)
        with torch.no_grad():
            found[name].head.weight += noise * tiny.head.weight.std() * torch.randn_like(tiny.head.weight)
    return found


@pytest.fixture
def box(tiny, surrogates, data):
    return gray_box(tiny, surrogates, data, ATTACKS, seed=7, progress=False)


def test_the_victim_in_disguise_turns_the_gray_box_into_the_white_one(tiny, data):
    box = gray_box(tiny, {"copy": nn.Sequential(tiny)}, data, ATTACKS, progress=False)
    for row in ("clean", *ATTACKS, "worst case"):
        copy, worst, white = box.outcomes(row).values()
        assert torch.equal(copy, white)
        assert torch.equal(worst, white)
        assert torch.equal(box.surrogates["copy"].outcomes(row), white)
    assert 0 < box["walk"][WHITE_BOX].accuracy < box["clean"][WHITE_BOX].accuracy


def test_a_surrogate_that_looks_elsewhere_does_no_harm():
    """The victim reads the odd pixels, the surrogate the even ones, which is where its gradient is."""
    victim, surrogate = (nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2)) for _ in range(2))
    with torch.no_grad():
        victim[1].weight[:, ::2] = 0
        surrogate[1].weight[:, 1::2] = 0
    data = Split(torch.randint(96, 160, (16, 3, 8, 8), dtype=torch.uint8), torch.arange(16) % 2)
    attacks = {"Linf": FGSM(Linf(64 / 255)), "L2": PGD(L2(4.0), random_start=False)}
    box = gray_box(victim, {"elsewhere": surrogate}, data, attacks, progress=False)
    for name in attacks:
        gray, _, white = box.outcomes(name).values()
        assert torch.equal(gray, box.white_box.outcomes("clean"))
        assert gray.any()
        assert not white.any()
        assert box.fooled("elsewhere")[name].accuracy == 1


@pytest.mark.parametrize("attack", [WALK, PGD(Linf(4 / 255), steps=3)], ids=repr)
def test_the_outcomes_are_those_of_a_loop_over_images_and_surrogates(attack, tiny, surrogates, data):
    box = gray_box(tiny, surrogates, data, {"walk": attack}, seed=3, progress=False)
    standing, made = [], {}
    for name, surrogate in surrogates.items():
        generator = torch.Generator().manual_seed(3)
        made[name] = replace(attack, stop_when_fooled=False)(surrogate, data.x, data.y, generator=generator)
    for i, label in enumerate(data.y.tolist()):
        images = [data.x[i], *(x_adv[i] for x_adv in made.values())]
        standing.append(all(tiny(image[None]).argmax().item() == label for image in images))
    assert box.outcomes("walk")[WORST_CASE].tolist() == standing
    for name, surrogate in surrogates.items():
        assert torch.equal(box.surrogates[name].outcomes("walk"), surrogate(made[name]).argmax(1) == data.y)
        right = (tiny(data.x).argmax(1) == data.y) & (tiny(made[name]).argmax(1) == data.y)
        assert torch.equal(box.outcomes("walk")[f"gray-box, {name}"], right)
    first, second, *_ = box.outcomes("walk").values()
    assert (first != second).any()
    assert box.fooled("first")["walk"] == Accuracy.of(surrogates["first"](made["first"]).argmax(1) != data.y)


def test_each_box_is_an_evaluation(tiny, surrogates, data, box):
    white = evaluate(tiny, data, ATTACKS, seed=7, progress=False)
    assert all(torch.equal(box.white_box.correct[row], white.correct[row]) for row in white.correct)
    for name, surrogate in surrogates.items():
        transfers = {label: Transfer(attack, surrogate) for label, attack in ATTACKS.items()}
        gray = evaluate(tiny, data, transfers, seed=7, progress=False)
        assert all(torch.equal(box.gray_box[name].correct[row], gray.correct[row]) for row in gray.correct)
        clean = evaluate(surrogate, data, {}, progress=False)
        assert torch.equal(box.surrogates[name].outcomes("clean"), clean.outcomes("clean"))


def test_images_are_made_once_on_each_network(tiny, surrogates, data):
    @dataclass(frozen=True)
    class Counted(Attack):
        seen: list = field(default_factory=list)

        def search(self, goal, x, generator=None):
            self.seen.append((goal.model, len(x)))
            return x

    counted = Counted(Linf(4 / 255), stop_when_fooled=False)
    gray_box(tiny, surrogates, data, {"counted": counted}, batch_size=5, progress=False)
    assert counted.seen == [(model, n) for model in (tiny, *surrogates.values()) for n in (5, 3)]


def test_batches_and_modes_do_not_matter(tiny, surrogates, data, box):
    for model in (tiny, *surrogates.values()):
        model.train()
    parts = gray_box(tiny, surrogates, data, ATTACKS, batch_size=3, progress=False)
    for row in box.white_box.rows:
        for ours, theirs in zip(parts.outcomes(row).values(), box.outcomes(row).values(), strict=True):
            assert torch.equal(ours, theirs)
    for name in surrogates:
        assert parts.fooled(name) == box.fooled(name)
    assert all(part.training for model in (tiny, *surrogates.values()) for part in model.modules())


def test_an_ensemble_is_carried_over_too(tiny, data):
    ensemble = worst_case([replace(FGSM(), threat=WALK.threat), WALK])
    box = gray_box(tiny, {"copy": nn.Sequential(tiny)}, data, {"both": ensemble, **ATTACKS}, progress=False)
    gray, _, white = box.outcomes("both").values()
    assert torch.equal(gray, white)
    assert torch.equal(white, box.outcomes("worst case")[WHITE_BOX])


# --- what a reader is told ------------------------------------------------------------------------------------------


def test_a_weak_surrogate_is_named(tiny, data):
    guess = nn.Sequential(nn.Flatten(), nn.Linear(192, 5))
    box = gray_box(tiny, {"copy": nn.Sequential(tiny), "guess": guess}, data, ATTACKS, progress=False)
    (remark,) = [remark for remark in box.remarks if "weak" in remark]
    clean = box.surrogates["guess"]["clean"].accuracy
    assert clean < 0.7
    assert remark.startswith(
        f"guess is a weak surrogate: it reads {clean:.1%} of the clean images, and the victim 87.5%"
    )
    assert remark in box.table()


def test_few_surrogates_are_named(tiny, surrogates, data, box):
    assert any(remark.startswith("Fewer than 3 surrogates") for remark in box.remarks)
    three = gray_box(tiny, {**surrogates, "third": nn.Sequential(tiny)}, data, {"walk": WALK}, progress=False)
    assert not any("Fewer" in remark for remark in three.remarks)


def test_a_gray_box_that_beats_the_white_one_is_named(oracle):
    """The victim rounds its images, which leaves it no gradient; its copy without the rounding has one."""
    data = Split((255 * oracle.x.repeat(4, 1, 1, 1)).round().to(torch.uint8), torch.zeros(64).long())
    data = replace(data, labels=oracle.model(data.x).argmax(1))
    attack = FGSM(Linf(1.5 * oracle.distance(Linf()).max().item()))

    def masked(x):
        return oracle.model((255 * x).round() / 255)

    box = gray_box(masked, {"open": oracle.model}, data, {"fgsm": attack}, progress=False)
    assert box["fgsm"][WHITE_BOX].accuracy > 0.9
    assert box["fgsm"][WORST_CASE].accuracy < 0.1
    assert any(remark.startswith("fgsm does more harm through the surrogates") for remark in box.remarks)
    honest = gray_box(oracle.model, {"masked": masked}, data, {"fgsm": attack}, progress=False)
    assert not any("more harm" in remark for remark in honest.remarks)


@pytest.mark.parametrize(
    ("gray", "white", "named"),
    [
        (range(50), range(60), True),  # 10 images to none: 2 / 2^10 = 0.002, where the intervals of 50 and 60 overlap
        (range(60), range(50), False),  # the white box does more harm, as it should
        (range(55), range(60), False),  # 5 to none: 2 / 2^5 = 0.06
        (range(54), range(60), True),  # 6 to none: 2 / 2^6 = 0.03
        (range(40, 90), range(60), False),  # 30 to 40: as good as a coin
        (range(60), range(60), False),
    ],
)
def test_what_beats_the_white_box_is_counted_image_by_image(gray, white, named):
    flags = {box: torch.tensor([i in right for i in range(100)]) for box, right in {"g": gray, "w": white}.items()}
    clean = torch.ones(100, dtype=torch.bool)

    def report(walk):
        return Report({"clean": clean, "walk": walk}, {"walk": WALK}, torch.zeros(100).long(), 0, {}, "a machine")

    surrogates = dict.fromkeys("abc", report(~clean))
    box = GrayBox(report(flags["w"]), dict.fromkeys("abc", report(flags["g"])), surrogates)
    words = ["walk does more harm through the surrogates than with the victim's own gradients"] if named else []
    assert [remark.split(":")[0] for remark in box.remarks] == words


def test_a_gray_box_survives_json(box):
    figures = json.loads(json.dumps(box.as_dict()))
    assert figures == box.as_dict()
    assert figures["attacks"].keys() == {"one step", "walk", "worst case"}
    assert list(figures["attacks"]["walk"]) == ["gray-box, first", "gray-box, second", WORST_CASE, WHITE_BOX]
    assert figures["attacks"]["walk"][WORST_CASE] == vars(Accuracy.of(box.outcomes("walk")[WORST_CASE]))
    assert figures["surrogates"]["second"]["fooled"]["walk"] == vars(box.fooled("second")["walk"])
    assert figures["settings"] == {name: repr(attack) for name, attack in ATTACKS.items()}
    assert (figures["seed"], figures["n"]) == (7, 8)


def test_a_table_has_a_column_for_each_box(box):
    table = box.table()
    head, _, clean, *_ = table.splitlines()
    assert [cell.strip() for cell in head.split("|")[2:-1]] == list(box["clean"])
    assert clean.count("87.5% [52.9%, 97.8%]") == 4
    for row in ("one step", "walk", "worst case"):
        (line,) = [line for line in table.splitlines() if line.startswith(f"| {row} |")]
        assert [cell.strip() for cell in line.split("|")[2:-1]] == [str(a) for a in box[row].values()]
    for name in ("first", "second"):
        (line,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
        own = [box.surrogates[name]["clean"], *box.fooled(name).values()]
        assert [cell.strip() for cell in line.split("|")[2:-1]] == [str(a) for a in own]
    assert "n = 8" in table
    assert f"- walk: `{WALK}`" in table
    assert box._repr_markdown_() == repr(box) == table


def test_a_gray_box_draws_its_numbers(box):
    ax = box.plot(Figure().subplots())
    drawn = [
        [bar.get_height() for bar in bars]
        for bars in ax.containers
        if len(bars) == 1 and hasattr(bars[0], "get_height")
    ]
    expected = [box[row][column].accuracy for column in box["clean"] for row in ("one step", "walk", "worst case")]
    assert [height for (height,) in drawn] == [*expected, box["clean"][WHITE_BOX].accuracy]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(box["clean"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["clean", "one step", "walk", "worst case"]
