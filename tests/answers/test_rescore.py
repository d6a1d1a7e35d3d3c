"""Stored texts scored under other rules, and the counts of verdicts."""

from __future__ import annotations

from core.answers import StoredText, rescore, scored_text
from core.answers.tally import Verdict, tally
from core.records import Completion
from core.teachers.recorded import records
from tests.recordings import DAVINCI


def test_flips_are_the_items_on_which_two_rule_sets_disagree():
    items = [
        StoredText("a", " $29.00", "29"),
        StoredText("b", " 29", "29"),
        StoredText("c", " 28", "29"),
        StoredText("d", "1/2", "1"),
    ]
    result = rescore(items, kind="integer", before="fine-tune-cot", after="robust")
    assert (result.n, result.before, result.after) == (4, 2, 2)
    assert [(flip.item.key, flip.after.correct) for flip in result.flips] == [("a", True), ("d", False)]


def test_recorded_single_eq_gains_its_fractions(recorded, lab_home):
    from core.datasets import load

    path = recorded / DAVINCI / "D_single_eq.json"
    stored = records(path, "fine-tune-cot", load("single_eq"))
    items = [StoredText(i, scored_text(r.completion), r.gold) for i, r in enumerate(stored)]
    result = rescore(items, kind="decimal", before="fine-tune-cot", after="robust")
    assert (result.n, result.before) == (508, 414)
    assert result.after - result.before == sum(1 if f.after.correct else -1 for f in result.flips)
    assert any(f.item.text == " 5/6 of a cup." for f in result.flips if f.after.correct)


def test_the_scored_text_is_the_second_call_where_there_was_one():
    assert scored_text(Completion(0, 0, "p", "rationale")) == "rationale"
    assert scored_text(Completion(0, 0, "p", "rationale", answer_prompt="q", answer_text="")) == ""
    assert scored_text(Completion(0, 0, "p", "rationale", answer_text="39")) == "39"


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
