"""Logging in with OpenID Connect: a real provider, the app with an [auth] section, and a browser between."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.store import decisions
from tests.clustered import Clustered
from tests.e2e.conftest import Lab, free_port

pytestmark = pytest.mark.browser

ANA = {"sub": "248289761001", "name": "Ana Ruiz", "email": "ana@example.org"}
SECRETS = """[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret of this test alone, long enough"
client_id = "lab"
client_secret = "not checked"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[str]:
    """The address of an OpenID Connect provider that knows Ana."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    with (tmp_path / "provider.log").open("ab") as log:
        server = subprocess.Popen([*command, "--user-claims", json.dumps(ANA)], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(address, timeout=1).read()
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, clustered: Callable[[Path], Clustered]
) -> Iterator[Lab]:
    """A running lab with something to review, where one has to log in."""
    home, port, secrets = tmp_path / "lab", free_port(), tmp_path / "secrets.toml"
    made = clustered(home)
    monkeypatch.setenv("LAB_HOME", str(home))
    secrets.write_text(SECRETS.format(port=port, provider=provider))
    running = Lab(home, port, ("--secrets.files", str(secrets)))
    running.made = made
    running.start()
    yield running
    running.stop()


def test_a_decision_carries_the_name_of_who_logged_in(page, lab: Lab, provider: str):
    run = lab.made.exemplars
    page.route("https://cdn.jsdelivr.net/**", lambda route: route.abort())  # the provider's looks
    page.goto(f"{lab.url}/review")
    accept = page.locator(".st-key-accept button")
    accept.wait_for()
    assert accept.is_disabled() and not page.get_by_label("You review as").count()

    page.locator(".st-key-log_in_None button").click()
    page.wait_for_url(f"{provider}/**")
    page.get_by_role("button", name=ANA["sub"]).click()
    page.wait_for_url(f"{lab.url}/**")
    page.goto(f"{lab.url}/review")
    page.get_by_text("You review as Ana Ruiz.").wait_for()
    accept.click()
    page.get_by_text("1 accepted").wait_for()
    assert [(made.kind, made.author) for made in decisions.since(run)] == [("accept", "Ana Ruiz")]

    page.locator(".st-key-log_out button").click()
    page.get_by_role("button", name="End session").click()  # the provider asks
    page.wait_for_url(f"{lab.url}/**")
    page.goto(f"{lab.url}/review")
    page.locator(".st-key-log_in_None button").wait_for()
    assert accept.is_disabled()
