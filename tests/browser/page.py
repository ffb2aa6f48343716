"""A notebook in JupyterLab as a reader at the keyboard meets it."""

from playwright.sync_api import expect

from .lab import START, Lab


class NotebookPage:
    """One notebook, open in JupyterLab.

    Attributes:
        page: Playwright's page, for whatever has no method here.
        number: which of the notebook's demos is meant, from 0.
    """

    number = 0

    def __init__(self, page, lab: Lab, name: str) -> None:
        self.page = page
        page.goto(f"{lab.url}lab/tree/{name}?token={lab.token}&reset")
        page.wait_for_function(
            "name => window.jupyterapp?.shell.currentWidget?.context?.path === name", arg=name, timeout=1000 * START
        )
        self._in_notebook(
            """await panel.context.ready;
            await panel.sessionContext.ready;
            window.kernelErrors = [];
            panel.sessionContext.iopubMessage.connect((_, message) => {
                if (message.header.msg_type === "error") kernelErrors.push(message.content.traceback.join("\\n"));
            });""",
            START,
        )
        page.evaluate("jupyterapp.commands.execute('filebrowser:hide-main')")

    def run_all_and_wait(self, seconds: int = 60) -> None:
        """Run all cells, as the menu does, until the last is done."""
        self._in_notebook("await jupyterapp.commands.execute('notebook:run-all-cells');", seconds)

    def run_all(self) -> None:
        """Begin to run all cells, to look on meanwhile."""
        self.page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")

    def wait_until_busy(self) -> None:
        """Return once the kernel is at work; between two cells it is idle for a moment."""
        self.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'")

    def assert_no_traceback(self) -> None:
        """The kernel has reported no error, from a cell or from what a control called, and every widget is shown.

        An error in a callback appears in no output: JupyterLab files it in a log that stays closed.
        """
        assert not (errors := self.page.evaluate("window.kernelErrors")), errors[0]
        broken = self.page.locator(".jupyter-widgets-error-widget")
        assert broken.count() == 0, "a widget could not be shown: " + broken.first.inner_text()

    def answers(self) -> dict[str, str]:
        """What the check of each exercise printed, by the number of the exercise."""
        return self._in_notebook(
            """const checks = panel.content.widgets.filter(cell => cell.model.getMetadata("check"));
            return Object.fromEntries(checks.map(cell => [
                cell.model.getMetadata("check"),
                cell.model.outputs.toJSON().map(output => [output.text].flat().join("")).join(""),
            ]));"""
        )

    @property
    def demo(self):
        """The output that holds the demo; every demo has a slider, or at least a picture."""
        outputs = self.page.locator(".jp-OutputArea-output")
        return outputs.filter(has=self.page.locator(".widget-slider, .widget-image")).nth(self.number)

    @property
    def picture(self):
        """The picture of the demo."""
        return self.demo.locator(".widget-image")

    @property
    def sentence(self):
        """The words of the demo."""
        return self.demo.get_by_role("status")

    def slider(self, description: str):
        """The handle of the slider with this description: what has the focus when the arrow keys move it."""
        row = self.demo.locator(".widget-slider", has=self.page.get_by_text(description, exact=True))
        return row.get_by_role("slider")

    def pixels(self) -> bytes:
        """The demo's picture as it stands on the screen."""
        self.picture.evaluate("image => image.decode()")
        return self.picture.screenshot()

    def press(self, key: str, words: str, times: int = 1) -> bytes:
        """Press a key where the focus is; once the sentence holds ``words``, the picture."""
        for _ in range(times):
            self.page.keyboard.press(key)
        expect(self.sentence).to_contain_text(words)
        return self.pixels()

    def rush(self, key: str, times: int, end: str, back: str, before: str) -> bytes:
        """Press a key many times: the picture that this ends on is the same as when one comes there slowly.

        Args:
            key: moves the slider that has the focus.
            times: how often it is pressed.
            end: words of the sentence at the end.
            back: the key that moves the slider the other way.
            before: words of the sentence one step before the end.
        """
        after_a_rush = self.press(key, end, times)
        self.press(back, before)
        assert self.press(key, end) == after_a_rush
        return after_a_rush

    def push(self, button: str, words: str) -> bytes:
        """Tab to the button with this text and press Enter; once the sentence holds ``words``, the picture."""
        for _ in range(20):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent") == button:
                break
        return self.press("Enter", words)

    def next_image(self) -> None:
        """Move on to the next image, which is another picture."""
        source = self.picture.get_attribute("src")
        self.slider("image").press("ArrowRight")
        expect(self.picture).not_to_have_attribute("src", source)

    def key_to_pixels(self, control, key: str, times: int) -> list[float]:
        """Milliseconds from a key press on ``control`` to changed pixels, for each of several presses."""
        self.picture.evaluate(
            """image => {
                window.waits = [];
                window.watch?.disconnect();
                let pressed;
                window.addEventListener("keydown", event => { pressed = event.timeStamp; }, true);
                window.watch = new MutationObserver(async () => {
                    const start = pressed;
                    await image.decode();
                    requestAnimationFrame(() => {  // runs before the frame is painted, a message's handler after it
                        const painted = new MessageChannel();
                        painted.port1.onmessage = () => waits.push(performance.now() - start);
                        painted.port2.postMessage(null);
                    });
                });
                watch.observe(image, {attributeFilter: ["src"]});
            }"""
        )
        control.focus()
        for press in range(times):
            self.page.keyboard.press(key)
            self.page.wait_for_function("count => waits.length === count", arg=press + 1)
            self.page.wait_for_timeout(100)  # the kernel comes to rest, as between the presses of a person
        return self.page.evaluate("waits")

    def _in_notebook(self, script: str, seconds: int = 10):
        """Run JavaScript in the page, where ``panel`` is the notebook."""
        return self.page.evaluate(
            """([script, seconds]) => {
                const panel = jupyterapp.shell.currentWidget;
                const work = (async panel => eval(`(async () => { ${script} })()`))(panel);
                const late = new Promise((_, fail) =>
                    setTimeout(() => fail(new Error(`not done after ${seconds} s: ${script}`)), 1000 * seconds));
                return Promise.race([work, late]);
            }""",
            [script, seconds],
        )


def all_differ(pictures) -> bool:
    """Whether no picture is there twice."""
    return len(set(pictures)) == len(pictures)
