"""Embeddings are what the network's own methods say, row by row, and nothing of the network changes."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from seminar_lib import PGD, Embedded, Linf, embed_pairs
from seminar_lib.embeddings import embed


@pytest.fixture
def x_adv(tiny, x, y):
    return PGD(Linf(8 / 255), steps=3)(tiny, x, y)


@pytest.mark.parametrize("projected", [False, True])
def test_embeddings_are_the_network_s_whatever_the_batch_size(projected, tiny, x, x_adv, y):
    look = tiny.project if projected else tiny.embed
    for size in (1, 3, 256):
        found = embed_pairs(tiny, x, x_adv, y, projected, size)
        torch.testing.assert_close(found.z, look(x).detach())
        torch.testing.assert_close(found.z_adv, look(x_adv).detach())
        assert not found.z.requires_grad
        assert torch.equal(found.predicted, tiny(x).argmax(1))
        assert torch.equal(found.predicted_adv, tiny(x_adv).argmax(1))
        assert torch.equal(found.y, y)


def test_fooled_are_those_that_were_right_and_are_wrong():
    y = torch.tensor([0, 0, 1, 1])
    found = Embedded(torch.eye(4), torch.eye(4), y, torch.tensor([0, 0, 0, 0]), torch.tensor([0, 1, 0, 1]))
    assert found.fooled.tolist() == [False, True, False, False]
    assert len(found) == 4


def test_a_network_in_training_mode_comes_back_as_it_was(tiny, x, x_adv, y):
    expected = embed_pairs(tiny, x, x_adv, y)
    before = deepcopy(tiny.train().state_dict())
    found = embed_pairs(tiny, x, x_adv, y)
    assert torch.equal(found.z, expected.z)
    assert all(module.training for module in tiny.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in tiny.parameters())
    assert all(torch.equal(after, before[name]) for name, after in tiny.state_dict().items())


def test_autocast_changes_nothing(tiny, x):
    with torch.autocast("cpu", torch.bfloat16):
        found = embed(tiny, x)
    assert torch.equal(found, embed(tiny, x))


def broken(tiny):
    tiny = deepcopy(tiny)
    with torch.no_grad():
        tiny.backbone[3].weight[0] = float("nan")
    return tiny


BAD = {
    "a plain module": (lambda m, x, y: embed(nn.Flatten(), x), "embed needs a Classifier, which has an embedding; got"),
    "bytes": (lambda m, x, y: embed(m, (255 * x).byte()), "Divide: x.float() / 255"),
    "batches of none": (lambda m, x, y: embed(m, x, batch_size=0), "at least one image; got batch_size=0"),
    "a network of NaN": (lambda m, x, y: embed(broken(m), x), "holds NaN or infinity, first of image 0. Did"),
    "too few attacked": (lambda m, x, y: embed_pairs(m, x, x[:3], y), "row by row, shape (8, 3, 8, 8); got (3, 3"),
    "attacked outside": (lambda m, x, y: embed_pairs(m, x, x + 1, y), "Pixels must lie in [0, 1]"),
    "labels too large": (lambda m, x, y: embed_pairs(m, x, x, y + 5), "the model has 5 classes, 0 to 4"),
    "rows that differ": (
        lambda m, x, y: replace(embed_pairs(m, x, x, y), z=torch.zeros(3, 64)),
        "got shapes (3, 64) and (8, 64)",
    ),
    "answers too few": (
        lambda m, x, y: replace(embed_pairs(m, x, x, y), predicted=y[:3]),
        "one label for each of 8 embeddings",
    ),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_a_sentence(call, words, tiny, x, y):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(tiny, x, y)
    assert words in str(caught.value)
