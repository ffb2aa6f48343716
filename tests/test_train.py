"""Training: interrupted anywhere it ends with the same bits, and it does what the recipe says."""

import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from toy import toy

from seminar_lib.attacks import PGD
from seminar_lib.checkpoints import load, save
from seminar_lib.data.augment import Augment
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation import evaluate, mean_loss
from seminar_lib.files import whole_file
from seminar_lib.models import Autoencoder, Denoiser, NoisePredictor, SmallCNN, UNet
from seminar_lib.objectives import (
    AWP,
    DDPM,
    MART,
    TRADES,
    AdversarialTraining,
    CrossEntropy,
    Denoising,
    LISArD,
    Objective,
)
from seminar_lib.schedules import Drops
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe, Trained, fit

STEPS = 3  # an epoch: 40 images in batches of 16

PLAIN = Recipe("toy", model=SmallCNN(2), epochs=3, batch_size=16, augment=Augment(crop=0), bf16=False)
ATTACK = PGD(Linf(2 / 255), steps=2, stop_when_fooled=False)
FULL = replace(
    PLAIN,
    objective=AdversarialTraining(ATTACK),
    augment=Augment(crop=1, flip=True, jitter=0.1),
    ema=0.8,
    validation=ATTACK,
    bf16=True,
)
DIFFUSION = replace(PLAIN, objective=DDPM(), model=UNet(8), rate=2e-3, ema=0.8, optimiser="adam")
RESTORING = replace(DIFFUSION, objective=Denoising(), model=Autoencoder(2))


@dataclass(frozen=True)
class Watched(Objective):
    """Another objective, with ``watch`` called before every step; what watches is no part of the recipe."""

    network = nn.Module

    inner: Objective = CrossEntropy()

    def prepare(self, model, batch):
        if torch.is_grad_enabled():  # it is not in validation
            Watched.watch(model, batch)
        return self.inner.prepare(model, batch)

    def terms(self, model, batch):
        return self.inner.terms(model, batch)


def interrupt_at(step: int):
    """Ctrl-C at the start of this step of the run."""
    steps = count()

    def watch(model, batch) -> None:
        if next(steps) == step:
            raise KeyboardInterrupt

    return watch


@pytest.fixture
def watch(monkeypatch):
    def install(function) -> None:
        monkeypatch.setattr(Watched, "watch", staticmethod(function), raising=False)

    install(lambda model, batch: None)
    return install


def run(recipe: Recipe, folder: Path | None = None) -> Trained:
    return fit(recipe, toy(), folder, progress=False)


def assert_same_bits(first: Trained, second: Trained) -> None:
    for ours, theirs in ((first.best, second.best), (first.last, second.last)):
        assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))
    histories = [[{**row, "seconds": 0} for row in trained.history] for trained in (first, second)]
    assert histories[0] == histories[1]


# --- interrupted runs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [PLAIN, FULL, DIFFUSION, RESTORING], ids=["plain", "full", "diffusion", "restoring"])
@pytest.mark.parametrize("step", [STEPS, STEPS + 2], ids=["between epochs", "within an epoch"])
def test_a_run_that_was_interrupted_ends_with_the_same_bits(recipe, step, watch, tmp_path):
    recipe = replace(recipe, objective=Watched(recipe.objective))
    uninterrupted = run(recipe)
    watch(interrupt_at(step))
    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path)
    watch(lambda model, batch: None)
    torch.manual_seed(99)  # the caller's random numbers play no part
    assert_same_bits(run(recipe, tmp_path), uninterrupted)


KILLED = replace(FULL, objective=Watched(FULL.objective))


def wait_to_be_killed(folder: str) -> None:
    """What the process below runs: it stops in the middle of the second epoch and says so."""

    def watch(model, batch) -> None:
        if batch.progress >= (STEPS + 1) / (3 * STEPS):
            print("now", flush=True)
            sys.stdin.read()

    Watched.watch = staticmethod(watch)
    run(KILLED, Path(folder))


def test_a_run_that_was_killed_ends_with_the_same_bits(watch, tmp_path):
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
    code += f"from test_train import wait_to_be_killed; wait_to_be_killed({str(tmp_path)!r})"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout.readline() == "now\n"
        child.kill()
    assert child.returncode != 0
    assert_same_bits(run(KILLED, tmp_path), run(KILLED))


def test_a_finished_run_is_not_trained_again(watch, tmp_path):
    recipe = replace(PLAIN, objective=Watched())
    finished = run(recipe, tmp_path)
    watch(interrupt_at(0))
    again = run(recipe, str(tmp_path))
    assert_same_bits(again, finished)
    assert again.history == finished.history  # to the second


# --- the folder of a run --------------------------------------------------------------------------------------------


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_run_leaves_its_state_its_recipe_and_its_history(tmp_path):
    folder = tmp_path / "new" / "folder"
    trained = run(FULL, folder)
    names = ["curve.png", "history.jsonl", "recipe.txt", "state.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert lines(folder) == trained.history
    assert (folder / "recipe.txt").read_text(encoding="utf-8") == f"{FULL}\n"
    with Image.open(folder / "curve.png") as picture:
        picture.load()
        assert picture.width > 600


def test_each_epoch_adds_a_line_and_draws_the_curve_again(watch, tmp_path):
    seen = []

    def look(model, batch) -> None:
        if (tmp_path / "history.jsonl").exists():
            seen.append((len(lines(tmp_path)), (tmp_path / "curve.png").read_bytes()))

    watch(look)
    run(replace(PLAIN, objective=Watched()), tmp_path)
    assert [count for count, _ in seen] == [1] * STEPS + [2] * STEPS
    assert len({picture for _, picture in seen}) == 2


@pytest.mark.parametrize("killed_at", ["recipe.txt", "curve.png", "history.jsonl"])
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_that_was_killed_between_two_files_has_one_line_for_each_epoch(killed_at, epoch, monkeypatch, tmp_path):
    calls = count(1)

    def kill(path):
        if path.name == killed_at and next(calls) == epoch:
            raise KeyboardInterrupt
        return whole_file(path)

    monkeypatch.setattr("seminar_lib.train.folder.whole_file", kill)
    with pytest.raises(KeyboardInterrupt):
        run(PLAIN, tmp_path)
    monkeypatch.undo()
    trained = run(PLAIN, tmp_path)
    assert [row["epoch"] for row in lines(tmp_path)] == [1, 2, 3]
    assert lines(tmp_path) == trained.history
    assert_same_bits(trained, run(PLAIN))


@pytest.mark.parametrize(
    "damage", [None, "", '{"epoch": 1, "cl', "a line\n" * 9], ids=["gone", "empty", "half", "more"]
)
def test_the_history_of_a_finished_run_is_mended_from_its_state(damage, tmp_path):
    trained = run(PLAIN, tmp_path)
    for name in ("history.jsonl", "curve.png", "recipe.txt"):
        (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / "history.jsonl").write_text(damage, encoding="utf-8")
    run(PLAIN, tmp_path)
    assert lines(tmp_path) == trained.history
    assert {"curve.png", "recipe.txt"} <= {path.name for path in tmp_path.iterdir()}


def test_a_finished_run_is_not_written_again(tmp_path):
    run(PLAIN, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(PLAIN, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


# --- looking on -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noted(CrossEntropy):
    """Cross-entropy that writes its values down."""

    losses: list = field(default_factory=list)

    def terms(self, model, batch):
        terms = super().terms(model, batch)
        self.losses.append(terms["clean"].item())
        return terms


def told(recipe: Recipe, folder: Path | None = None) -> list[list[dict[str, float]]]:
    seen = []
    fit(recipe, toy(), folder, progress=False, watch=seen.append)
    return seen


def test_who_watches_is_told_after_each_epoch():
    seen = told(PLAIN)
    assert [[row["epoch"] for row in history] for history in seen] == [[1], [1, 2], [1, 2, 3]]
    assert [{**row, "seconds": 0} for row in seen[-1]] == [{**row, "seconds": 0} for row in run(PLAIN).history]


def test_who_watches_is_told_within_a_long_epoch(monkeypatch):
    monkeypatch.setattr("seminar_lib.train.run.WATCH_SECONDS", -1.0)
    losses = []
    first, second, third, *_ = told(replace(PLAIN, objective=Noted(losses=losses)))
    assert [history[-1]["epoch"] for history in (first, second)] == pytest.approx([1 / STEPS, 2 / STEPS])
    assert first[-1].keys() == second[-1].keys() == {"epoch", "clean"}
    assert first[-1]["clean"] == pytest.approx(losses[0])
    assert second[-1]["clean"] == pytest.approx(sum(losses[:2]) / 2)
    assert third[-1]["clean"] == pytest.approx((16 * losses[0] + 16 * losses[1] + 8 * losses[2]) / 40)
    assert "score" in third[-1]


def test_who_watches_a_run_that_goes_on_is_told_at_once(watch, tmp_path):
    recipe = replace(PLAIN, objective=Watched())
    watch(interrupt_at(2 * STEPS))
    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path)
    watch(lambda model, batch: None)
    assert [len(history) for history in told(recipe, tmp_path)] == [2, 3]


def test_who_watches_changes_nothing():
    def scribble(history) -> None:
        torch.manual_seed(len(history))
        history[-1]["score"] = -1.0
        history.clear()

    assert_same_bits(fit(FULL, toy(), progress=False, watch=scribble), run(FULL))


# --- networks that give images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "kind", "term"), [(DIFFUSION, NoisePredictor, "noise"), (RESTORING, Denoiser, "error")]
)
def test_a_network_that_gives_images_is_picked_by_its_loss_on_the_validation_images(recipe, kind, term):
    trained = run(replace(recipe, epochs=4))
    assert isinstance(trained.best, kind)
    losses = [row["validation loss"] for row in trained.history]
    for row in trained.history:
        assert row.keys() == {"epoch", term, "validation loss", "score", "seconds"}
        assert row["score"] == -row["validation loss"]
    assert trained.best_epoch == losses.index(min(losses)) + 1
    for model, loss in ((trained.best, min(losses)), (trained.last, losses[-1])):
        assert mean_loss(model, toy().validation, recipe.objective) == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("recipe", [DIFFUSION, RESTORING], ids=["diffusion", "restoring"])
def test_a_network_that_gives_images_learns(recipe):
    """On images of one colour each: those of the toy are noise themselves."""
    colours = torch.randint(0, 256, (40, 3, 1, 1), dtype=torch.uint8)
    split = Split(colours.expand(40, 3, 8, 8).contiguous(), torch.arange(40) % 3)
    data = replace(toy(), read=lambda name: split)
    trained = fit(replace(recipe, epochs=25, rate=0.01, ema=None), data, progress=False)
    assert trained.history[-1]["validation loss"] < 0.8 * trained.history[0]["validation loss"]


def test_the_mean_loss_counts_every_image_once(monkeypatch):
    """In batches that do not come out even, for a network whose answer is always zero: the loss is the noise's."""
    network = UNet(8).build(3)
    nn.init.zeros_(network.backbone.out[2].weight)
    nn.init.zeros_(network.backbone.out[2].bias)
    monkeypatch.setattr("seminar_lib.evaluation.loss.BATCH", 16)  # 40 images
    found = mean_loss(network, toy().validation, DDPM(), seed=3)
    generator, squares = torch.Generator().manual_seed(3), []
    for size in (16, 16, 8):
        torch.randint(1, 1001, (size,), generator=generator)
        squares.append(
            torch.empty(size, 3, 8, 8, memory_format=torch.channels_last)
            .normal_(generator=generator)
            .square()
            .flatten()
        )
    assert found == pytest.approx(float(torch.cat(squares).mean()), rel=1e-5)


def test_adam_is_that_of_pytorch(watch):
    seen = []
    watch(lambda model, batch: seen.append(deepcopy(model)))
    recipe = replace(PLAIN, objective=Watched(), epochs=1, rate=0.01, optimiser="adam", schedule=Drops(at=()))
    seen.append(run(recipe).last)
    model, images = seen[0], []
    watch(lambda model, batch: images.append(batch))
    run(recipe)
    optimiser = torch.optim.Adam(model.parameters(), 0.01, weight_decay=recipe.weight_decay)
    for batch, after in zip(images, seen[1:], strict=True):
        optimiser.zero_grad()
        model.train()
        nn.functional.cross_entropy(model(batch.x), batch.y).backward()
        optimiser.step()
        torch.testing.assert_close(model.head.weight, after.head.weight)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimiser": "lion"}, "optimiser is one of 'sgd', 'adam'; got 'lion'"),
        ({"weight_decay": -1.0}, "weight decay >= 0; got weight_decay=-1.0"),
        ({"weight_decay": float("nan")}, "got weight_decay=nan"),
        ({"seed": 10**14}, "A seed is a whole number of up to"),
        ({"model": UNet(8), "trains": "head"}, "no head to train alone .* trains='head'"),
        ({"model": Autoencoder(2), "validation": ATTACK}, "no answer to attack in validation"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(PLAIN, **change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": None}, "dataset is the name of a data set; got None"),
        ({"objective": CrossEntropy}, "objective is an objective, .*; got <class"),
        ({"objective": ATTACK}, "objective is an objective, .*; got PGD"),
        ({"model": SmallCNN}, "model is the plan of a network, .*; got <class"),
        ({"model": nn.Linear(1, 1)}, "model is the plan of a network, .*; got Linear"),
        ({"epochs": 1.5}, "epochs is a whole number; got 1.5"),
        ({"batch_size": 8.0}, "batch_size is a whole number; got 8.0"),
        ({"rate": "0.1"}, "rate is a number; got '0.1'"),
        ({"schedule": None}, "schedule is a function .*; got None"),
        ({"schedule": Drops}, "schedule is a function .*; got <class"),
        ({"weight_decay": None}, "weight_decay is a number; got None"),
        ({"augment": None}, "augment is an Augment.* changes nothing; got None"),
        ({"ema": "0.9"}, "ema is a number, or None .*; got '0.9'"),
        ({"validation": True}, 'validation is an attack, "last", or None .*; got True'),
        ({"validation": Linf(2 / 255)}, "validation is an attack, .*; got Linf"),
        ({"seed": 1.5}, "seed is a whole number; got 1.5"),
        ({"start": Path("weights")}, "start is the recipe of the stage before, .*; got .*Path"),
        ({"start": nn.Linear(1, 1)}, "start is the recipe of the stage before, .*; got Linear"),
    ],
)
@pytest.mark.usefixtures("as_users_call_it")
def test_a_part_of_another_kind_is_refused(change, words):
    with pytest.raises(TypeError, match=words):
        replace(PLAIN, **change)


def test_an_augmentation_that_changes_nothing_is_the_one_that_the_error_names():
    x = toy().train.images / 255
    assert torch.equal(Augment(crop=0, flip=False, jitter=0)(x), x)


@pytest.mark.parametrize("model", [SmallCNN(2), Autoencoder(2)])
def test_an_objective_for_another_network_is_refused(model):
    with pytest.raises(ValueError, match=r"DDPM\(\) trains a NoisePredictor; .* is a (Classifier|Denoiser)\."):
        run(replace(DIFFUSION, model=model))


# --- stages ---------------------------------------------------------------------------------------------------------


HEAD = replace(PLAIN, start=replace(FULL, epochs=2), trains="head", seed=1)


def test_a_stage_starts_from_the_best_of_the_one_before_and_moves_its_part_alone(watch):
    seen = []
    watch(lambda model, batch: seen.append(deepcopy(model)))
    trained = run(replace(HEAD, objective=Watched()))
    before = run(HEAD.start).best.state_dict()
    assert all(map(torch.equal, seen[0].state_dict().values(), before.values()))
    for name, weights in trained.last.state_dict().items():
        assert torch.equal(weights, before[name]) != name.startswith("head."), name
    assert not any(model.backbone.training for model in seen)
    assert all(parameter.requires_grad for parameter in trained.last.parameters())


@pytest.mark.parametrize("step", [2 * STEPS, 2 * STEPS + 4], ids=["between stages", "in the second"])
def test_stages_that_were_interrupted_end_with_the_same_bits(step, watch, tmp_path):
    recipe = replace(HEAD, objective=Watched(), start=replace(HEAD.start, objective=Watched(FULL.objective)))
    uninterrupted = run(recipe)
    watch(interrupt_at(step))
    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path)
    watch(lambda model, batch: None)
    assert_same_bits(run(recipe, tmp_path), uninterrupted)


@dataclass(frozen=True)
class Remembering(CrossEntropy):
    """Takes down which networks each training is told of."""

    def begin(self, earlier):
        Remembering.began.append(earlier)
        return self


def assert_same_networks(ours, theirs) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_an_objective_is_told_what_the_stages_before_ended_with():
    Remembering.began = []
    first = replace(PLAIN, objective=Remembering(), epochs=1)
    second = replace(first, start=first, seed=1)
    trained = run(replace(second, start=second, seed=2))
    bests = [run(first).best, run(second).best]
    for told, expected in zip(Remembering.began[:3], [[], bests[:1], bests], strict=True):
        assert_same_networks(told, expected)
    assert_same_networks([stage.best for stage in trained.earlier], bests)
    assert trained.seconds > sum(row["seconds"] for row in trained.history)  # theirs count too


@pytest.fixture
def given(tmp_path) -> str:
    """Weights on disk, by the name that a recipe calls them; of the network that ``PLAIN`` trains."""
    save(tmp_path / "weights", PLAIN.model.build(3, (0.4,) * 3, (0.23,) * 3), PLAIN.model, {})
    return str(tmp_path / "weights")


def test_a_training_starts_from_given_weights(given):
    Remembering.began = []
    before = torch.get_rng_state()
    trained = run(replace(PLAIN, objective=Remembering(), epochs=1, start=given, trains="head"))
    assert torch.equal(torch.get_rng_state(), before)
    network, _ = load(given)
    assert_same_networks(Remembering.began[0], [network])
    assert_same_networks([stage.best for stage in trained.earlier], [network])
    for name, weights in trained.last.state_dict().items():
        assert torch.equal(weights, network.state_dict()[name]) != name.startswith("head."), name
    assert trained.seconds == sum(row["seconds"] for row in trained.history)
    assert trained.best_epoch == 1
    with pytest.raises(ValueError, match="Given weights have no history here, and so no best epoch"):
        print(trained.earlier[0].best_epoch)


def test_stages_after_given_weights_end_with_the_same_bits_when_they_were_interrupted(given, watch, tmp_path):
    first = replace(PLAIN, objective=Watched(), epochs=1, start=given)
    recipe = replace(first, start=first, seed=1)
    uninterrupted = run(recipe)
    watch(interrupt_at(STEPS + 1))
    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path / "run")
    watch(lambda model, batch: None)
    assert_same_bits(run(recipe, tmp_path / "run"), uninterrupted)


def test_given_weights_of_another_network_are_refused(given):
    with pytest.raises(ValueError, match=r"is a SmallCNN with .*2.* for 3 classes .* the recipe trains SmallCNN.*4"):
        run(replace(PLAIN, model=SmallCNN(4), start=given))
    with pytest.raises(ValueError, match="the same classes"):
        fit(replace(PLAIN, start=given), toy().part(("red", "blue"), {"train": 9, "validation": 9}), progress=False)
    with pytest.raises(ValueError, match=r"3 channels; the recipe trains .* on 3 classes and 1 channels"):
        fit(replace(PLAIN, start=given), replace(toy(), mean=(0.4,), std=(0.23,)), progress=False)


def test_a_run_does_not_go_on_from_other_weights_of_the_same_name(given, tmp_path):
    recipe = replace(PLAIN, start=given, epochs=1)
    run(recipe, tmp_path / "run")
    save(given, PLAIN.model.build(3, (0.4,) * 3, (0.23,) * 3), PLAIN.model, {})
    with pytest.raises(ValueError, match="holds a run from other weights"):
        run(recipe, tmp_path / "run")


def test_a_run_does_not_go_on_with_other_images_of_the_same_name(tmp_path):
    counts = {"train": 20, "validation": 20}
    fit(replace(PLAIN, epochs=1), toy().part(("red", "blue"), counts), tmp_path, progress=False)
    for other in (toy(), toy().part(("blue", "red"), counts), toy().part(("red", "blue"), counts | {"train": 21})):
        with pytest.raises(ValueError, match="holds a run on other images"):
            fit(replace(PLAIN, epochs=1), other, tmp_path, progress=False)


def test_a_recipe_that_another_process_would_not_know_again_is_not_kept(tmp_path):
    recipe = replace(PLAIN, epochs=1, schedule=lambda progress: 1 - progress)
    with pytest.raises(ValueError, match=r"prints a place in memory.* or leave out the folder"):
        run(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert run(recipe).best_epoch == 1


def test_a_device_that_is_not_there_is_refused_in_words():
    with pytest.raises(ValueError, match="A device is cpu, cuda or mps; got 'gpu'"):
        fit(PLAIN, toy(), device="gpu", progress=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trains": "tail"}, "trains is one of 'all', 'head'; got 'tail'"),
        ({"model": SmallCNN(4)}, "goes on with the network and the images of the one before.*SmallCNN.*width=4"),
        ({"dataset": "signs"}, "goes on with the network and the images of the one before.*'toy'.*'signs'"),
    ],
)
def test_a_stage_that_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(HEAD, **change)


# --- what a run does ------------------------------------------------------------------------------------------------


def test_bfloat16_moves_a_training_by_rounding_alone():
    recipe = replace(PLAIN, epochs=5, rate=0.02)
    fine, coarse = ([row["clean"] for row in run(replace(recipe, bf16=bf16)).history] for bf16 in (False, True))
    assert coarse == pytest.approx(fine, abs=0.1)
    assert fine[-1] < fine[0] / 2  # weights that stood still would be far off


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, partial(torch.autocast, "cpu")])
def test_a_training_does_not_hear_of_the_modes_around_it(mode):
    recipe = replace(FULL, bf16=False)
    with mode():
        within = run(recipe)
    assert_same_bits(within, run(recipe))


def test_the_seed_decides_everything():
    state = torch.get_rng_state()
    first, same, other = run(FULL), run(FULL), run(replace(FULL, seed=1))
    assert_same_bits(first, same)
    assert not torch.equal(first.last.head.weight, other.last.head.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_training_learns():
    trained = run(replace(PLAIN, epochs=15, model=SmallCNN(4)))
    assert trained.history[-1]["clean"] < trained.history[0]["clean"]
    assert evaluate(trained.best, toy().test, {}, progress=False)["clean"].accuracy > 0.8


def test_the_average_is_the_loop_over_the_steps(watch):
    """average = decay * average + (1 - decay) * weights, starting at the weights after the first step."""
    recipe = replace(PLAIN, objective=Watched())
    seen = []
    watch(lambda model, batch: seen.append(deepcopy(model.state_dict())))
    seen.append(run(recipe).last.state_dict())  # without an average, the last weights are the model's
    trajectory = seen[1:]  # the first are the initial weights
    assert len(trajectory) == 3 * STEPS
    average = trajectory[0]
    for weights in trajectory[1:]:
        average = {name: 0.8 * average[name] + 0.2 * weights[name] for name in weights}
    averaged = run(replace(recipe, ema=0.8)).last.state_dict()
    for name, weights in averaged.items():
        if weights.is_floating_point():  # BatchNorm's statistics too; its counter is no weight
            torch.testing.assert_close(weights, average[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("validation", [None, ATTACK], ids=["clean", "robust"])
def test_best_is_the_epoch_with_the_highest_score(validation):
    trained = run(replace(PLAIN, epochs=6, model=SmallCNN(4), validation=validation))
    scores = [row["score"] for row in trained.history]
    name = "clean" if validation is None else "robust"
    assert trained.best_epoch == max(range(6), key=lambda i: (scores[i], -i)) + 1
    attacks = {} if validation is None else {"robust": validation}
    figures = {
        model: evaluate(model, toy().validation, attacks, progress=False)[name].accuracy
        for model in (trained.best, trained.last)
    }
    assert list(figures.values()) == [max(scores), scores[-1]]
    assert len(set(scores)) > 1


def test_the_last_epoch_is_taken_where_the_recipe_says_so_and_the_next_stage_goes_on_from_it():
    first = replace(PLAIN, epochs=4, model=SmallCNN(4), rate=1.0)  # so large that the accuracy falls again
    accuracy = [row["clean accuracy"] for row in run(first).history]
    assert accuracy[-1] < max(accuracy)
    trained = run(replace(first, validation="last"))
    assert trained.best_epoch == 4
    assert [row["clean accuracy"] for row in trained.history] == accuracy
    for name, weights in trained.best.state_dict().items():
        assert torch.equal(weights, trained.last.state_dict()[name])
    head = replace(PLAIN, epochs=1, model=SmallCNN(4), start=replace(first, validation="last"), trains="head")
    assert torch.equal(run(head).best.backbone[0].weight, trained.last.backbone[0].weight)


def test_of_equal_epochs_the_first_is_the_best(monkeypatch):
    """BatchNorm has counted the steps until then."""
    scores = iter([0.25, 0.5, 0.5])
    monkeypatch.setattr("seminar_lib.train.run.Run.validate", lambda self, validation: {"score": next(scores)})
    trained = run(replace(PLAIN, model=SmallCNN(4)))
    assert trained.best_epoch == 2
    assert trained.best.backbone[1].num_batches_tracked == 2 * STEPS
    assert trained.last.backbone[1].num_batches_tracked == 3 * STEPS


def test_the_objective_sees_augmented_images_labels_and_progress(watch):
    seen = []
    watch(lambda model, batch: seen.append((batch, model.training)))
    run(replace(PLAIN, objective=Watched(), augment=Augment(crop=0, jitter=0.5)))
    assert [batch.progress for batch, _ in seen] == pytest.approx([i / (3 * STEPS) for i in range(3 * STEPS)])
    assert all(training for _, training in seen)
    originals = toy().train.x
    for epoch in range(3):
        batches = [batch for batch, _ in seen[epoch * STEPS : (epoch + 1) * STEPS]]
        x, y = torch.cat([batch.x for batch in batches]), torch.cat([batch.y for batch in batches])
        assert torch.equal(y.bincount(), toy().train.y.bincount())
        assert not any(torch.equal(image, original) for image, original in zip(x, originals, strict=True))
    assert not torch.equal(seen[0][0].y, seen[STEPS][0].y)


def test_history_holds_the_mean_of_each_term_and_the_validation():
    trained = run(replace(FULL, epochs=2))
    assert [row["epoch"] for row in trained.history] == [1, 2]
    for row in trained.history:
        assert row.keys() == {"epoch", "adversarial", "clean accuracy", "robust accuracy", "score", "seconds"}
        assert row["robust accuracy"] == row["score"] <= row["clean accuracy"]


@pytest.mark.parametrize(
    ("objective", "term"),
    [(TRADES(ATTACK), "clean"), (MART(ATTACK), "adversarial"), (AWP(TRADES(ATTACK)), "clean")],
    ids=["TRADES", "MART", "AWP"],
)
def test_every_term_of_an_objective_is_in_the_history(objective, term):
    recipe = replace(FULL, objective=objective, epochs=1)
    first, same = run(recipe), run(recipe)
    assert_same_bits(first, same)
    figures = {"epoch", "clean accuracy", "robust accuracy", "score", "seconds"}
    assert first.history[0].keys() == {*figures, term, "divergence"}


def test_lisard_takes_a_last_batch_of_one_image():
    """40 images in batches of 13 leave one over, which has no correlations. BatchNorm wants several values of it."""

    def twice_as_large(name: str) -> Split:
        split = getattr(toy(), name)
        return replace(split, images=split.images.repeat(1, 1, 2, 2))

    recipe = replace(PLAIN, objective=LISArD(), batch_size=13, epochs=1)
    (row,) = fit(recipe, replace(toy(), read=twice_as_large), progress=False).history
    assert {"clean", "noisy", "correlation"} < row.keys()


@pytest.mark.parametrize(("size", "sizes"), [(16, [16, 16, 8]), (19, [19, 19, 2])])
def test_the_loss_in_the_history_is_the_mean_over_the_images(size, sizes, watch):
    """Each in the batch in which it came, before the step: BatchNorm looks at all of a batch."""
    losses, seen = [], []

    def note(model, batch) -> None:
        seen.append(len(batch.y))
        losses.extend(torch.nn.functional.cross_entropy(deepcopy(model)(batch.x), batch.y, reduction="none").tolist())

    watch(note)
    trained = run(replace(PLAIN, objective=Watched(), epochs=1, batch_size=size))
    assert seen == sizes
    assert trained.history[0]["clean"] == pytest.approx(sum(losses) / 40, rel=1e-5)


def test_the_mean_of_a_term_is_over_the_batches_that_had_it(monkeypatch):
    """Of batches of 16, 16 and 8 images the second has no second term; and what is watched is the mean so far."""
    steps = iter([{"a": 1.0, "b": 3.0}, {"a": 2.0}, {"a": 6.0, "b": 9.0}])

    def step(self, batch, where):
        return {name: torch.tensor(value) for name, value in next(steps).items()}

    monkeypatch.setattr("seminar_lib.train.run.Run.step", step)
    monkeypatch.setattr("seminar_lib.train.run.WATCH_SECONDS", -1.0)
    told = []
    fit(replace(PLAIN, epochs=1), toy(), progress=False, watch=told.append)
    rows = [{name: row[name] for name in ("a", "b")} for (row,) in told]
    assert rows == [{"a": 1, "b": 3}, {"a": 1.5, "b": 3}, {"a": (16 + 32 + 48) / 40, "b": (48 + 72) / 24}]


def test_models_come_back_in_evaluation_mode_and_share_nothing():
    trained = run(replace(PLAIN, epochs=1))
    assert not trained.best.training
    assert not trained.last.training
    trained.last.head.weight.data.zero_()
    assert trained.best.head.weight.any()


def test_the_schedule_sets_the_step(watch):
    """Without momentum in its first step, SGD with Nesterov moves by rate * (1 + 0.9) * gradient."""
    seen = []
    watch(lambda model, batch: seen.append((deepcopy(model), batch)))
    run(replace(PLAIN, objective=Watched(), epochs=1, rate=0.2, schedule=Drops(at=(0.0,)), weight_decay=0.0))
    (model, batch), (after, _), *_ = seen
    torch.nn.functional.cross_entropy(model(batch.x), batch.y).backward()
    step = 0.2 * 0.1 * 1.9 * model.head.weight.grad
    torch.testing.assert_close(after.head.weight, model.head.weight - step)


@dataclass(frozen=True)
class Explode:
    """A harmless epoch, and then the full rate."""

    def __call__(self, progress: float) -> float:
        return 1e-12 if progress < 1 / 3 else 1.0


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (CrossEntropy(), "Training diverged: the loss is nan in epoch 2"),
        (AdversarialTraining(ATTACK), "diverged weights"),
    ],
    ids=["standard", "adversarial"],
)
def test_a_diverged_run_stops_and_keeps_the_last_good_epoch(objective, words, tmp_path):
    recipe = replace(PLAIN, objective=objective, rate=1e9, schedule=Explode(), weight_decay=0.0)
    with pytest.raises(FloatingPointError, match=words):
        run(recipe, tmp_path)
    state = load_file(tmp_path / "state.safetensors")
    assert all(weights.isfinite().all() for weights in state.values())
    first_epoch_only = run(replace(recipe, epochs=1, schedule=lambda progress: 1e-12))
    for name, weights in first_epoch_only.best.state_dict().items():
        assert torch.equal(state[f"best/{name}"], weights)


def test_weights_that_diverge_in_the_last_step_of_an_epoch_are_not_kept(watch, tmp_path):
    """The loss is finite in every step, and the last gradient is not."""
    steps = count(1)

    def watch_it(model, batch) -> None:
        if next(steps) == 2 * STEPS:
            model.head.weight.register_hook(lambda grad: grad / 0)

    watch(watch_it)
    with pytest.raises(FloatingPointError, match="the weights hold NaN or infinity after epoch 2"):
        run(replace(PLAIN, objective=Watched()), tmp_path)
    state = load_file(tmp_path / "state.safetensors")
    assert all(weights.isfinite().all() for weights in state.values())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # PyTorch looks at it itself
@pytest.mark.parametrize("recipe", [PLAIN, FULL], ids=["plain", "full"])
def test_a_compiled_network_is_trained_alike(recipe, monkeypatch):
    """Captured as for a GPU and run as it is: translating it would take minutes, and not every machine can."""
    compiled = []

    def capture(module) -> None:
        compiled.append(module)
        module._compiled_call_impl = torch.compile(module._call_impl, backend="eager")

    monkeypatch.setattr("torch.nn.Module.compile", capture)
    recipe = replace(recipe, bf16=False, epochs=1)
    ours, theirs = fit(recipe, toy(), progress=False, compile=True), run(recipe)
    assert len(compiled) == 1
    assert ours.last.backbone is not compiled[0]
    assert_same_bits(ours, theirs)


def test_the_attack_within_a_compiled_training_climbs_the_compiled_network(monkeypatch):
    climbs = []

    def watched(module) -> None:
        def call(x: Tensor) -> Tensor:
            climbs.append(x.requires_grad)
            return module._call_impl(x)

        module._compiled_call_impl = call

    monkeypatch.setattr("torch.nn.Module.compile", watched)
    fit(replace(FULL, epochs=1, batch_size=40), toy(), progress=False, compile=True)  # one batch
    assert sum(climbs) == ATTACK.steps
