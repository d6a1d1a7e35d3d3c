"""The local teacher, on a GPT-2-shaped model made on the spot and in a real child process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import LabError
from core.records import Reply, Request, Sampling
from core.teachers import Teacher, open_teacher
from core.teachers.local import Student, _next
from tests.asking import served

SHORT = Sampling(max_tokens=5)
ASKED = [Request("one two three " * (1 + i % 4), i, sampling=SHORT) for i in range(7)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny decoder with a word tokenizer, saved as safetensors."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    words = ["<end>", "<unknown>", *"one two three four five six seven".split()]
    plain = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unknown>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>", unk_token="<unknown>")
    config = GPT2Config(
        vocab_size=len(words), n_positions=64, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("tiny")
    GPT2LMHeadModel(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def teacher(folder: Path) -> Iterator[Teacher]:
    """One child for the tests that only ask: it starts by importing torch."""
    with open_teacher("local", model=str(folder), batch_size=3) as one:
        yield one


def answer_step(reply: Reply) -> list[Request]:
    index = reply.request.question_index
    if reply.request.step == "answer":
        return []
    return [Request(reply.request.prompt + reply.text + " four", index, step="answer", sampling=SHORT)]


@pytest.fixture(params=[1, 3])
def batched(teacher: Teacher, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Teacher:
    monkeypatch.setattr(teacher, "batch_size", request.param)
    return teacher


def test_each_step_of_each_question_once(batched: Teacher) -> None:
    replies = served(batched, ASKED, answer_step)
    assert sorted((r.request.question_index, r.request.step) for r in replies) == sorted(
        (i, step) for i in range(7) for step in ("rationale", "answer")
    )
    assert all(r.finish_reason in ("stop", "length") and r.completion_tokens <= 5 for r in replies)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_text_does_not_depend_on_its_batch(
    teacher: Teacher, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampling = Sampling(temperature=temperature, max_tokens=20)
    requests = [
        Request("one two " * (1 + i), i, draw, sampling=sampling, draw=draw)
        for i in range(2)
        for draw in range(4)
    ]
    made = {r.request: r.text for r in served(teacher, requests)}
    monkeypatch.setattr(teacher, "batch_size", 2)
    assert made == {r.request: r.text for r in served(teacher, requests[::-1])}
    assert len(set(made.values())) > 2 or not temperature  # samples are different


def test_a_model_without_chat_template_says_so(folder: Path) -> None:
    with open_teacher("local", model=str(folder), mode="chat") as teacher:
        with pytest.raises(LabError, match="no chat template"):
            served(teacher, ASKED[:1])


def test_a_dead_child_is_a_sentence_the_next_run_has_a_new_one_and_closing_ends_it(folder: Path) -> None:
    def kill(_: Reply) -> list[Request]:
        os.kill(child(teacher), signal.SIGKILL)
        return []

    with open_teacher("local", model=str(folder), batch_size=1) as teacher:
        with pytest.raises(LabError, match="died.*smaller batch_size"):
            served(teacher, ASKED, kill)
        assert len(served(teacher, ASKED[:2])) == 2
        pid = child(teacher)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def child(teacher: Teacher) -> int:
    (pid,) = teacher._pool._processes
    return pid


def test_other_weights_in_the_same_folder_are_another_teacher(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    before = open_teacher("local", model=str(folder)).identity
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.lm_head.weight.data += 1
    model.save_pretrained(folder)
    assert open_teacher("local", model=str(folder)).identity != before


def test_a_stopped_inbox_ends_after_its_batch(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "batch_size", 2)
    assert len(served(teacher, ASKED, stop_after=2)) == 2


def test_a_student_says_how_many_prompts_it_cut_and_keeps_no_reply(folder: Path) -> None:
    with Student("tiny", folder, "fp32", 6, 3) as student:
        assert student.identity is None
        replies = served(student, ASKED)
    assert student.cut_prompts == sum(len(one.prompt.split()) > 6 for one in ASKED) == 3
    assert {r.prompt_tokens for r in replies} == {3, 6}


def test_a_student_answers_neighbouring_questions_together_whatever_their_length(folder: Path) -> None:
    """In bf16 a text may depend on those in its batch: which they are is no matter of length or timing."""
    batches: list[list[int]] = []
    with Student("tiny", folder, "fp32", 6, 4) as student:
        write = student._replies

        def noted(batch: list[Request], sampling: Sampling) -> list[Reply]:
            batches.append([one.question_index for one in batch])
            return write(batch, sampling)

        student._replies = noted  # type: ignore[method-assign]
        served(student, list(reversed(ASKED)))
    order = sorted(one.question_index for one in ASKED)
    assert batches == [order[i : i + 4] for i in range(0, len(order), 4)]


def test_second_steps_go_first_once_they_fill_a_batch() -> None:
    first, second = Sampling(), Sampling(max_tokens=1)
    queues = {first: ASKED[:5], second: ASKED[5:]}
    assert _next(queues, 2)[0] == second
    assert _next(queues, 3)[0] == first
    assert _next({first: [], second: ASKED[:1]}, 3)[0] == second


def test_a_model_that_is_not_there_says_what_to_do(lab_home: Path) -> None:
    with pytest.raises(LabError, match="models fetch"):
        open_teacher("local")
