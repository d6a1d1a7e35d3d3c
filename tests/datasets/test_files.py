"""Downloads against a real local server: checked, followed, and never half there."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.datasets.files import File, Unavailable, cached, fetch
from core.errors import LabError

CONTENT = b'{"question": "1 + 1?"}\n' * 4000


class Handler(BaseHTTPRequestHandler):
    """/whole gives everything, /cut closes half-way, /other something else."""

    def do_GET(self) -> None:
        self.server.calls += 1
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        body = {"/cut": CONTENT[: len(CONTENT) // 2], "/other": CONTENT[::-1]}.get(self.path, CONTENT)
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "data"))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.calls = 0
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def _file(server, path: str) -> File:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return File("some/place/file.jsonl", f"http://127.0.0.1:{server.server_port}{path}", digest, len(CONTENT))


def test_a_file_is_fetched_once(server):
    file, seen = _file(server, "/whole"), []
    assert not cached(file)
    path = fetch(file, lambda name, done, of: seen.append((name, done, of)))
    assert path.read_bytes() == CONTENT and cached(file)
    assert seen[-1] == ("file.jsonl", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen if done <= len(CONTENT)] == [done for _, done, _ in seen]
    assert fetch(file) == path and server.calls == 1


@pytest.mark.parametrize("path", ["/cut", "/other", "/missing"])
def test_what_is_not_the_file_is_not_kept(server, path, tmp_path):
    with pytest.raises(LabError) as error:
        fetch(_file(server, path))
    assert "file.jsonl" in str(error.value)
    assert not [p for p in (tmp_path / "data").rglob("*") if p.is_file()]


def test_no_network_and_nothing_cached(server, tmp_path):
    file = File("a/b.json", "http://127.0.0.1:1/b.json", "0" * 64, 10)
    with pytest.raises(Unavailable, match="LAB_DATA_DIR"):
        fetch(file)
    assert not [p for p in (tmp_path / "data").rglob("*") if p.is_file()]


def test_a_wrong_file_in_the_cache_is_left_and_named(server, tmp_path):
    file, path = _file(server, "/whole"), tmp_path / "data/some/place/file.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(LabError, match="delete it"):
        fetch(file)
    assert path.read_bytes() == b"mine" and server.calls == 0


def test_a_file_changed_after_its_check_is_noticed(server):
    path = fetch(_file(server, "/whole"))
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(LabError, match="delete it"):
        fetch(_file(server, "/whole"))
