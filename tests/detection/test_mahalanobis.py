"""The Mahalanobis distance: scikit-learn's covariance, SciPy's distance, and what an affine map cannot change."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import EmpiricalCovariance

from seminar_lib.detection import Mahalanobis
from seminar_lib.detection.mahalanobis import gaussians


@pytest.fixture
def clouds() -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes of one skewed shape."""
    y = torch.arange(150) % 3
    return torch.randn(150, 6) @ torch.randn(6, 6) + 3 * torch.randn(3, 6)[y], y


def test_the_covariance_is_that_of_scikit_learn(clouds):
    z, y = clouds
    means, precision = gaussians(z, y, 3)
    around = torch.cat([z[y == label] - z[y == label].mean(0) for label in range(3)])
    expected = EmpiricalCovariance(assume_centered=True).fit(around.double().numpy())
    np.testing.assert_allclose(precision, expected.precision_, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(means[1], z[y == 1].mean(0))


def test_the_score_is_the_squared_distance_to_the_nearest_class(tiny, task, x):
    detector = Mahalanobis.fit(tiny, task)
    with torch.no_grad():
        z, z_train = tiny.embed(x).double(), tiny.embed(task.train.sample(200).x).double()
    y = task.train.sample(200).y
    means = np.stack([z_train[y == label].mean(0) for label in range(5)])
    around = z_train.numpy() - means[y]
    precision = np.linalg.pinv(around.T @ around / len(around), hermitian=True)
    expected = [min(mahalanobis(one, mean, precision) ** 2 for mean in means) for one in z.numpy()]
    np.testing.assert_allclose(detector.scores(x), expected, rtol=1e-2)


def test_distances_do_not_depend_on_the_units_of_the_features(clouds):
    """What makes it better than the Euclidean distance: an invertible map of the features changes nothing."""
    z, y = clouds
    turn = torch.randn(6, 6)

    def distances(z: torch.Tensor) -> torch.Tensor:
        means, precision = gaussians(z, y, 3)
        away = z[:, None] - means
        return ((away @ precision) * away).sum(2)

    torch.testing.assert_close(distances(z @ turn), distances(z), rtol=1e-2, atol=1e-2)


def test_a_dead_feature_changes_nothing(clouds):
    z, y = clouds
    _, precision = gaussians(torch.cat([z, torch.full((150, 1), 2.0)], 1), y, 3)
    torch.testing.assert_close(precision[:6, :6], gaussians(z, y, 3)[1], rtol=1e-4, atol=1e-5)
    assert not precision[6].any()
