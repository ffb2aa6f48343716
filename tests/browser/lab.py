"""A JupyterLab of one's own."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from seminar_lib import bootstrap

START = 60  # seconds for the server, and for the page


class Lab:
    """A JupyterLab server with a folder, settings, token and port of its own; it touches nothing of the user's."""

    def __init__(self, folder: Path) -> None:
        self.root, home = folder / "root", folder / "home"
        self.root.mkdir()
        self.log = folder / "server.log"
        self.token = secrets.token_hex(16)
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
        environment |= {"JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_CONFIG_PATH": str(bootstrap.JUPYTER)}  # as `make lab`
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
                env={**os.environ, **environment},
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
