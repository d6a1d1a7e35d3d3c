"""A PostgreSQL server of the tests' own, in a folder of its own, on a port of 127.0.0.1.

It needs Debian's package `postgresql` (`make postgres`). It refuses to run as root: then another account
runs it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

ACCOUNTS = ("postgres", "nobody")  # whichever there is


def binaries() -> Path | None:
    """The folder of initdb and postgres; None where PostgreSQL is not installed."""
    found = [Path(path).resolve().parent for name in ("postgres",) if (path := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").is_file()), None)


class Server:
    """A running server; `database()` makes another empty database and returns its URL."""

    def __init__(self, port: int) -> None:
        self._port, self._numbers = port, count(1)

    def url(self, database: str = "postgres", user: str = "lab") -> str:
        return f"postgresql://{user}@127.0.0.1:{self._port}/{database}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def database(self) -> str:
        name = f"lab{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def running() -> Iterator[Server]:
    """A server over an empty folder, both gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lab-postgresql-"))  # another account cannot reach pytest's
    account = _account()
    if account is not None:
        shutil.chown(folder, account)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"user": account, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    data = folder / "data"
    initdb = [binaries() / "initdb", "-D", data, "-U", "lab", "--auth=trust", "--no-sync", "--encoding=UTF8"]
    subprocess.run(initdb, check=True, **options)
    # What is lost when the machine loses power does not matter here.
    server = [binaries() / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"]
    quick = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    with subprocess.Popen([*server, *quick], **options) as process:
        try:
            made = Server(port)
            while process.poll() is None:
                try:
                    made.execute("SELECT 1")
                    break
                except psycopg.OperationalError:
                    continue
            yield made
        finally:
            process.send_signal(signal.SIGINT)  # it waits for nobody
            process.wait()
            shutil.rmtree(folder)


def _account() -> str | None:
    """Who runs the server; None: whoever runs the tests."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ACCOUNTS if name in names)
