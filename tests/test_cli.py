"""The command line: once as a user runs it, then in this process, which has the library loaded already."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image
from toy import toy

from seminar_lib import checkpoints, cli, recipes
from seminar_lib.attacks import (
    APGD,
    CW,
    FAB,
    FGSM,
    FMN,
    PGD,
    APGDTargeted,
    DeepFool,
    HopSkipJump,
    Square,
    autoattack,
)
from seminar_lib.data.augment import Augment
from seminar_lib.models import SmallCNN, UNet
from seminar_lib.parsing import parse_attack, parse_threat
from seminar_lib.threat import L1, L2, Linf
from seminar_lib.train import Recipe


@pytest.fixture
def run(monkeypatch, capsys):
    """What a command prints."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["seminar_lib", *map(str, arguments)])
        cli.main()
        return capsys.readouterr().out

    return command


@pytest.fixture
def refusal(run):
    """The sentence in which a command ends that cannot be done."""

    def command(*arguments):
        with pytest.raises(SystemExit) as refused:
            run(*arguments)
        return refused.value.code

    return command


def test_a_mistake_ends_in_a_sentence_and_not_in_a_traceback():
    command = [sys.executable, "-m", "seminar_lib", "evaluate", "--weights", "signs/none"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("error: No weights called 'signs/none'")
    assert result.stdout == ""


def test_evaluate_prints_one_json_object_with_intervals(run):
    report = json.loads(run("evaluate", "--weights", "signs/pgd_at", "--attack", "pgd20", "fgsm", "--n", 64, "--json"))
    assert report["n"] == 64
    for figures in (report["clean"], report["attacks"]["pgd20"], report["attacks"]["fgsm"]):
        assert 0 <= figures["low"] <= figures["accuracy"] <= figures["high"] <= 1
    assert report["attacks"]["pgd20"]["accuracy"] <= report["clean"]["accuracy"]
    assert report["eps"]["pgd20"] == pytest.approx(8 / 255)
    assert {"seed", "seconds", "device", "versions"} <= report.keys()


def test_evaluate_with_surrogates_puts_the_gray_box_beside_the_white_one(run):
    command = ("evaluate", "--weights", "signs/pgd_at", "--surrogates", "signs/standard", "--attack", "fgsm", "--n", 32)
    figures = json.loads(run(*command, "--json"))
    gray, worst, white = figures["attacks"]["fgsm"].values()
    assert gray == worst
    assert white["accuracy"] < gray["accuracy"] <= figures["clean"]["accuracy"]
    assert figures["surrogates"].keys() == {"signs/standard"}
    table = run(*command)
    assert f"{gray['accuracy']:.1%}" in table
    assert "| gray-box, signs/standard | gray-box, worst case | white-box |" in table


def test_attack_writes_a_picture(run, tmp_path):
    run("attack", "--weights", "signs/standard", "--index", 7, "--out", tmp_path / "attack.png")
    with Image.open(tmp_path / "attack.png") as picture:
        assert picture.width > 300


def test_train_takes_another_seed_and_says_how_to_do_it_again(monkeypatch, tmp_path):
    recipe = Recipe("toy", model=SmallCNN(4), epochs=1, augment=Augment(crop=0), bf16=False)
    monkeypatch.setattr(recipes, "toy_standard", lambda: recipe, raising=False)
    monkeypatch.setattr(cli, "load_data", lambda name: toy())
    monkeypatch.chdir(tmp_path)
    cli.train("toy_standard", device="cpu")
    cli.train("toy_standard", device="cpu", seed=3)
    cards = [
        json.loads((tmp_path / "runs" / run / "best.json").read_text()) for run in ("toy_standard", "toy_standard-3")
    ]
    assert [card["reproduce"] for card in cards] == [
        "python -m seminar_lib train toy_standard",
        "python -m seminar_lib train toy_standard --seed 3",
    ]
    assert cards[1]["recipe"] == repr(replace(recipe, seed=3))
    assert cards[0]["sha256"] != cards[1]["sha256"]


def test_lessons_prints_the_table(run):
    assert "FGSM: one gradient step" in run("lessons")
    assert "FGSM: one gradient step" not in run("lessons", "--lessons", "02_pgd")


def test_lessons_are_built_by_name(run, refusal, monkeypatch):
    from seminar_lib.lessons import build

    built = []
    monkeypatch.setattr(build, "build", lambda lesson, keep: built.append((lesson.name, keep)) or [])
    assert run("lessons", "--build", "--keep", "--lessons", "02_pgd") == "02_pgd: outputs kept\n"
    assert built == [("02_pgd", True)]
    assert "error: --keep says how to --build" in refusal("lessons", "--keep")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "--weights", "signs/standard", "--attack", "pgd"], "--attack is fgsm, pgdN"),
        (["evaluate", "--weights", "signs/standard", "--eps", "8"], "Did you mean 8/255?"),
        (["evaluate", "--weights", "signs/standard", "--eps", "lots"], "number or a fraction"),
        (["evaluate", "--weights", "signs/standard", "--norm", "l7"], "--norm is linf, l2 or l1"),
        (["evaluate", "--weights", "signs/standard", "--surrogates", "signs/standard"], "is the victim itself"),
        (["evaluate", "--weights", "signs/standard", "--surrogates", "cifar10/standard"], "classes and the victim"),
        (["evaluate", "--weights", ""], "'' names no weights. Shipped: cifar10/pgd_at"),
        (
            ["evaluate", "--weights", "signs/standard", "--dataset", "cifar10"],
            "signs/standard was trained on signs (classes: 16, channels: 3); cifar10 has others",
        ),
        (
            ["evaluate", "--weights", "cifar10/standard", "--dataset", "mnist"],
            "mnist has others (classes: 10, channels: 1)",
        ),
        (["attack", "--index", 9999], "There is no test image 9999"),
        (["train", "signs_standard", "--device", "gpu"], "A device is cpu, cuda or mps; got 'gpu'."),
        (["train", "signs_magic"], "There is no recipe 'signs_magic'"),
        (["data", "sings"], "Did you mean 'signs'?"),
    ],
    ids=lambda part: "_".join(map(str, part)) if isinstance(part, list) else "",
)
def test_a_mistake_is_named(refusal, arguments, sentence):
    answer = refusal(*arguments)
    assert answer.startswith("error: ")
    assert sentence in answer


def test_the_victim_is_recognised_under_another_path(refusal, tmp_path):
    for file in (checkpoints.SHIPPED / "signs").glob("standard.*"):
        shutil.copy(file, tmp_path)
    command = ("evaluate", "--weights", "signs/standard", "--surrogates", tmp_path / "standard")
    assert "is the victim itself" in refusal(*command)


def test_classes_are_not_told_by_their_number_alone(refusal, tmp_path):
    """MNIST and Fashion-MNIST have ten classes and one channel each."""
    checkpoints.save(tmp_path / "digits", SmallCNN(4).build(10, (0.1,), (0.3,)), SmallCNN(4), {"dataset": "mnist"})
    answer = refusal("evaluate", "--weights", tmp_path / "digits", "--dataset", "fashion_mnist")
    assert "was trained on mnist (classes: 10, channels: 1); fashion_mnist has others" in answer


def test_weights_whose_card_names_no_data_set_ask_for_one(refusal, tmp_path):
    checkpoints.save(tmp_path / "own", SmallCNN(4).build(16, (0.4,) * 3, (0.2,) * 3), SmallCNN(4), {})
    for verb in (["evaluate"], ["attack"]):
        assert "names no data set" in refusal(*verb, "--weights", tmp_path / "own")


def test_the_picture_of_an_attack_is_where_the_answer_says(run, tmp_path):
    out = tmp_path / "missing" / "picture"
    assert run("attack", "--attack", "fgsm", "--out", out).startswith(f"{out}.png: ")
    assert [path.name for path in out.parent.iterdir()] == ["picture.png"]
    with Image.open(f"{out}.png") as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is a folder. Did you mean {}/attack.png?"),
        ("picture.jpg", "--out names a PNG; got {}/picture.jpg. Did you mean"),
        ("file/picture.png", "{}/file is a file. Name a folder"),
    ],
)
def test_where_no_picture_can_go_nothing_is_attacked(refusal, tmp_path, monkeypatch, name, words):
    monkeypatch.setattr(checkpoints, "load_classifier", lambda *given: pytest.fail("loaded"))
    (tmp_path / "file").touch()
    assert words.format(tmp_path) in refusal("attack", "--out", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("verb", "work", "sentence"),
    [
        (["evaluate", "--weights", "signs/standard"], "evaluate", "Stopped.\n"),
        (["data", "signs"], "load_data", "Stopped.\n"),
        (
            ["train", "signs_standard"],
            "fit",
            "Stopped. The same command goes on after the last epoch that was finished.\n",
        ),
    ],
)
def test_ctrl_c_ends_in_a_sentence(run, monkeypatch, tmp_path, capsys, verb, work, sentence):
    def interrupted(*given, **settings):
        raise KeyboardInterrupt  # as SIGINT does, which some machines start their tests without

    monkeypatch.setattr(cli, work, interrupted)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        run(*verb)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == sentence


def test_only_classifiers_are_attacked(refusal, tmp_path):
    checkpoints.save(tmp_path / "ddpm", UNet(8).build(3), UNet(8), {"dataset": "signs"})
    for verb in (["evaluate"], ["attack"]):
        assert "gives images. Only a classifier can be attacked" in refusal(*verb, "--weights", tmp_path / "ddpm")


def test_all_that_is_offered_as_a_recipe_is_one(refusal):
    _, names = refusal("train", "signs_magic").rstrip(".").split("Recipes: ")
    assert all(isinstance(getattr(recipes, name)(), Recipe) for name in names.split(", "))


@pytest.mark.parametrize(
    ("name", "attack"),
    [
        ("fgsm", FGSM(Linf(4 / 255))),
        ("pgd20", PGD(Linf(4 / 255), steps=20)),
        ("pgd50x5", PGD(Linf(4 / 255), steps=50, restarts=5)),
        ("apgd", APGD(Linf(4 / 255))),
        ("apgd20x3", APGD(Linf(4 / 255), steps=20, restarts=3)),
        ("apgd-t", APGDTargeted(Linf(4 / 255))),
        ("deepfool", DeepFool(Linf(4 / 255))),
        ("fmn50", FMN(Linf(4 / 255), steps=50)),
        ("fab", FAB(Linf(4 / 255))),
        ("square500", Square(Linf(4 / 255), queries=500)),
        ("hopskipjump", HopSkipJump(Linf(4 / 255))),
        ("autoattack", autoattack(Linf(4 / 255))),
        ("autoattack-rand", autoattack(Linf(4 / 255), "rand")),
    ],
)
def test_attacks_are_named(name, attack):
    assert parse_attack(name, parse_threat("linf", "4/255")) == attack


def test_an_attack_of_another_norm_is_refused_in_a_sentence():
    assert parse_attack("cw100x5", L2(0.5)) == CW(L2(0.5), steps=100, binary_steps=5)
    with pytest.raises(ValueError, match="its threat model is L2"):
        parse_attack("cw", Linf(4 / 255))


def test_radii_are_fractions_or_decimals():
    assert parse_threat("l2", "0.5") == parse_threat("L2", "1/2") == L2(0.5)
    assert parse_threat("l1", "12") == L1(12.0)


def test_questions_are_written_for_each_lesson(run, tmp_path):
    printed = run("questions", "--out", tmp_path, "--format", "qti", "--lessons", "01_fgsm", "02_pgd")
    assert printed.split() == [str(tmp_path / "01_fgsm.zip"), str(tmp_path / "02_pgd.zip")]
    printed = run("questions", "--out", tmp_path / "all")
    assert len(printed.split()) == len(list((tmp_path / "all").glob("*.xml"))) > 8


def test_questions_of_an_unknown_lesson_are_refused(refusal, tmp_path):
    assert "There are no questions for 'fgsm'. There are some for 01_fgsm" in refusal(
        "questions", "--out", tmp_path, "--lessons", "fgsm"
    )


def test_release_makes_a_course_and_prints_what_it_is_worth(run, tmp_path):
    printed = run("release", tmp_path / "course", "--lessons", "01_fgsm")
    assert "| 01_fgsm | 1.1 (1), 1.2 (2), 1.3 (1), 1.4 (1) | 5 |" in printed
    assert f"For students: {tmp_path / 'course' / 'release'}." in printed
    assert [path.name for path in (tmp_path / "course" / "release").iterdir()] == ["01_fgsm"]


def test_release_names_a_mistake(refusal, tmp_path):
    assert "error: There is no lesson 'fgsm'. Lessons: 00_setup" in refusal("release", tmp_path, "--lessons", "fgsm")
    (tmp_path / "essay.tex").touch()
    assert "holds essay.tex and no nbgrader_config.py" in refusal("release", tmp_path)
