"""What all tests share: shapes that are enforced, seeds that are fixed, and two models that are quick to attack."""

import os
from dataclasses import dataclass

# Several processes share the cores, so each computes in one thread, as do the kernels that it starts. Two threads that
# wait for each other on cores that have other work to do are several times as slow as one.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

import jaxtyping
import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

# Before anything imports the library: from here on a tensor that contradicts the shapes of a signature is an error.
SHAPED = (
    "adaptive attacks checkpoints checks contrastive correlation data.augment data.dataset data.simclr detection "
    "diagnosis diffusion embeddings evaluation freeze goals lean losses masking models objectives purification "
    "smoothing threat train"
)
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"  # an int will do for a float
jaxtyping.install_import_hook([f"seminar_lib.{name}" for name in SHAPED.split()], CHECKER)

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from seminar_lib.models import Classifier  # noqa: E402
from seminar_lib.threat import L1, L2, Linf, ThreatModel  # noqa: E402

settings.register_profile("tests", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("tests")


SLOWEST = ("tests/browser/", "tests/lessons/")  # they start servers, a browser and kernels


class Scheduler(LoadFileScheduling):
    """A file of tests runs in one process; a folder of the slowest does, so that a server is started once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((folder for folder in SLOWEST if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduler:
    config.option.loadscopereorder = False  # not by the number of tests but as they are collected
    return Scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where processes share the tests, the slowest come first, so that no process is left with them at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not item.nodeid.startswith(SLOWEST))


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def as_users_call_it(monkeypatch) -> None:
    """Without the shapes enforced: what the library itself says to bad input."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def in_bf16(monkeypatch) -> None:
    """As on hardware that computes in bfloat16; where this one does not, emulation is slow, but takes the same path."""
    monkeypatch.setattr("seminar_lib.attacks.base.computes_bf16", lambda kind: True)


@dataclass
class Oracle:
    """A linear classifier with images that it gets right, where the best attack is a formula.

    Two classes compete; a third is out of the question, and is there for losses that compare three logits.

    The margin z_other - z_y is linear in the image. Let w be its gradient: a perturbation of norm eps raises the margin
    by at most eps |w|*, where |.|* is the dual norm, and there is one that does.
    """

    model: nn.Module
    x: Tensor
    y: Tensor

    def slope(self, threat: ThreatModel) -> Tensor:
        """|w|*: the sum of the absolute values for Linf, the Euclidean length for L2, the largest value for L1."""
        first, second, _ = self.model[1].weight.detach()
        return torch.linalg.vector_norm(second - first, {Linf: 1, L2: 2, L1: torch.inf}[type(threat)])

    def margin(self) -> Tensor:
        first, second, _ = self.model(self.x).detach().unbind(1)
        return torch.where(self.y == 0, second - first, first - second)

    def best_margin(self, threat: ThreatModel) -> Tensor:
        """The largest margin inside the threat model."""
        return self.margin() + threat.eps * self.slope(threat)

    def distance(self, threat: ThreatModel) -> Tensor:
        """How far the nearest adversarial image is, in the norm of the threat model."""
        return -self.margin() / self.slope(threat)


@pytest.fixture
def oracle() -> Oracle:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))
    x = torch.rand(16, 3, 8, 8) * 0.4 + 0.3  # far enough from 0 and 1 that clipping plays no part
    with torch.no_grad():
        model[1].weight.normal_()
        model[1].bias -= model(x).mean(0)  # both classes occur
        model[1].weight[2], model[1].bias[2] = 0, -1e4
        y = model(x).argmax(1)
    return Oracle(model, x, y)


@pytest.fixture
def tiny() -> Classifier:
    """Two convolutions with BatchNorm, five classes, in evaluation mode."""
    backbone = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten()),
    )
    model = Classifier(backbone, 64, 5, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), projection=8)
    with torch.no_grad():
        for _ in range(20):
            logits = model(torch.rand(32, 3, 8, 8))  # fills the running statistics
        model.head.weight *= 10  # confident enough that some images stand and some fall
        model.head.bias -= 10 * logits.mean(0)  # every class occurs
    return model.eval()


@pytest.fixture
def x() -> Tensor:
    """Eight images, with some pixels at the edge of [0, 1]."""
    return (torch.rand(8, 3, 8, 8) * 1.2 - 0.1).clamp(0, 1)


@pytest.fixture
def y(tiny: Classifier, x: Tensor) -> Tensor:
    """What ``tiny`` says of ``x``, but for the first image, which it gets wrong."""
    labels = tiny(x).argmax(1)
    labels[0] = (labels[0] + 1) % 5
    return labels
