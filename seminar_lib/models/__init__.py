"""Networks: images in [0, 1] to logits, with an embedding on the way; and those whose answer is itself an image."""

from typing import TypeAlias

from seminar_lib.models.autoencoder import Autoencoder, Denoiser
from seminar_lib.models.classifier import Classifier
from seminar_lib.models.resnet import ResNet18, SmallCNN
from seminar_lib.models.unet import NoisePredictor, UNet
from seminar_lib.models.vit import ViT

ImageArchitecture: TypeAlias = Autoencoder | UNet
#: The plan of a network, with its sizes; its ``build`` returns a fresh network.
Architecture: TypeAlias = SmallCNN | ResNet18 | ViT | ImageArchitecture
#: What such a plan builds and a recipe trains.
Network: TypeAlias = Classifier | Denoiser | NoisePredictor

__all__ = [
    "Architecture",
    "Autoencoder",
    "Classifier",
    "Denoiser",
    "ImageArchitecture",
    "Network",
    "NoisePredictor",
    "ResNet18",
    "SmallCNN",
    "UNet",
    "ViT",
]
