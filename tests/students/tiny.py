"""Tiny students made on the spot: GPT-2-, Llama- and T5-shaped, with a tokenizer of their own words."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.datasets.splits import held_out
from core.records import Question
from core.students.config import TrainConfig
from core.students.folder import EvalRow, RunFolder, write, write_lines
from core.students.formats import FORMATS

WORDS = [str(n) for n in range(40)] + [
    "+",
    "=",
    "is",
    "plus",
    "what",
    "?",
    "###",
    "-->",
    ".",
    "so",
    "Q:",
    "A:",
]
KINDS = ("gpt2", "llama", "t5")


def tiny_tokenizer() -> Any:
    """A word-level tokenizer; spaces come back between words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: i for i, word in enumerate(["<pad>", "<eos>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def tiny_student(
    folder: Path, kind: str = "gpt2", *, seed: int = 0, width: int = 32, dropout: float = 0.1
) -> Path:
    """Save a tiny model and its tokenizer as a Transformers folder."""
    import torch
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        T5Config,
        T5ForConditionalGeneration,
    )

    tokenizer = tiny_tokenizer()
    ids = {"pad_token_id": 0, "eos_token_id": 1, "vocab_size": len(tokenizer)}
    torch.manual_seed(seed)
    if kind == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(
                n_embd=width, n_layer=2, n_head=2, n_positions=64, bos_token_id=1,
                attn_pdrop=dropout, resid_pdrop=dropout, embd_pdrop=dropout, **ids,
            )
        )  # fmt: skip
    elif kind == "llama":
        model = LlamaForCausalLM(
            LlamaConfig(
                hidden_size=width, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                num_key_value_heads=1, max_position_embeddings=64, bos_token_id=1, **ids,
            )
        )  # fmt: skip
    else:
        model = T5ForConditionalGeneration(
            T5Config(
                d_model=width, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0,
                dropout_rate=dropout, **ids,
            )
        )  # fmt: skip
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def sums(n: int) -> list[tuple[str, str, str]]:
    """(question, rationale, answer) of n additions."""
    pairs = [(a, b) for a in range(20) for b in range(20)]
    chosen = [pairs[(i * 37) % len(pairs)] for i in range(n)]
    return [(f"what is {a} plus {b} ?", f"{a} + {b} = {a + b} .", str(a + b)) for a, b in chosen]


def run_folder(path: Path, student: Path, *, rows: int = 24, questions: int = 8, **fields: Any) -> RunFolder:
    """A run folder that asks a tiny student to add."""
    kind = json.loads((student / "config.json").read_text())
    form = FORMATS["t5" if kind.get("is_encoder_decoder") else "causal"]
    config = TrainConfig(
        **{
            "student": str(student), "epochs": 2, "batch_size": 4, "precision": "fp32", "max_new_tokens": 12,
            "eval_batch_size": 4, "answer_kind": "integer", "answer_prefix": "-->", "method": "Fine-tune-CoT",
            "teacher": "worked", "dataset": "sums", "training_set": "abc123", **fields,
        }
    )  # fmt: skip
    write(path / "config.json", json.dumps(config.dump()))
    write_lines(
        path / "rows.jsonl",
        [
            {"input": form.input(q), "label": form.label(r, a), "question_index": i, "sample_index": 0}
            for i, (q, r, a) in enumerate(sums(rows))
        ],
    )
    texts = [Question(i, q, a) for i, (q, _, a) in enumerate(sums(rows + questions))]
    asked = texts[rows:]
    if config.selection == "dev":
        held = held_out(texts[:rows], config.dev_fraction, config.dev_limit)
        asked = [texts[i] for i in held]
    write_lines(path / "eval.jsonl", [asdict(EvalRow(q.index, form.input(q.text), q.answer)) for q in asked])
    return RunFolder(path)
