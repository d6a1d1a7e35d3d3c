"""Algorithm 1 against a transcription of Auto-CoT's loop from its description, on random inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LabError
from core.exemplars.candidates import Candidate, read, shown
from core.exemplars.selection import (
    CHECKS,
    RULES,
    Limits,
    failures,
    limits_for,
    rank,
    select,
)

ARITHMETIC = {"gsm8k", "multiarith", "single_eq", "addsub", "svamp"}
KIND = {
    "multiarith": "integer", "addsub": "decimal", "gsm8k": "integer", "strategy_qa": "yes-no",
    "last_letter_concatenation": "letters", "aqua": "choice-E", "coin_flip": "yes-no-lower",
}  # fmt: skip


def literal(candidates, labels, distances, k, dataset):
    """Auto-CoT's selection as its description reads: (position, cluster) of each exemplar."""
    max_lines = 7 if dataset == "last_letter_concatenation" else 5
    chosen = []
    for cluster in range(k):
        inside = [(i, distances[i]) for i in range(len(candidates)) if labels[i] == cluster]
        inside.sort(key=lambda pair: pair[1])
        for i, _distance in inside:
            question = shown(candidates[i].question)
            rationale, answer = candidates[i].rationale.strip(), candidates[i].answer.strip()
            if len(question.strip().split()) > 60:
                continue
            if len(rationale.replace("\n\n", "\n").split("\n")) > max_lines:
                continue
            if rationale[-1:] != "." or answer == "":
                continue
            if dataset in ARITHMETIC and not (
                answer in rationale.split(".")[-2] or answer in rationale.split()[-10:]
            ):
                continue
            chosen.append((i, cluster))
            break
    return chosen


words = st.sampled_from(["two", "3", "31", "marbles", "eats", "7.5", "=", "Therefore", "ответ"])
sentences = st.lists(words, min_size=1, max_size=30).map(" ".join)
rationales = st.builds(
    lambda parts, ends, stop: "".join(p + e for p, e in zip(parts, ends, strict=False)).strip() + stop,
    st.lists(sentences, min_size=1, max_size=8),
    st.lists(st.sampled_from([".", ". ", ".\n", ".\n\n", "\n", "\n\n\n"]), min_size=8, max_size=8),
    st.sampled_from([".", "", "!"]),
).map(str.strip)
candidates_ = st.lists(
    st.builds(
        Candidate,
        index=st.integers(0, 10**6),
        question=st.integers(1, 62).map(lambda n: " ".join(["word"] * n)),
        rationale=rationales,
        answer=st.sampled_from(["", "3", "7.5", "31", "two", "e"]),
        gold=st.just("3"),
        correct=st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(st.data(), candidates_, st.integers(1, 6), st.sampled_from(sorted(KIND)))
def test_picks_equal_a_literal_reading(data, candidates, k, dataset):
    n = len(candidates)
    labels = data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    # Few values, so that many distances are equal.
    distances = data.draw(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7]), min_size=n, max_size=n))
    limits = limits_for("auto-cot", dataset, KIND[dataset])
    made = select(candidates, labels, distances, k, limits)
    expected = literal(candidates, labels, distances, k, dataset)
    assert [(p.candidate, p.cluster) for p in made.picks] == [(candidates[i], c) for i, c in expected]
    assert {p.cluster for p in made.picks} | {g.cluster for g in made.gaps} == set(range(k))
    assert len(made.picks) + len(made.gaps) == k


@settings(max_examples=100, deadline=None)
@given(st.data(), candidates_, st.integers(1, 6))
def test_the_papers_rules_never_pick_a_wrong_answer(data, candidates, k):
    n = len(candidates)
    labels = data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    made = select(candidates, labels, [0.5] * n, k, limits_for("paper", "multiarith", "integer"))
    assert all(pick.candidate.correct for pick in made.picks)
    assert made.correct_among_eligible == made.eligible


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0])), max_size=30))
def test_rank_is_by_distance_and_stable(rows):
    labels, distances = [r[0] for r in rows], [r[1] for r in rows]
    ranked = rank(labels, distances, 4)
    assert sorted(i for positions in ranked for i in positions) == list(range(len(rows)))
    for cluster, positions in enumerate(ranked):
        assert all(labels[i] == cluster for i in positions)
        assert positions == sorted(positions, key=lambda i: (distances[i], i))


def candidate(index: int = 0, **values) -> Candidate:
    base = {"question": "How many?", "rationale": "It is 3.", "answer": "3", "gold": "3", "correct": True}
    return Candidate(index, **base | values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"question": "w " * 59}, "question too long"),
        ({"question": "слово " * 10_000}, "question too long"),
        ({"rationale": "a\nb\nc\nd\ne\n3."}, "too many lines in the rationale"),
        ({"rationale": "It is 3"}, "rationale does not end with a period"),
        ({"rationale": ""}, "rationale does not end with a period"),
        ({"answer": ""}, "no answer"),
        ({"answer": "4"}, "answer not near the rationale's end"),
        ({"correct": False}, "wrong answer"),
    ],
)
def test_each_limit_says_what_is_wrong(values, reason):
    assert reason in failures(candidate(**values), limits_for("paper", "multiarith", "integer"))


def test_the_longest_question_and_rationale_that_pass():
    limits = limits_for("auto-cot", "multiarith", "integer")
    assert not failures(candidate(question="w " * 58), limits)  # Q: and A: make 60
    assert not failures(candidate(rationale="a\n\nb\nc\nd\n3."), limits)
    assert not failures(candidate(question="Why"), limits)


def test_a_cluster_without_an_exemplar_says_why():
    rows = [candidate(0), candidate(1, correct=False), candidate(2, correct=False, rationale="3")]
    made = select(rows, [0, 1, 1], [0.0, 0.1, 0.2], 3, limits_for("paper", "multiarith", "integer"))
    assert [p.candidate.index for p in made.picks] == [0]
    assert [(g.cluster, g.size) for g in made.gaps] == [(1, 2), (2, 0)]
    assert made.gaps[0].sentence == (
        "Cluster 1 has no exemplar: none of its 2 questions qualifies "
        "(2 wrong answer, 1 rationale does not end with a period)."
    )
    assert "is empty" in made.gaps[1].sentence


def test_own_limits():
    limits = limits_for("custom", "multiarith", "integer", rationale_words=2, ends_with_period=False)
    assert failures(candidate(rationale="It is 3"), limits) == ("rationale too long",)
    assert not failures(candidate(rationale="is 3"), limits)
    with pytest.raises(LabError, match="no field `colour`"):
        limits_for("custom", "multiarith", "integer", colour=3)
    with pytest.raises(LabError, match="at least 1"):
        Limits(question_words=0)


def test_tables_fit_together():
    from core.datasets import DATASETS
    from core.exemplars.candidates import TEXTS

    assert set(CHECKS) == set(Limits.model_fields)
    assert all(row.text in TEXTS for row in RULES.values())
    assert {k: DATASETS[k].exemplars for k in ("aqua", "commonsense_qa", "strategy_qa", "svamp")} == {
        "aqua": 4, "commonsense_qa": 7, "strategy_qa": 6, "svamp": 8,
    }  # fmt: skip


def test_rules_differ_as_the_ablation_says(recordings: Path):
    path = recordings / "zero_shot_cot" / "log" / "last_letters_zero_shot_cot.log"
    rows = read(path, "last_letter_concatenation", "zero-shot-cot")
    labels, distances = [i % 4 for i in range(len(rows))], [float(i) for i in range(len(rows))]
    made = {
        key: select(rows, labels, distances, 4, limits_for(key, "last_letter_concatenation", "letters"))
        for key in ("paper", "auto-cot", "no-correction")
    }
    assert made["no-correction"].picks == made["auto-cot"].picks
    assert all(pick.candidate.correct for pick in made["paper"].picks)
    assert made["auto-cot"].eligible > made["paper"].eligible == made["auto-cot"].correct_among_eligible
