"""Draw the figures of a deck: those that ``slides/figures/NN_name.py`` makes with the library and its networks.

Each public function of that file takes nothing and returns a matplotlib figure; ``curve`` of ``01_fgsm.py`` becomes
``figures/01_fgsm/curve.svg``. The same versions of the libraries on the same kind of computer give the same files.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from scour.scour import parse_args, scourString

from seminar_lib.lessons.pictures import packed
from seminar_lib.plots import VERMILLION
from slides.deck import FOLDER

FIGURES = FOLDER / "figures"
DEEP = "#b34700"  # letters take 4.5:1, which vermillion on white is not; slides/theme.css has the same
EMBEDDED = re.compile(r'(?<=data:image/png;base64,)[^"]*')
# Places to five digits, which is a hundredth of a point, where matplotlib writes a millionth; a line for each element.
# Styles stay styles: as attributes they would lose to the rule about line caps that matplotlib writes at the top.
SHORT = parse_args(
    [
        "--indent=none",
        "--enable-id-stripping",
        "--shorten-ids",
        "--remove-metadata",
        "--disable-style-to-xml",
        "--quiet",
    ]
)
LOOK: dict[Any, Any] = {  # of any key, as matplotlib's types name each that there is
    "font.size": 15,  # points; a figure fills a slide of 1280 pixels, and is 9 inches wide or less
    "axes.titlesize": 15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.5,
    "lines.markersize": 8,
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # each word names them all
    "svg.fonttype": "none",  # words stay words: small files, which a browser sets in a font that it has
    "svg.hashsalt": "seminar",  # else each run names the parts of the file anew
}


def drawings(name: str) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """What draws each figure of a deck, by the name of the figure.

    Raises:
        ValueError: the deck has no file of figures.
    """
    path = FIGURES / f"{name}.py"
    specification = importlib.util.spec_from_file_location(f"figures_{name}", path)
    if not path.exists() or specification is None or specification.loader is None:
        raise ValueError(f"There is no {path.relative_to(FOLDER.parent)}, which would draw the figures of {name!r}.")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for part, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__ and not part.startswith("_"):
            yield part, function


def draw(function: Callable[[], Figure], path: Path) -> None:
    """Call ``function``, always with the same random numbers, and write its figure as SVG."""
    torch.manual_seed(0)
    with mpl.rc_context(LOOK):
        figure = function()
        for image in figure.findobj(AxesImage):
            image.set_interpolation("none")  # the pixels as they are, for the browser to enlarge
        for text in figure.findobj(Text):
            if same_color(text.get_color(), VERMILLION):
                text.set_color(DEEP)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
    path.write_text(shorter(path.read_text(encoding="utf-8")), encoding="utf-8")


def shorter(svg: str) -> str:
    """The same figure in two thirds of the bytes, its pixels as they are."""
    pixels_packed = EMBEDDED.sub(lambda png: b64encode(packed(b64decode(png[0]))).decode(), svg)
    return str(scourString(pixels_packed, SHORT))
