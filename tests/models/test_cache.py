"""The roomy cache holds what Transformers' own holds, whatever is appended and whichever rows leave."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.cache_utils import DynamicCache, DynamicLayer

from core.models.cache import BLOCK, make_room, roomy_layer

STEPS = st.lists(st.one_of(st.integers(1, BLOCK + 3), st.just("select")), min_size=1, max_size=8)


def states(rows: int, tokens: int, stream: torch.Generator) -> torch.Tensor:
    return torch.rand(rows, 2, tokens, 4, generator=stream)


@settings(deadline=None)
@given(STEPS, st.integers(0, 99))
def test_it_equals_the_plain_layer(steps: list, seed: int):
    stream, rows = torch.Generator().manual_seed(seed), 4
    first = states(rows, 3, stream), states(rows, 3, stream)
    plain, ours = DynamicCache(), DynamicCache()
    plain.update(*first, 0)
    ours.update(*first, 0)
    assert type(make_room(ours).layers[0]) is roomy_layer()
    for step in steps:
        if step == "select" and rows > 1:
            rows -= 1
            for cache in (plain, ours):
                cache.batch_select_indices(torch.arange(1, rows + 1))
        elif step != "select":
            new = states(rows, step, stream), states(rows, step, stream)
            expected = plain.update(*new, 0)
            for mine, theirs in zip(ours.update(*new, 0), expected, strict=True):
                assert torch.equal(mine, theirs)
        assert ours.get_seq_length() == plain.get_seq_length()
        assert torch.equal(ours.layers[0].values, plain.layers[0].values)


def test_room_is_made_once_a_block():
    stream = torch.Generator().manual_seed(0)
    cache = DynamicCache()
    cache.update(states(2, 5, stream), states(2, 5, stream), 0)
    layer = make_room(cache).layers[0]
    layer.update(states(2, 1, stream), states(2, 1, stream))
    behind = []
    for _ in range(BLOCK - 1):
        layer.update(states(2, 1, stream), states(2, 1, stream))
        behind.append(layer.keys._base.data_ptr())
    assert len(set(behind)) == 1


def test_other_layers_stay_as_they_are():
    class Other(DynamicLayer):
        pass

    cache = DynamicCache()
    cache.layers.append(Other())
    assert type(make_room(cache).layers[0]) is Other
    assert make_room(None) is None
