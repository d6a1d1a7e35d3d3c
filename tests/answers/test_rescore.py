"""Stored texts scored under other rules, and the counts of verdicts."""

from __future__ import annotations

from core.answers import rescore
from core.answers.tally import Verdict, tally
from core.records import AnswerPlace, Completion, Step
from core.teachers.recorded import records
from tests.recordings import DAVINCI


def said(index: int, text: str) -> Completion:
    """A completion whose second call is nothing but an answer."""
    steps = Step("rationale", "q", "Because."), Step("answer", "q …", text)
    return Completion(index, 0, "Because.", steps, AnswerPlace(step=1))


def test_flips_are_the_items_on_which_two_rule_sets_disagree():
    items = [
        (said(0, " $29.00"), "29"),
        (said(1, " 29"), "29"),
        (said(2, " 28"), "29"),
        (said(3, "1/2"), "1"),
    ]
    result = rescore(items, kind="integer", before="fine-tune-cot", after="robust")
    assert (result.n, result.before, result.after) == (4, 2, 2)
    flips = [(flip.completion.question_index, flip.gold, flip.after.correct) for flip in result.flips]
    assert flips == [(0, "29", True), (3, "1", False)]


def test_recorded_single_eq_gains_its_fractions(recorded, lab_home):
    from core.datasets import load

    path = recorded / DAVINCI / "D_single_eq.json"
    stored = records(path, "fine-tune-cot", load("single_eq"))
    items = [(r.completion, r.gold) for r in stored]
    result = rescore(items, kind="decimal", before="fine-tune-cot", after="robust")
    assert (result.n, result.before) == (508, 414)
    assert result.after - result.before == sum(1 if f.after.correct else -1 for f in result.flips)
    gained = [f.completion.steps[1].text for f in result.flips if f.after.correct]
    assert " 5/6 of a cup." in gained


def test_tally_counts_all_and_the_first_of_each():
    verdicts = [
        Verdict(0, 1, "train", False),
        Verdict(0, 0, "train", True),
        Verdict(1, 0, "test", False),
        Verdict("x", 0, None, True),
    ]
    result = tally(verdicts)
    assert (result["records"], result["correct"], result["accuracy"]) == (4, 2, 50.0)
    assert result["greedy"] == {"n": 3, "correct": 2, "accuracy": 2 / 3 * 100}
    assert result["by_split"]["train"]["n"] == 2 and result["by_split"]["train"]["greedy"]["correct"] == 1
    assert result["by_split"]["test"]["accuracy"] == 0.0
    assert tally([])["accuracy"] is None
