"""The README's pictures, taken from a lab that has run the demo study.

python -m core demo && python scripts/screenshots.py
python scripts/screenshots.py --url http://127.0.0.1:8501 --out docs/images --dark
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

ROOT = Path(__file__).resolve().parents[1]
PICTURES = {
    "overview": "",
    "datasets": "datasets?question=3",
    "generate": "generate",
    "rationales": "rationales",
    "clusters": "clusters",
    "review": "review",
    "train": "train",
    "results": "results",
    "predictions": "results?view=Predictions&shown=wrong",
    "jobs": "jobs",
}
WIDTH, HEIGHT, TALLEST = 1280, 800, 1500
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


def main(
    url: Annotated[str | None, typer.Option(help="A running lab; started here if left out.")] = None,
    home: Annotated[Path | None, typer.Option(help="LAB_HOME of the lab to start.")] = None,
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = ROOT / "docs" / "images",
    width: Annotated[int, typer.Option(help="Width of the window in pixels.")] = WIDTH,
    dark: Annotated[bool, typer.Option(help="The dark theme.")] = False,
    study: Annotated[str | None, typer.Option(help="The study shown; else the newest.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only these pictures.")] = None,
) -> None:
    """Take one picture of every page."""
    out.mkdir(parents=True, exist_ok=True)
    if url is not None:
        take(url, out, width, dark, study, only)
        return
    with running(home) as address:
        take(address, out, width, dark, study, only)


@contextmanager
def running(home: Path | None, app: Path | None = None) -> Iterator[str]:
    """The lab as `make run` starts it, or another app, on a free port of this machine; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | ({"LAB_HOME": str(home.resolve())} if home else {})
    serve = ["scripts.serve"] if app is None else ["streamlit", "run", str(app)]
    server = subprocess.Popen(
        [sys.executable, "-m", *serve, "--server.port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait()


def take(
    url: str, out: Path, width: int, dark: bool, study: str | None = None, only: list[str] | None = None
) -> None:
    """Open every page and save what a visitor sees, down to TALLEST pixels."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = browser.new_page(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if dark else "light",
            device_scale_factor=1.5,
        )
        shown = f"study={quote(study)}" if study else ""
        for name, path in PICTURES.items():
            if only and name not in only:
                continue
            page.goto(f"{url}/{path}{'&' if '?' in path else '?'}{shown}")
            page.wait_for_selector('[data-testid="stHeading"]', timeout=30_000)
            settle(page)
            tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": width, "height": min(max(HEIGHT, tall), TALLEST)})
            settle(page)
            page.screenshot(path=out / f"{name}.png")
            page.set_viewport_size({"width": width, "height": HEIGHT})
            print(out / f"{name}.png")
        browser.close()


def settle(page) -> None:
    """Wait until nothing on the page is still being drawn."""
    page.wait_for_timeout(1200)
    for waiting in ("stSkeleton", "stStatusWidget"):
        page.wait_for_function(
            f"document.querySelectorAll('[data-testid={waiting}]').length === 0", timeout=30_000
        )
    page.wait_for_timeout(800)


if __name__ == "__main__":
    typer.run(main)
