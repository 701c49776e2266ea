"""Learning rules: how relaxations become a contrast, one file each."""

from smallworld_eqprop.learning.rules.adjoint import Adjoint
from smallworld_eqprop.learning.rules.base import Phases, Rule
from smallworld_eqprop.learning.rules.clamped import Contrastive, Coupled
from smallworld_eqprop.learning.rules.eqprop import Centred, OneSided, RandomSign
from smallworld_eqprop.learning.rules.readout_only import ReadoutOnly

__all__ = [
    "Adjoint",
    "Centred",
    "Contrastive",
    "Coupled",
    "OneSided",
    "Phases",
    "RandomSign",
    "ReadoutOnly",
    "Rule",
]
