"""Inside ``frozen`` a model is still; afterwards it is as it was, whatever happened."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from seminar_lib.freeze import frozen, in_batches, steady_statistics


@pytest.fixture
def mixed() -> nn.Module:
    """In training mode, with a frozen BatchNorm, a frozen bias and one module that stands in it twice."""
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, nn.BatchNorm1d(4), nn.Dropout(), nn.Sequential(shared, nn.BatchNorm1d(4)))
    model[1].eval()
    shared.bias.requires_grad_(False)
    return model


def state(model):
    modes = [module.training for module in model.modules()]
    return modes, [parameter.requires_grad for parameter in model.parameters()]


def test_everything_is_still_inside(mixed):
    with frozen(mixed):
        assert not any(module.training for module in mixed.modules())
        assert not any(parameter.requires_grad for parameter in mixed.parameters())
        statistics = mixed[3][1].running_mean.clone()
        mixed(torch.rand(8, 4))
    assert torch.equal(mixed[3][1].running_mean, statistics)


def test_everything_is_as_before_afterwards(mixed):
    before = state(mixed)
    with frozen(mixed):
        pass
    assert state(mixed) == before
    assert before[0].count(False) == 1


def test_an_exception_is_no_excuse(mixed):
    before = state(mixed)
    with pytest.raises(KeyboardInterrupt), frozen(mixed):
        raise KeyboardInterrupt
    assert state(mixed) == before


def test_frozen_inside_frozen_stays_frozen(mixed):
    before = state(mixed)
    with frozen(mixed):
        with frozen(mixed):
            pass
        assert not any(module.training for module in mixed.modules())
        assert not any(parameter.requires_grad for parameter in mixed.parameters())
    assert state(mixed) == before


def test_a_method_freezes_its_network_and_a_function_nothing(tiny):
    tiny.train()
    with frozen(tiny.embed, lambda x: x):
        assert not tiny.training
    assert tiny.training


def test_gradients_still_reach_the_image(tiny, x):
    x.requires_grad_()
    with frozen(tiny):
        tiny(x).sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in tiny.parameters())


def test_with_steady_statistics_batchnorm_computes_as_in_training_and_counts_nothing(tiny, x):
    tiny.train()
    other = deepcopy(tiny)
    before = deepcopy(tiny.state_dict())
    with steady_statistics(tiny), steady_statistics(tiny):
        assert torch.equal(tiny(x), other(x))
    assert all(map(torch.equal, tiny.state_dict().values(), before.values()))
    tiny(x)
    assert all(map(torch.equal, tiny.state_dict().values(), other.state_dict().values()))


def test_steady_statistics_change_nothing_in_evaluation_mode(tiny, x):
    expected = tiny(x)
    with steady_statistics(tiny):
        assert torch.equal(tiny(x), expected)


def test_statistics_count_again_after_an_exception_but_for_those_that_never_did(tiny):
    still = nn.BatchNorm2d(3, track_running_stats=False)
    with pytest.raises(KeyboardInterrupt), steady_statistics(nn.Sequential(tiny, still)):
        raise KeyboardInterrupt
    assert tiny.backbone[1].track_running_stats
    assert not still.track_running_stats


def test_batches_give_what_one_look_gives(tiny, x):
    tiny.train()
    statistics = {name: value.clone() for name, value in tiny.named_buffers()}
    found = in_batches(tiny.embed, x, batch_size=3)
    assert tiny.training
    assert all(map(torch.equal, dict(tiny.named_buffers()).values(), statistics.values()))
    assert not found.requires_grad
    torch.testing.assert_close(found, tiny.eval().embed(x))
