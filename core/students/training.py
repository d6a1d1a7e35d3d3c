"""Fine-tuning: the loop, from a run folder to a student.

`train` reads RUN_DIR, goes on from its newest checkpoint, and leaves RUN_DIR/student. Data order, learning
rate and random streams are functions of the seed and the position, so a run that was killed and resumed
ends with the same weights as one that was not. Batches are weighted by trained tokens, so halving them
when memory runs out changes nothing but the speed.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from core.answers import score
from core.errors import LabError
from core.models import loading
from core.models.generation import generate
from core.records import Sampling
from core.students import checkpoints
from core.students.card import card
from core.students.checkpoints import Position
from core.students.config import SELECTIONS, TrainConfig
from core.students.encoding import IGNORED, Example, batches, carve_dev, collate, encode, gold_answer
from core.students.folder import (
    EPOCHS,
    EvalRow,
    RunFolder,
    append,
    mend,
    put_folder,
    read_lines,
    write,
    write_lines,
)
from core.students.table import Student, location, resolve

if TYPE_CHECKING:
    import torch

SMALLER = "smaller.json"  # one of several processes ran out of memory: the rows to try next
ROWS_PER_PASS = "rows_per_pass.json"  # what they were started with then
REPORT_SECONDS = 0.5
# On a CPU plain attention takes a tenth less time than the fused kernel for rows this short; its memory
# grows with their square.
PLAIN_ATTENTION_TOKENS = 384
EARLY_EPOCHS = 2  # Fine-tune-CoT, src/custom/model.py: short outputs in the first two epochs


class Stopped(Exception):
    """The run was told to stop; what it has is saved."""


@dataclass
class Stop:
    """A request to stop, from a signal or because the parent died."""

    asked: bool = False

    def ask(self) -> None:
        self.asked = True

    def tick(self) -> None:
        """Raise where stopping loses nothing."""
        if self.asked:
            raise Stopped


@dataclass(frozen=True)
class Data:
    """Everything a run reads, encoded."""

    train: list[Example]
    dev: list[Example]
    dev_questions: list[EvalRow]
    test_questions: list[EvalRow]


def train(folder: RunFolder, config: TrainConfig, stop: Stop | None = None) -> dict[str, Any]:
    """Fine-tune, evaluate after each epoch, choose, save. Returns what done.json says.

    Raises LabError (bad data, memory), RefusedError (a checkpoint of something else) or Stopped.
    """
    from accelerate.utils import release_memory
    from accelerate.utils.memory import should_reduce_batch_size

    stop = stop or Stop()
    student = resolve(config.student)
    path = location(student)
    tokenizer = loading.load_tokenizer(path)
    data = read_data(folder, config, tokenizer, loading.read_model_config(path))
    for name in ("metrics.jsonl", EPOCHS):
        mend(folder.path / name)
    size = _starting_size(folder, config)
    while True:
        try:
            return Fit(folder, config, student, path, tokenizer, data, stop, size).run()
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            if size == 1:
                raise LabError(
                    f"Memory runs out with a single row of {student.name}: choose LoRA, "
                    "gradient_checkpointing, shorter labels or a smaller student."
                ) from None
        size //= 2
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # all processes must start again with half the rows
            write(folder.path / SMALLER, json.dumps(size))
            os._exit(1)  # no clean-up: it would wait for the others
        release_memory()


def read_data(folder: RunFolder, config: TrainConfig, tokenizer: Any, model_config: Any) -> Data:
    """Training, dev and test data of a run."""
    rows = folder.rows()
    held: list[dict[str, Any]] = []
    if config.selection == "dev":
        rows, held = carve_dev(rows, config.dev_fraction, config.dev_limit, config.seed)
    if config.selection == "dev" and not held:
        raise LabError("One training question leaves none to choose on: set `selection: last`.")
    first = {row["question_index"]: row for row in reversed(held)}
    tests = folder.eval_rows() if config.selection == "test" else []
    if config.selection == "test" and not (config.answer_kind and any(row.answer for row in tests)):
        raise LabError("Choosing on the test questions needs them with answers: set `selection: dev`.")
    return Data(
        encode(rows, tokenizer, config, model_config),
        encode(held, tokenizer, config, model_config),
        [EvalRow(q, row["input"], gold_answer(row, config)) for q, row in sorted(first.items())],
        tests,
    )


def _starting_size(folder: RunFolder, config: TrainConfig) -> int:
    """As the config says, or as the checkpoint found it had to be."""
    if (folder.path / ROWS_PER_PASS).is_file():
        return json.loads((folder.path / ROWS_PER_PASS).read_text(encoding="utf-8"))
    found = checkpoints.latest(folder)
    return (checkpoints.position(found).micro_batch if found else 0) or config.batch_size


def learning_rate(config: TrainConfig, step: int, total: int) -> float:
    """At a step, counted from 0: linear warm-up, then constant or down to zero."""
    warm = round(config.warmup * total)
    if step < warm:
        return config.learning_rate * (step + 1) / (warm + 1)
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (total - step) / max(1, total - warm)


def label_loss(model: Any, inner: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Summed cross-entropy of the trained tokens. `inner` is the model without its wrapper."""
    from torch.nn.functional import cross_entropy

    labels, asked = batch["labels"], {name: batch[name] for name in ("input_ids", "attention_mask")}
    if inner.config.is_encoder_decoder:
        asked["decoder_input_ids"] = inner.prepare_decoder_input_ids_from_labels(labels=labels)
        logits = model(**asked, use_cache=False).logits
    else:
        # Logits are made from the position before the first trained token on: prompts need none.
        first = max(1, int((labels != IGNORED).int().argmax(-1).min()))
        keep, takes = labels.shape[1] - first + 1, inspect.signature(type(inner).forward).parameters
        extra = {"logits_to_keep": keep} if "logits_to_keep" in takes else {}
        logits = model(**asked, use_cache=False, **extra).logits[:, -keep:-1]
        labels = labels[:, first:]
    chosen = labels != IGNORED
    return cross_entropy(logits[chosen].float(), labels[chosen], reduction="sum")


@dataclass
class Fit:
    """One attempt at a run, with a given number of rows per forward pass."""

    folder: RunFolder
    config: TrainConfig
    student: Student
    path: Any
    tokenizer: Any
    data: Data
    stop: Stop
    micro_batch: int
    position: Position = field(default_factory=Position)
    told: float = 0.0

    def run(self) -> dict[str, Any]:
        self._prepare()
        while self.position.epoch < self.config.epochs:
            self._evaluate_if_new()
            self._epoch()
        self._evaluate_if_new()
        return self._finish()

    # ── setting up ──

    def _prepare(self) -> None:
        import torch
        from accelerate import Accelerator
        from accelerate.utils import set_seed

        loading.be_deterministic()
        set_seed(self.config.seed)
        self.accelerator = Accelerator()
        self.device = self.accelerator.device
        self.world, self.rank = self.accelerator.num_processes, self.accelerator.process_index
        self.precision = loading.precision(self.config.precision, self.device)
        model, self.adapter = self._model()
        self.identity = checkpoints.identity(self.config, self.data.train, self.data.dev, model)
        model.to(self.device)
        weights = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            weights,
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )
        if found := checkpoints.latest(self.folder):
            checkpoints.preflight(self.folder, found, self.identity)
            self.position = checkpoints.restore(found, model, optimizer, self.accelerator)
        else:
            set_seed(self.config.seed)
        self.position = replace(self.position, micro_batch=self.micro_batch)
        self.inner, self.optimizer = model, optimizer
        self.model = self.accelerator.prepare(model)
        self.size = self.config.effective_batch
        self.steps_per_epoch = -(-len(self.data.train) // self.size)
        self.total = self.steps_per_epoch * self.config.epochs
        self.pending: list[tuple[int, float, Any]] = []

    def _model(self) -> tuple[Any, Any]:
        """(the model to train, its LoRA adapter or None)."""
        longest = max(e.tokens for e in [*self.data.train, *self.data.dev])
        plain = self.device.type == "cpu" and longest <= PLAIN_ATTENTION_TOKENS
        model = loading.load_model(self.path, attention="eager" if plain else None)
        if self.config.gradient_checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        if self.config.tuning == "full":
            return model, None
        from peft import LoraConfig, get_peft_model

        lora = LoraConfig(
            r=self.config.lora_rank,
            lora_alpha=self.config.lora_alpha,
            lora_dropout=self.config.lora_dropout,
            target_modules="all-linear",
            fan_in_fan_out=any(type(m).__name__ == "Conv1D" for m in model.modules()),  # GPT-2's layers
            task_type="SEQ_2_SEQ_LM" if self.student.is_seq2seq else "CAUSAL_LM",
        )
        adapter = get_peft_model(model, lora)
        if self.config.gradient_checkpointing:
            model.enable_input_require_grads()
        return adapter.get_base_model(), adapter

    def _computing(self) -> Any:
        import torch

        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    # ── one epoch ──

    def _epoch(self) -> None:
        """Train to the end of the epoch, and save."""
        self._epoch_steps()
        self.position = replace(self.position, epoch=self.position.epoch + 1, done=0)
        self._save()
        if self._told_to_stop():
            raise Stopped

    def _epoch_steps(self) -> None:
        epoch = self.position.epoch
        steps = batches(
            [e.tokens for e in self.data.train], self.size, self.config.seed, epoch, self.config.bucketing
        )
        self.model.train()
        for rows in steps[self.position.done :]:
            self._step([self.data.train[i] for i in rows])
            last = self.position.done == len(steps)
            if self._told_to_stop() and not last:
                self._flush()
                self._save()
                raise Stopped
        self._flush()

    def _step(self, rows: Sequence[Example]) -> None:
        """One optimiser step; each device takes its share, in passes of `micro_batch` rows."""
        import torch

        mine = list(rows[self.rank :: self.world])
        weight = 1.0
        if not mine:  # every device must take part, this one with a row that counts nothing
            mine, weight = [rows[0]], 0.0
        mine.sort(key=lambda e: e.tokens)
        trained = sum(e.trained_tokens for e in rows)
        total = torch.zeros((), device=self.device)
        parts = [mine[i : i + self.micro_batch] for i in range(0, len(mine), self.micro_batch)]
        for number, part in enumerate(parts):
            whole = number == len(parts) - 1
            sync = contextlib.nullcontext() if whole else self.accelerator.no_sync(self.model)
            with sync:
                with self._computing():
                    loss = label_loss(self.model, self.inner, collate(part, self.tokenizer, self.device))
                loss = loss * (weight / trained)
                self.accelerator.backward(loss * self.world)  # devices' gradients are averaged
            total += loss.detach()
        if self.config.clip_norm is not None:
            self.accelerator.clip_grad_norm_(self.inner.parameters(), self.config.clip_norm)
        rate = learning_rate(self.config, self.position.step, self.total)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        step = self.position.step + 1
        self.position = replace(self.position, done=self.position.done + 1, step=step)
        self.pending.append((step, rate, total))
        if time.monotonic() - self.told > REPORT_SECONDS:
            self._flush()

    def _flush(self) -> None:
        """Write the points since the last time, and where the run is."""
        if not self.pending:
            return
        import torch

        losses = torch.stack([total for _, _, total in self.pending])
        losses = self.accelerator.reduce(losses, "sum").tolist()
        points = []
        for (step, rate, _), loss in zip(self.pending, losses, strict=True):
            epoch = step / self.steps_per_epoch
            points.append({"name": "loss", "step": step, "epoch": epoch, "value": loss})
            points.append({"name": "learning_rate", "step": step, "epoch": epoch, "value": rate})
        self.pending = []
        self.told = time.monotonic()
        if self.accelerator.is_main_process:
            self.folder.metrics(points)
            stage = f"epoch {self.position.epoch + 1} of {self.config.epochs}"
            self.folder.status("running", stage, self.position.step, self.total)
        if any(loss != loss for loss in losses):
            raise LabError("The loss is not a number any more: choose a lower learning rate, or fp32.")

    def _told_to_stop(self) -> bool:
        if self.world == 1:
            return self.stop.asked
        import torch

        asked = torch.tensor(int(self.stop.asked), device=self.device)
        return bool(self.accelerator.reduce(asked, "sum").item())

    def _save(self) -> None:
        checkpoints.save(
            self.folder, self.position, self.inner, self.optimizer, self.identity, self.accelerator
        )
        if self.accelerator.is_main_process:
            epochs = self.folder.epochs()
            keep = {self._chosen(epochs)} if epochs else set()
            checkpoints.prune(self.folder, keep, self.config.checkpoints_kept)

    # ── after an epoch ──

    def _evaluate_if_new(self) -> None:
        """Evaluate the epoch just finished, once; the random streams go on as if it had not happened."""
        import torch

        epoch = self.position.epoch
        if self.position.done or not epoch or epoch in self.folder.epochs():
            return
        found = {"train_loss": self._train_loss(epoch)}
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            if self.data.dev:
                found["dev_loss"] = self._dev_loss()
            for name, questions in (("dev", self.data.dev_questions), ("test", self.data.test_questions)):
                if questions and (kind := self.config.answer_kind):
                    found[f"{name}_accuracy"] = self._accuracy(name, questions, kind, epoch)
        if self.accelerator.is_main_process:
            step = self.position.step
            values = {name: value for name, value in found.items() if value is not None}
            self.folder.metrics(
                {"name": name, "step": step, "epoch": float(epoch), "value": value}
                for name, value in values.items()
            )
            append(self.folder.path / EPOCHS, [{"epoch": epoch, "step": step, **values}])
        self.accelerator.wait_for_everyone()

    def _train_loss(self, epoch: int) -> float | None:
        """Mean of the epoch's steps, from the file, which outlives a kill."""
        first = (epoch - 1) * self.steps_per_epoch
        last = first + self.steps_per_epoch
        points = {
            row["step"]: row["value"]
            for row in read_lines(self.folder.path / "metrics.jsonl")
            if row["name"] == "loss" and first < row["step"] <= last
        }
        return sum(points.values()) / len(points) if points else None

    def _dev_loss(self) -> float:
        """Mean cross-entropy per trained token of the dev rows."""
        import torch

        rows = sorted(self.data.dev, key=lambda e: e.tokens)[self.rank :: self.world]
        summed = torch.zeros((), device=self.device)
        self.inner.eval()
        with torch.no_grad():
            for i in range(0, len(rows), self.micro_batch):
                part = collate(rows[i : i + self.micro_batch], self.tokenizer, self.device)
                with self._computing():
                    summed += label_loss(self.inner, self.inner, part)
        self.inner.train()
        summed = self.accelerator.reduce(summed, "sum")
        return float(summed) / sum(e.trained_tokens for e in self.data.dev)

    def _accuracy(self, name: str, questions: list[EvalRow], kind: str, epoch: int) -> float | None:
        """Share of right answers; the predictions are kept in predictions/epoch-K.jsonl."""
        from accelerate.utils import gather_object

        config, mine = self.config, questions[self.rank :: self.world]
        most = (config.early_max_new_tokens if epoch <= EARLY_EPOCHS else None) or config.max_new_tokens
        if name == "dev":  # what runs on beyond every label that was learnt only takes time
            most = min(most, max(example.trained_tokens for example in self.data.train))
        written = generate(
            self.inner,
            self.tokenizer,
            [row.prompt for row in mine],
            Sampling(config.temperature, config.top_p, most, config.stop, config.seed),
            config.eval_batch_size,
            seeds=[row.question_index for row in mine],
            autocast=self.precision == "bf16",
            max_input_tokens=config.max_input_tokens,
            tick=self.stop.tick,
        )
        lines: dict[int, dict[str, Any]] = {}
        for made in written:
            row = mine[made.index]
            lines[row.question_index] = {
                "question_index": row.question_index,
                "prompt": row.prompt,
                "text": made.text,
                "finish_reason": made.finish_reason,
                "tokens": made.completion_tokens,
            }
            if self.accelerator.is_main_process:
                done, total = min(len(questions), len(lines) * self.world), len(questions)
                self.folder.status("running", f"epoch {epoch}: answering the {name} questions", done, total)
        everyone = dict(gather_object(list(lines.items())))
        if self.accelerator.is_main_process:
            ordered = [everyone[row.question_index] for row in questions]
            write_lines(self.folder.predictions / f"epoch-{epoch}.jsonl", ordered)
        verdicts = [
            score(
                everyone[row.question_index]["text"],
                row.answer,
                kind=kind,
                rules=config.rules,
                prefix=config.answer_prefix,
            ).correct
            for row in questions
            if row.answer is not None
        ]
        return sum(verdicts) / len(verdicts) if verdicts else None

    # ── the student ──

    def _chosen(self, epochs: dict[int, dict[str, Any]]) -> int:
        """The best epoch so far: by accuracy, then by dev loss, then the earliest; or simply the last."""
        if self.config.selection == "last":
            return max(epochs)
        name = f"{self.config.selection}_accuracy"

        def rank(epoch: int) -> tuple[float, float, int]:
            row = epochs[epoch]
            return (row.get(name, 0.0), -row.get("dev_loss", 0.0), -epoch)

        return max(epochs, key=rank)

    def _finish(self) -> dict[str, Any]:
        self.accelerator.wait_for_everyone()
        epochs = self.folder.epochs()
        chosen = self._chosen(epochs)
        done = {
            "epochs": self.config.epochs,
            "steps": self.position.step,
            "chosen_epoch": chosen,
            "selection": self.config.selection,
            "origin": f"epoch {chosen} of {self.config.epochs}: {SELECTIONS[self.config.selection]}",
            "metrics": epochs[chosen],
            "rows": len(self.data.train),
            "dev_rows": len(self.data.dev),
            "rows_per_pass": self.micro_batch,
            "precision": self.precision,
            "device": loading.device_name(self.device),
            "processes": self.world,
            "training_set": self.config.training_set,
            "versions": loading.versions(),
        }
        if self.accelerator.is_main_process:
            self._save_student(chosen, done)
        self.accelerator.wait_for_everyone()
        return done

    def _save_student(self, chosen: int, done: dict[str, Any]) -> None:
        checkpoints.load_weights(checkpoints.of_epoch(self.folder, chosen), self.inner)
        making = self.folder.path / ".student"
        shutil.rmtree(making, ignore_errors=True)
        model = self.inner
        if self.adapter is not None:
            self.adapter.save_pretrained(making / "adapter")
            model = self.adapter.merge_and_unload()
        model.config.use_cache = True
        model.save_pretrained(making)
        self.tokenizer.save_pretrained(making)
        (making / "lab.json").write_text(json.dumps(done, indent=1), encoding="utf-8")
        text = card(self.config, self.student, done, self.folder.epochs())
        (making / "README.md").write_text(text, encoding="utf-8")
        put_folder(making, self.folder.student)
