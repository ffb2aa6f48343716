"""Each of these notebooks is broken in a way of its own, and the browser tests notice. And JupyterLab asks nothing."""

import json
import urllib.request

import pytest

pytestmark = pytest.mark.browser

CELL = "1 / 0"
CALLBACK = """
from ipywidgets import IntSlider
slider = IntSlider(description="eps")
slider.observe(lambda change: 1 / 0, "value")
slider
"""
CAUGHT = """
from ipywidgets import IntSlider, interactive
interactive(lambda eps: 1 / eps, eps=IntSlider(0))  # shows the traceback in an output of its own
"""
VIEW = """
from ipywidgets import Image
Image(value=b"", tooltip="a tooltip without a description")
"""


@pytest.mark.parametrize("source", [CELL, CALLBACK, CAUGHT, VIEW], ids=["cell", "callback", "caught", "view"])
def test_a_failure_is_noticed_wherever_it_shows(source, notebook):
    page = notebook(source)
    if source == CALLBACK:
        page.assert_no_traceback()  # nothing has failed until the slider moves
        page.slider("eps").press("ArrowRight")
    page.page.wait_for_function(
        "kernelErrors.length || document.querySelector('.jupyter-widgets-error-widget')", timeout=10_000
    )
    with pytest.raises(AssertionError, match=r"ZeroDivisionError|could not be shown"):
        page.assert_no_traceback()


def test_nobody_is_asked_about_news_from_the_network(lab):
    address = f"{lab.url}lab/api/settings/@jupyterlab/apputils-extension:notification?token={lab.token}"
    with urllib.request.urlopen(address) as answer:
        properties = json.load(answer)["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"  # "none" is JupyterLab's own: it asks
    assert properties["checkForUpdates"]["default"] is False
