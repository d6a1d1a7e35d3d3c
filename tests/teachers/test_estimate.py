"""What a generation costs at most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.methods.base import Ask
from core.records import Sampling
from core.teachers.base import Prices, count_tokens
from core.teachers.estimate import Estimate, bounds, token_counter, unwritten

FREE = Prices()
SOON = " So"  # what a second prompt adds


def of(
    prompts: list[str],
    sampling: Sampling | None = None,
    prices: Prices | dict[str, Prices] = FREE,
    *,
    second: Sampling | None = None,
    samples: int = 1,
    context: int | None = None,
    count: Callable[[str], int] = count_tokens,
) -> Estimate:
    """The bound of one call for each prompt, and of a second one that reads all that was said so far."""
    runs = [[(Ask(prompt), sampling or Sampling())] for prompt in prompts]
    if second is not None:
        for run, prompt in zip(runs, prompts, strict=True):
            run.append((Ask(prompt + unwritten(0) + SOON, role="solver"), second))
    return bounds(runs, prices, samples=samples, context=context, count=count)


def test_two_steps_read_the_prompt_twice_and_the_rationale_once() -> None:
    bound = of(
        ["x" * 40], Sampling(max_tokens=100), Prices(1.0, 2.0), second=Sampling(max_tokens=30), samples=3
    )
    assert bound.calls == 6
    assert bound.prompt_tokens == 3 * (10 + 100 + count_tokens("x" * 40 + SOON))
    assert bound.completion_tokens == 3 * 130
    assert bound.cost == pytest.approx((bound.prompt_tokens + 2 * bound.completion_tokens) / 1e6)
    assert "upper bound" in str(bound)


def test_each_role_has_its_price() -> None:
    two = Sampling(max_tokens=100), Sampling(max_tokens=30)
    bound = of(["x" * 40], two[0], {"teacher": Prices(0.0, 1.0), "solver": Prices(0.0, 10.0)}, second=two[1])
    assert bound.cost == pytest.approx((100 * 1.0 + 30 * 10.0) / 1e6)


def test_prompts_that_may_not_fit_are_counted() -> None:
    assert of(["x" * 40, "x" * 400], Sampling(max_tokens=10), context=100).over_context == 1
    short = Sampling(max_tokens=50)
    assert of(["x" * 40], short, context=100).over_context == 0
    assert of(["x" * 40], short, second=short, context=100).over_context == 1, "its second prompt is longer"


def test_a_tokenizer_counts_if_there_is_one() -> None:
    assert of(["three small words"], count=lambda text: len(text.split())).prompt_tokens == 3


def test_the_counter_uses_a_tokenizer_that_is_here(tmp_path: Path, lab_home: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    assert token_counter("gpt-9 (of no hub)")("x" * 40) == 10
    plain = Tokenizer(models.WordLevel({"word": 0}, unk_token="word"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.save(str(tmp_path / "tokenizer.json"))
    assert token_counter(str(tmp_path))("three small words") == 3


def test_what_all_prompts_begin_with_is_counted_once() -> None:
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return len(text.split())

    prompts = [f"Q: one two\nA: three\n\nQ: {'word ' * n}\nA:" for n in range(1, 5)]
    bound = of(prompts, count=count)
    assert bound.prompt_tokens == sum(len(prompt.split()) for prompt in prompts)
    assert bound.counted == 1 and sum("three" in text for text in asked) == 1


def test_of_very_many_prompts_some_are_counted_and_the_others_are_as_dense() -> None:
    prompts = [f"{i:05d} " + "abc " * 100 for i in range(5000)]
    calls = []
    bound = of(prompts, count=lambda text: calls.append(1) or len(text.split()))
    exact = sum(len(prompt.split()) for prompt in prompts)
    assert len(calls) < 1000 and 0 < bound.counted < 0.2
    assert exact <= bound.prompt_tokens <= 1.02 * exact
    assert of(prompts).counted == 0, "a rule of thumb counts nothing"


@given(st.lists(st.text(max_size=50)), st.integers(1, 64))
def test_samples_multiply(prompts: list[str], samples: int) -> None:
    one, many = of(prompts), of(prompts, samples=samples)
    assert many.calls == samples * one.calls == samples * len(prompts)
    assert one.prompt_tokens == sum(count_tokens(p) for p in prompts)
