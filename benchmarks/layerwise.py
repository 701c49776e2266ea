"""A layered Hopfield network in PyTorch, relaxed layer by layer and trained as published.

Method and settings are those that energy-based-learning publishes for three hidden layers
(github.com/rain-neuromorphics/energy-based-learning, ``papers/fast-drn/dhn.py``), written anew and
without its overhead: hidden nodes between 0 and 1, linear outputs, centred nudges, plain gradient
descent with a rate per layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

__all__ = ["Layerwise", "Published"]


@dataclass(frozen=True)
class Published:
    """The published settings.

    Attributes
    ----------
    batch_size : int
    gain : float
        Weights begin uniform within this over the square root of the nodes of the lower layer.
    free, nudged : int
        Iterations of a phase, each of the layers 1, 3, ... at once and then of 2, 4, ...
    beta : float
        Strength of the nudges, of half the squared error: twice the beta of this package.
    rates : tuple of float
        Learning rates of weights and biases, from the layer next to the inputs.
    decay : float
        What the rates are multiplied by after every epoch.
    input_once : bool
        Whether the product of inputs and weights is taken once in a phase, as it could be; the
        published code takes it in every iteration.
    """

    batch_size: int = 16
    gain: float = 0.7
    free: int = 100
    nudged: int = 10
    beta: float = 0.2
    rates: tuple[float, ...] = (0.2, 0.05, 0.01, 0.002)
    decay: float = 0.99
    input_once: bool = False


class Layerwise:
    """The network, and a batch of its training."""

    def __init__(self, sizes: Sequence[int], settings: Published, seed: int = 0) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.settings, self.states = settings, []
        self.weights, self.biases = [], []
        for below, above in itertools.pairwise(sizes):
            bound = settings.gain / below**0.5
            self.weights.append((2 * torch.rand(below, above, generator=draw) - 1) * bound)
            self.biases.append(torch.zeros(above))

    def rest(self, n: int) -> list[torch.Tensor]:
        """States of n examples, all 0."""
        return [torch.zeros(n, len(biases)) for biases in self.biases]

    def relax(
        self,
        states: list[torch.Tensor],
        inputs: torch.Tensor,
        iterations: int,
        target: torch.Tensor | None = None,
        beta: float = 0.0,
    ) -> list[torch.Tensor]:
        """States after the iterations; those given are left as they are."""
        states, last = list(states), len(states) - 1
        fixed = torch.addmm(self.biases[0], inputs, self.weights[0])
        for n in range(iterations):
            if n and not self.settings.input_once:
                fixed = torch.addmm(self.biases[0], inputs, self.weights[0])
            for parity in (0, 1):
                for k in range(parity, last + 1, 2):
                    field = fixed
                    if k:
                        field = torch.addmm(self.biases[k], states[k - 1], self.weights[k])
                    if k < last:
                        field = torch.addmm(field, states[k + 1], self.weights[k + 1].T)
                        states[k] = field.clamp_(0, 1) if field is not fixed else field.clamp(0, 1)
                    elif target is not None:
                        states[k] = field + beta * (target - states[k])
                    else:
                        states[k] = field
        return states

    def train(self, inputs: torch.Tensor, target: torch.Tensor, epoch: int) -> None:
        """One batch of epoch 0, 1, ...; the free phase starts where the last batch ended."""
        found, n = self.settings, len(inputs)
        if not self.states or len(self.states[0]) != n:
            self.states = self.rest(n)
        free = self.relax(self.states, inputs, found.free)
        away, toward = (
            self.relax(free, inputs, found.nudged, target, beta)
            for beta in (-found.beta, found.beta)
        )
        self.states = toward
        scale = found.decay**epoch / (2 * found.beta * n)
        for k, rate in enumerate(found.rates):
            step = rate * scale
            below = (inputs, inputs) if k == 0 else (toward[k - 1], away[k - 1])
            self.weights[k].addmm_(below[0].T, toward[k], alpha=step)
            self.weights[k].addmm_(below[1].T, away[k], alpha=-step)
            self.biases[k] += step * (toward[k] - away[k]).sum(0)

    def error(self, inputs: torch.Tensor, target: torch.Tensor) -> float:
        """Share of wrong examples, each relaxed from rest as in a free phase."""
        wrong = 0
        for x, y in zip(inputs.split(200), target.split(200), strict=True):
            output = self.relax(self.rest(len(x)), x, self.settings.free)[-1]
            wrong += int((output.argmax(1) != y.argmax(1)).sum())
        return wrong / len(inputs)


def order(n: int, seed: int, epoch: int) -> torch.Tensor:
    """A shuffle of n examples, another one in every epoch."""
    return torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(n))
