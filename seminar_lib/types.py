"""The shapes that every signature speaks of: B batch, C H W image, K classes, D features."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from jaxtyping import Bool, Float, Int
from torch import Tensor

Images: TypeAlias = Float[Tensor, "B C H W"]  # pixels in [0, 1]
Labels: TypeAlias = Int[Tensor, " B"]  # class indices, 0 to K - 1
Logits: TypeAlias = Float[Tensor, "B K"]  # scores before the softmax
Embeddings: TypeAlias = Float[Tensor, "B D"]
PerExample: TypeAlias = Float[Tensor, " B"]
Flags: TypeAlias = Bool[Tensor, " B"]

# A network, a smoothed or purified model, an ensemble: whatever turns images into logits can be attacked.
Model: TypeAlias = Callable[[Tensor], Tensor]
