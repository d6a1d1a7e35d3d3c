"""Sentence-BERT embeddings (Reimers and Gurevych 2019): texts in, unit vectors out, each computed once.

    encode(["Q: Shannon and her family …\\nA:", …])      float32, one row per text

A text's vector is kept under LAB_HOME/embeddings/ENCODER by the text's SHA-256, in plain .npy files that
are written whole or not at all, so a killed run loses at most CHUNK texts and a second one computes nothing.

Texts are put in order of their number of tokens and batched by a budget of tokens, so that little of a
batch is padding; the library sorts by characters and batches by number of texts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from core import settings
from core.errors import LabError
from core.models import sources
from core.models.embedded import MARK
from core.progress import Report, silent
from core.records import content_hash

if TYPE_CHECKING:
    import numpy as np

DEFAULT_ENCODER = "all-MiniLM-L6-v2"  # Auto-CoT's
CHUNK = 4096  # texts computed between two writes
TOKENS = {"cpu": 2048, "cuda": 131_072}  # in one batch, padding included


def encode(texts: Sequence[str], encoder: str = DEFAULT_ENCODER, progress: Report = silent) -> np.ndarray:
    """Embeddings of the texts, in their order: float32, shape (n, d), normalised as the encoder does.

    `encoder` is an embedded model, a folder or a hub id. A text longer than the encoder's window is cut
    there. LabError where the encoder cannot be had.
    """
    import numpy as np

    folder = encoder_folder(encoder)
    shelf = settings.folder("embeddings") / _identity(folder)
    digests = [_digest(text) for text in texts]
    known = _read(shelf, set(digests))
    missing = {d: text for d, text in zip(digests, texts, strict=True) if d not in known}
    if missing:
        progress("Encoding", len(known), len(known) + len(missing))
        known |= _compute(folder, shelf, missing, lambda n: progress("Encoding", n, len(missing)))
    if not texts:
        return np.empty((0, 0), np.float32)
    return np.stack([known[d] for d in digests])


def encoder_folder(name: str) -> Path:
    """The folder of an encoder: embedded, the user's own, or downloaded from the hub once."""
    return sources.folder(name, files=sources.WHOLE).resolve()


def _identity(folder: Path) -> str:
    """A name for the vectors of these very files; another model or version has another."""
    mark = folder / MARK
    if mark.is_file():
        content: Any = mark.read_text(encoding="utf-8")
    else:
        files = sorted(p for p in folder.rglob("*") if p.suffix in {".json", ".safetensors"} and p.is_file())
        content = [(str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return f"{folder.name}-{content_hash(content)[:16]}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _read(shelf: Path, wanted: set[bytes]) -> dict[bytes, np.ndarray]:
    """The vectors on the shelf of the texts that are wanted."""
    import numpy as np

    found: dict[bytes, np.ndarray] = {}
    for file in sorted(shelf.glob("*.npy")):
        if len(found) == len(wanted):
            break
        rows = np.load(file, mmap_mode="r", allow_pickle=False)
        for place, digest in enumerate(np.array(rows["text"]).view("V32").ravel().tolist()):
            if digest in wanted and digest not in found:
                found[digest] = np.array(rows["vector"][place])
    return found


def _compute(
    folder: Path,
    shelf: Path,
    missing: dict[bytes, str],
    done: Callable[[int], None],
) -> dict[bytes, np.ndarray]:
    model = load(str(folder))
    shelf.mkdir(parents=True, exist_ok=True)
    budget = TOKENS.get(model.device.type, TOKENS["cpu"])
    # Sorted by content too, so that batches, and with them the last bits, do not depend on the rows' order.
    rows = sorted(missing.items())
    computed: dict[bytes, np.ndarray] = {}
    for start in range(0, len(rows), CHUNK):
        part = dict(rows[start : start + CHUNK])
        vectors = _forward(model, list(part.values()), budget, lambda n: done(start + n))  # noqa: B023
        _write(shelf, list(part), vectors)
        computed |= dict(zip(part, vectors, strict=True))
    return computed


def _forward(model: Any, texts: list[str], budget: int, done: Callable[[int], None]) -> np.ndarray:
    """The model's sentence embeddings, longest texts first."""
    import numpy as np
    import torch

    limit = model.max_seq_length
    readable = [text.encode("utf-8", "replace").decode() for text in texts]  # a tokenizer reads no surrogates
    ids = model.tokenizer(readable, truncation=limit is not None, max_length=limit)["input_ids"]
    order = sorted(range(len(texts)), key=lambda i: (-len(ids[i]), i))
    vectors, start = [], 0
    with torch.inference_mode():
        while start < len(order):
            size = max(1, budget // max(1, len(ids[order[start]])))
            features = model.preprocess([readable[i] for i in order[start : start + size]])
            moved = {k: v.to(model.device) if hasattr(v, "to") else v for k, v in features.items()}
            vectors.append(model(moved)["sentence_embedding"].float().cpu().numpy())
            start += size
            done(min(start, len(order)))
    return np.concatenate(vectors)[np.argsort(order)]


def _write(shelf: Path, digests: list[bytes], vectors: np.ndarray) -> None:
    import numpy as np

    rows = np.empty(len(digests), [("text", "u1", 32), ("vector", "f4", vectors.shape[1])])
    rows["text"] = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
    rows["vector"] = vectors
    made = shelf / f".{uuid4().hex}"
    with made.open("wb") as out:
        np.save(out, rows, allow_pickle=False)
    os.replace(made, shelf / f"{hashlib.sha256(rows.tobytes()).hexdigest()[:32]}.npy")


@lru_cache(maxsize=1)
def load(folder: str) -> Any:
    """The SentenceTransformer in a folder, on the GPU where there is one; safetensors only."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = SentenceTransformer(
            folder,
            device="cuda" if torch.cuda.is_available() else "cpu",
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError) as error:
        raise LabError(
            f"{folder} is no sentence-transformers model with safetensors weights "
            f"({type(error).__name__}): choose {DEFAULT_ENCODER} or another folder."
        ) from None
    return model.eval()
