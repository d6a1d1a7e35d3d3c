"""The files of a run: what is asked and what came of it. Each is complete, or grows line by line.

config.json          TrainConfig                     metrics.jsonl   {"name", "step", "epoch", "value"}
rows.jsonl           TrainingRow, one per line       epochs.jsonl    {"epoch", "step", "dev_loss", …}
eval.jsonl           {"question_index", "prompt", "answer"}
status.json          {"state", "stage", "done", "total", …}          error.txt   one sentence
checkpoints/epoch-3/ predictions/epoch-3.jsonl       student/        done.json
followed             touched twice a second by whoever waits for the run
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import LabError
from core.records import TrainingRow
from core.students.config import TrainConfig

FOLLOWED = "followed"
EPOCHS = "epochs.jsonl"
LOCK_SECONDS = 60  # a child that is told to stop may still be saving


@dataclass(frozen=True, slots=True)
class EvalRow:
    """One question to answer: the prompt as the student reads it, and the gold answer if known."""

    question_index: int
    prompt: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions"

    @property
    def student(self) -> Path:
        return self.path / "student"

    @property
    def done(self) -> bool:
        """Whether the student is there, whole."""
        return (self.path / "done.json").is_file()

    @property
    def filled(self) -> bool:
        """Whether what the child reads is there."""
        return (self.path / "config.json").is_file()

    def fill(
        self,
        config: TrainConfig,
        questions: Iterable[dict[str, Any]],
        rows: Iterable[TrainingRow] | None = None,
    ) -> None:
        """Write what the child reads: the config last, so that where it is everything is."""
        if rows is not None:
            write_lines(self.path / "rows.jsonl", (asdict(row) for row in rows))
        write_lines(self.path / "eval.jsonl", questions)
        self.say(config)

    def say(self, config: TrainConfig) -> None:
        """Write what is asked."""
        write(self.path / "config.json", json.dumps(config.dump(), indent=1))

    def config(self) -> TrainConfig:
        """What is asked; LabError where the file is missing or says something impossible."""
        try:
            values = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LabError(f"{self.path} has no config.json: give the folder of a run.") from None
        except ValueError:
            raise LabError(
                f"{self.path / 'config.json'} is not JSON: write the run's folder again."
            ) from None
        return TrainConfig.read(values)

    def rows(self) -> list[dict[str, Any]]:
        """The training rows."""
        if not (rows := read_lines(self.path / "rows.jsonl")):
            raise LabError("The training set is empty: generate rationales first, or loosen the filters.")
        return rows

    def eval_rows(self) -> list[EvalRow]:
        """The questions to answer, in their order."""
        return [EvalRow(**row) for row in read_lines(self.path / "eval.jsonl")]

    def metrics(self, points: Iterable[dict[str, Any]]) -> None:
        """Append points of the curves; a resumed run writes some again, with the same names and steps."""
        append(self.path / "metrics.jsonl", points)

    def epochs(self) -> dict[int, dict[str, Any]]:
        """What each finished epoch reached."""
        return {row["epoch"]: row for row in read_lines(self.path / EPOCHS)}

    def reached(self, epoch: int) -> bool:
        """Whether the run is through with an epoch."""
        return self.done or max(self.epochs(), default=0) >= epoch

    def status(self, state: str, stage: str = "", done: int = 0, total: int = 0) -> None:
        """Say where the run is: running, stopped, failed or done."""
        values = {"state": state, "stage": stage, "done": done, "total": total, "time": time.time()}
        write(self.path / "status.json", json.dumps(values))

    def lock(self) -> FileLock:
        """Hold the folder for this process; LabError where another one keeps it."""
        lock = FileLock(self.path / "lock", timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout:
            raise LabError(
                f"Another process works on {self.path}: stop it first, or wait until it ends."
            ) from None
        return lock


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines whole or not at all."""
    write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def append(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Append JSON lines in one write, so that a reader never sees a mixture of two."""
    if text := "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows):
        with path.open("ab", buffering=0) as file:
            file.write(text.encode("utf-8", "surrogatepass"))


def mend(path: Path) -> None:
    """Cut off a last line that a killed process left unfinished."""
    if path.is_file():
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(path, len(whole))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The complete JSON lines of a file that may still grow; no lines where there is no file."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].split("\n") if line]


def put_folder(made: Path, target: Path) -> None:
    """Move a finished folder to its place, replacing an older one of that name."""
    old = target.with_name(f".old-{target.name}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(old, ignore_errors=True)
