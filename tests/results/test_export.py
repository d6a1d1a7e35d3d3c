"""The exports hold what the table holds, whatever the text in it."""

from __future__ import annotations

import csv
import io
import json

from core.results import export
from core.results.table import Baseline, Cell, table

NASTY = 'a_b & 50% of "$x"\\\n{~}'


def rows(student: str = "t5-small"):
    def cell(run, method, right):
        return Cell(run, method, student, "worked", 0, "addsub", "q", {i: i in right for i in range(40)})

    return table([cell(1, "fine-tune", {0}), cell(2, "fine-tune-cot", set(range(20)))], Baseline("fine-tune"))


def test_csv_reads_back():
    made = rows(NASTY)
    read = list(csv.DictReader(io.StringIO(export.to_csv(made))))
    assert [line["student"] for line in read] == [NASTY, NASTY]
    assert float(read[1]["accuracy"]) == made[1].accuracy == 50
    assert read[0]["p"] == "" and float(read[1]["p"]) == made[1].p


def test_jsonl_reads_back_with_published_figures_marked():
    read = [json.loads(line) for line in export.to_jsonl(rows()).splitlines()]
    assert read[1]["baseline"] == "fine-tune · t5-small · worked"
    assert read[1]["published"] and all(f["published"] and f["source"] for f in read[1]["published"])


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
    assert all(line.replace(r"\&", "").count("&") == 8 for line in body)
    assert "$<$ 0.001" in body[1]


def test_published_figures_carry_their_mark_everywhere():
    assert "$^{\\dagger}$ As printed by Ho et al., ACL 2023, not ours." in export.to_latex(rows())
    text = export.to_text(rows())
    assert "5.04†" in text and "† As printed by Ho et al., ACL 2023, not ours." in text
    assert "(published: Ho et al., ACL 2023, best of 20 epochs" in export.to_csv(rows())
