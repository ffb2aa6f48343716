"""Networks: images in [0, 1] to logits, with an embedding on the way."""

from typing import TypeAlias

from seminar_lib.models.classifier import Classifier
from seminar_lib.models.resnet import ResNet18, SmallCNN
from seminar_lib.models.vit import ViT

Architecture: TypeAlias = SmallCNN | ResNet18 | ViT

__all__ = ["Architecture", "Classifier", "ResNet18", "SmallCNN", "ViT"]
