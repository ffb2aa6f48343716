"""A JupyterLab of one's own, and a notebook in it as a reader at the keyboard meets it."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START = 60  # seconds for the server, and for the page


def browser_path():
    """The first browser of ``BROWSERS`` on this computer, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Lab:
    """A JupyterLab server with a folder, settings, token and port of its own; it touches nothing of the user's."""

    def __init__(self, folder: Path) -> None:
        self.root, home = folder / "root", folder / "home"
        self.root.mkdir()
        self.log = folder / "server.log"
        self.token = secrets.token_hex(16)
        page = home / "config" / "labconfig" / "page_config.json"
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
        settings = home / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text('{"windowingMode": "none"}')  # else cells out of sight are not in the page
        places = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = {name: str(home / place) for name, place in places.items()}
        options = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ServerApp.port=0",  # any free one
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
        ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                env={**os.environ, **environment, "JUPYTER_PREFER_ENV_PATH": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.url = self._wait(home / "runtime" / f"jpserver-{self.process.pid}.json")
        except BaseException:
            self.stop()
            raise

    def _wait(self, announcement: Path) -> str:
        """The address, once the server answers."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self.process.poll() is None:
            time.sleep(0.1)
            try:
                url = json.loads(announcement.read_text())["url"]
                urllib.request.urlopen(f"{url}api/status?token={self.token}").close()
            except (OSError, ValueError):  # not written, half written, or not listening yet
                continue
            return url
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def add(self, notebook: Path) -> str:
        """Copy a notebook into the served folder; returns its name there."""
        shutil.copy(notebook, self.root)
        return notebook.name

    def stop(self) -> None:
        """End the server and its kernels."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


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

    def assert_no_traceback(self) -> None:
        """The kernel has reported no error, from a cell or from what a control called, and every widget is shown.

        An error in a callback appears in no output: JupyterLab files it in a log that stays closed.
        """
        assert not (errors := self.page.evaluate("window.kernelErrors")), errors[0]
        broken = self.page.locator(".jupyter-widgets-error-widget")
        assert broken.count() == 0, "a widget could not be shown: " + broken.first.inner_text()

    @property
    def demo(self):
        """The output that holds the demo; every demo has a slider."""
        outputs = self.page.locator(".jp-OutputArea-output")
        return outputs.filter(has=self.page.locator(".widget-slider")).nth(self.number)

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
