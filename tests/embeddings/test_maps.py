"""Maps show all networks in one plane, and give everyone their own points back."""

import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seminar_lib.embeddings import Plane, in_one_frame, pca, tsne, umap

from .conftest import cloud


def eigenvectors(z):
    """The two directions of largest variance, from the covariance."""
    values, vectors = np.linalg.eigh(np.cov(z.double().numpy().T))
    return vectors[:, ::-1][:, :2], values[::-1] / values.sum()


def test_the_plane_is_that_of_the_largest_eigenvectors(two):
    z = two["standard"].z
    plane = Plane.through(z)
    expected, shares = eigenvectors(z)
    np.testing.assert_allclose(np.abs(plane.axes.double().numpy().T @ expected), np.eye(2), atol=1e-5)
    np.testing.assert_allclose(plane.share, shares[:2], rtol=1e-4)
    torch.testing.assert_close(plane(z), (z - z.mean(0)) @ plane.axes)


def test_points_of_a_plane_are_mapped_without_loss():
    """In three dimensions, on a plane: all distances are kept, for new points of the plane too."""
    flat = torch.randn(20, 2)
    into = torch.linalg.qr(torch.randn(3, 3))[0][:2]
    plane = Plane.through(flat[:10] @ into + 4)
    torch.testing.assert_close(torch.pdist(plane(flat @ into + 4)), torch.pdist(flat), atol=1e-5, rtol=0)


def test_pca_is_the_plane_of_all_clean_images_together(two):
    plane = Plane.through(torch.cat([part.z for part in two.values()]))
    for name, part in pca(two).items():
        torch.testing.assert_close(part.z, plane(two[name].z))
        torch.testing.assert_close(part.z_adv, plane(two[name].z_adv))
        assert torch.equal(part.y, two[name].y)
        assert torch.equal(part.fooled, two[name].fooled)


def neighbours_kept(far, near):
    """The share of points whose nearest neighbour on the map is among the five nearest in all dimensions."""
    five = torch.cdist(far, far).fill_diagonal_(torch.inf).topk(5, largest=False).indices
    nearest = torch.cdist(near, near).fill_diagonal_(torch.inf).argmin(1)
    return float((five == nearest[:, None]).any(1).float().mean())


def test_tsne_keeps_neighbours_across_networks_and_repeats_itself():
    parts = {"first": cloud(0), "near": cloud(0)}
    parts["near"] = replace(parts["near"], z=parts["near"].z + 0.01)
    maps = tsne(parts, perplexity=10)
    assert {part.z.shape for part in maps.values()} == {(24, 2)}
    far = torch.cat([z for part in parts.values() for z in (part.z, part.z_adv)])
    near = torch.cat([z for part in maps.values() for z in (part.z, part.z_adv)])
    assert neighbours_kept(far, near) > 0.9
    span = (near.amax(0) - near.amin(0)).max()
    assert (maps["first"].z - maps["near"].z).norm(dim=1).median() < 0.05 * span, "the same image, the same place"
    again = tsne(parts, perplexity=10)
    assert all(torch.equal(part.z, again[name].z) for name, part in maps.items())


@pytest.fixture
def stand_in(monkeypatch):
    """Takes the place of umap-learn: its map is the first two features."""
    settings = {}

    def make(**given):
        settings.update(given)
        return SimpleNamespace(fit_transform=lambda z: z[:, :2])

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=make))
    return settings


def test_umap_gets_all_points_at_once_and_a_seed(two, stand_in):
    for name, part in umap(two, neighbours=7, seed=3).items():
        assert torch.equal(part.z, two[name].z[:, :2])
        assert torch.equal(part.z_adv, two[name].z_adv[:, :2])
    assert (stand_in["n_neighbors"], stand_in["random_state"]) == (7, 3)


def test_umap_itself_keeps_neighbours(two):
    pytest.importorskip("umap")
    maps = umap(two, neighbours=10)
    assert torch.equal(maps["pgd_at"].z, umap(two, neighbours=10)["pgd_at"].z)
    assert neighbours_kept(two["pgd_at"].z, maps["pgd_at"].z) > 0.5


def test_umap_that_is_missing_is_asked_for(two, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"python -m pip install umap-learn"):
        umap(two)


BAD = {
    "nothing": (lambda two: pca({}), "at least one network are needed; got none"),
    "other features": (
        lambda two: tsne({**two, "third": cloud(2, features=4)}),
        "got {'standard': 6, 'pgd_at': 6, 'third': 4}. Call in_one_frame first.",
    ),
    "one feature": (lambda two: pca({"a": cloud(0, features=1)}), "of two features or more; got shape (24, 1)"),
    "two images": (lambda two: Plane.through(torch.eye(2)), "three embeddings or more"),
    "perplexity 0": (lambda two: tsne(two, perplexity=0), "below the 96 points; got 0"),
    "perplexity 96": (lambda two: tsne(two, perplexity=96), "below the 96 points; got 96"),
    "neighbours 1": (lambda two: umap(two, neighbours=1), "UMAP needs 2 neighbours or more"),
    "neighbours 96": (lambda two: umap(two, neighbours=96), "fewer than the 96 points; got 96"),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (torch.eye(6), "got Tensor."),
        ({"pgd_at": torch.eye(6), "standard": cloud(0)}, "got dict of Tensor, Embedded."),
    ],
)
@pytest.mark.parametrize("through", [pca, tsne, in_one_frame])
def test_embeddings_come_by_the_names_of_networks(through, given, words):
    with pytest.raises(TypeError, match=re.escape("{'pgd_at': embed_pairs(model, x, x_adv, y)}; " + words)):
        through(given)


@pytest.mark.usefixtures("as_users_call_it", "stand_in")
@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_a_sentence(call, words, two):
    with pytest.raises(ValueError, match=r"[.?]$") as caught:
        call(two)
    assert words in str(caught.value)
