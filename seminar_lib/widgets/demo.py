"""What every demo is: controls, a sentence and a picture that follow a state.

The picture travels as a PNG into the plainest of widgets. The sentence says what it shows, for those who read with
their ears, and for tests. JupyterLab holds changes back while the kernel is busy and then sends the newest: fast key
presses skip pictures, but always end on the right one.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from IPython.display import Image as StaticImage
from ipywidgets import HTML, HBox, Image, Layout, ValueWidget, VBox
from traitlets import Unicode

from seminar_lib.widgets.canvas import DENSITY, Pixels, png

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")  # a demo's state: a frozen dataclass with a field for each control


class Picture(Image):  # type: ignore[misc]  # ipywidgets has no types
    """An image with a tooltip, which is what a browser reads out to those who cannot see the picture."""

    description = Unicode().tag(sync=True)  # ipywidgets fails to show a tooltip where there is no description


class Demo(ABC, Generic[S]):
    """A picture under controls; a notebook shows it when it is the last line of a cell.

    Args:
        state: what is shown first.
        rows: the controls, row by row, by the name of the field of the state that each sets. All need a description.
        subject: what the picture is of, in a few words.

    Attributes:
        state: what is shown now.
        controls: all controls by name; setting the ``value`` of one changes the picture.
        picture: the widget that shows the picture.
        sentence: the widget that shows the sentence.
        widget: all of them together.
        lines: of the page that the sentence may fill.
    """

    lines: ClassVar[int] = 1

    def __init__(self, state: S, rows: Sequence[Mapping[str, ValueWidget]], subject: str) -> None:
        self.state = state
        self.controls = {name: control for row in rows for name, control in row.items()}
        height, width, _ = self.render(state).shape
        self.picture = Picture(format="png", width=width // DENSITY, height=height // DENSITY, tooltip=subject)
        self.sentence = HTML(
            layout=Layout(height=f"{2 * self.lines}em")
        )  # as fixed as the picture: nothing on the page may jump
        self._show()
        for name, control in self.controls.items():
            control.value = getattr(state, name)
            control.observe(self._follow, "value")
            control.add_class("jupyter-widgets").add_class("widget-inline-hbox")  # or some put their description above
        self.widget = VBox([*(HBox(list(row.values())) for row in rows), self.sentence, self.picture])

    @abstractmethod
    def render(self, state: S) -> Pixels:
        """The picture of a state (H, W, 3), always of the same size."""

    @abstractmethod
    def describe(self, state: S) -> str:
        """What the picture shows, in a sentence or two."""

    def static(self) -> StaticImage:
        """The picture as it is now, for paper and for pages without a kernel; its alt text is the sentence."""
        return StaticImage(self.picture.value, width=int(self.picture.width), alt=self.describe(self.state))

    def _follow(self, change: object) -> None:
        self.state = replace(self.state, **{name: control.value for name, control in self.controls.items()})
        self._show()

    def _show(self) -> None:
        self.picture.value = png(self.render(self.state))
        self.sentence.value = f'<div role="status" aria-live="polite">{escape(self.describe(self.state))}</div>'

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)


def check_named(demo: str, takes: str, given: object) -> None:
    """Refuse anything but a mapping with at least one entry.

    Args:
        demo: who asks.
        takes: what it takes, with an example.
        given: what it got.

    Raises:
        TypeError: it is something else, or empty.
    """
    if not isinstance(given, Mapping) or not given:
        empty = " without any" if isinstance(given, Mapping) else ""
        raise TypeError(f"{demo} takes {takes}; got {type(given).__name__}{empty}.")
