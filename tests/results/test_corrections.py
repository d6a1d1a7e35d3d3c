"""What changed between the exemplars, or the training rows, of two runs."""

from __future__ import annotations

from core.records import Exemplar
from core.results.corrections import Change, changes, exemplar_changes, summary


def test_edited_left_out_and_come_up():
    before = [Exemplar("a", "One and one.", "2"), Exemplar("b", "Two.", "4"), Exemplar("c", "Same.", "1")]
    after = [Exemplar("a", "1 + 1.", "2"), Exemplar("d", "New.", "9"), Exemplar("c", "Same.", "1")]
    found = exemplar_changes(before, after)
    assert found == [
        Change("edited", "a", "One and one. The answer is 2.", "1 + 1. The answer is 2."),
        Change("left out", "b", "Two. The answer is 4.", ""),
        Change("added", "d", "", "New. The answer is 9."),
    ]
    assert summary(found) == "1 edited, 1 left out, 1 added"


def test_nothing_changed():
    assert changes({(1, 0): "x"}, {(1, 0): "x"}) == []
    assert summary([]) == "nothing changed"
