"""Equilibrium propagation on networks with small-world topology."""

from __future__ import annotations

from smallworld_eqprop._version import __version__
from smallworld_eqprop.data import DATASETS, Dataset, load
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.energy import cost, energy
from smallworld_eqprop.dynamics.relaxation import SOR, Euler, Relaxation
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.endpoints import rewire_ends, rewire_keeping_degrees
from smallworld_eqprop.graphs.families import add_rings, add_skips, random_like, thin
from smallworld_eqprop.graphs.io import load_graph, save_graph
from smallworld_eqprop.graphs.layered import LayeredGraph, add_intralayer, layered
from smallworld_eqprop.graphs.rewiring import difference, rewire
from smallworld_eqprop.learning.eqprop import centred_gradient, initial_weights
from smallworld_eqprop.learning.trainer import Trainer, TrainingConfig, log_spread
from smallworld_eqprop.presets import preset_names
from smallworld_eqprop.studies.config import RunConfig, TopologyConfig
from smallworld_eqprop.studies.runs import Run, train

__all__ = [
    "DATASETS",
    "SOR",
    "Couplings",
    "Dataset",
    "Euler",
    "InputError",
    "LayeredGraph",
    "Relaxation",
    "Run",
    "RunConfig",
    "TopologyConfig",
    "Trainer",
    "TrainingConfig",
    "__version__",
    "add_intralayer",
    "add_rings",
    "add_skips",
    "centred_gradient",
    "cost",
    "difference",
    "energy",
    "initial_weights",
    "layered",
    "load",
    "load_graph",
    "log_spread",
    "preset_names",
    "random_like",
    "rewire",
    "rewire_ends",
    "rewire_keeping_degrees",
    "save_graph",
    "thin",
    "train",
]
