"""Batched generation: independent of the batch, of padding and of the other rows' ends."""

from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from core.errors import LabError
from core.models import generation
from core.models.generation import generate
from core.records import Sampling
from tests.students.tiny import KINDS, tiny_student, tiny_tokenizer

PROMPTS = [" ".join(["what is", *(str((7 * i + k) % 40) for k in range(i)), "?"]) for i in range(1, 14)]
GREEDY = Sampling(max_tokens=16)


@pytest.fixture(scope="module", params=KINDS)
def model(request, tmp_path_factory):
    path = tiny_student(tmp_path_factory.mktemp("students") / request.param, request.param, seed=3, width=64)
    reader = AutoModelForSeq2SeqLM if request.param == "t5" else AutoModelForCausalLM
    model = reader.from_pretrained(path)
    torch.manual_seed(1)
    with torch.no_grad():  # far from uniform, so that texts differ and end at different places
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4).add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


def texts(model, batch_size, sampling=GREEDY, prompts=PROMPTS, **options):
    found = list(generate(model, tiny_tokenizer(), prompts, sampling, batch_size, **options))
    assert sorted(item.index for item in found) == list(range(len(prompts)))
    return sorted(found)


def test_greedy_does_not_depend_on_the_batch(model):
    alone = texts(model, 1)
    assert alone == texts(model, 8) == texts(model, 5) == texts(model, 64)
    assert len({item.text for item in alone}) > 3


def test_greedy_equals_the_librarys_own(model):
    tokenizer = tiny_tokenizer()
    for item in texts(model, 8):
        ids = tokenizer(PROMPTS[item.index], return_tensors="pt")
        out = model.generate(
            ids["input_ids"], attention_mask=ids["attention_mask"], max_new_tokens=16, do_sample=False
        )
        new = out[0] if model.config.is_encoder_decoder else out[0, ids["input_ids"].shape[1] :]
        assert item.text == tokenizer.decode(new, skip_special_tokens=True)


def test_sampling_has_a_stream_per_prompt(model):
    sampling = Sampling(temperature=1.0, top_p=0.9, max_tokens=12, seed=5)
    alone = texts(model, 1, sampling)
    assert alone == texts(model, 8, sampling)
    assert alone != texts(model, 8, Sampling(temperature=1.0, top_p=0.9, max_tokens=12, seed=6))
    same = texts(model, 8, sampling, [PROMPTS[3]] * 6)
    assert len({item.text for item in same}) > 1
    named = texts(model, 8, sampling, [PROMPTS[3]] * 6, seeds=[9] * 6)
    assert len({item.text for item in named}) == 1


def test_a_tiny_top_p_is_greedy(model):
    greedy = [item.text for item in texts(model, 8)]
    nearly = texts(model, 8, Sampling(temperature=1.0, top_p=1e-6, max_tokens=16))
    assert [item.text for item in nearly] == greedy


def test_stop_strings_end_a_text_and_are_not_part_of_it(model):
    whole = texts(model, 8)
    word = next(item.text.split()[1] for item in whole if len(item.text.split()) > 2)
    cut = texts(model, 8, Sampling(max_tokens=16, stop=(word,)))
    for before, after in zip(whole, cut, strict=True):
        assert word not in after.text
        assert before.text.startswith(after.text)
        if word in before.text:
            assert after.finish_reason == "stop" and after.completion_tokens <= before.completion_tokens


def test_reasons_and_counts(model):
    for item in texts(model, 8):
        assert item.finish_reason in ("stop", "length")
        assert (item.finish_reason == "length") == (item.completion_tokens == 16)
        assert item.prompt_tokens == len(PROMPTS[item.index].split())
    assert all(item.completion_tokens <= 3 for item in texts(model, 8, Sampling(max_tokens=3)))


def test_long_prompts_stay_inside_the_models_positions(model):
    (item,) = texts(model, 1, Sampling(max_tokens=50), ["1 " * 200 + "?"])
    if not model.config.is_encoder_decoder:
        assert item.prompt_tokens + item.completion_tokens <= 64
    (short,) = texts(model, 1, GREEDY, ["1 " * 200 + "?"], max_input_tokens=5)
    assert short.prompt_tokens == 5


@pytest.mark.parametrize(
    ("config", "limit", "room"),
    [
        ({"is_encoder_decoder": True, "n_positions": 512}, 768, 768),  # T5's positions are relative
        ({"is_encoder_decoder": True, "max_position_embeddings": 512}, 768, 512),
        ({"is_encoder_decoder": False, "max_position_embeddings": 2048}, 768, 768),
        ({"is_encoder_decoder": False, "max_position_embeddings": 512}, 768, 511),
        ({"is_encoder_decoder": True}, None, None),
    ],
)
def test_a_models_window_bounds_what_it_reads(config, limit, room):
    assert generation.input_limit(SimpleNamespace(**config), limit) == room


def test_training_mode_is_given_back_and_dropout_is_off(model):
    model.train()
    try:
        assert texts(model, 8) == texts(model, 4) and model.training
    finally:
        model.eval()


def test_no_prompts(model):
    assert texts(model, 8, prompts=[]) == []


def test_bf16_autocast_answers_every_prompt(model):
    assert len(texts(model, 8, autocast=True)) == len(PROMPTS)


def test_the_batch_shrinks_while_memory_runs_out(model, monkeypatch):
    whole, run, sizes = texts(model, 8), generation._run, []

    def scarce(model, tokenizer, rows, *rest):
        sizes.append(len(rows))
        if len(rows) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        run(model, tokenizer, rows, *rest)

    monkeypatch.setattr(generation, "_run", scarce)
    assert texts(model, 8) == whole
    assert sizes[:3] == [8, 4, 2]

    def never(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(generation, "_run", never)
    with pytest.raises(LabError, match="single prompt"):
        texts(model, 8)


def test_tick_can_stop_it(model):
    def tick():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        texts(model, 8, tick=tick)
