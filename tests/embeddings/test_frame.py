"""A common frame undoes what is arbitrary about a network's axes, and nothing else."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from scipy.spatial import procrustes

from seminar_lib.embeddings import frames, in_one_frame

from .conftest import cloud


def rotation(features, seed=0):
    return torch.linalg.qr(torch.randn(features, features, generator=torch.Generator().manual_seed(seed)))[0]


def test_a_rotated_network_comes_to_lie_on_the_first(two):
    first, turn = two["standard"], rotation(6)
    found = in_one_frame({"first": first, "turned": replace(first, z=first.z @ turn, z_adv=first.z_adv @ turn)})
    torch.testing.assert_close(found["turned"].z, found["first"].z, atol=1e-5, rtol=0)
    torch.testing.assert_close(found["turned"].z_adv, found["first"].z_adv, atol=1e-5, rtol=0)


def test_the_first_keeps_its_axes_and_all_lie_around_the_origin(two):
    found = in_one_frame(two)
    directions = F.normalize(two["standard"].z, dim=1)
    torch.testing.assert_close(found["standard"].z, directions - directions.mean(0))
    for part in found.values():
        torch.testing.assert_close(part.z.mean(0), torch.zeros(6), atol=1e-6, rtol=0)


def test_distances_between_directions_stay_those_of_the_network(two):
    for name, part in in_one_frame(two).items():
        own = F.normalize(torch.cat([two[name].z, two[name].z_adv]), dim=1)
        torch.testing.assert_close(torch.pdist(torch.cat([part.z, part.z_adv])), torch.pdist(own), atol=1e-5, rtol=0)


def test_no_rotation_brings_the_clean_images_closer(two):
    """A frame is optimal: random rotations and small turns of it are farther from the first network."""
    found = in_one_frame(two)
    best = (found["pgd_at"].z - found["standard"].z).norm()
    small = [torch.linalg.qr(torch.eye(6) + 0.05 * torch.randn(6, 6))[0] for _ in range(50)]
    small = [turn * turn.diagonal().sign() for turn in small]  # QR may flip axes
    for turn in [*small, *(rotation(6, seed) for seed in range(50))]:
        assert (found["pgd_at"].z @ turn - found["standard"].z).norm() > best


def test_it_agrees_with_scipy_s_analysis_of_shapes(two):
    """Scipy also scales; of two clouds A, B of size 1 its disparity is 1 - t^2, where |A - B|^2 = 2 - 2t unscaled."""
    found = in_one_frame(two)
    a, b = (part.z.double() / part.z.double().norm() for part in found.values())
    *_, disparity = procrustes(*(F.normalize(part.z, dim=1).numpy() for part in two.values()))
    t = 1 - float((a - b).square().sum()) / 2
    assert disparity == pytest.approx(1 - t**2, abs=1e-5)


def test_adversarial_images_follow_and_have_no_say(two):
    moved = {name: replace(part, z_adv=part.z_adv + 5) for name, part in two.items()}
    for before, after in zip(in_one_frame(two).values(), in_one_frame(moved).values(), strict=True):
        assert torch.equal(before.z, after.z)
        assert not torch.equal(before.z_adv, after.z_adv)


def test_a_narrower_network_is_widened_with_zeros(two):
    narrow = cloud(0, features=4)
    found = in_one_frame({"narrow": narrow, "wide": two["pgd_at"]})
    assert {part.z.shape[1] for part in found.values()} == {6}
    assert not found["narrow"].z[:, 4:].any()
    own = torch.pdist(F.normalize(two["pgd_at"].z, dim=1))
    torch.testing.assert_close(torch.pdist(found["wide"].z), own, atol=1e-5, rtol=0)


def test_new_embeddings_follow_by_a_call(two):
    part = two["pgd_at"]
    frame = frames({name: other.z for name, other in two.items()})["pgd_at"]
    torch.testing.assert_close(frame(part.z_adv), in_one_frame(two)["pgd_at"].z_adv)
    torch.testing.assert_close(frame(7 * part.z), frame(part.z), msg="only directions count")


BAD = {
    "none": (lambda two: in_one_frame({}), "at least one network are needed; got none"),
    "other images": (
        lambda two: in_one_frame({**two, "third": cloud(2, n=9)}),
        "got {'standard': 24, 'pgd_at': 24, 'third': 9}",
    ),
    "other labels": (
        lambda two: in_one_frame({**two, "third": replace(two["pgd_at"], y=two["pgd_at"].y.flip(0))}),
        "The labels in 'third' are not those in 'standard': embed the same images",
    ),
    "maps of features": (lambda two: frames({"a": torch.ones(2, 3, 4)}), "must be a batch of embeddings (B, D)"),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_a_sentence(call, words, two):
    with pytest.raises(ValueError, match=r"[.?]$") as caught:
        call(two)
    assert words in str(caught.value)
