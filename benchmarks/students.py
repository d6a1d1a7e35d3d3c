"""Fine-tuning speed: our loop against transformers.Trainer with its default settings, in one run.

    python benchmarks/students.py [--student SmolLM2-135M] [--rows 64] [--json]

The same rows of generated coin flips with their worked solutions, one epoch, batch 8, full fine-tuning,
from the same weights. Tokens are real ones, padding not counted; loading is not timed. Both run twice,
alternately, and the better time of each counts, since the machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the child does, for both

ROUNDS = 2
BATCH = 8


def rows(n: int, form: Any) -> list[dict[str, Any]]:
    """Training rows of the demo study's benchmark."""
    from core.datasets import load

    found = load("coin_flip_generated", size=n, seed=0, options={"flips": 4})
    return [
        {"input": form.input(q.text), "label": form.label(q.solution, q.answer), "question_index": q.index}
        for q in found
    ]


def ours(folder: Path, student: str, data: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds of one epoch of the lab's own loop."""
    from core.models import loading
    from core.students.config import TrainConfig
    from core.students.folder import RunFolder, write_lines
    from core.students.table import location, resolve
    from core.students.training import Fit, Stop, read_data

    run = RunFolder(folder)
    config = TrainConfig(student=student, epochs=1, batch_size=BATCH, selection="last")
    write_lines(run.path / "rows.jsonl", data)
    row = resolve(config.student)
    path = location(row)
    tokenizer = loading.load_tokenizer(path)
    read = read_data(run, config, tokenizer, loading.read_model_config(path))
    fit = Fit(run, config, row, path, tokenizer, read, Stop(), BATCH)
    fit._prepare()
    started = time.perf_counter()
    fit._epoch_steps()
    return {
        "seconds": time.perf_counter() - started,
        "tokens": sum(e.tokens for e in read.train),
        "precision": fit.precision,
    }


def trainers(folder: Path, student: str, data: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds of one epoch of transformers.Trainer (default settings) on the same examples."""
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainerCallback, TrainingArguments

    from core.models import loading
    from core.students.config import TrainConfig
    from core.students.encoding import encode
    from core.students.table import location, resolve

    config = TrainConfig(student=student)
    path = location(resolve(config.student))
    tokenizer = loading.load_tokenizer(path)
    examples = encode(data, tokenizer, config, loading.read_model_config(path))
    model = loading.load_model(path)

    class Clock(TrainerCallback):
        started = seconds = 0.0

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.perf_counter()

        def on_train_end(self, *_: Any, **__: Any) -> None:
            self.seconds = time.perf_counter() - self.started

    clock = Clock()
    arguments = TrainingArguments(
        str(folder), num_train_epochs=1, per_device_train_batch_size=BATCH, save_strategy="no",
        report_to="none", disable_tqdm=True,
    )  # fmt: skip
    Trainer(
        model,
        arguments,
        train_dataset=[
            {"input_ids": e.input_ids, "attention_mask": [1] * len(e.input_ids), "labels": e.labels}
            for e in examples
        ],
        data_collator=DataCollatorForSeq2Seq(tokenizer, model),
        callbacks=[clock],
    ).train()
    return {"seconds": clock.seconds, "tokens": sum(e.tokens for e in examples)}


def measure(student: str, n: int) -> dict[str, Any]:
    """Tokens per second of both, and the ratio."""
    from core.students.formats import FORMATS
    from core.students.table import resolve

    data = rows(n, FORMATS[resolve(student).format])
    found: dict[str, list[dict[str, Any]]] = {"ours": [], "trainer": []}
    with tempfile.TemporaryDirectory() as room:
        for number in range(ROUNDS):
            found["ours"].append(ours(Path(room) / f"ours{number}", student, data))
            found["trainer"].append(trainers(Path(room) / f"trainer{number}", student, data))
    speed = {name: max(r["tokens"] / r["seconds"] for r in runs) for name, runs in found.items()}
    return {
        "student": student,
        "rows": n,
        "tokens": found["ours"][0]["tokens"],
        "precision": found["ours"][0]["precision"],
        "ours_tokens_per_second": round(speed["ours"], 1),
        "trainer_tokens_per_second": round(speed["trainer"], 1),
        "ratio": round(speed["ours"] / speed["trainer"], 2),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--student", default="SmolLM2-135M")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.student, asked.rows)
    if asked.json:
        print(json.dumps(found))
        return
    print(
        f"{found['student']}, {found['rows']} rows, {found['tokens']} tokens\n"
        f"this lab ({found['precision']})          {found['ours_tokens_per_second']:10.1f} tokens/s\n"
        f"transformers.Trainer, defaults {found['trainer_tokens_per_second']:10.1f} tokens/s\n"
        f"ratio {found['ratio']}"
    )


if __name__ == "__main__":
    main()
