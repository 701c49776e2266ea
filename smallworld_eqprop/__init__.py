"""Equilibrium propagation on networks with small-world topology."""

import lazy_loader

# The public names are those in __init__.pyi. Each is imported when it is first used, because
# networkx looks for its backends, and so imports this package, whenever it is imported itself.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
