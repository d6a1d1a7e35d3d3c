"""Fine-tuning tiny students: it learns, it is deterministic, it resumes exactly, it refuses."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from core.errors import LabError, RefusedError
from core.students import checkpoints, training
from core.students.config import TrainConfig
from core.students.folder import read_lines, write
from core.students.training import Stop, Stopped, learning_rate, train
from tests.students.tiny import KINDS, run_folder, tiny_student


def run(folder, **options):
    return train(folder, folder.config(), **options)


def weights(folder):
    return load_file(folder.student / "model.safetensors")


def same(one, other):
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def losses(folder):
    """By step; a resumed run may write a step twice."""
    rows = read_lines(folder.path / "metrics.jsonl")
    return {row["step"]: row["value"] for row in rows if row["name"] == "loss"}


class StopAt(Stop):
    """Told to stop when it looks for the n-th time."""

    def __init__(self, n: int) -> None:
        self.left = n

    @property
    def asked(self) -> bool:
        self.left -= 1
        return self.left < 0

    def tick(self) -> None:
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_weights_and_another_does_not(students, tmp_path, kind):
    one, two = (run_folder(tmp_path / name, students[kind]) for name in "ab")
    other = run_folder(tmp_path / "c", students[kind], seed=1)
    for folder in (one, two, other):
        run(folder)
    assert same(one, two) and losses(one) == losses(two)
    assert not same(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop_after", [3, 6, 7], ids=["mid-epoch", "at the end of one", "in the next"])
def test_a_resumed_run_equals_an_uninterrupted_one(students, tmp_path, kind, stop_after):
    whole = run_folder(tmp_path / "whole", students[kind])
    parts = run_folder(tmp_path / "parts", students[kind])
    run(whole)
    with pytest.raises(Stopped):
        run(parts, stop=StopAt(stop_after - 1))
    assert not parts.student.exists() and any(parts.checkpoints.iterdir())
    run(parts)
    assert same(whole, parts)
    assert losses(whole) == losses(parts)
    assert whole.epochs() == parts.epochs()


def test_a_run_killed_between_checkpoints_goes_on_exactly(students, tmp_path, monkeypatch):
    whole, parts = (run_folder(tmp_path / name, students["gpt2"], epochs=3) for name in ("whole", "parts"))
    run(whole)
    step, seen = training.Fit._step, []

    def dies(self, rows):
        step(self, rows)
        seen.append(1)
        if len(seen) == 9:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(training.Fit, "_step", dies)
        with pytest.raises(KeyboardInterrupt):
            run(parts)
    with (parts.path / "metrics.jsonl").open("a") as file:
        file.write('{"name": "loss", "st')  # what a kill leaves in mid-line
    run(parts)
    assert same(whole, parts) and losses(whole) == losses(parts) and whole.epochs() == parts.epochs()


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_it_learns_what_it_is_shown(tmp_path, kind):
    fields = {"epochs": 40, "learning_rate": 1e-2, "selection": "test", "schedule": "constant"}
    folder = run_folder(tmp_path / "run", tiny_student(tmp_path / kind, kind, dropout=0.0), rows=6, **fields)
    shown = read_lines(folder.path / "rows.jsonl")
    answers = [row["label"].split("-->")[1].strip() for row in shown]
    lines = [
        json.dumps({"question_index": i, "prompt": row["input"], "answer": answer})
        for i, (row, answer) in enumerate(zip(shown, answers, strict=True))
    ]
    write(folder.path / "eval.jsonl", "\n".join(lines) + "\n")
    done = run(folder)
    assert losses(folder)[done["steps"]] < 0.5 < losses(folder)[1]
    assert done["metrics"]["test_accuracy"] == 1.0
    assert "test questions" in done["origin"] and "optimistic" in done["origin"]
    chosen = next(e for e, row in sorted(folder.epochs().items()) if row["test_accuracy"] == 1.0)
    assert done["chosen_epoch"] == chosen
    predictions = read_lines(folder.predictions / f"epoch-{chosen}.jsonl")
    assert [p["text"].split("-->")[1].strip() for p in predictions] == answers


def test_accumulating_equals_a_larger_batch(students, tmp_path):
    plain = tiny_student(tmp_path / "plain", "gpt2", dropout=0.0)
    at_once = run_folder(tmp_path / "a", plain, batch_size=8, accumulation=1, selection="last")
    in_parts = run_folder(tmp_path / "b", plain, batch_size=2, accumulation=4, selection="last")
    run(at_once)
    run(in_parts)
    a, b = losses(at_once), losses(in_parts)
    assert a.keys() == b.keys()
    assert all(abs(a[step] - b[step]) < 1e-4 for step in a)


def test_the_rows_per_pass_are_halved_while_memory_runs_out(students, tmp_path, monkeypatch):
    plain = tiny_student(tmp_path / "plain", "t5", dropout=0.0)
    free, scarce = (run_folder(tmp_path / name, plain, batch_size=8, selection="last") for name in "ab")
    run(free)
    loss, tried = training.label_loss, []

    def short_of_memory(model, inner, batch):
        tried.append(len(batch["labels"]))
        if len(batch["labels"]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return loss(model, inner, batch)

    monkeypatch.setattr(training, "label_loss", short_of_memory)
    done = run(scarce)
    assert tried[:2] == [8, 4] and done["rows_per_pass"] == 2
    a, b = losses(free), losses(scarce)
    assert a.keys() == b.keys() and all(abs(a[step] - b[step]) < 1e-4 for step in a)


def test_memory_that_does_not_hold_one_row_is_a_sentence(students, tmp_path, monkeypatch):
    def none_left(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(training, "label_loss", none_left)
    with pytest.raises(LabError, match="LoRA"):
        run(run_folder(tmp_path / "run", students["gpt2"]))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"student": "narrow"}, "student"),
        ({"weights": "other"}, "another model"),
        ({"rows": 20}, "other rows"),
        ({"learning_rate": 1e-3}, "learning_rate"),
        ({"seed": 3}, "seed"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(students, tmp_path, change, named):
    own = tmp_path / "own"
    shutil.copytree(students["gpt2"], own)
    folder = run_folder(tmp_path / "run", own)
    with pytest.raises(Stopped):
        run(folder, stop=StopAt(7))
    before = sorted(p.name for p in folder.checkpoints.iterdir())
    if "student" in change:
        own, change = tiny_student(tmp_path / "narrow", "gpt2", width=16), {}
    if change.pop("weights", None):
        tiny_student(own, "gpt2", seed=9)
    run_folder(folder.path, own, **change)
    with pytest.raises(RefusedError, match=named):
        run(folder)
    assert sorted(p.name for p in folder.checkpoints.iterdir()) == before


def test_weights_of_another_shape_are_refused(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"])
    run(folder)
    from transformers import AutoModelForCausalLM

    other = AutoModelForCausalLM.from_pretrained(tiny_student(tmp_path / "narrow", "gpt2", width=16))
    with pytest.raises(RefusedError, match="another shape"):
        checkpoints.load_weights(checkpoints.of_epoch(folder, 2), other)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft asks by the old name
@pytest.mark.parametrize("kind", KINDS)
def test_lora_trains_its_adapter_alone_and_is_merged(students, tmp_path, kind):
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    folder = run_folder(tmp_path / "run", students[kind], tuning="lora", lora_rank=4, learning_rate=1e-2)
    with pytest.raises(Stopped):
        run(folder, stop=StopAt(7))
    saved = load_file(checkpoints.latest(folder) / "model.safetensors")
    assert saved and all("lora" in name for name in saved)
    run(folder)
    assert (folder.student / "adapter" / "adapter_model.safetensors").is_file()
    reader = AutoModelForSeq2SeqLM if kind == "t5" else AutoModelForCausalLM
    merged, base = reader.from_pretrained(folder.student), reader.from_pretrained(students[kind])
    assert {n: p.shape for n, p in merged.named_parameters()} == {
        n: p.shape for n, p in base.named_parameters()
    }
    changed = [n for n, p in merged.named_parameters() if not torch.equal(p, base.get_parameter(n))]
    assert changed and not any("emb" in n or "wte" in n or "shared" in n for n in changed)
    whole = run_folder(tmp_path / "whole", students[kind], tuning="lora", lora_rank=4, learning_rate=1e-2)
    run(whole)
    assert same(whole, folder)


def test_a_student_is_safetensors_with_tokenizer_and_card(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["t5"])
    done = run(folder)
    names = {p.name for p in folder.student.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "README.md", "lab.json", "config.json"} <= names
    assert not any(p.suffix in (".bin", ".pt", ".pkl", ".pth") for p in folder.path.rglob("*"))
    card = (folder.student / "README.md").read_text()
    for said in (
        "sums",
        "Fine-tune-CoT",
        "worked",
        "abc123",
        done["origin"],
        "dev split",
        "No test question",
    ):
        assert said in card
    assert f"{done['metrics']['dev_loss']:.4f}" in card


def test_the_last_epoch_is_taken_where_asked_and_few_checkpoints_are_kept(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"], epochs=4, selection="last")
    done = run(folder)
    assert done["chosen_epoch"] == 4 and done["dev_rows"] == 0 and done["rows"] == 24
    assert "epoch-4" in {p.name for p in folder.checkpoints.iterdir()}
    assert len(list(folder.checkpoints.iterdir())) <= 2


def test_the_best_epoch_on_dev_is_chosen(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"], epochs=4, dev_fraction=0.3, learning_rate=5e-2)
    done = run(folder)
    rows = folder.epochs()
    best = max(rows, key=lambda e: (rows[e]["dev_accuracy"], -rows[e]["dev_loss"], -e))
    assert done["chosen_epoch"] == best and (folder.checkpoints / f"epoch-{best}").is_dir()


def test_dev_answers_are_no_longer_than_the_longest_label(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"], max_new_tokens=200)
    run(folder)
    tokenizer = AutoTokenizer.from_pretrained(students["gpt2"])
    labels = [tokenizer(row["label"])["input_ids"] for row in read_lines(folder.path / "rows.jsonl")]
    longest = max(map(len, labels)) + 1  # and the end of the text
    written = [row["tokens"] for e in (1, 2) for row in read_lines(folder.predictions / f"epoch-{e}.jsonl")]
    assert written and max(written) <= longest < 200


def test_curves_have_a_point_per_step_and_epoch(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"])
    done = run(folder)
    rows = read_lines(folder.path / "metrics.jsonl")
    steps = [row["step"] for row in rows if row["name"] == "loss"]
    assert steps == list(range(1, done["steps"] + 1))
    assert {row["name"] for row in rows} == {
        "loss", "learning_rate", "train_loss", "dev_loss", "dev_accuracy"
    }  # fmt: skip
    assert all(isinstance(row["value"], float) and row["epoch"] <= 2 for row in rows)


def test_bf16_trains_too_and_keeps_fp32_weights(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["t5"], precision="bf16")
    done = run(folder)
    assert done["precision"] == "bf16"
    assert all(tensor.dtype == torch.float32 for tensor in weights(folder).values())
    assert all(loss == loss for loss in losses(folder).values())


def test_data_that_cannot_be_used_is_a_sentence(students, tmp_path):
    folder = run_folder(tmp_path / "run", students["gpt2"])
    write(folder.path / "rows.jsonl", "")
    with pytest.raises(LabError, match="empty"):
        run(folder)
    one = run_folder(tmp_path / "one", students["gpt2"], rows=1)
    with pytest.raises(LabError, match="selection: last"):
        run(one)
    unscored = run_folder(tmp_path / "test", students["gpt2"], selection="test", answer_kind=None)
    with pytest.raises(LabError, match="selection: dev"):
        run(unscored)


def test_a_broken_model_folder_is_a_sentence(students, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(students["gpt2"], broken)
    (broken / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(LabError, match="Cannot read the model"):
        run(run_folder(tmp_path / "run", broken))


def test_learning_rates():
    linear = TrainConfig(student="x", learning_rate=1e-3, schedule="linear", warmup=0.1)
    rates = [learning_rate(linear, step, 100) for step in range(100)]
    assert rates.index(max(rates)) == 10 and max(rates) == pytest.approx(1e-3)
    assert 0 < rates[-1] < 2e-5 and all(rate > 0 for rate in rates)
    constant = TrainConfig(student="x", learning_rate=1e-3, schedule="constant", warmup=0)
    assert {learning_rate(constant, step, 100) for step in range(100)} == {1e-3}


def test_the_loss_is_the_librarys_own(students):
    """Per trained token, on a padded batch: as Transformers computes it from the same labels."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    from core.students.encoding import collate, encode
    from tests.students.tiny import tiny_tokenizer

    rows = [
        {"input": "what is 1 plus 2 ? ###", "label": " 1 + 2 = 3 . --> 3"},
        {"input": "what ? ###", "label": " 3"},
        {"input": "what is what is 1 plus 2 ? ###", "label": " 1 + 2"},
    ]
    for kind, reader in (
        ("gpt2", AutoModelForCausalLM),
        ("llama", AutoModelForCausalLM),
        ("t5", AutoModelForSeq2SeqLM),
    ):
        model = reader.from_pretrained(students[kind]).eval()
        examples = encode(rows, tiny_tokenizer(), TrainConfig(student="x"), model.config)
        batch = collate(examples, tiny_tokenizer())
        ours = training.label_loss(model, model, batch) / sum(e.trained_tokens for e in examples)
        assert torch.allclose(ours, model(**batch).loss, atol=1e-5)
