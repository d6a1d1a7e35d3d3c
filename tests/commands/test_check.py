"""python -m core check: what each check flags among recorded rationales, right and wrong."""

from __future__ import annotations

import json

from core.__main__ import app
from core.commands.check import COUNTED, counts, rationales
from core.quality.checks import CHECKS, Rationale


def test_counts_are_by_verdict():
    right = Rationale("5 and 3?", "5 + 3 = 8", "8", "8", correct=True)
    wrong = Rationale("5 and 3?", "5 + 3 = 9", "9", "8", correct=False)
    table = counts([right, wrong, wrong])
    assert table["arithmetic"] == {"right": 1, "right_flagged": 0, "wrong": 2, "wrong_flagged": 2}
    assert set(table) == set(CHECKS)


def test_a_recorded_file(recordings, capsys):
    path = recordings / "zero_shot_cot/log/multiarith_zero_shot_cot.log"
    options = ["--dataset", "multiarith", "--source", "zero-shot-cot"]
    app(["check", str(path), *options, "--json"], standalone_mode=False)
    result = json.loads(capsys.readouterr().out)
    assert result["n"] == len(rationales(path, "multiarith", "zero-shot-cot"))
    for row in result["checks"].values():
        assert tuple(row) == COUNTED and row["right"] + row["wrong"] == result["n"]
        assert row["right_flagged"] <= row["right"] and row["wrong_flagged"] <= row["wrong"]
    app(["check", str(path), *options], standalone_mode=False)
    assert f"{result['n']} rationales" in capsys.readouterr().out


def test_false_alarms_on_recordings(recorded, lab_home):
    """At most 1 % for arithmetic and 3 % for every other check. What was cut at the token limit breaks off
    rightly, and the five of 323 GSM8K traces whose arithmetic is flagged do have a wrong equation."""
    from benchmarks.recordings import recordings

    found: dict[str, list[Rationale]] = {}
    for path, source, key in recordings(recorded):
        if not path.stem.endswith("_zero_shot"):
            items = rationales(path, key, source)
            found.setdefault(key, []).extend(item for item in items if item.correct)
    assert len(found) == 7
    for key, items in found.items():
        for check, row in counts(items).items():
            limit = {"arithmetic": 0.02 if key == "gsm8k" else 0.01, "truncated": 0.1}.get(check, 0.03)
            assert row["right_flagged"] <= limit * row["right"], (key, check, row)
