"""Equilibrium propagation on networks with small-world topology."""

from typing import Any

import lazy_loader

# The public names are those in __init__.pyi. Each is imported when it is first used, because
# networkx looks for its backends, and so imports this package, whenever it is imported itself.
_imported, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

#: Names that are gone, and what to use instead.
GONE = {
    "Couplings": "Network",
    "TopologyConfig": "Layered, Rewire, RewireEnds, ... (kinds of [topology])",
    "centred_gradient": "network.edge_gradient(Centred(beta).contrast(Phases.of(...)))",
    "cost": "SquaredError().cost",
    "implicit_gradient": "network.edge_gradient(Adjoint().contrast(Phases.of(...)))",
}


def __getattr__(name: str) -> Any:
    if name in GONE:
        raise AttributeError(f"smallworld_eqprop.{name} is gone; use {GONE[name]}")
    return _imported(name)
