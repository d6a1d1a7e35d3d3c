"""The child process of heavy work: it gives results, and it goes when its parent is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil

from core import process, settings

PARENT = """
import os, time
from core import process
if __name__ == "__main__":
    pool = process.pool()
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_what_the_child_starts_with():
    with process.pool(os.putenv, "STARTED", "yes") as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


def test_the_child_of_a_killed_parent_goes(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": str(settings.ROOT)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the child outlives its parent"
        time.sleep(0.05)
