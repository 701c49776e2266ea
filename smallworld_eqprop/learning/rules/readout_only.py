"""A control: only what ends at the outputs learns, the rest is a fixed reservoir."""

from __future__ import annotations

from dataclasses import dataclass

from smallworld_eqprop.dynamics.contrast import Contrast, Group
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.rules.base import Phases, Rule
from smallworld_eqprop.learning.rules.eqprop import RandomSign

__all__ = ["ReadoutOnly"]

PAPER = RandomSign()


@dataclass(frozen=True)
class ReadoutOnly(Rule):
    """Another rule that trains only edges with an output end and the biases of outputs.

    All other weights and biases keep their initial values to the bit. The difference of a network
    from this control is the effect of training its hidden nodes.

    Parameters
    ----------
    rule : Rule
        The rule that trains edges with an output end.

    Raises
    ------
    InputError
        If it is no rule.
    """

    rule: Rule = PAPER

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise InputError(f"rule: {self.rule!r:.60}, must be a Rule")

    def contrast(self, phases: Phases) -> Contrast:
        """That of the other rule."""
        return self.rule.contrast(phases)

    def trains(self, group: Group, n_layers: int) -> bool:
        """Whether an array belongs to the last layer, and the other rule trains it."""
        return group.layer == n_layers - 1 and self.rule.trains(group, n_layers)
