"""Released weights: a safetensors file, packed by xz, with a JSON card beside it.

The card says what the weights are, how they were made and what they measured, and holds the sha256 of the safetensors.
Nothing is ever unpickled: a file that was cut short, altered or made for another network is refused with a sentence.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from seminar_lib import models
from seminar_lib.files import whole_file
from seminar_lib.models import Architecture, Classifier, Network

SHIPPED = Path(__file__).parent / "weights"
WEIGHTS, CARD = ".safetensors.xz", ".json"
# Numbers of two bytes, of which that with the exponent repeats itself; with its own settings xz saves half as much.
PACKING = ({"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 1, "pb": 1},)
PROJECTOR = "projector."


def shipped() -> list[str]:
    """The names of the weights that come with the library, such as ``"signs/pgd_at"``."""
    return sorted(card.relative_to(SHIPPED).as_posix().removesuffix(CARD) for card in SHIPPED.rglob(f"*{CARD}"))


def save(
    path: str | Path,
    model: Network,
    architecture: Architecture,
    card: Mapping[str, Any],
    *,
    bits: int = 16,
    projector: bool = True,
) -> None:
    """Write ``path``.safetensors.xz and ``path``.json.

    Floats are stored in half precision: that halves the repository and changes no verdict worth a digit. Measure what
    you report on the weights as ``load`` returns them.

    Args:
        path: with or without suffix.
        model: the weights.
        architecture: what built the model.
        card: plain values to keep beside them: recipe, seconds, hardware, metrics.
        bits: of each weight of a kernel or a matrix: 16, or 2 to 12, to which ``rounded`` rounds them. With 8 the file
            is half as large once more.
        projector: keep the projection head. Where no training has touched it, it is noise, which does not pack, and
            ``load`` may as well draw another.

    Raises:
        TypeError: the card holds what JSON cannot.
        ValueError: as ``check_bits``, or half precision cannot hold the weights.
        OSError: the files cannot be written; the message says what to do.
    """
    check_bits(bits)
    kept = {name: t for name, t in model.state_dict().items() if projector or not name.startswith(PROJECTOR)}
    if bits < 16:
        coarse = {name: rounded(w.detach(), bits) for name, w in model.named_parameters() if w.dim() > 1}
        kept = {name: coarse.get(name, t) for name, t in kept.items()}
    half = {name: t.half() if t.is_floating_point() else t for name, t in kept.items()}
    if broken := [name for name, t in half.items() if not t.isfinite().all()]:
        raise ValueError(
            f"{broken[0]} holds NaN, infinity or a value beyond 65504, the most that half precision can hold. "
            "Did the training diverge?"
        )
    blob = safetensors.torch.save({name: t.contiguous().cpu() for name, t in half.items()})
    build = {
        "architecture": type(architecture).__name__,
        "settings": vars(architecture),
        **model.built_for,
    }
    ours = {"build": build, "sha256": sha256(blob).hexdigest()}
    text = json.dumps({**ours, **card, **ours}, indent=1)  # ours first, whatever an older card that is passed on says
    weights, card_file = _files(_bare(path))
    with whole_file(weights) as part:
        part.write_bytes(lzma.compress(blob, filters=PACKING))
    with whole_file(card_file) as part:
        part.write_text(text + "\n", encoding="utf-8")


def load(name: str | Path, device: torch.device | str = "cpu") -> tuple[Network, dict[str, Any]]:
    """A trained model in evaluation mode, and its card.

    Most trainings do not touch the projection head; where none was kept, it is drawn afresh, each time the same.

    Args:
        name: shipped weights such as ``"signs/pgd_at"``, or the path of your own, with or without suffix.
        device: where to put the model.

    Raises:
        FileNotFoundError: no such weights; the message lists what there is.
        ValueError: weights or card are damaged, or do not fit each other.
    """
    path = _bare(name)
    if not path.name:  # an empty name, or a folder such as "." or "/"
        raise FileNotFoundError(f"{str(name)!r} names no weights. Shipped: {', '.join(shipped()) or 'none'}.")
    if not _files(path)[1].exists():
        path = SHIPPED / path
    weights, card_file = _files(path)
    if not (weights.exists() and card_file.exists()):
        raise FileNotFoundError(
            f"No weights called {str(name)!r}: {weights.name} and {card_file.name} must both be there. "
            f"Shipped: {', '.join(shipped()) or 'none'}."
        )
    try:
        card = json.loads(card_file.read_text(encoding="utf-8"))
        build, expected = dict(card["build"]), card["sha256"]
        architecture = getattr(models, build.pop("architecture"))(**build.pop("settings"))
        told = {name: tuple(value) if isinstance(value, list) else value for name, value in build.items()}
        with torch.random.fork_rng(devices=[]):  # weights are drawn at first, most for nothing
            # The same projection head each time, where none was kept; GPUs keep the caller's numbers, too.
            torch.default_generator.manual_seed(0)
            model = architecture.build(**told)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:  # the last: a width below 0
        raise ValueError(
            f"{card_file} is not a card of this library: {error!r}. Fetch it again, or save the model anew."
        ) from error
    try:
        blob = lzma.decompress(weights.read_bytes())
    except lzma.LZMAError as error:
        raise ValueError(f"{weights} is damaged: {error}. Fetch it again, or save the model anew.") from error
    if (found := sha256(blob).hexdigest()) != expected:
        raise ValueError(
            f"{weights} is not what its card describes: the sha256 of its weights is {found[:12]}..., the card says "
            f"{expected[:12]}... Fetch both files again."
        )
    drawn = {name: t for name, t in model.state_dict().items() if name.startswith(PROJECTOR)}
    try:
        model.load_state_dict({**drawn, **safetensors.torch.load(blob)}, strict=True)
    except (RuntimeError, SafetensorError) as error:
        raise ValueError(f"{weights} does not fit the network {architecture} that its card names: {error}") from error
    return model.eval().to(device), card


def load_classifier(name: str | Path, device: torch.device | str = "cpu") -> tuple[Classifier, dict[str, Any]]:
    """As ``load``, for who is about to attack what is loaded.

    Raises:
        FileNotFoundError, ValueError: as ``load``; or the network gives images.
    """
    model, card = load(name, device)
    if not isinstance(model, Classifier):
        raise ValueError(f"{name} is a {type(model).__name__}: it gives images. Only a classifier can be attacked.")
    return model, card


def check_bits(bits: int) -> None:
    """Refuse a number of bits in which no weight can be stored.

    Raises:
        ValueError: it is neither 16 nor from 2 to 12.
    """
    if bits not in (16, *range(2, 13)):
        raise ValueError(f"A weight is stored in 16 bits, or in 2 to 12; got bits={bits}.")


def rounded(weights: Tensor, bits: int) -> Tensor:
    """Weights (O, ...) as multiples of a step, at most 2^(bits - 1) - 1 of them to either side of zero.

    Each output has a step of its own, the smallest power of two with which its largest weight is in reach. So half
    precision holds the results exactly, and what its other bits would say, all zero, packs into nothing.
    """
    steps = 2 ** (bits - 1) - 1
    largest = weights.flatten(1).abs().amax(1).clamp_min(torch.finfo(torch.float16).tiny)
    step = torch.exp2(torch.ceil(torch.log2(largest / steps))).view(-1, *[1] * (weights.dim() - 1))
    return (weights / step).round() * step


def _bare(name: str | Path) -> Path:
    """A path without the suffix of either file."""
    return Path(str(name).removesuffix(CARD).removesuffix(WEIGHTS))


def _files(path: Path) -> tuple[Path, Path]:
    """Weights and card of a path without suffix; its name may hold dots (``eps0.5``), which with_suffix would cut."""
    return path.with_name(path.name + WEIGHTS), path.with_name(path.name + CARD)
