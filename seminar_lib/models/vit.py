"""A small vision transformer.

Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. The network is torchvision's; patches of 4x4 pixels
make 64 words of a 32x32 image.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from seminar_lib.models.classifier import Classifier


@dataclass(frozen=True)
class ViT:
    """A transformer encoder over image patches; 1.8 M parameters as given. Takes 32x32 images with three channels.

    Attributes:
        patch: the side of a patch in pixels, a divisor of 32.
        layers: of the encoder, 1 or more.
        heads: of the attention in each layer, a divisor of ``features``.
        features: entries of a word, and of the embedding.
    """

    patch: int = 4
    layers: int = 6
    heads: int = 3
    features: int = 192

    def build(self, classes: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Classifier:
        """A freshly initialised classifier.

        Raises:
            ValueError: the images do not have three channels.
        """
        from seminar_lib.models.attention import VisionTransformer  # torchvision takes a second and a half to import

        if len(mean) != 3:
            raise ValueError(
                f"ViT takes images with three channels; this data set has {len(mean)}. Take SmallCNN or ResNet18."
            )
        backbone = VisionTransformer(32, self.patch, self.layers, self.heads, self.features, 2 * self.features)
        backbone.heads = nn.Identity()  # the class token itself is the embedding
        return Classifier(backbone, self.features, classes, mean, std)
