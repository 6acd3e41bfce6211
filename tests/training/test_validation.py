"""training.validation against counting by hand over transformers' logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_network import CPU, as_transformers, tiny

from training.samples.sample import Role, Sample
from training.validation import evaluate
from training_samples import CONFIG, random_sample


@torch.no_grad()
@pytest.mark.parametrize("pad", [False, True])
def test_scores_are_those_counted_by_hand(pad: bool) -> None:
    network = tiny()
    model = as_transformers(network, CONFIG)
    generator = np.random.default_rng(0)
    samples = [random_sample(generator, 20, 9, 14) for _ in range(7)]
    losses: list[float] = []
    rights: list[bool] = []
    for sample in samples:
        for number, (ids, roles) in enumerate(sample.sequences()):
            logits = model(torch.from_numpy(ids.astype(np.int64))[None]).logits[0].log_softmax(-1)
            start = 1 if number == 0 else sample.num_stem
            for at in range(start, len(ids)):
                if roles[at] in (Role.MIDDLE, Role.TOLD):
                    losses.append(-logits[at - 1, int(ids[at])].item())
                    rights.append(int(logits[at - 1].argmax()) == ids[at])
    score = evaluate(network, samples, CPU, pass_tokens=100, pad=pad)["middle"]
    assert score.num == len(losses)
    assert score.loss == pytest.approx(np.mean(losses), rel=1e-4)
    assert score.accuracy == pytest.approx(np.mean(rights))


def test_a_middle_is_exact_if_every_token_of_it_is_right() -> None:
    """Two branches, of whose middles the network knows the first by heart."""
    network = tiny()
    with torch.no_grad():  # every token predicts itself
        for name, weight in network.weights.items():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()
    right, wrong = [20, 20, 20], [20, 20, 31]
    ids = np.array([7, 8, 20, *right, 20, *wrong], np.uint16)
    roles = [Role.GIVEN] * 2 + ([Role.GIVEN] + [Role.MIDDLE] * 2 + [Role.TOLD]) * 2
    sample = Sample(ids, np.array(roles, np.uint8), np.array([0, 0, 1, 1, 1, 1, 2, 2, 2, 2], np.uint16))
    scores = evaluate(network, [sample], CPU, pass_tokens=100)
    assert (scores["middle"].num, scores["middle"].accuracy, scores["middle"].exact) == (
        6,
        pytest.approx(5 / 6),
        0.5,
    )
    assert (scores["told"].num, scores["told"].exact) == (2, 0.5)
    assert "plain" not in scores
