"""What a fine-tuning will do, before it does it: rows, tokens, cuts, memory, time and the first batch.

The figures of memory and time are estimates and called so; nothing is trained and no weights are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.models import loading
from core.models.generation import pad_id
from core.students.config import TrainConfig
from core.students.encoding import IGNORED, Example, batches, collate
from core.students.folder import RunFolder
from core.students.table import location, resolve
from core.students.training import read_data

EFFICIENCY = 0.55  # of a plain matrix product's speed, as reached by whole training steps
PROBE_SIZE = 1024
PROBE_SECONDS = 0.3


def preview(folder: RunFolder, config: TrainConfig) -> dict[str, Any]:
    """JSON-able figures of a run: see the keys. Sizes in bytes, times in seconds.

    `first_batch` has a row's tokens, {"text", "trained", "padding"}; an encoder-decoder's as `read` and
    `written`.
    """
    import torch

    student = resolve(config.student)
    path = location(student)
    tokenizer = loading.load_tokenizer(path)
    model_config = loading.read_model_config(path)
    data = read_data(folder, config, tokenizer, model_config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precision = loading.precision(config.precision, device)
    with torch.device("meta"):  # without weights
        model = loading.model_class(model_config).from_config(model_config)
    parameters = sum(p.numel() for p in model.parameters())
    trained = parameters if config.tuning == "full" else _lora_parameters(config, model)
    lengths = [e.tokens for e in data.train]
    order = batches(lengths, config.effective_batch, config.seed, 0, config.bucketing)
    padded = sum(len(rows) * max(lengths[i] for i in rows) for rows in order)
    memory = _memory(config, model_config, parameters, trained, max(lengths), precision)
    available = _available(device)
    first = [data.train[i] for i in order[0]]
    return {
        "student": student.name,
        "parameters": parameters,
        "trained_parameters": trained,
        "precision": precision,
        "device": loading.device_name(device),
        "rows": len(data.train),
        "dev_rows": len(data.dev),
        "epochs": config.epochs,
        "steps": len(order) * config.epochs,
        "rows_per_step": config.effective_batch,
        "tokens": {
            "per_epoch": sum(lengths),
            "trained_on": sum(e.trained_tokens for e in data.train),
            "longest_row": max(lengths),
            "mean_row": round(sum(lengths) / len(lengths), 1),
            "padding": round(1 - sum(lengths) / padded, 3),
        },
        "truncated": {
            "inputs": sum(e.cut_input for e in [*data.train, *data.dev]),
            "labels": sum(e.cut_label for e in [*data.train, *data.dev]),
        },
        "estimated_memory": memory,
        "available_memory": available,
        "fits": sum(memory.values()) <= available,
        "estimated_seconds": round(_seconds(config, parameters, sum(lengths), device, precision), 1),
        "first_batch": show(first, tokenizer, model_config.is_encoder_decoder),
    }


def show(examples: Sequence[Example], tokenizer: Any, seq2seq: bool) -> list[dict[str, Any]]:
    """A batch as the model sees it, padding included: each token's text, and whether it is trained on."""
    batch = collate(examples, tokenizer)
    rows = []
    for ids, mask, labels in zip(
        batch["input_ids"].tolist(), batch["attention_mask"].tolist(), batch["labels"].tolist(), strict=True
    ):
        trained = [label != IGNORED for label in labels]
        if seq2seq:
            written = [i if kept else pad_id(tokenizer) for i, kept in zip(labels, trained, strict=True)]
            read = _tokens(tokenizer, ids, mask, [False] * len(ids))
            rows.append({"read": read, "written": _tokens(tokenizer, written, trained, trained)})
        else:
            rows.append({"tokens": _tokens(tokenizer, ids, mask, trained)})
    return rows


def _tokens(tokenizer: Any, ids: list[int], mask: Sequence[int], trained: list[bool]) -> list[dict[str, Any]]:
    return [
        {"text": tokenizer.decode([i]), "trained": bool(t), "padding": not m}
        for i, m, t in zip(ids, mask, trained, strict=True)
    ]


def _lora_parameters(config: TrainConfig, model: Any) -> int:
    """Two thin matrices for each linear layer but the head (Hu et al. 2022)."""
    head = model.get_output_embeddings()
    layers = [m for m in model.modules() if type(m).__name__ in ("Linear", "Conv1D") and m is not head]
    return sum(config.lora_rank * sum(layer.weight.shape) for layer in layers)


def _memory(
    config: TrainConfig, model: Any, parameters: int, trained: int, longest: int, precision: str
) -> dict[str, int]:
    """Bytes of weights, gradients, AdamW's two moments and activations.

    Activations after Korthikanti et al. 2022, "Reducing Activation Recomputation", eq. 2, and the logits.
    """
    layers = getattr(model, "num_hidden_layers", 12) + getattr(model, "num_decoder_layers", 0)
    hidden, heads = getattr(model, "hidden_size", 768), getattr(model, "num_attention_heads", 12)
    rows, wide = config.batch_size, 1 if precision == "bf16" else 2
    per_layer = longest * rows * hidden * (34 + 5 * heads * longest / hidden) * wide
    if config.gradient_checkpointing:
        per_layer = longest * rows * hidden * 2 * wide
    return {
        "weights": 4 * parameters + (2 * parameters if precision == "bf16" else 0),
        "gradients": 4 * trained,
        "optimizer": 8 * trained,
        "activations": int(layers * per_layer) + rows * longest * model.vocab_size * 8,
    }


def _available(device: Any) -> int:
    import psutil
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def _seconds(config: TrainConfig, parameters: int, tokens: int, device: Any, precision: str) -> float:
    """Of training alone: 6 operations per parameter and token (LoRA: 4), at this device's measured speed."""
    operations = (6 if config.tuning == "full" else 4) * parameters * tokens * config.epochs
    return operations / (EFFICIENCY * _speed(device, precision))


def _speed(device: Any, precision: str) -> float:
    """Operations a second of a matrix product in this precision, measured now."""
    import torch
    from torch.utils.benchmark import Timer

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    matrix = torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype, device=device)
    timer = Timer("matrix @ matrix", globals={"matrix": matrix}, num_threads=torch.get_num_threads())
    return 2 * PROBE_SIZE**3 / timer.blocked_autorange(min_run_time=PROBE_SECONDS).mean
