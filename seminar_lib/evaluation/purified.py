"""A purified classifier, judged honestly: by how many draws, and under an adversary who knows how much.

After Kassis et al., "DiffBreak", arXiv 2411.16598, 2024, sections 3 to 6, who re-evaluate diffusion-based purification.
The first paper on it (Nie et al., "DiffPure", ICML 2022) reports a robust accuracy of 71 % on CIFAR-10; they find 17 %
for the same classifier. Two choices make the difference, and here neither is left open.

**Who attacks.** The *blind* adversary attacks the bare classifier and does not know that there is a purifier. *BPDA*
answers as the purifier does and differentiates as if it did nothing. The *full gradient* goes through the purifier.
Against a random purifier, the last two average ``eot`` looks for each gradient (EOT: Athalye et al., ICML 2018).

**How a random purifier is judged.** N draws purify each image that the adversary hands over:

    one draw         the first is answered rightly
    majority of N    more are answered rightly than with any other label; a tie counts as wrong
    worst of N       all are: an adversary who may try again needs one mistake only

They are drawn after the search has ended. What a search saw of a random model is luck: its success may be gone at the
next look. So it climbs to the end, whatever the attack's own ``stop_when_fooled`` says, and its belief does not count.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from seminar_lib.adaptive import BPDA
from seminar_lib.attacks import Attack
from seminar_lib.checks import check_images, check_labels, check_logits, check_model
from seminar_lib.data.dataset import Split
from seminar_lib.device import describe
from seminar_lib.evaluation.checks import check_attack, check_measurement
from seminar_lib.evaluation.kept import Kept, fingerprint, network_fingerprint
from seminar_lib.evaluation.purified_report import BLIND, CLEAN, FULL, STAND_IN, Answers, PurifiedReport
from seminar_lib.evaluation.report import check_inside
from seminar_lib.freeze import frozen
from seminar_lib.goals import Expectation, Goal, Misclassify
from seminar_lib.smoothing.smoothed import draw_seeds
from seminar_lib.types import Images, Labels

SAME = 1e-3  # two draws that differ by less, in pixels of [0, 1], differ by rounding


def evaluate_purified(
    purifier: nn.Module,
    classifier: nn.Module,
    data: Split,
    attack: Attack,
    draws: int = 10,
    eot: int = 10,
    batch_size: int = 64,
    seed: int = 0,
    path: str | Path | None = None,
    progress: bool = True,
) -> PurifiedReport:
    """Attack a classifier behind a purifier in three ways, and judge the results by several draws.

    Args:
        purifier: images in [0, 1] to images of the same shape. If it is random, it draws from the global stream.
        classifier: images in [0, 1] to logits.
        data: the images to measure on, on the device of both.
        attack: run by each of the adversaries; 100 steps are not too many against a random purifier.
        draws: how often a random purifier purifies each result.
        eot: looks for each gradient of a random purifier; each multiplies the time and the memory.
        batch_size: images at a time. A batch has a stream of random numbers to itself, so another size draws others.
        seed: of all random numbers; the caller's own stream is left alone.
        path: a JSON file where the answers are kept after each batch. Where it holds some of the same networks,
            images and settings, the work goes on after them.
        progress: show a bar.

    Raises:
        TypeError, ValueError: there are no images, a number is below one, or a part is not as described; the attack
            left its threat model; ``path`` holds other answers. The message says how to mend it.
        OSError: ``path`` cannot be written; the message says what to do.
    """
    check_measurement("evaluate_purified", data, batch_size, seed)
    _check(purifier, classifier, attack, draws, eot)
    device = data.images.device
    with _own_random_numbers(device, seed):
        random, differentiable = _look_at(purifier, classifier, data)
    draws, eot = (draws, eot) if random else (1, 1)
    kept = Kept(
        {
            "purifier": network_fingerprint(purifier),
            "classifier": network_fingerprint(classifier),
            "images": fingerprint(data.images, data.labels),
            "attack": repr(attack),
            **{"draws": draws, "eot": eot, "batch_size": batch_size, "seed": seed},
        }
    )
    home = Path(path) if path else None
    if home:
        kept.take_up(home)
    done = len(kept.rows)
    seeds = draw_seeds(-(-len(data) // batch_size), torch.Generator().manual_seed(seed))
    left = zip(data[done:].batches(batch_size), seeds[done // batch_size :], strict=True) if done < len(data) else ()
    seen, purified = _seen(purifier, classifier, differentiable), nn.Sequential(purifier, classifier)
    with tqdm(total=len(data), initial=done, desc="purify", leave=False, disable=not progress) as bar:
        for (x, y), stream in left:
            start = time.perf_counter()
            with _own_random_numbers(device, stream):
                answers = [_answers(purified, x, draws)]
                for name, model in seen.items():
                    blind = name == BLIND
                    x_adv = _attacked(attack, model, x, y, 1 if blind else eot, to_the_end=blind or random)
                    answers.append(_answers(purified, x_adv, draws))
            kept.rows += torch.stack(answers, 1).tolist()  # (rows, draws) for each image
            kept.seconds += time.perf_counter() - start
            if home:
                kept.write(home)
            bar.update(len(x))
    found = torch.tensor(kept.rows).unbind(1)
    return PurifiedReport(
        dict(zip([CLEAN, *seen], found, strict=True)),
        data.labels.cpu(),
        f"{type(purifier).__name__}({purifier.extra_repr()})",
        attack,
        random,
        eot,
        seed,
        kept.seconds,
        describe(device),
    )


def _seen(purifier: nn.Module, classifier: nn.Module, differentiable: bool) -> dict[str, nn.Module]:
    """The model that each adversary climbs, by name."""
    seen = {BLIND: classifier, STAND_IN: nn.Sequential(BPDA(purifier), classifier)}
    return {**seen, FULL: nn.Sequential(purifier, classifier)} if differentiable else seen


def _attacked(attack: Attack, model: nn.Module, x: Images, y: Labels, eot: int, to_the_end: bool) -> Images:
    """What an adversary hands over who sees this model; with ``to_the_end`` no success ends the search."""
    goal: Goal = Misclassify(model, y, attack.loss)
    search = replace(attack, stop_when_fooled=False) if to_the_end else attack
    x_adv = search.run(Expectation(goal, eot) if eot > 1 else goal, x)
    check_inside("The attack", attack, x_adv, x)
    return x_adv


def _answers(purified: nn.Module, x: Images, draws: int) -> Answers:
    """The label of each draw, on the CPU."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False), frozen(purified):
        return torch.stack([purified(x).argmax(1) for _ in range(draws)], 1).cpu()


def _look_at(purifier: nn.Module, classifier: nn.Module, data: Split) -> tuple[bool, bool]:
    """Whether a purifier draws random numbers, and whether it has a gradient; refuses what is no purified model."""
    x = data[:8].x
    check_images(x)
    check_model(purifier, x)
    check_model(classifier, x)
    with torch.no_grad(), frozen(purifier, classifier):
        first, second = purifier(x), purifier(x)
        if first.shape != x.shape:
            raise ValueError(
                f"A purifier returns images of the shape that it was given, {tuple(x.shape)}; got "
                f"{tuple(first.shape)}. Let it end by resizing them."
            )
        logits = classifier(first)
    check_logits(logits, x)
    check_labels(data.labels, data.images, logits.shape[1])
    with torch.enable_grad(), frozen(purifier):
        differentiable = purifier(x.requires_grad_()).requires_grad
    return not torch.allclose(first, second, rtol=0, atol=SAME), differentiable


@contextmanager
def _own_random_numbers(device: torch.device, seed: int) -> Iterator[None]:
    """The global stream starts from ``seed``, and goes on afterwards as if nobody had drawn from it."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _check(purifier: nn.Module, classifier: nn.Module, attack: Attack, draws: int, eot: int) -> None:
    """Refuse what could not be measured, before any of the long work."""
    for name, part in (("purifier, images to images", purifier), ("classifier, images to logits", classifier)):
        if not isinstance(part, nn.Module):
            raise TypeError(f"evaluate_purified needs a {name}, both an nn.Module; got {type(part).__name__}.")
    check_attack(attack, "evaluate_purified")
    if min(draws, eot) < 1:
        raise ValueError(f"evaluate_purified needs at least one draw and one look; got {draws=} and {eot=}.")
