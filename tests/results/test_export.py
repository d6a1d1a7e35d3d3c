"""The exports hold what the table holds, whatever the text in it."""

from __future__ import annotations

import csv
import io
import json

from core.results import export
from core.results.table import TEST_SELECTED, Baseline, Cell, table

NASTY = 'a_b & 50% of "$x"\\\n{~}'


def rows(student: str = "t5-small", n: int = 119, **values):
    def cell(run, method, right):
        answers = {i: i in right for i in range(n)}
        return Cell(run, method, student, "worked", 0, "addsub", "q", answers, selection="test", **values)

    return table([cell(1, "fine-tune", {0}), cell(2, "fine-tune-cot", set(range(20)))], Baseline("fine-tune"))


def read_csv(made):
    return list(csv.DictReader(io.StringIO(export.to_csv(made))))


def test_csv_reads_back():
    made = rows(NASTY)
    read = read_csv(made)
    assert [line["student"] for line in read] == [NASTY, NASTY]
    assert float(read[1]["accuracy"]) == made[1].accuracy
    assert read[0]["p"] == "" and float(read[1]["p"]) == made[1].p


def test_every_figure_of_a_file_says_what_it_is_of():
    """Ours and the papers', one a line: how its epoch was chosen, D, split and n; who measured it."""
    for read in (read_csv(rows()), [json.loads(line) for line in export.to_jsonl(rows()).splitlines()]):
        assert [line["source"] for line in read[:2]] == ["this lab"] * 2
        assert all(line["source"] != "this lab" and str(line["published"]) == "True" for line in read[2:])
        assert all(line["selection"] and line["split"] and line["n"] and line["samples"] for line in read)
        beside = [(float(line["accuracy"]), int(line["samples"])) for line in read if _same(line)]
        assert beside == [(8.4, 1), (5.04, 1), (5.04, 1)]
        others = [(float(line["accuracy"]), int(line["samples"])) for line in read[2:] if not _same(line)]
        assert others == [(7.56, 8), (7.56, 8)]
    assert not any(map(_same, read_csv(rows(n=12)))) and len(read_csv(rows(n=12))) == 7


def _same(line) -> bool:
    return str(line.get("same_questions")) == "True"


def test_the_json_document_has_what_stands_beside_a_row():
    made = export.as_dict(rows()[1])
    assert made["baseline"] == f"fine-tune · {TEST_SELECTED} · t5-small · worked"
    assert [(f["published"], f["accuracy"], f["samples"], f["n"]) for f in made["published"]] == [
        (True, 5.04, 1, 119)
    ] * 2


def test_predictions_export_as_they_are():
    predictions = [{"question_index": 3, "text": "=1+1\n“é”", "correct": True}]
    assert json.loads(export.to_jsonl(predictions)) == predictions[0]
    assert next(csv.DictReader(io.StringIO(export.to_csv(predictions))))["text"] == "=1+1\n“é”"
    assert export.to_csv([]).strip() == "" and export.to_jsonl([]) == ""


def test_latex_is_booktabs_and_escaped():
    text = export.to_latex(rows(NASTY))
    assert r"a\_b \& 50\% of" in text and r"\$x" in text and r"\textbackslash{}" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 2 and all(line.endswith(r"\\") for line in body)
    assert all(line.replace(r"\&", "").count("&") == 10 for line in body)
    assert r"\textless{} 0.001" in body[1]
    assert export.latex("-3.6 to gpt-3.5 (9.1–21.7)") == "$-$3.6 to gpt-3.5 (9.1--21.7)"


def test_marks_are_told_everywhere_and_no_cell_holds_two_published_figures():
    for text in (export.to_latex(rows()), export.to_text(rows())):
        assert "As printed by results.ipynb of Ho et al., not ours." in text
        assert f"{TEST_SELECTED.capitalize()} themselves: optimistic." in text
    text = export.to_text(rows())
    ours, printed = text.split(export.OTHERS)
    first = ours.splitlines()[2]
    assert first.count("5.04 †‡") == 2 and "16.8 (11.2–24.5) ‡" in first and "7.56" not in ours
    assert "7.56 †‡" in printed and "cells 38 to 44" in printed
    assert "5.04" not in export.to_text(rows(n=12)).split(export.OTHERS)[0]
    assert "5.04" not in export.to_text(rows(split="template")).split(export.OTHERS)[0]
