"""Contracts: what a model, rule, loss, optimiser, solver, transform or device has to keep.

One line each, in any test framework::

    from smallworld_eqprop.testing import check_optimiser

    def test_mine():
        check_optimiser(MyOptimiser())

A contract that is broken raises AssertionError with what was found and what was expected. The
package runs them on its own objects, and on candidates that do nothing, which must fail.
"""

from smallworld_eqprop.testing.gradients import check_loss, check_rule
from smallworld_eqprop.testing.networks import awkward_graphs
from smallworld_eqprop.testing.physics import check_model, check_solver
from smallworld_eqprop.testing.training import check_device, check_optimiser, check_transform

__all__ = [
    "awkward_graphs",
    "check_device",
    "check_loss",
    "check_model",
    "check_optimiser",
    "check_rule",
    "check_solver",
    "check_transform",
]
