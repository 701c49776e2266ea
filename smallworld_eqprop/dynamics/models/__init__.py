"""Models: the physics of a network, one file each."""

from smallworld_eqprop.dynamics.models.base import Model
from smallworld_eqprop.dynamics.models.hopfield import Hopfield
from smallworld_eqprop.dynamics.models.resistive import Resistive
from smallworld_eqprop.dynamics.models.weak_feedback import WeakFeedback
from smallworld_eqprop.specs import Slot

__all__ = ["MODEL", "Hopfield", "Model", "Resistive", "WeakFeedback"]

#: What may stand under ``[model]``.
MODEL = Slot(
    "model",
    Model,
    {"hopfield": Hopfield, "weak-feedback": WeakFeedback, "resistive": Resistive},
)
