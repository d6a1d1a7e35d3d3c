"""Students answer test questions as teachers answer theirs: stored one by one, in a process of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core import jobs, settings, studies
from core.jobs.workflows import perform
from core.models import loading
from core.models.generation import generate
from core.records import Sampling
from core.stages import children, evaluation, finished
from core.store import queries
from tests.performing import Silent, done, plain
from tests.stages.test_study import spec
from tests.students.tiny import tiny_student

LONGEST = 30  # tokens of an answer
pytestmark = [pytest.mark.usefixtures("queued"), pytest.mark.timeout(240)]


@dataclass
class Told(Silent):
    """A job's voice, and what it said."""

    heard: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.heard.append(text)


def says(folder: Path, prompts: list[str], longest: int = 8) -> list[str]:
    """What the model in a folder answers, greedily, to all prompts at once."""
    model, tokenizer = loading.load_model(folder), loading.load_tokenizer(folder)
    made = generate(model, tokenizer, prompts, Sampling(max_tokens=longest), len(prompts))
    by_place = {one.index: one.text for one in made}
    return [by_place[number] for number in range(len(prompts))]


def planned(student: Path, questions: int = 8, **training: object) -> tuple[int, int]:
    """An evaluation of a student as it came. Returns the run's id and the number of its questions."""
    size = {"size": 4 * questions, "flips": 4}
    asked = spec(
        str(student), name="Asked", options=size, test=questions, max_new_tokens=LONGEST, training=training
    )
    arm = (studies.open_study(asked), "zero-shot", str(student), 0, asked.parts)
    run_id, batches = evaluation.plan(*arm, {}, "")
    assert batches == [(0, questions)]
    return run_id, questions


def answers(run_id: int) -> dict[int, tuple[int, str, str]]:
    """question → (id, prompt, text) of what was written."""
    rows = queries.completions(run_id)
    return {row.question_index: (row.id, row.steps[0]["prompt"], row.rationale) for row in rows}


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_a_greedy_answer_does_not_depend_on_what_it_is_asked_with(lab_home, tmp_path, kind):
    student = tiny_student(tmp_path / kind, kind)
    run_id, n = planned(student, eval_batch_size=3)
    told = Told()
    assert evaluation.batch(told, run_id, 0, n) == n and told.heard == []
    made = [answers(run_id)[index] for index in sorted(answers(run_id))]
    texts = [text for _, _, text in made]
    assert texts == says(student, [prompt for _, prompt, _ in made], LONGEST)
    assert len({prompt for _, prompt, _ in made}) == n
    row = queries.completions(run_id)[0]
    (step,) = row.steps
    assert step["role"] == "student" and row.completion_tokens > 0 and row.rationale == step["text"]
    assert row.finish_reason in ("stop", "length") and row.correct is not None


def test_an_evaluation_whose_process_is_killed_goes_on_where_it_was(lab_home, tmp_path):
    student = tiny_student(tmp_path / "t5", "t5")
    run_id, n = planned(student, questions=60, eval_batch_size=1)
    code = (
        "from core.stages import evaluation\nfrom tests.performing import Silent\n"
        f"evaluation.batch(Silent(), {run_id}, 0, {n})"
    )
    asking = subprocess.Popen([sys.executable, "-c", code], cwd=settings.ROOT, stderr=subprocess.DEVNULL)
    try:
        while not 5 <= len(queries.finished_samples(run_id)):
            assert asking.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
    finally:
        asking.kill()
        asking.wait()
    kept = answers(run_id)
    assert 5 <= len(kept) < n
    assert evaluation.batch(Silent(), run_id, 0, n) == n - len(kept), "only what is missing is asked"
    made = answers(run_id)
    assert len(made) == n and all(made[index] == one for index, one in kept.items())
    order = sorted(made)
    assert [made[i][2] for i in order] == says(student, [made[i][1] for i in order], LONGEST)
    evaluation.close(Silent(), run_id)
    run = queries.run(run_id)
    assert run.status == "done" and run.summary["n"] == n and run.summary["accuracy"] is not None
    assert evaluation.batch(Silent(), run_id, 0, n) == 0


def test_prompts_that_are_cut_are_said(lab_home, tmp_path):
    run_id, n = planned(tiny_student(tmp_path / "gpt2"), max_input_tokens=4)
    told = Told()
    evaluation.batch(told, run_id, 0, n)
    assert told.heard == [
        f"{n} prompts are longer than the student reads, and were cut: use fewer exemplars."
    ]


def test_a_student_trained_by_lora_answers_as_its_merged_weights_do(lab_home, student):
    training = {"tuning": "lora", "lora_rank": 4, "epochs": 1}
    asked = spec(student, methods=["fine-tune"], training=training, max_new_tokens=LONGEST)
    study = jobs.job(done(studies.submit("study", "t", asked))).study_id
    (run,) = queries.runs(study, "evaluate")
    made = answers(run.id)
    order = sorted(made)
    folder = children.student(queries.run(run.parents[0]))
    assert [made[i][2] for i in order] == says(folder, [made[i][1] for i in order], LONGEST)
    assert [cell.variant for cell in finished.evaluations(asked.name)] == ["LoRA"]


def test_a_broken_checkpoint_is_a_sentence(lab_home, tmp_path):
    student = tiny_student(tmp_path / "gpt2")
    (student / "model.safetensors").write_bytes(b"not safetensors")
    asked = spec(str(student))
    request = {"method": "zero-shot", "student": str(student), "seed": 0}
    job_id = studies.submit("evaluate", "t", asked, request)
    assert perform(job_id, plain) == "failed"
    error = jobs.job(job_id).error or ""
    assert error.startswith("Cannot read the model in") and error.count(". ") == 0
