"""training.network and training.pack against transformers, and a stem with branches against its sequences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from training.network import Network, Shape
from training.pack import loss_weight, pack_samples
from training.samples.sample import Role, Sample
from training.weights import read_weights
from training_samples import CONFIG, random_sample

BUILTIN = Path(__file__).parents[2] / "engine" / "builtin"
EVEN = dict.fromkeys(Role, 1.0)
CPU = torch.device("cpu")


def tiny(dtype: torch.dtype = torch.float32, *, recompute: bool = False) -> Network:
    shape = Shape.read(CONFIG)
    return Network(shape, shape.random_weights(3), dtype=dtype, recompute=recompute)


def as_transformers(network: Network, config: dict[str, object]) -> LlamaForCausalLM:
    model = LlamaForCausalLM(LlamaConfig(**config))
    weights = {name: weight.detach() for name, weight in network.weights.items()}
    model.load_state_dict(weights | {"lm_head.weight": weights["model.embed_tokens.weight"]})
    return model.eval()


def logits_of(network: Network, sample: Sample) -> torch.Tensor:
    pack = pack_samples([sample], EVEN, CPU)
    everything = torch.arange(len(sample.ids))
    return network.logits(network.hidden(pack.ids, pack.positions, pack.attention, everything))


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 2, 300])
def test_logits_are_those_of_transformers(length: int) -> None:
    network = tiny()
    sample = random_sample(np.random.default_rng(0), length)
    expected = as_transformers(network, CONFIG)(torch.from_numpy(sample.ids.astype(np.int64))[None]).logits[0]
    torch.testing.assert_close(logits_of(network, sample), expected, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_the_built_in_weights_give_the_logits_of_transformers() -> None:
    config = json.loads((BUILTIN / "config.json").read_text())
    network = Network(Shape.read(config), read_weights(BUILTIN), dtype=torch.float32)
    sample = random_sample(np.random.default_rng(1), 40)
    expected = as_transformers(network, config)(torch.from_numpy(sample.ids.astype(np.int64))[None]).logits[0]
    torch.testing.assert_close(logits_of(network, sample), expected, atol=1e-3, rtol=1e-3)


def summed_loss(
    network: Network, samples: list[Sample], weights: dict[Role, float], pad_to: int = 0
) -> torch.Tensor:
    pack = pack_samples(samples, weights, CPU, pad_to=pad_to)
    hidden = network.hidden(pack.ids, pack.positions, pack.attention, pack.at)
    return (network.losses(hidden, pack.targets) * pack.weights).sum()


def gradients(network: Network, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(network.weights.values())))


def as_sequences(sample: Sample) -> list[Sample]:
    return [Sample(ids, roles, np.zeros(len(ids), np.uint16)) for ids, roles in sample.sequences()]


def test_a_stem_with_branches_is_the_sum_of_its_sequences() -> None:
    """The stem's own loss is counted once, though it stands in every sequence."""
    network = tiny()
    generator = np.random.default_rng(2)
    sample = random_sample(generator, 30, 12, 1, 25)
    weights = {Role.PREFIX: 0.25, Role.MIDDLE: 3.0, Role.TOLD: 9.0, Role.CONTEXT: 0.5, Role.PLAIN: 1.0}
    together = summed_loss(network, [sample], weights)
    sequences = as_sequences(sample)
    stem = Sample(sample.ids[:30], sample.roles[:30], sample.branches[:30])
    apart = sum(summed_loss(network, [each], weights) for each in sequences) - 2 * summed_loss(
        network, [stem], weights
    )
    torch.testing.assert_close(together, apart)
    for one, other in zip(gradients(network, together), gradients(network, apart), strict=True):
        torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-3)
    assert loss_weight(sample, weights) == pytest.approx(
        pack_samples([sample], weights, CPU).weights.sum().item()
    )


def test_samples_of_one_pass_do_not_see_one_another() -> None:
    network = tiny()
    generator = np.random.default_rng(3)
    samples = [
        random_sample(generator, 20, 5, 6),
        random_sample(generator, 31),
        random_sample(generator, 8, 3),
    ]
    apart = sum(summed_loss(network, [each], EVEN) for each in samples)
    torch.testing.assert_close(summed_loss(network, samples, EVEN), apart)


def test_padding_changes_nothing() -> None:
    network = tiny()
    samples = [random_sample(np.random.default_rng(4), 20, 5, 6)]
    padded, plain = summed_loss(network, samples, EVEN, pad_to=64), summed_loss(network, samples, EVEN)
    torch.testing.assert_close(padded, plain)
    for one, other in zip(gradients(network, padded), gradients(network, plain), strict=True):
        torch.testing.assert_close(one, other)


def test_recomputing_changes_nothing() -> None:
    samples = [random_sample(np.random.default_rng(5), 20, 5, 6)]
    plain, recomputed = tiny(), tiny(recompute=True)
    losses = summed_loss(plain, samples, EVEN), summed_loss(recomputed, samples, EVEN)
    for one, other in zip(gradients(plain, losses[0]), gradients(recomputed, losses[1]), strict=True):
        torch.testing.assert_close(one, other)


def test_only_tokens_with_a_weight_are_predicted() -> None:
    sample = Sample(
        np.array([0, 10, 11, 12, 13, 14], np.uint16),
        np.array([Role.GIVEN, Role.CONTEXT, Role.GIVEN, Role.MIDDLE, Role.PREFIX, Role.TOLD], np.uint8),
        np.array([0, 0, 1, 1, 2, 2], np.uint16),
    )
    pack = pack_samples([sample], {Role.MIDDLE: 3.0, Role.TOLD: 9.0, Role.PREFIX: 0.5, Role.GIVEN: 7.0}, CPU)
    assert pack.targets.tolist() == [12, 13, 14]
    assert pack.at.tolist() == [2, 1, 4]  # a branch's first token is predicted by the stem's last
    assert pack.weights.tolist() == [3.0, 0.5, 9.0]
    assert pack.positions.tolist() == [0, 1, 2, 3, 2, 3]


def test_in_bfloat16_the_loss_stays_near() -> None:
    samples = [random_sample(np.random.default_rng(6), 20, 5, 6)]
    exact, near = summed_loss(tiny(), samples, EVEN), summed_loss(tiny(torch.bfloat16), samples, EVEN)
    assert near.item() == pytest.approx(exact.item(), rel=0.01)


@pytest.mark.parametrize(
    "other",
    [
        {"model_type": "gpt2"},
        {"tie_word_embeddings": False},
        {"rope_scaling": {"factor": 2}},
        {"mlp_bias": True},
    ],
)
def test_other_architectures_are_refused(other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Llama"):
        Shape.read({**CONFIG, **other})


def test_weights_of_another_shape_are_refused() -> None:
    shape = Shape.read(CONFIG)
    weights = shape.random_weights()
    weights["model.norm.weight"] = torch.ones(5)
    with pytest.raises(ValueError, match=r"config\.json"):
        Network(shape, weights)
