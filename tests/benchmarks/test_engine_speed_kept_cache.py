"""transformers with its cache kept writes what it writes without one, and reads only what differs."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.engine_speed.kept_cache import KeptCache, lengths


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        num_hidden_layers=2,
        hidden_size=32,
        intermediate_size=48,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=97,
        eos_token_id=1,
    )
    return LlamaForCausalLM(config).eval()


def fresh(model, ids, num_tokens):
    """The oracle: all of it, nothing kept."""
    prompt = torch.tensor([ids])
    out = model.generate(prompt, attention_mask=torch.ones_like(prompt), **lengths(model, num_tokens))
    return out[0].tolist()


def test_every_prompt_gives_the_same_ids_and_reads_what_it_does_not_share(model):
    kept = KeptCache(model, 6)
    prefix, suffix = list(range(2, 40)), list(range(50, 60))
    prompts = [
        (prefix + suffix, 48),
        ([*prefix, 70, *suffix], 11),
        ([*prefix, 70, 71, *suffix], 11),
        ([*prefix, 70, 71, *suffix], 1),
        (prefix[:9] + suffix * 2, 20),
    ]
    for ids, num_read in prompts:
        answer = kept.answer(ids)
        # The last token is not in the cache: nobody has read it yet.
        assert kept.ids == fresh(model, ids, 6)[:-1]
        assert (answer.prefilled, answer.decoded, answer.passes) == (num_read, 6, 5)
