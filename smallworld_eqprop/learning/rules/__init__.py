"""Learning rules: how relaxations become a contrast, one file each."""

from smallworld_eqprop.learning.rules.adjoint import Adjoint
from smallworld_eqprop.learning.rules.base import Phases, Rule
from smallworld_eqprop.learning.rules.eqprop import Centred, OneSided, RandomSign

__all__ = ["Adjoint", "Centred", "OneSided", "Phases", "RandomSign", "Rule"]
