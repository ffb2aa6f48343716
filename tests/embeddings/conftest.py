"""Two clouds of embeddings of the same images."""

import pytest
import torch

from seminar_lib.embeddings import Embedded


def cloud(seed: int, features: int = 6, n: int = 24, classes: int = 3) -> Embedded:
    """Classes around random middles; the attack moves every image a little, and fools some."""
    noise = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    middles = 3 * torch.randn(classes, features, generator=noise)
    z = middles[y] + torch.randn(n, features, generator=noise)
    z_adv = z + torch.randn(n, features, generator=noise)
    return Embedded(z, z_adv, y, y, (y + (torch.arange(n) < n // 2)) % classes)


@pytest.fixture
def two() -> dict[str, Embedded]:
    return {"standard": cloud(0), "pgd_at": cloud(1)}
