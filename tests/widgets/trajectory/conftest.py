import pytest

from seminar_lib.widgets.trajectory.scene import Scene


@pytest.fixture
def scene(model, data):
    """Make a scene of one of the four images, with the settings that the demo starts with."""

    def make(image, eps=8, size=2, start=0):
        return Scene.of(model, data[image : image + 1], eps, size, start)

    return make
