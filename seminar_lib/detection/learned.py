"""A learned detector: a small network that was shown clean and attacked images.

Metzen et al., "On Detecting Adversarial Perturbations", ICLR 2017:

    score(x) = g(z),  z = embed(x);    g minimises the cross-entropy between clean images (0) and attacked ones (1)

In the paper g is a convolutional branch at some layer of the network; here it is two layers behind the last features,
learned in seconds, because the network stands still and each image goes through it once. It knows the attack that it
was shown. In the paper g may also learn against attacks on g; ours does not. Carlini & Wagner, AISec 2017, fool such a
detector together with its network.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from seminar_lib.attacks import PGD, Attack
from seminar_lib.data.dataset import Dataset
from seminar_lib.detection.base import Detector, training_images
from seminar_lib.freeze import in_batches
from seminar_lib.models import Classifier
from seminar_lib.types import Embeddings, Flags, Images, PerExample

HIDDEN, STEPS, RATE, DECAY = 64, 400, 3e-3, 1e-4


class LearnedDetector(Detector):
    """The log-odds that an image was attacked.

    Args:
        model: the network whose embedding is judged.
        head: embeddings (B, D) to logits (B, 1).
    """

    def __init__(self, model: Classifier, head: nn.Module) -> None:
        super().__init__()
        self.model, self.head = model, head

    @classmethod
    def fit(
        cls,
        model: Classifier,
        data: Dataset,
        attack: Attack = PGD(),
        n: int = 1000,
        seed: int = 0,
    ) -> LearnedDetector:
        """Attack training images and learn to tell them from what they were.

        Args:
            model: a trained network.
            data: its task.
            attack: on the network alone; it knows nothing of the detector, as there is none yet.
            n: how many training images are sampled at most.
            seed: of the sample, the attack and the first weights.

        Raises:
            TypeError, ValueError: the network does not belong to the data set, or as the attack.
        """
        images = training_images(model, data, n, seed)
        generator = torch.Generator(images.images.device).manual_seed(seed)
        attacked = torch.cat([attack(model, x, y, generator=generator) for x, y in images.batches(256)])
        z = torch.cat([in_batches(model.embed, images.x), in_batches(model.embed, attacked)])
        return cls(model, learn(z, torch.arange(len(z), device=z.device) >= len(images), seed))

    def score(self, x: Images) -> PerExample:
        logits: PerExample = self.head(self.model.embed(x).float()).squeeze(1)
        return logits


def learn(z: Embeddings, attacked: Flags, seed: int = 0) -> nn.Module:
    """Two layers that tell attacked embeddings from clean ones, in evaluation mode.

    All embeddings make one batch: BatchNorm, which brings features of any scale to a common one, then learns the
    statistics of exactly these.

    Args:
        z: embeddings (N, D), without gradient.
        attacked: which of them (N,).
        seed: of the first weights.

    Raises:
        ValueError: only one of the two kinds is there.
    """
    if attacked.all() or not attacked.any():
        raise ValueError(f"To tell clean from attacked takes both; got {int(attacked.sum())} attacked of {len(z)}.")
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        scale = nn.BatchNorm1d(z.shape[1], momentum=None)
        head = nn.Sequential(scale, nn.Linear(z.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1)).to(z.device)
        optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
        for _ in range(STEPS):
            loss = F.binary_cross_entropy_with_logits(head(z).squeeze(1), attacked.float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return head.eval()
