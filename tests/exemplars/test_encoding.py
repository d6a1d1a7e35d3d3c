"""Embeddings: equal to the library's, computed once, whatever the text."""

from __future__ import annotations

import numpy as np
import pytest

from core import settings
from core.errors import LabError
from core.exemplars import encoding as module
from core.exemplars.encoding import encode, load

TEXTS = ["Q: How many?\nA:", "word", "слова не латиницей 数を数える", "", "long " * 300, "Q: How many?\nA:"]


def test_equal_to_the_library(minilm):
    ours = encode(TEXTS)
    theirs = load(str(module.encoder_folder("all-MiniLM-L6-v2"))).encode(TEXTS)
    assert ours.dtype == np.float32 and ours.shape == (6, 384)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert np.array_equal(ours[0], ours[5])


def test_a_second_time_computes_nothing(minilm, monkeypatch):
    first = encode(TEXTS)
    monkeypatch.setattr(module, "load", lambda _folder: pytest.fail("it loaded the model again"))
    assert np.array_equal(encode(list(reversed(TEXTS))), first[::-1])


def test_only_what_is_new_is_computed(minilm, monkeypatch):
    encode(TEXTS)
    asked = []
    forward = module._forward
    monkeypatch.setattr(
        module, "_forward", lambda m, texts, *rest: asked.extend(texts) or forward(m, texts, *rest)
    )
    encode(["new", *TEXTS, "new"])
    assert asked == ["new"]


def test_ten_thousand_words_and_lone_surrogates(minilm):
    vectors = encode(["word " * 10_000, "\ud800"])
    assert np.isfinite(vectors).all()


def test_progress_ends_at_the_number_of_distinct_texts(minilm):
    seen = []
    encode(["a", "b", "b", "c"], progress=lambda stage, done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)


def test_no_texts(minilm):
    assert len(encode([])) == 0


def test_kept_as_plain_arrays(minilm):
    encode(["a"])
    (file,) = (settings.folder("embeddings")).rglob("*.npy")
    assert len(np.load(file, allow_pickle=False)) == 1


def test_an_encoder_that_is_not_there(lab_home, tmp_path):
    with pytest.raises(LabError, match="models fetch"):
        encode(["a"])
    with pytest.raises(LabError, match="no sentence-transformers model"):
        encode(["a"], str(tmp_path))
