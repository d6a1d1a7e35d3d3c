"""The process that fine-tunes a student, driven by files alone.

    python -m core.students.child RUN_DIR            fine-tunes as RUN_DIR/config.json says
    python -m core.students.child RUN_DIR preview    what it would do, as JSON, doing nothing

Ends with 0 when done (RUN_DIR/done.json), 2 after a sentence for the user (RUN_DIR/error.txt), 3 when it
was told to stop and can be resumed, 1 after a defect. SIGTERM saves and stops. The same happens when the
process that started this one ends, or is frozen for UNFOLLOWED_SECONDS. With several GPUs one process runs on
each, started by torch's own launcher and joined by accelerate.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psutil

from core.errors import LabError
from core.students import checkpoints
from core.students.config import TrainConfig
from core.students.folder import FOLLOWED, RunFolder, write

WATCH_SECONDS = 1.0
UNFOLLOWED_SECONDS = 20  # nobody has looked at it: the worker is frozen, and another one may have its job
ORPHAN_GRACE_SECONDS = 4  # to save; then it ends all the same
LAUNCHED = "LAB_LAUNCHED_BY"  # in the processes of a launcher: the process that called it


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m core.students.child")
    parser.add_argument("folder", type=Path)
    parser.add_argument("task", nargs="?", choices=("train", "preview"), default="train")
    parser.add_argument("--processes", type=int, help="default: one per GPU")
    # The worker passes its own id: if it is killed while this process starts, getppid() names another one.
    parser.add_argument("--parent", type=int, default=os.getppid(), help="stop when this process is gone")
    asked = parser.parse_args(arguments)
    folder = RunFolder(asked.folder.resolve())
    launched = LAUNCHED in os.environ
    # cuBLAS reads this when it starts: without it, its sums are not the same from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that spin while they wait make a machine shared with anything else several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        config = folder.config()
        if asked.task == "preview":
            return _preview(folder, config)
        if folder.done:
            return 0
        if launched:
            return _work(folder, config, asked.parent)
        with folder.lock():
            for left in ("error.txt", FOLLOWED):
                (folder.path / left).unlink(missing_ok=True)
            from torch.cuda import device_count

            processes = asked.processes or device_count()
            if processes > 1:
                return _launch(folder, processes, asked.parent)
            return _work(folder, config, asked.parent)
    except LabError as problem:
        _fail(folder, str(problem))
        return 2
    except Exception as problem:  # a defect: the sentence is shown, the log holds the traceback
        traceback.print_exc()
        _fail(
            folder,
            f"Something unexpected went wrong ({type(problem).__name__}): see {folder.path}/child.log.",
        )
        return 1


def _work(folder: RunFolder, config: TrainConfig, parent: int) -> int:
    """Train in this process."""
    from core.students.training import Stop, Stopped, train

    stop, started = Stop(), time.monotonic()
    _at_the_end(stop.ask, folder, parent)
    folder.status("running", "loading the student")
    try:
        done = train(folder, config, stop)
    except (Stopped, RuntimeError) as problem:
        # Processes that are told to stop leave one after the other, and break each other's connections.
        if not (stop.asked or isinstance(problem, Stopped)):
            raise
        folder.status("stopped", "stopped; it can be resumed")
        return 3
    if os.environ.get("RANK", "0") == "0":
        done["seconds"] = round(time.monotonic() - started, 2)
        write(folder.path / "done.json", json.dumps(done, indent=1))
        checkpoints.forget_optimizers(folder)
        folder.status("done", "done", 1, 1)
    return 0


def _preview(folder: RunFolder, config: TrainConfig) -> int:
    from core.students.preview import preview

    found = json.dumps(preview(folder, config), ensure_ascii=False)
    write(folder.path / "preview.json", found)
    print(found)
    return 0


def _launch(folder: RunFolder, processes: int, parent: int) -> int:
    """One process a GPU. Where memory runs out in one of them, all start again with half the rows."""
    import torch

    from core.students.training import ROWS_PER_PASS, SMALLER

    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command += ["-m", "core.students.child", str(folder.path)]
    env = os.environ | {LAUNCHED: str(os.getpid())}
    if not torch.cuda.is_available():
        env["ACCELERATE_USE_CPU"] = "true"
    while True:
        child = subprocess.Popen(command, env=env)
        _at_the_end(child.terminate, folder, parent)
        code = child.wait()
        if folder.done:
            return 0
        if code and (folder.path / SMALLER).is_file():
            (folder.path / SMALLER).rename(folder.path / ROWS_PER_PASS)
            continue
        if (folder.path / "error.txt").is_file():
            return 2
        said = json.loads((folder.path / "status.json").read_text(encoding="utf-8"))
        return 3 if said["state"] == "stopped" else 1


def _at_the_end(stop: Callable[[], None], folder: RunFolder, parent: int) -> None:
    """Call `stop` at a signal, and when the process that started this one is gone or frozen."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    threading.Thread(target=_watch_parent, args=(folder, parent), daemon=True).start()


def _watch_parent(folder: RunFolder, parent: int) -> None:
    """Stop when the process that started this one is gone or frozen: nobody would read the results."""
    if parent == 1:
        return
    caller = int(os.environ.get(LAUNCHED, os.getpid()))
    last, unseen = _followed(folder), 0.0
    while os.getppid() == parent and psutil.pid_exists(caller) and unseen < UNFOLLOWED_SECONDS:
        time.sleep(WATCH_SECONDS)
        # Counted here, not read from a clock: a machine that was asleep is no frozen worker.
        unseen = unseen + WATCH_SECONDS if last is not None and last == _followed(folder) else 0.0
        last = _followed(folder)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(ORPHAN_GRACE_SECONDS)
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(4)


def _followed(folder: RunFolder) -> int | None:
    """When someone last waited for the run; None for one that was started by hand."""
    file = folder.path / FOLLOWED
    return file.stat().st_mtime_ns if file.exists() else None


def _fail(folder: RunFolder, sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
    if folder.path.is_dir():
        write(folder.path / "error.txt", sentence + "\n")
        folder.status("failed", sentence)


if __name__ == "__main__":
    sys.exit(main())
