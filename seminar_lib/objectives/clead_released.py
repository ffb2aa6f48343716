"""C-LEAD as its released scripts train it: an encoder without labels, then a linear classifier on what it sees.

Ghosh et al., "C-LEAD: Contrastive Learning for Enhanced Adversarial Defense", arXiv 2510.27249, 2025; code of
suklav/C_Lead at 2b8778a. Stage 0 trains a plain classifier. Stage 1 shows its encoder three views of each image: the
image itself, v0, an augmented one, v1, and an adversarial one, v2:

    1/2 ( nt_xent(z0, z1) + nt_xent(z0, z2) ),    with anchors in v0 alone

Stage 2 freezes the encoder and trains the classifier; every other batch, by the toss of a coin, is adversarial. In all
of it the adversary attacks a fixed network, and there is nothing in the scripts that attacks the defended one. So there
is no reason why what comes out should resist an attack on itself; to see that is what these two classes are for.

The scripts' data set class is missing: that v1 and v2 are these two views is inferred from the rest. We depart from the
scripts as follows.

- Their surrogate is a ResNet-34 of its own. Ours is what stage 0 ended with.
- They attack once and store the images. Here each batch is attacked as it comes, augmented; the surrogate being fixed,
  that changes only how many such images there are. Whether their attack starts at random is not known; ours does.
- Their projection head is linear; ours is that of ``Classifier``, with two layers.
- A classifier is trained beside the encoder in stage 1, on features that pass no gradient on (``"probe"``). The encoder
  never hears of labels; the curve shows what a classifier could read there, and stage 2 starts from one that fits.
- In stage 2 the whole encoder stands still. Theirs leaves BatchNorm's running statistics drifting.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.attacks import PGD, Attack
from seminar_lib.contrastive import check_contrast, nt_xent
from seminar_lib.data.augment import Augment
from seminar_lib.data.simclr import SimCLRAugment
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch
from seminar_lib.objectives.surrogate import AgainstSurrogate
from seminar_lib.threat import Linf


@dataclass(frozen=True)
class CLEADEncoder(AgainstSurrogate):
    """Stage 1: each image finds its augmented and its adversarial view among all others, without labels.

    The three views pass through the network one after the other; each is normalised by its own statistics, and all
    three move those that BatchNorm keeps.

    Attributes:
        attack: as in the scripts, PGD with 3 steps of 3/255.
        temperature: above 0; 0.1 in the code that the scripts are a fork of.
        augment: what makes v1 of v0.

    Raises:
        TypeError, ValueError: as ``AgainstSurrogate``; the temperature is out of range.
    """

    attack: Attack = PGD(Linf(8 / 255), steps=3, step_size=3 / 255, stop_when_fooled=False)
    temperature: float = 0.1
    augment: Augment = SimCLRAugment(flip=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_contrast(self.temperature)

    @property
    def projects(self) -> bool:
        return True

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        return super().prepare(model, batch)._replace(view=self.augment(batch.x, batch.generator))

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.view is not None and batch.x_adv is not None  # noqa: PT018  (prepare has made both)
        features = model.embed(batch.x)
        z0, z1, z2 = (model.projector(view) for view in (features, model.embed(batch.view), model.embed(batch.x_adv)))
        return {
            "augmented": nt_xent(z0, z1, self.temperature, symmetric=False).mean() / 2,
            "adversarial": nt_xent(z0, z2, self.temperature, symmetric=False).mean() / 2,
            "probe": F.cross_entropy(model.classify(features.detach()), batch.y),
        }


@dataclass(frozen=True)
class CLEADHead(AgainstSurrogate):
    """Stage 2: cross-entropy on batches of which some are adversarial as a whole; ``Recipe(trains="head")``.

    Attributes:
        attack: as in the scripts, PGD at 4/255 with 3 steps of 3/255. Others of them take FGSM at 8/255.
        share: the probability that a batch is adversarial, in [0, 1].

    Raises:
        TypeError, ValueError: as ``AgainstSurrogate``; ``share`` is not in [0, 1].
    """

    attack: Attack = PGD(Linf(4 / 255), steps=3, step_size=3 / 255, stop_when_fooled=False)
    share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is the probability that a batch is adversarial, in [0, 1]; got {self.share}.")

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        if torch.rand((), generator=batch.generator, device=batch.x.device) < self.share:
            return super().prepare(model, batch)
        return batch._replace(x_adv=batch.x)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        return {"mixed": F.cross_entropy(model(batch.x_adv), batch.y)}
