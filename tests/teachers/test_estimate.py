"""What a generation costs at most."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.records import Sampling
from core.teachers.base import Prices, count_tokens
from core.teachers.estimate import estimate, token_counter


def test_two_steps_read_the_prompt_twice_and_the_rationale_once() -> None:
    bound = estimate(
        Prices(1.0, 2.0),
        ["x" * 40],
        Sampling(max_tokens=100),
        answer_sampling=Sampling(max_tokens=30),
        samples=3,
    )
    assert bound.calls == 6
    assert bound.prompt_tokens == 3 * (10 + 10 + 100 + 12)
    assert bound.completion_tokens == 3 * 130
    assert bound.cost == (bound.prompt_tokens + 2 * bound.completion_tokens) / 1e6
    assert "upper bound" in str(bound)


def test_prompts_that_may_not_fit_are_counted() -> None:
    bound = estimate(Prices(), ["x" * 40, "x" * 400], Sampling(max_tokens=10), context=100)
    assert bound.over_context == 1


def test_a_tokenizer_counts_if_there_is_one() -> None:
    bound = estimate(Prices(), ["three small words"], Sampling(), count=lambda text: len(text.split()))
    assert bound.prompt_tokens == 3


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
    bound = estimate(Prices(), prompts, Sampling(), count=count)
    assert bound.prompt_tokens == sum(len(prompt.split()) for prompt in prompts)
    assert bound.counted == 1 and sum("three" in text for text in asked) == 1


def test_of_very_many_prompts_some_are_counted_and_the_others_are_as_dense() -> None:
    prompts = [f"{i:05d} " + "abc " * 100 for i in range(5000)]
    calls = []
    bound = estimate(Prices(), prompts, Sampling(), count=lambda text: calls.append(1) or len(text.split()))
    exact = sum(len(prompt.split()) for prompt in prompts)
    assert len(calls) < 1000 and 0 < bound.counted < 0.2
    assert exact <= bound.prompt_tokens <= 1.02 * exact
    assert estimate(Prices(), prompts, Sampling()).counted == 0, "a rule of thumb counts nothing"


@given(st.lists(st.text(max_size=50)), st.integers(1, 64))
def test_samples_multiply(prompts: list[str], samples: int) -> None:
    one = estimate(Prices(1, 1), prompts, Sampling())
    many = estimate(Prices(1, 1), prompts, Sampling(), samples=samples)
    assert many.calls == samples * one.calls == samples * len(prompts)
    assert one.prompt_tokens == sum(count_tokens(p) for p in prompts)
