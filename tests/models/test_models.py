"""Networks: shapes, normalisation, and the residual networks against torchvision's."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

from seminar_lib.models import Classifier, ResNet18, SmallCNN, ViT

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
SMALL = [SmallCNN(4), ResNet18(4), ViT(layers=1, heads=2, features=16)]
every = pytest.mark.parametrize("architecture", SMALL, ids=repr)


@pytest.fixture
def model(architecture) -> Classifier:
    return architecture.build(7, MEAN, STD).eval()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(3, 3, 32, 32)


@every
def test_logits_embedding_and_projection(model, x):
    assert model(x).shape == (3, 7)
    assert model.embed(x).shape == (3, model.head.in_features)
    torch.testing.assert_close(model.head(model.embed(x)), model(x))
    assert model.project(x).shape == (3, 128)
    torch.testing.assert_close(model.project(x).norm(dim=1), torch.ones(3))


@every
def test_the_first_layer_normalises(model, x):
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(x)
    for channel in range(3):
        torch.testing.assert_close(seen[0][:, channel], (x[:, channel] - MEAN[channel]) / STD[channel])


@every
def test_an_image_is_judged_without_regard_to_its_neighbours(model, x):
    torch.testing.assert_close(model(x[1:2]), model(x)[1:2], rtol=1e-4, atol=1e-5)


@every
def test_logits_are_float32_under_autocast(model, x):
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, model(x), rtol=0.1, atol=0.1)


@every
def test_every_weight_learns(model, x):
    (model(x).square().sum() + model.project(x).sum()).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


@every
def test_the_global_seed_decides_the_weights(architecture):
    models = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        models.append(architecture.build(7, MEAN, STD).head.weight)
    assert torch.equal(models[0], models[1])
    assert not torch.equal(models[0], models[2])


@pytest.mark.parametrize(("ours", "blocks"), [(SmallCNN(64), 1), (ResNet18(64), 2)], ids=["SmallCNN", "ResNet18"])
def test_residual_networks_are_those_of_torchvision(ours, blocks, x):
    """With the stem of the CIFAR experiments: a 3x3 convolution of stride 1 and no pooling."""
    theirs = ResNet(BasicBlock, [blocks] * 4, num_classes=7)
    theirs.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    model = ours.build(7, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    weights = [*model.backbone.state_dict().values(), *model.head.state_dict().values()]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), weights, strict=True)))
    torch.testing.assert_close(model(x), theirs(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("architecture", "millions"),
    [(SmallCNN(), 0.3), (ResNet18(), 11), (ViT(), 1.8)],
    ids=["SmallCNN", "ResNet18", "ViT"],
)
def test_networks_are_as_large_as_they_say(architecture, millions):
    with torch.device("meta"):
        model = architecture.build(10, MEAN, STD)
    model.projector = nn.Identity()
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.05)


def test_grey_images_have_networks_too():
    assert SmallCNN(4).build(10, (0.5,), (0.25,)).eval()(torch.rand(2, 1, 28, 28)).shape == (2, 10)


@every
def test_an_architecture_prints_as_the_code_that_makes_it(architecture):
    assert eval(repr(architecture)) == architecture


@pytest.mark.parametrize("bf16", [False, True])
def test_a_transformer_on_a_cpu_has_plain_attention_in_bfloat16_alone(bf16, x):
    """The fused one is slow there, backwards; in float32 it is the fast one."""
    vit = ViT(layers=1, heads=2, features=16).build(7, MEAN, STD)
    # Without acc_events PyTorch 2.11 warns.
    with torch.profiler.profile(acc_events=True) as watched, torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        vit(x).sum().backward()
    fused = {event.key for event in watched.key_averages() if "flash_attention" in event.key}
    assert bool(fused) == (not bf16)


def test_a_transformer_is_torchvision_s(x):
    ours = ViT(layers=2, heads=2, features=16).build(7, MEAN, STD).eval()
    theirs = torchvision.models.VisionTransformer(32, 4, 2, 2, 16, 32)
    theirs.heads = nn.Identity()
    theirs.load_state_dict(ours.backbone.state_dict())
    normalised = (x - ours.mean) / ours.std
    assert torch.equal(ours.embed(x), theirs.eval()(normalised))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(ours.embed(x).float(), theirs(normalised).float(), rtol=0.05, atol=0.05)
