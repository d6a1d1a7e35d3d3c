"""The child process, as the worker starts it: real processes, real signals."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from core import settings
from core.students.folder import RunFolder, read_lines
from core.students.training import train
from tests.students.tiny import run_folder

pytestmark = pytest.mark.timeout(240)


def command(folder: RunFolder, *more: str) -> list[str]:
    return [sys.executable, "-m", "core.students.child", str(folder.path), *more]


def start(folder: RunFolder, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        command(folder, *more), cwd=settings.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def finish(folder: RunFolder, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder, *more), cwd=settings.ROOT, capture_output=True, text=True)


def wait_for(held, seconds=90):
    until = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def done(folder: RunFolder) -> dict:
    return json.loads((folder.path / "done.json").read_text())


def status(folder: RunFolder) -> dict:
    return json.loads((folder.path / "status.json").read_text())


def weights(folder: RunFolder):
    return load_file(folder.student / "model.safetensors")


def test_kill_9_and_sigterm_lose_nothing(students, tmp_path):
    fields = {"rows": 50, "epochs": 5, "batch_size": 2}
    whole, parts = (run_folder(tmp_path / name, students["gpt2"], **fields) for name in ("whole", "parts"))
    trained = train(whole, whole.config())  # in this process, from the beginning to the end

    child = start(parts)
    wait_for(lambda: (parts.checkpoints / "epoch-2").is_dir())
    child.kill()
    assert child.wait() == -signal.SIGKILL and not (parts.path / "done.json").exists()

    child = start(parts)
    begun = max(row["step"] for row in read_lines(parts.path / "metrics.jsonl"))
    wait_for(
        lambda: (
            max(r["step"] for r in read_lines(parts.path / "metrics.jsonl")) > begun
            or child.poll() is not None
        )
    )
    child.terminate()
    assert child.wait() in (0, 3)
    if child.returncode == 3:
        assert status(parts)["state"] == "stopped"

    assert finish(parts).returncode == 0
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(parts).items())
    assert parts.epochs() == whole.epochs()
    assert status(parts)["state"] == "done"
    assert done(parts) == json.loads(json.dumps(trained)) | {"seconds": done(parts)["seconds"]}
    assert str(tmp_path) not in json.dumps(done(parts)), "no path of this machine is kept"
    before = (parts.student / "model.safetensors").stat().st_mtime_ns
    assert finish(parts).returncode == 0  # once more does nothing
    assert (parts.student / "model.safetensors").stat().st_mtime_ns == before


def test_a_users_mistake_is_one_sentence_and_status_2(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"])
    config = json.loads((folder.path / "config.json").read_text()) | {"student": str(tmp_path / "no model")}
    (folder.path / "config.json").write_text(json.dumps(config))
    ended = finish(folder)
    said = (folder.path / "error.txt").read_text()
    assert ended.returncode == 2 and said.count("\n") == 1 and "Traceback" not in ended.stderr
    assert said.strip() == ended.stderr.strip() and status(folder)["state"] == "failed"
    (folder.path / "config.json").write_text("{")
    assert finish(folder).returncode == 2


def test_preview_is_one_json_document_and_trains_nothing(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["t5"], max_label_tokens=4)
    ended = finish(folder, "preview")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["rows"] + found["dev_rows"] == 24 and found["steps"] == 12
    assert found["truncated"] == {"inputs": 0, "labels": 24}
    assert found["estimated_memory"]["optimizer"] == 8 * found["parameters"] and found["fits"]
    row = found["first_batch"][0]
    assert [t["text"] for t in row["read"] if not t["padding"]][:2] == ["what", "is"]
    assert all(t["trained"] != t["padding"] for t in row["written"])
    assert not folder.checkpoints.exists() and not (folder.path / "done.json").exists()


def test_it_ends_when_the_process_that_started_it_dies(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"], rows=100, epochs=500, batch_size=1)
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *command(folder)],
        cwd=settings.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pid = int(parent.stdout.readline())
    wait_for(lambda: (folder.path / "metrics.jsonl").is_file())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}") or status(folder)["state"] == "stopped", 60)
    wait_for(lambda: not _runs(pid), 30)
    assert status(folder)["state"] == "stopped" and any(folder.checkpoints.iterdir())


def test_it_ends_where_that_process_has_died_before_it_began(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"], rows=100, epochs=500, batch_size=1)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert finish(folder, "--parent", str(gone.pid)).returncode in (3, 4)
    assert not (folder.path / "done.json").exists()


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_two_processes_train_as_one(students, tmp_path):
    """Data-parallel on the CPU: the same rows a step, so the same losses up to rounding."""
    from tests.students.tiny import tiny_student

    plain = tiny_student(tmp_path / "plain", "gpt2", dropout=0.0)
    fields = {"rows": 21, "batch_size": 5}
    one, two = (run_folder(tmp_path / name, plain, **fields) for name in ("one", "two"))
    train(one, one.config())
    ended = finish(two, "train", "--processes", "2")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert done(two)["processes"] == 2

    def losses(folder):
        return [r["value"] for r in read_lines(folder.path / "metrics.jsonl") if r["name"] == "loss"]

    assert losses(two) == pytest.approx(losses(one), abs=1e-4)
    assert two.epochs().keys() == one.epochs().keys()
    assert two.epochs()[2]["dev_loss"] == pytest.approx(one.epochs()[2]["dev_loss"], abs=1e-4)


def test_several_processes_stop_and_go_on(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"], rows=60, epochs=30, batch_size=2)
    child = start(folder, "train", "--processes", "2")
    wait_for(lambda: (folder.checkpoints / "epoch-1").is_dir())
    child.terminate()
    assert child.wait(60) == 3 and status(folder)["state"] == "stopped"
    reached = max(row["step"] for row in read_lines(folder.path / "metrics.jsonl"))
    child = start(folder, "train", "--processes", "2")
    wait_for(lambda: max(r["step"] for r in read_lines(folder.path / "metrics.jsonl")) > reached)
    child.kill()
    child.wait()
    wait_for(lambda: status(folder)["state"] == "stopped", 60)
