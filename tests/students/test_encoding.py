"""Rows → tokens: what is trained on, what is cut, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.loading import read_model_config
from core.students.config import TrainConfig
from core.students.encoding import IGNORED, batches, collate, encode
from tests.students.tiny import tiny_student, tiny_tokenizer

ROW = {"input": "what is 2 plus 3 ? ###", "label": " 2 + 3 = 5 . --> 5", "question_index": 0}


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    return {kind: read_model_config(tiny_student(folder / kind, kind)) for kind in ("gpt2", "t5")}


def test_a_decoder_is_trained_on_the_label_alone(configs):
    tokenizer = tiny_tokenizer()
    (example,) = encode([ROW], tokenizer, TrainConfig(student="x"), configs["gpt2"])
    trained = [i for i in example.labels if i != IGNORED]
    assert tokenizer.decode(trained) == "2 + 3 = 5 . --> 5 <eos>"
    assert example.input_ids[-len(trained) :] == trained
    assert tokenizer.decode(example.input_ids[: -len(trained)]) == ROW["input"]
    assert example.trained_tokens == len(trained) and not (example.cut_input or example.cut_label)


def test_an_encoder_decoder_reads_and_writes_apart(configs):
    tokenizer = tiny_tokenizer()
    (example,) = encode([ROW], tokenizer, TrainConfig(student="x"), configs["t5"])
    assert tokenizer.decode(example.input_ids) == ROW["input"]
    assert tokenizer.decode(example.labels) == "2 + 3 = 5 . --> 5 <eos>"


def test_what_is_too_long_is_cut_and_said(configs):
    tokenizer = tiny_tokenizer()
    config = TrainConfig(student="x", max_input_tokens=3, max_label_tokens=4)
    (causal,) = encode([ROW], tokenizer, config, configs["gpt2"])
    assert causal.cut_input and causal.cut_label
    # A decoder keeps the end of its prompt, where "###" tells it to begin; a cut label teaches no end.
    assert tokenizer.decode(causal.input_ids) == "3 ? ### 2 + 3 ="
    (seq2seq,) = encode([ROW], tokenizer, config, configs["t5"])
    assert seq2seq.cut_input and seq2seq.cut_label and len(seq2seq.labels) == 4


def test_a_row_never_exceeds_the_models_positions(configs):
    long = {**ROW, "input": " ".join(["1"] * 100), "label": " ".join(["2"] * 100)}
    (example,) = encode([long], tiny_tokenizer(), TrainConfig(student="x"), configs["gpt2"])
    assert len(example.input_ids) <= 64 and example.trained_tokens >= 1 and example.cut_input


def test_padding_is_masked_and_not_trained_on(configs):
    short = {**ROW, "label": " 5"}
    examples = encode([ROW, short], tiny_tokenizer(), TrainConfig(student="x"), configs["gpt2"])
    batch = collate(examples, tiny_tokenizer())
    n = len(examples[1].input_ids)
    assert batch["attention_mask"][1].tolist() == [1] * n + [0] * (batch["input_ids"].shape[1] - n)
    assert (batch["labels"][1, n:] == IGNORED).all()


@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=300),
    size=st.integers(1, 9),
    seed=st.integers(0, 5),
    bucketing=st.booleans(),
)
def test_an_epoch_has_every_row_once_and_is_a_function_of_the_seed(lengths, size, seed, bucketing):
    order = batches(lengths, size, seed, 3, bucketing)
    assert sorted(i for rows in order for i in rows) == list(range(len(lengths)))
    assert len(order) == -(-len(lengths) // size) and all(len(rows) <= size for rows in order)
    assert order == batches(lengths, size, seed, 3, bucketing)


def test_epochs_differ_and_buckets_save_padding():
    lengths = [(i * 37) % 200 + 1 for i in range(256)]

    def padded(order):
        return sum(len(rows) * max(lengths[i] for i in rows) for rows in order)

    assert batches(lengths, 8, 0, 0, True) != batches(lengths, 8, 0, 1, True)
    assert padded(batches(lengths, 8, 0, 0, True)) < 0.7 * padded(batches(lengths, 8, 0, 0, False))
