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


@given(st.lists(st.text(max_size=50)), st.integers(1, 64))
def test_samples_multiply(prompts: list[str], samples: int) -> None:
    one = estimate(Prices(1, 1), prompts, Sampling())
    many = estimate(Prices(1, 1), prompts, Sampling(), samples=samples)
    assert many.calls == samples * one.calls == samples * len(prompts)
    assert one.prompt_tokens == sum(count_tokens(p) for p in prompts)
