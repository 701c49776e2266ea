"""Null models: random graphs and lattices that share chosen properties with a given graph."""

import lazy_loader

# The public names are those in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
