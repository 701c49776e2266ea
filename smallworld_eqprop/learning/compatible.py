"""Whether the parts of a configuration can go together, asked when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smallworld_eqprop.dynamics.devices import NUMPY
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware.base import acts
from smallworld_eqprop.hardware.nodes import Slew, Thermal
from smallworld_eqprop.learning.rewiring import Fixed
from smallworld_eqprop.learning.rules import Adjoint, Rule
from smallworld_eqprop.learning.rules.base import check_subtracts

__all__ = ["check_hardware", "check_rewiring"]


def check_hardware(config: Any) -> None:
    """Refuse configurations that a chip cannot have, or that are not simulated.

    Parameters
    ----------
    config : TrainingConfig

    Raises
    ------
    InputError
        If the network is computed by torch, a state that is read is not subtracted from another
        one, the rule solves an equation, or a solver has no time where devices act in time.
    """
    devices = config.hardware.parts
    if not devices:
        return
    if config.device != NUMPY:
        raise InputError(
            f"hardware: is not available with device = {config.device!r}; take device = 'numpy', "
            "or leave hardware out"
        )
    inner = list(_within(config.rule))
    solvers = [each for each in inner if isinstance(each, Solver)]
    if any(acts(each, "read") for each in devices):
        for solver in solvers:
            check_subtracts(solver)
    if any(acts(each, "read", "circuit") for each in devices):
        for rule in inner:
            if isinstance(rule, Adjoint):
                raise InputError(
                    "rule: Adjoint solves an equation of the ideal network, which does not include "
                    "devices that act on states; take another rule"
                )
    in_time = [each for each in devices if isinstance(each, Slew | Thermal)]
    if config.evaluation is not None:
        solvers.append(config.evaluation)
    slow = [each for each in (config.relaxation, *solvers) if not each.in_time]
    if in_time and slow:
        raise InputError(
            f"hardware: {type(in_time[0]).__name__} needs steps of time, which "
            f"{type(slow[0]).__name__} has not; take Euler as relaxation, as evaluation and as "
            "solver of the rule"
        )


def check_rewiring(config: Any) -> None:
    """Refuse to move edges where weights cannot follow.

    Parameters
    ----------
    config : TrainingConfig

    Raises
    ------
    InputError
        If the network is computed by torch, or held by devices.
    """
    if isinstance(config.rewire, Fixed):
        return
    if config.device != NUMPY:
        raise InputError(
            f"rewire: edges cannot move in device = {config.device!r}; take device = 'numpy', or "
            "leave rewire out"
        )
    if config.hardware.parts:
        raise InputError(
            "rewire: edges cannot move on a chip, whose devices have fixed places; leave hardware "
            "or rewire out"
        )


def _within(part: Any) -> Iterator[Any]:
    """A rule and the rules and solvers that it holds."""
    yield part
    if isinstance(part, Rule):
        for value in vars(part).values():
            if isinstance(value, Rule | Solver):
                yield from _within(value)
