"""A real app, a real worker and a real Chromium, in a LAB_HOME of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from core import settings

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@dataclass
class Lab:
    """A running lab: its folder, its address, Streamlit's options for it and its server process."""

    home: Path
    port: int
    options: tuple[str, ...] = ()
    server: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"LAB_HOME": str(self.home), "HF_HUB_OFFLINE": "1"}

    def start(self) -> None:
        """`make run` without its set-up."""
        command = [sys.executable, "-m", "scripts.serve", "--server.port", str(self.port), *self.options]
        with (self.home / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                command,
                cwd=settings.ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).read()
                return
            except OSError:
                time.sleep(0.25)
        raise RuntimeError((self.home / "server.log").read_text())

    def kill_server(self) -> None:
        """kill -9, as a crash would."""
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def processes(self, words: str) -> list[psutil.Process]:
        """This lab's processes whose command line has these words."""
        found = []
        for process in psutil.process_iter():
            try:
                if words in " ".join(process.cmdline()) and process.environ().get("LAB_HOME") == str(
                    self.home
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def stop(self) -> None:
        for words in ("scripts.serve", "core worker", "core.students"):
            for process in self.processes(words):
                try:
                    process.kill()
                except psutil.Error:
                    continue
        if self.server is not None:
            self.server.wait()


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab with the embedded models at hand and nothing in its store."""
    models = Path(os.environ.get("LAB_HOME") or settings.ROOT / ".lab") / "models"
    if not (models / "SmolLM2-135M-Instruct").is_dir():
        pytest.skip("the embedded models are not here: run `python -m core models fetch`")
    home = tmp_path / "lab"
    home.mkdir()
    (home / "models").symlink_to(models)
    monkeypatch.setenv("LAB_HOME", str(home))
    running = Lab(home, free_port())
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")  # while Playwright runs, its event loop is the thread's
def browser():
    """Debian's Chromium, or Playwright's own."""
    from playwright.sync_api import Error, sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=path, args=QUIET)
        except Error:
            pytest.skip("no Chromium here: `make browser` installs one")
        yield started
        started.close()


@pytest.fixture
def page(browser, lab: Lab):
    """A tab on the lab's first page."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(30_000)
    tab.goto(lab.url)
    yield tab
    tab.close()
