"""Equilibrium propagation on networks with small-world topology."""

import re
from pathlib import Path
from typing import Any

import lazy_loader

# __init__.pyi has the names that a user meets first, and those of the subpackages have all others.
# Each is imported when it is first used, because networkx looks for its backends, and so imports
# this package, whenever it is imported itself.
_imported, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

#: Names that were here and are in no __init__.pyi now, and what to use instead.
GONE = {
    "Couplings": "smallworld_eqprop.Network",
    "TopologyConfig": "the classes in smallworld_eqprop.graphs.topology",
    "centred_gradient": "network.edge_gradient(Centred(beta).contrast(Phases.of(...)))",
    "cost": "SquaredError().cost",
    "implicit_gradient": "network.edge_gradient(Adjoint().contrast(Phases.of(...)))",
    "preset_names": "smallworld_eqprop.presets.preset_names",
}


def _place_in_a_subpackage(name: str) -> str | None:
    """Give the full path of a name, where the __init__.pyi of a subpackage lists it."""
    folder = Path(__file__).parent
    for stub in sorted(folder.glob("*/**/__init__.pyi")):
        text = stub.read_text(encoding="utf-8")
        if re.search(rf"^from \.\w+ import \w+ as {re.escape(name)}$", text, re.MULTILINE):
            return ".".join((__name__, *stub.parent.relative_to(folder).parts, name))
    return None


def __getattr__(name: str) -> Any:
    # Python itself looks for names with underscores, often and in vain.
    if name not in __all__ and not name.startswith("_"):
        instead = GONE.get(name) or _place_in_a_subpackage(name)
        if instead:
            raise AttributeError(f"smallworld_eqprop has no {name}; use {instead}")
    return _imported(name)
