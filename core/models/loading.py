"""A checkpoint's model and tokenizer, and what the device can compute in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import LabError


def load_tokenizer(path: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
    except Exception as error:  # whatever a broken file makes the readers raise
        raise LabError(f"Cannot read the tokenizer in {path} ({_first_line(error)}): get it again.") from None
    if tokenizer.eos_token_id is None:
        raise LabError(f"The tokenizer in {path} has no end-of-text token: choose another model.")
    return tokenizer


def load_model(path: Path, dtype: Any = None, attention: str | None = None) -> Any:
    """The model in fp32 (or `dtype`), on the CPU. Reads safetensors only and runs no foreign code.

    `attention` is Transformers' name of an implementation; None leaves the choice to it.
    """
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    reader = model_class(read_model_config(path))
    try:
        return reader.from_pretrained(
            path, dtype=dtype or torch.float32, use_safetensors=True, attn_implementation=attention
        )
    except (torch.OutOfMemoryError, MemoryError):
        raise LabError(f"The model in {path} does not fit into memory: choose a smaller one.") from None
    except Exception as error:  # whatever a broken file makes the readers raise
        raise LabError(f"Cannot read the model in {path} ({_first_line(error)}): get it again.") from None


def read_model_config(path: Path) -> Any:
    """The model's own config, without its weights."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(path)
    except Exception as error:  # whatever a broken file makes the reader raise
        raise LabError(f"Cannot read {path / 'config.json'} ({_first_line(error)}): get it again.") from None


def model_class(config: Any) -> Any:
    """Transformers' reader of such a model."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM


def precision(wanted: str, device: Any) -> str:
    """ "bf16" or "fp32", as `wanted` or as the device does best. Never fp16: T5 overflows in it."""
    if wanted == "auto":
        return "bf16" if computes_in_bf16(device.type) else "fp32"
    return wanted


def computes_in_bf16(device: str) -> bool:
    """Whether bf16 is done in hardware there; elsewhere it is slower than fp32."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "cpu":
        able = torch.cpu.get_capabilities()
        return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return False


def be_deterministic() -> None:
    """Same seed, same machine, same weights. Needs CUBLAS_WORKSPACE_CONFIG, which the child sets."""
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    # The memory-efficient kernel's gradients differ from run to run; flash and plain attention's do not.
    torch.backends.cuda.enable_mem_efficient_sdp(False)


def device_name(device: Any) -> str:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        return f"{torch.cpu.get_capabilities().get('cpu_name', 'CPU')}, {torch.get_num_threads()} threads"
    return device.type


def versions() -> dict[str, str]:
    """Of the libraries that decide the weights."""
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "transformers", "accelerate", "peft", "tokenizers")}


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else ''}"
