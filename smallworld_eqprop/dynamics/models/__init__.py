"""Models: the physics of a network, one file each."""

from smallworld_eqprop.dynamics.models.base import Model
from smallworld_eqprop.dynamics.models.hopfield import Hopfield
from smallworld_eqprop.dynamics.models.weak_feedback import WeakFeedback

__all__ = ["Hopfield", "Model", "WeakFeedback"]
